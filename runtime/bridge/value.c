#include "bridge/value.h"

#include <lauxlib.h>
#include <string.h>

#include "bridge/scalar.h"
#include "bridge/slots.h"
#include "bridge/state.h"
#include "bridge/view.h"
#include "limits.h"

enum { STACK_A_LEVEL = 8 };

/* ---- BSON to Lua ---- */

void value_push_int64(lua_State *L, int64_t number)
{
    if (number >= -9007199254740992 && number <= 9007199254740992) {
        lua_pushnumber(L, (double)number);
        return;
    }
    slot_push(L, SLOT_MAKE_INT64);
    lua_pushnumber(L, (double)(int32_t)(number >> 32));
    lua_pushnumber(L, (double)(uint32_t)number);
    lua_call(L, 2, 1);
}

void value_push_document(lua_State *L, const uint8_t *bytes, size_t length)
{
    memcpy(view_push_batch(L, length), bytes, length);
    view_push(L, -1, lua_touserdata(L, -1), length, false);
    lua_remove(L, -2);
}

static void push_view(lua_State *L, const struct bson_element *element, int owner)
{
    bool is_array = element->kind == BSON_KIND_ARRAY;
    if (owner != 0) {
        view_push(L, owner, element->value, element->length, is_array);
        return;
    }
    memcpy(view_push_batch(L, element->length), element->value, element->length);
    view_push(L, -1, lua_touserdata(L, -1), element->length, is_array);
    lua_remove(L, -2);
}

void value_push(lua_State *L, const struct bson_element *element, int owner)
{
    size_t length;
    switch (element->kind) {
    case BSON_KIND_DOUBLE:
        lua_pushnumber(L, bson_element_double(element));
        return;
    case BSON_KIND_INT32:
        lua_pushinteger(L, bson_element_int32(element));
        return;
    case BSON_KIND_INT64:
        value_push_int64(L, bson_element_int64(element));
        return;
    case BSON_KIND_BOOL:
        lua_pushboolean(L, bson_element_bool(element));
        return;
    case BSON_KIND_TEXT: {
        const char *text = bson_element_text(element, &length);
        lua_pushlstring(L, text, length);
        return;
    }
    case BSON_KIND_DOCUMENT:
    case BSON_KIND_ARRAY:
        push_view(L, element, owner);
        return;
    default:
        scalar_push(L, element->kind, element->value, element->length);
        return;
    }
}

static void push_table(lua_State *L, const uint8_t *bytes, size_t length, bool is_array);

static void push_whole(lua_State *L, const struct bson_element *element)
{
    if (element->kind == BSON_KIND_DOCUMENT || element->kind == BSON_KIND_ARRAY) {
        push_table(L, element->value, element->length, element->kind == BSON_KIND_ARRAY);
    } else {
        value_push(L, element, 0);
    }
}

void value_mark_list(lua_State *L)
{
    slot_push(L, SLOT_ARRAY);
    lua_setmetatable(L, -2);
}

static void push_table(lua_State *L, const uint8_t *bytes, size_t length, bool is_array)
{
    luaL_checkstack(L, STACK_A_LEVEL, "the document is nested too deep");
    int count = (int)bson_count(bytes, length);
    lua_createtable(L, is_array ? count : 0, is_array ? 0 : count);
    struct bson_walk walk;
    struct bson_element element;
    int number = 0;
    for (bson_walk_begin(&walk, bytes, length); bson_walk_next(&walk, &element);) {
        if (is_array) {
            push_whole(L, &element);
            lua_rawseti(L, -2, ++number);
        } else {
            lua_pushlstring(L, element.name, element.name_length);
            push_whole(L, &element);
            lua_rawset(L, -3);
        }
    }
    if (is_array) {
        value_mark_list(L);
    }
}

void value_to_table(lua_State *L, int index)
{
    const struct view *view = view_get(L, index);
    if (view == NULL) {
        return;
    }
    index = index > 0 ? index : lua_gettop(L) + index + 1;
    size_t length = view->length;
    push_table(L, view->bytes, length, view->is_array);
    lua_replace(L, index);
    state_worked(L, length);
}

/* ---- opening ---- */

enum { SCRATCH_KEPT = 1024 * 1024 };

struct buffer *value_scratch(lua_State *L)
{
    slot_push(L, SLOT_SCRATCH);
    struct buffer *scratch = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (scratch->capacity > SCRATCH_KEPT) {
        buffer_deinit(scratch);
    }
    buffer_clear(scratch);
    return scratch;
}

static int free_scratch(lua_State *L)
{
    buffer_deinit(lua_touserdata(L, 1));
    return 0;
}

static void open_scratch(lua_State *L)
{
    buffer_init(lua_newuserdata(L, sizeof(struct buffer)), LIMIT_COMMAND);
    lua_newtable(L);
    lua_pushcfunction(L, free_scratch);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    slot_set(L, SLOT_SCRATCH);
}

/* The parser of LuaJIT makes int64 constants, so no FFI library is needed for int64 values. */
static void open_int64(lua_State *L)
{
    static const char source[] =
        "local tostring, match = ...\n"
        "return function(high, low) return high * 0x100000000LL + low end,\n"
        "  function(number)\n"
        "    local digits, unsigned = match(tostring(number), '^(-?%d+)(U?)LL$')\n"
        "    return digits, unsigned == 'U'\n"
        "  end\n";
    if (luaL_loadbuffer(L, source, sizeof source - 1, "=int64") != 0) {
        lua_error(L);
    }
    lua_getglobal(L, "tostring");
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "match");
    lua_remove(L, -2);
    lua_call(L, 2, 2);
    slot_set(L, SLOT_INT64_TEXT);
    slot_set(L, SLOT_MAKE_INT64);
}

static void open_array(lua_State *L)
{
    lua_newtable(L);
    slot_mark(L, SLOT_ARRAY);
    lua_pushliteral(L, "array");
    lua_setfield(L, -2, "__metatable");
    slot_set(L, SLOT_ARRAY);
}

void value_open(lua_State *L)
{
    slot_push(L, SLOT_VIEW);
    bool is_open = !lua_isnil(L, -1);
    lua_pop(L, 1);
    if (is_open) {
        return;
    }
    scalar_open(L);
    view_open(L);
    open_array(L);
    open_scratch(L);
    open_int64(L);
}
