/*
 * Lua values and BSON, both ways.
 *
 *   number          int32, int64 (within 2^53) or double, whichever holds it
 *   int64 cdata     int64                          text       string, valid UTF-8
 *   table           array when its keys are 1 to n, else document, its fields in the order of
 *                   their names; {} is a document
 *   bson.array      array, also when empty         view       its own bytes (view.h)
 *   scalar          every other type (scalar.h)    nil        nothing: the field is not there
 *
 * What cannot be written (functions, handles, holes, cycles, ...) is refused with a sentence that
 * names the place as "a.b[3]".
 *
 * Encoding neither raises nor allocates in Lua (but stack slots), so the caller's buffer is safe.
 * Decoding pushes one value and raises only when Lua has no memory.
 *
 * Life: value_open once per Lua state, before all else here, in view.h and in scalar.h
 * (luaopen_moonlit_core_bson calls it).
 */
#ifndef MOONLIT_BRIDGE_VALUE_H
#define MOONLIT_BRIDGE_VALUE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bson.h"
#include "base/buffer.h"
#include "base/error.h"

/* Idempotent. */
void value_open(lua_State *L);

/* "moonlit.core.bson", on which lua/moonlit/bson.lua stands. */
int luaopen_moonlit_core_bson(lua_State *L);

/* Append the table or view at `index` as a whole document. On failure `out` is as it was. */
bool value_encode(lua_State *L, int index, struct buffer *out, struct error *error);

/* Append any value at `index` as one element, kind and name included; nil appends nothing. `name`
 * also begins the place in error messages ("" for none). */
bool value_encode_field(lua_State *L, int index, struct buffer *out, const char *name,
                        struct error *error);

/* Push what an element holds. Documents and arrays become views: over the same bytes when `owner`
 * is the index of the batch or view whose memory they lie in, over a copy when it is 0. */
void value_push(lua_State *L, const struct bson_element *element, int owner);

/* Push a view over a copy of a checked document (bson_check). */
void value_push_document(lua_State *L, const uint8_t *bytes, size_t length);

/* Mark the table on top of the stack as a list: written as an array also when it is empty. */
void value_mark_list(lua_State *L);

/* Replace the view at `index` by tables, all the way down. Other values stay as they are. */
void value_to_table(lua_State *L, int index);

/* One empty buffer per Lua state, which the collector frees: for bytes that are needed until a
 * string or batch is made of them. Never held over another call of this room. */
struct buffer *value_scratch(lua_State *L);

/* An int64 that may be beyond 2^53: a number when it is not, else a cdata. */
void value_push_int64(lua_State *L, int64_t number);

#endif
