/*
 * Inside the bridge: the two halves of "moonlit.core.bson", documents (lib_bson.c) and the makers
 * of scalars (lib_scalar.c).
 */
#ifndef MOONLIT_BRIDGE_LIB_BSON_H
#define MOONLIT_BRIDGE_LIB_BSON_H

#include <lua.h>
#include <stdint.h>

/* Push nil and the sentence; returns 2. */
int lib_bson_refuse(lua_State *L, const char *message);

/* A new ObjectId. */
void bson_make_oid(uint8_t oid[12]);

/* Add the makers to the table on top of the stack. */
void lib_bson_open_makers(lua_State *L);

#endif
