/*
 * "moonlit.core.bson": what lua/moonlit/bson.lua, mongo.lua and state.lua stand on. Functions that
 * may refuse return nil and a sentence, so that Lua can raise it at the script's own line.
 */
#include <lauxlib.h>
#include <string.h>

#include "bridge/json.h"
#include "bridge/lib_bson.h"
#include "bridge/scalar.h"
#include "bridge/slots.h"
#include "bridge/state.h"
#include "bridge/value.h"
#include "bridge/view.h"
#include "limits.h"

int lib_bson_refuse(lua_State *L, const char *message)
{
    lua_pushnil(L);
    lua_pushstring(L, message);
    return 2;
}

static int push_bytes(lua_State *L, const struct buffer *out)
{
    state_worked(L, out->length);
    lua_pushlstring(L, (const char *)out->bytes, out->length);
    return 1;
}

static const struct view *check_view(lua_State *L, int index)
{
    const struct view *view = view_get(L, index);
    if (view == NULL) {
        luaL_error(L, "expected a document from the database or of bson.doc, got a %s",
                   luaL_typename(L, index));
    }
    return view;
}

/* ---- bytes ---- */

/* encode(table or view): bytes */
static int encode(lua_State *L)
{
    luaL_checkany(L, 1);
    struct buffer *out = value_scratch(L);
    struct error error;
    if (!value_encode(L, 1, out, &error)) {
        return lib_bson_refuse(L, error.message);
    }
    return push_bytes(L, out);
}

/* decode(bytes): a view */
static int decode(lua_State *L)
{
    size_t length;
    const char *bytes = luaL_checklstring(L, 1, &length);
    if (!bson_check((const uint8_t *)bytes, length, LIMIT_REPLY_DEPTH, NULL)) {
        return lib_bson_refuse(L, "the text is not the bytes of one BSON document");
    }
    state_worked(L, length);
    value_push_document(L, (const uint8_t *)bytes, length);
    return 1;
}

/* pack(value): bytes of which unpack makes the value again. A table comes back as a table and a
 * view as a view; the name of the one field says which. */
static int pack(lua_State *L)
{
    luaL_checkany(L, 1);
    const char *name = view_get(L, 1) != NULL ? "v" : "";
    struct buffer *out = value_scratch(L);
    struct bson_out writer = {out, false};
    struct error error;
    size_t mark = bson_write_begin(&writer);
    if (!value_encode_field(L, 1, out, name, &error)) {
        return lib_bson_refuse(L, error.message);
    }
    bson_write_end(&writer, mark);
    return push_bytes(L, out);
}

static int unpack(lua_State *L)
{
    size_t length;
    const uint8_t *bytes = (const uint8_t *)luaL_checklstring(L, 1, &length);
    struct bson_walk walk;
    struct bson_element element;
    if (!bson_check(bytes, length, LIMIT_REPLY_DEPTH, NULL)) {
        return luaL_error(L, "unpack: these bytes were not made by pack");
    }
    bson_walk_begin(&walk, bytes, length);
    if (!bson_walk_next(&walk, &element)) {
        return 0;
    }
    value_push(L, &element, 0);
    if (element.name[0] != 'v') {
        value_to_table(L, -1);
    }
    return 1;
}

/* ---- ordered documents ---- */

/* Append the pair { name, value } on top of the stack. */
static bool encode_pair(lua_State *L, int number, struct buffer *out, struct error *error)
{
    if (!lua_istable(L, -1)) {
        return error_set(error, ERROR_MISUSE, 0,
                         "item %d is a %s; write pairs: { {\"a\", 1}, "
                         "{\"b\", 2} }",
                         number, luaL_typename(L, -1));
    }
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    size_t length = 0;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
    bool ok = name != NULL && strlen(name) == length && bson_is_utf8(name, length);
    if (!ok) {
        error_set(error, ERROR_MISUSE, 0,
                  "item %d must be a pair { name, value } with a name of "
                  "valid UTF-8 without NUL bytes",
                  number);
    } else {
        ok = value_encode_field(L, -1, out, name, error);
    }
    lua_pop(L, 2);
    return ok;
}

static bool encode_pairs(lua_State *L, struct buffer *out, struct error *error)
{
    struct bson_out writer = {out, false};
    size_t mark = bson_write_begin(&writer);
    int count = (int)lua_objlen(L, 1);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, 1, i);
        if (!encode_pair(L, i, out, error)) {
            return false;
        }
        lua_pop(L, 1);
    }
    bson_write_end(&writer, mark);
    if (writer.full) {
        return error_set(error, ERROR_LIMIT, 0, "the document would be larger than %d MiB",
                         LIMIT_DOCUMENT >> 20);
    }
    return true;
}

/* ordered(pairs): bytes of { {"a", 1}, {"b", 2} } in this order; a pair without a value is left
 * out. doc(pairs): a view of them. */
static int ordered(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct buffer *out = value_scratch(L);
    struct error error;
    if (!encode_pairs(L, out, &error)) {
        return lib_bson_refuse(L, error.message);
    }
    return push_bytes(L, out);
}

static int doc(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    struct buffer *out = value_scratch(L);
    struct error error;
    if (!encode_pairs(L, out, &error)) {
        return lib_bson_refuse(L, error.message);
    }
    value_push_document(L, out->bytes, out->length);
    return 1;
}

/* Write { _id, ...the other fields of `bytes` }. */
static void write_with_id(struct bson_out *writer, const struct bson_element *id,
                          const struct bson_walk *start)
{
    struct bson_walk walk = *start;
    struct bson_element element;
    size_t mark = bson_write_begin(writer);
    bson_write_raw(writer, id->kind, "_id", id->value, id->length);
    while (bson_walk_next(&walk, &element)) {
        if (strcmp(element.name, "_id") != 0) {
            bson_write_raw(writer, element.kind, element.name, element.value, element.length);
        }
    }
    bson_write_end(writer, mark);
}

/* with_id(table or view): a view that has _id as its first field, and the _id. */
static int with_id(lua_State *L)
{
    luaL_checkany(L, 1);
    struct buffer *out = value_scratch(L);
    struct error error;
    if (!value_encode(L, 1, out, &error)) {
        return lib_bson_refuse(L, error.message);
    }
    uint8_t oid[12];
    struct bson_element id;
    size_t length = out->length;
    if (!bson_find(out->bytes, length, "_id", 3, &id)) {
        bson_make_oid(oid);
        id = (struct bson_element){.kind = BSON_KIND_OID, .value = oid, .length = sizeof oid};
        length += 1 + sizeof "_id" + sizeof oid;
    }
    uint8_t *batch = view_push_batch(L, length);
    struct buffer room = {.bytes = batch, .capacity = length, .maximum = length};
    struct bson_out writer = {&room, false};
    struct bson_walk walk;
    bson_walk_begin(&walk, out->bytes, out->length);
    write_with_id(&writer, &id, &walk);
    if (writer.full || length > LIMIT_DOCUMENT) {
        return lib_bson_refuse(L, "the document would be larger than 16 MiB");
    }
    view_push(L, -1, batch, room.length, false);
    struct bson_element first;
    bson_find(batch, room.length, "_id", 3, &first);
    value_push(L, &first, lua_gettop(L));
    return 2;
}

/* ---- looking into views ---- */

static int totable(lua_State *L)
{
    lua_settop(L, 1);
    value_to_table(L, 1);
    return 1;
}

static int keys(lua_State *L)
{
    const struct view *view = check_view(L, 1);
    struct bson_walk walk;
    struct bson_element element;
    lua_createtable(L, (int)bson_count(view->bytes, view->length), 0);
    bson_walk_begin(&walk, view->bytes, view->length);
    for (int i = 1; bson_walk_next(&walk, &element); i++) {
        lua_pushlstring(L, element.name, element.name_length);
        lua_rawseti(L, -2, i);
    }
    return 1;
}

static int bytes(lua_State *L)
{
    const struct view *view = check_view(L, 1);
    lua_pushlstring(L, (const char *)view->bytes, view->length);
    return 1;
}

/* size(view): of its bytes */
static int size(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check_view(L, 1)->length);
    return 1;
}

/* items(array view): an iterator over its values, and what it is to be called with */
static int items(lua_State *L)
{
    check_view(L, 1);
    slot_push(L, SLOT_VIEW);
    lua_getfield(L, -1, "__items");
    lua_pushvalue(L, 1);
    lua_call(L, 1, 2);
    return 2;
}

/* kind(value): the name of the type it would be written as; kind(view, field): of what is stored
 * there. nil when there is nothing. */
static int kind(lua_State *L)
{
    const struct view *view = view_get(L, 1);
    struct bson_element element;
    if (view != NULL && lua_gettop(L) > 1) {
        size_t length;
        const char *name = luaL_checklstring(L, 2, &length);
        if (!bson_find(view->bytes, view->length, name, length, &element)) {
            return 0;
        }
        lua_pushstring(L, bson_kind_name(element.kind));
        return 1;
    }
    luaL_checkany(L, 1);
    struct buffer *out = value_scratch(L);
    struct error error;
    if (!value_encode_field(L, 1, out, "", &error)) {
        return lib_bson_refuse(L, error.message);
    }
    if (out->length == 0) {
        return 0;
    }
    lua_pushstring(L, bson_kind_name(out->bytes[0]));
    return 1;
}

/* is_view(value): "document", "array" or nil, without looking at what is in it. */
static int is_view(lua_State *L)
{
    const struct view *view = view_get(L, 1);
    if (view == NULL) {
        return 0;
    }
    lua_pushstring(L, view->is_array ? "array" : "document");
    return 1;
}

/* array(table): the table, marked to be written as an array also when it is empty. */
static int array(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 1);
    value_mark_list(L);
    return 1;
}

static int is_array(lua_State *L)
{
    const struct view *view = view_get(L, 1);
    lua_pushboolean(L, view != NULL
                           ? view->is_array
                           : lua_type(L, 1) == LUA_TTABLE && slot_mark_of(L, 1) == SLOT_ARRAY);
    return 1;
}

/* ---- JSON ---- */

/* json(value, canonical): text */
static int json(lua_State *L)
{
    luaL_checkany(L, 1);
    struct buffer *out = value_scratch(L);
    struct error error;
    struct bson_out writer = {out, false};
    size_t mark = bson_write_begin(&writer);
    if (!value_encode_field(L, 1, out, "", &error)) {
        return lib_bson_refuse(L, error.message);
    }
    bson_write_end(&writer, mark);
    size_t length = out->length;
    struct bson_walk walk;
    struct bson_element element = {.kind = BSON_KIND_NULL};
    bson_walk_begin(&walk, out->bytes, length);
    bson_walk_next(&walk, &element);
    struct buffer text;
    buffer_init(&text, LIMIT_COMMAND);
    bool ok = json_write(&element, lua_toboolean(L, 2), &text);
    buffer_clear(out);
    ok = ok && buffer_append(out, text.bytes, text.length);
    buffer_deinit(&text);
    return ok ? push_bytes(L, out) : lib_bson_refuse(L, "the document cannot be shown as JSON");
}

/* from_json(text): the value; documents and arrays as views */
static int from_json(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    struct buffer *out = value_scratch(L);
    struct error error;
    if (!json_read(text, length, out, &error)) {
        return lib_bson_refuse(L, error.message);
    }
    struct bson_walk walk;
    struct bson_element element;
    bson_walk_begin(&walk, out->bytes, out->length);
    bson_walk_next(&walk, &element);
    value_push(L, &element, 0);
    state_worked(L, length);
    return 1;
}

int luaopen_moonlit_core_bson(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"encode", encode},     {"decode", decode},   {"pack", pack},
        {"unpack", unpack},     {"ordered", ordered}, {"doc", doc},
        {"with_id", with_id},   {"totable", totable}, {"keys", keys},
        {"bytes", bytes},       {"size", size},       {"items", items},
        {"kind", kind},         {"is_view", is_view}, {"array", array},
        {"is_array", is_array}, {"json", json},       {"from_json", from_json},
        {NULL, NULL},
    };
    value_open(L);
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    lib_bson_open_makers(L);
    return 1;
}
