/*
 * Views: documents and arrays as scripts see them. A view is a userdata over bytes and decodes the
 * field that is asked for. It cannot be changed.
 *
 *   doc.name, doc["a"].b, list[1], #list      reading
 *   pairs(doc), ipairs(list), next, unpack    through __pairs, __ipairs, __next, __unpack of the
 *                                             metatable, which lua/moonlit/sandbox.lua knows
 *   tostring(doc), doc == other               relaxed extended JSON; the same bytes
 *
 * The bytes lie in a batch: memory made by lua_newuserdata, so that the collector sees its size,
 * and kept alive by every view over it. Metatables are hidden from scripts by __metatable.
 */
#ifndef MOONLIT_BRIDGE_VIEW_H
#define MOONLIT_BRIDGE_VIEW_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view {
    const uint8_t *bytes;
    uint32_t length;
    bool is_array;
    uint32_t count;  /* of items, UINT32_MAX while not counted */
    uint32_t index;  /* an array's item that was read last, from 1; 0: none ... */
    uint32_t offset; /* ... and where it begins */
};

/* Push a batch of `length` bytes, which the caller fills with whole, checked documents. */
uint8_t *view_push_batch(lua_State *L, size_t length);

/* Push a view over bytes that lie in the batch at `owner`, or in that of the view there. */
void view_push(lua_State *L, int owner, const uint8_t *bytes, size_t length, bool is_array);

/* The view at `index`, or NULL when it is something else. */
const struct view *view_get(lua_State *L, int index);

/* Make the metatable; called by value_open. */
void view_open(lua_State *L);

#endif
