/*
 * Scalars: the BSON values that Lua has no type for, as immutable userdata: ObjectId, date, binary,
 * Decimal128, regex, timestamp, code, symbol, DBPointer; int64 and double where the width is meant;
 * null, undefined, MinKey and MaxKey, of which there is one each.
 *
 * A scalar holds the value's bytes as they stand in a document, so what is read is written back
 * unchanged. Two of the same kind and bytes are equal.
 */
#ifndef MOONLIT_BRIDGE_SCALAR_H
#define MOONLIT_BRIDGE_SCALAR_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bson.h"

struct scalar {
    enum bson_kind kind;
    uint32_t length;
    uint8_t bytes[];
};

void scalar_push(lua_State *L, enum bson_kind kind, const uint8_t *bytes, size_t length);
void scalar_push_null(lua_State *L);

/* The scalar at `index`, or NULL when it is something else. */
const struct scalar *scalar_get(lua_State *L, int index);

/* The scalar as an element without a name, for the readers of base/bson.h. */
struct bson_element scalar_element(const struct scalar *scalar);

/* Make the metatables; called by value_open. */
void scalar_open(lua_State *L);

/* Text of a scalar as tostring gives it: appended to `out`. */
struct buffer;
void scalar_write_text(const struct scalar *scalar, struct buffer *out);

#endif
