#include "bridge/view.h"

#include <lauxlib.h>
#include <string.h>

#include "base/bson.h"
#include "bridge/json.h"
#include "bridge/slots.h"
#include "bridge/state.h"
#include "bridge/value.h"

#define NOT_COUNTED UINT32_MAX

/* What keeps the bytes alive: the environment of each view and of the batch itself is one table a
 * batch, with the batch in it. */
uint8_t *view_push_batch(lua_State *L, size_t length)
{
    uint8_t *bytes = lua_newuserdata(L, length);
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, 1);
    lua_setfenv(L, -2);
    return bytes;
}

static void push_with(lua_State *L, int owner, const uint8_t *bytes, size_t length, bool is_array)
{
    struct view *view = lua_newuserdata(L, sizeof *view);
    *view = (struct view){bytes, (uint32_t)length, is_array, NOT_COUNTED, 0, 0};
    lua_getfenv(L, owner);
    lua_setfenv(L, -2);
    lua_insert(L, -2); /* above it: the metatable */
    lua_setmetatable(L, -2);
}

void view_push(lua_State *L, int owner, const uint8_t *bytes, size_t length, bool is_array)
{
    if (owner < 0 && owner > LUA_REGISTRYINDEX) {
        owner += lua_gettop(L) + 1;
    }
    slot_push(L, SLOT_VIEW);
    push_with(L, owner, bytes, length, is_array);
}

const struct view *view_get(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || slot_mark_of(L, index) != SLOT_VIEW) {
        return NULL;
    }
    return lua_touserdata(L, index);
}

/* The metatable is the first upvalue of all functions below: comparing it is the fastest check. */
static struct view *self(lua_State *L)
{
    bool is_view = lua_type(L, 1) == LUA_TUSERDATA && lua_getmetatable(L, 1) &&
                   lua_rawequal(L, -1, lua_upvalueindex(1));
    if (!is_view) {
        luaL_error(L, "expected a document");
    }
    lua_pop(L, 1);
    return lua_touserdata(L, 1);
}

static void push_element(lua_State *L, int owner, const struct bson_element *element)
{
    switch (element->kind) {
    case BSON_KIND_TEXT:
        lua_pushlstring(L, (const char *)element->value + 4, element->length - 5);
        return;
    case BSON_KIND_INT32:
        lua_pushinteger(L, bson_element_int32(element));
        return;
    case BSON_KIND_DOCUMENT:
    case BSON_KIND_ARRAY:
        lua_pushvalue(L, lua_upvalueindex(1));
        push_with(L, owner, element->value, element->length, element->kind == BSON_KIND_ARRAY);
        return;
    default:
        value_push(L, element, owner);
        return;
    }
}

static uint32_t count_of(struct view *view)
{
    if (view->count == NOT_COUNTED) {
        view->count = (uint32_t)bson_count(view->bytes, view->length);
    }
    return view->count;
}

/* A walk that goes on at `offset`. */
static struct bson_walk walk_from(const struct view *view, uint32_t offset)
{
    return (struct bson_walk){.at = view->bytes + offset, .end = view->bytes + view->length - 1};
}

/* Reading one item after the other begins each time where the last one stood. */
static bool find_item(struct view *view, double wanted, struct bson_element *element)
{
    if (!(wanted >= 1 && wanted < NOT_COUNTED && wanted == (double)(uint32_t)wanted)) {
        return false;
    }
    uint32_t index = 1;
    uint32_t offset = 4;
    if (view->index > 0 && wanted >= view->index) {
        index = view->index;
        offset = view->offset;
    }
    struct bson_walk walk = walk_from(view, offset);
    for (; bson_walk_next(&walk, element); index++) {
        if (index == (uint32_t)wanted) {
            view->index = index;
            view->offset = offset;
            return true;
        }
        offset = (uint32_t)(walk.at - view->bytes);
    }
    return false;
}

static int get_field(lua_State *L)
{
    struct view *view = self(L);
    struct bson_element element;
    bool found = false;
    if (view->is_array) {
        found = lua_type(L, 2) == LUA_TNUMBER && find_item(view, lua_tonumber(L, 2), &element);
    } else if (lua_type(L, 2) == LUA_TSTRING) {
        size_t length;
        const char *name = lua_tolstring(L, 2, &length);
        found = bson_find(view->bytes, view->length, name, length, &element);
    }
    if (!found) {
        return 0;
    }
    push_element(L, 1, &element);
    return 1;
}

static int get_length(lua_State *L)
{
    struct view *view = self(L);
    if (view->count == NOT_COUNTED) {
        state_worked(L, view->length);
    }
    lua_pushinteger(L, (lua_Integer)count_of(view));
    return 1;
}

static int refuse_change(lua_State *L)
{
    return luaL_error(L, "a document from the database cannot be changed: make a table of it "
                         "first, local t = bson.totable(doc)");
}

static int is_equal(lua_State *L)
{
    const struct view *a = view_get(L, 1);
    const struct view *b = view_get(L, 2);
    lua_pushboolean(L, a != NULL && b != NULL && a->is_array == b->is_array &&
                           a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0);
    return 1;
}

static int to_text(lua_State *L)
{
    struct view *view = self(L);
    struct buffer *out = value_scratch(L);
    struct bson_element element = {.kind = view->is_array ? BSON_KIND_ARRAY : BSON_KIND_DOCUMENT,
                                   .name = "",
                                   .value = view->bytes,
                                   .length = view->length};
    if (!json_write(&element, false, out)) {
        lua_pushliteral(L, "(a document that JSON cannot show)");
    } else {
        lua_pushlstring(L, (const char *)out->bytes, out->length);
    }
    state_worked(L, view->length);
    return 1;
}

/* ---- going over all ---- */

/* What is left of a view: the state of an iterator. The functions are the same for all views,
 * because the JIT compiles a call for the function it saw, and keeps that one, and with it all that
 * a closure holds, for ever. */
struct rest {
    struct bson_walk walk;
    bool is_array;
    uint32_t number; /* of the item that was read last */
};

/* Upvalues of what follows: the metatable of views, that of rests, and maybe the iterator. */

static struct rest *check_rest(lua_State *L)
{
    bool is_rest = lua_type(L, 1) == LUA_TUSERDATA && lua_getmetatable(L, 1) &&
                   lua_rawequal(L, -1, lua_upvalueindex(2));
    if (!is_rest) {
        luaL_error(L, "an iterator is called with what pairs gave beside it");
    }
    lua_settop(L, 1);
    return lua_touserdata(L, 1);
}

static int next_pair(lua_State *L)
{
    struct rest *rest = check_rest(L);
    struct bson_element element;
    if (!bson_walk_next(&rest->walk, &element)) {
        return 0;
    }
    if (rest->is_array) {
        lua_pushinteger(L, (lua_Integer)++rest->number);
    } else {
        lua_pushlstring(L, element.name, element.name_length);
    }
    push_element(L, 1, &element);
    return 2;
}

/* The values alone, for cursors. */
static int next_item(lua_State *L)
{
    struct rest *rest = check_rest(L);
    struct bson_element element;
    if (!bson_walk_next(&rest->walk, &element)) {
        return 0;
    }
    push_element(L, 1, &element);
    return 1;
}

/* pairs(view), items(array): the iterator and all that is in the view. */
static int go_over(lua_State *L)
{
    const struct view *view = self(L);
    lua_pushvalue(L, lua_upvalueindex(3));
    struct rest *rest = lua_newuserdata(L, sizeof *rest);
    *rest = (struct rest){walk_from(view, 4), view->is_array, 0};
    lua_getfenv(L, 1);
    lua_setfenv(L, -2);
    lua_pushvalue(L, lua_upvalueindex(2));
    lua_setmetatable(L, -2);
    return 2;
}

static int nothing(lua_State *L)
{
    (void)L;
    return 0;
}

static int each_item(lua_State *L)
{
    if (self(L)->is_array) {
        return go_over(L);
    }
    lua_pushcfunction(L, nothing);
    return 1;
}

/* The element behind the one named `name`: where the last one was read when that is it, else behind
 * the last of that name (names may come twice, and going on must come to an end). */
static bool find_after(struct view *view, const char *name, size_t length, struct bson_walk *walk)
{
    struct bson_element element;
    if (view->offset > 0) {
        *walk = walk_from(view, view->offset);
        if (bson_walk_next(walk, &element) && element.name_length == length &&
            memcmp(element.name, name, length) == 0) {
            return true;
        }
    }
    bool found = false;
    struct bson_walk all = walk_from(view, 4);
    while (bson_walk_next(&all, &element)) {
        if (element.name_length == length && memcmp(element.name, name, length) == 0) {
            *walk = all;
            found = true;
        }
    }
    return found;
}

static int next_field(lua_State *L, struct view *view)
{
    struct bson_walk walk = walk_from(view, 4);
    struct bson_element element;
    if (!lua_isnil(L, 2)) {
        size_t length = 0;
        const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &length) : NULL;
        if (name == NULL || !find_after(view, name, length, &walk)) {
            return luaL_error(L, "next: the document has no such field");
        }
    }
    uint32_t offset = (uint32_t)(walk.at - view->bytes);
    if (!bson_walk_next(&walk, &element)) {
        return 0;
    }
    view->offset = offset;
    lua_pushlstring(L, element.name, element.name_length);
    push_element(L, 1, &element);
    return 2;
}

/* next(view, key) */
static int next_of(lua_State *L)
{
    struct view *view = self(L);
    lua_settop(L, 2);
    if (!view->is_array) {
        return next_field(L, view);
    }
    struct bson_element element;
    double number = lua_isnil(L, 2) ? 1 : lua_tonumber(L, 2) + 1;
    if (!find_item(view, number, &element)) {
        return 0;
    }
    lua_pushnumber(L, number);
    push_element(L, 1, &element);
    return 2;
}

/* unpack(view, first, last) */
static int unpack_items(lua_State *L)
{
    struct view *view = self(L);
    lua_Integer first = luaL_optinteger(L, 2, 1);
    lua_Integer last = luaL_optinteger(L, 3, (lua_Integer)count_of(view));
    if (!view->is_array || first > last) {
        return 0;
    }
    uint64_t count = (uint64_t)last - (uint64_t)first + 1; /* 0: all numbers that there are */
    if (count == 0 || count > LUAI_MAXCSTACK || !lua_checkstack(L, (int)count + 2)) {
        return luaL_error(L, "unpack: too many results");
    }
    struct bson_element element;
    for (lua_Integer i = first; i <= last; i++) {
        if (find_item(view, (double)i, &element)) {
            push_element(L, 1, &element);
        } else {
            lua_pushnil(L);
        }
    }
    return (int)count;
}

/* ---- making it ---- */

/* Into the metatable of views, which is on top. */
static void add_iterator(lua_State *L, const char *name, lua_CFunction begin, lua_CFunction next)
{
    lua_pushvalue(L, -1);
    slot_push(L, SLOT_REST);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_pushcclosure(L, next, 2);
    lua_pushcclosure(L, begin, 3);
    lua_setfield(L, -2, name);
}

void view_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"__index", get_field},     {"__newindex", refuse_change},
        {"__len", get_length},      {"__eq", is_equal},
        {"__tostring", to_text},    {"__next", next_of},
        {"__unpack", unpack_items}, {NULL, NULL},
    };
    lua_newtable(L);
    lua_pushliteral(L, "rest of a document");
    lua_setfield(L, -2, "__metatable");
    slot_set(L, SLOT_REST);
    lua_newtable(L);
    slot_mark(L, SLOT_VIEW);
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushvalue(L, -1);
        lua_pushcclosure(L, function->func, 1);
        lua_setfield(L, -2, function->name);
    }
    add_iterator(L, "__pairs", go_over, next_pair);
    add_iterator(L, "__ipairs", each_item, next_pair);
    add_iterator(L, "__items", go_over, next_item);
    lua_pushliteral(L, "document");
    lua_setfield(L, -2, "__metatable");
    slot_set(L, SLOT_VIEW);
}
