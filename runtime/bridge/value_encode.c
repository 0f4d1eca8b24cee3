#include "bridge/value.h"

#include <inttypes.h>
#include <lauxlib.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/scalar.h"
#include "bridge/slots.h"
#include "bridge/value_order.h"
#include "bridge/view.h"
#include "limits.h"

enum { LUA_TYPE_CDATA = 10, STACK_A_LEVEL = 8, PLACE_STEPS = 3 };

/* Where we are: the field or the item of each open table. */
struct step {
    const char *name; /* NULL: an item */
    int index;
};

struct encoder {
    lua_State *L;
    struct bson_out out;
    struct error *error;
    int depth; /* open tables */
    const void *tables[LIMIT_DOCUMENT_DEPTH];
    struct step steps[LIMIT_DOCUMENT_DEPTH + 1];
    const char *root; /* "" or what the place begins with */
};

static bool encode_value(struct encoder *e, int index, const char *name);

/* ---- refusing ---- */

static void describe_place(const struct encoder *e, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "%.60s", e->root);
    for (int i = 0; i < e->depth && used + 80 < size; i++) {
        const struct step *step = &e->steps[i];
        if (i == PLACE_STEPS && e->depth > 2 * PLACE_STEPS) { /* the middle of a long way */
            used += (size_t)snprintf(text + used, size - used, "...");
            i = e->depth - PLACE_STEPS - 1;
        } else if (step->name == NULL && step->index > 0) {
            used += (size_t)snprintf(text + used, size - used, "[%d]", step->index);
        } else if (step->name != NULL) {
            used += (size_t)snprintf(text + used, size - used, "%s%.60s", used > 0 ? "." : "",
                                     step->name);
        }
    }
    if (used > 0) {
        snprintf(text + used, size - used, ": ");
    }
}

static bool refuse(struct encoder *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool refuse(struct encoder *e, const char *format, ...)
{
    char place[512];
    char words[400];
    describe_place(e, place, sizeof place);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    return error_set(e->error, ERROR_MISUSE, 0, "%s%s", place, words);
}

/* ---- leaves ---- */

static bool encode_text(struct encoder *e, int index, const char *name)
{
    size_t length;
    const char *text = lua_tolstring(e->L, index, &length);
    if (!bson_is_utf8(text, length)) {
        return refuse(e, "the text is not valid UTF-8; bytes are written with bson.binary(text)");
    }
    bson_write_text(&e->out, name, text, length);
    return true;
}

/* Whole numbers beyond 2^53 are cdata, which the C interface does not know: a helper tells the
 * digits. */
static bool encode_cdata(struct encoder *e, int index, const char *name)
{
    lua_State *L = e->L;
    slot_push(L, SLOT_INT64_TEXT);
    lua_pushvalue(L, index);
    if (lua_pcall(L, 1, 2, 0) != 0) {
        lua_pop(L, 1);
        return refuse(e, "this cdata cannot be written as BSON");
    }
    const char *digits = lua_tostring(L, -2);
    bool is_unsigned = lua_toboolean(L, -1);
    uint64_t value = digits == NULL ? 0
                     : is_unsigned  ? strtoull(digits, NULL, 10)
                                    : (uint64_t)strtoll(digits, NULL, 10);
    lua_pop(L, 2);
    if (digits == NULL) {
        return refuse(e, "of all cdata only int64 (such as 42LL) can be written as BSON");
    }
    if (is_unsigned && value > INT64_MAX) {
        return refuse(e, "%" PRIu64 " is larger than an int64 can be", value);
    }
    bson_write_int64(&e->out, name, (int64_t)value);
    return true;
}

static bool encode_view(struct encoder *e, const struct view *view, const char *name)
{
    unsigned room = LIMIT_DOCUMENT_DEPTH - (unsigned)e->depth;
    if (e->depth > 0 && !bson_check(view->bytes, view->length, room, NULL)) {
        return refuse(e, "the document is nested deeper than %d levels", LIMIT_DOCUMENT_DEPTH);
    }
    if (name == NULL) {
        e->out.full |= !buffer_append(e->out.buffer, view->bytes, view->length);
    } else {
        bson_write_raw(&e->out, view->is_array ? BSON_KIND_ARRAY : BSON_KIND_DOCUMENT, name,
                       view->bytes, view->length);
    }
    return true;
}

/* Our handles say what they are; NULL for what is none. */
static const char *handle_name(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) {
        return NULL;
    }
    lua_pushliteral(L, "__handle");
    lua_rawget(L, -2);
    const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_pop(L, 2); /* the metatable keeps it alive */
    return name;
}

static bool encode_userdata(struct encoder *e, int index, const char *name)
{
    const struct view *view = view_get(e->L, index);
    if (view != NULL) {
        return encode_view(e, view, name);
    }
    const struct scalar *scalar = scalar_get(e->L, index);
    if (scalar == NULL) {
        const char *name_of_handle = handle_name(e->L, index);
        return refuse(e, "this %s cannot be written as BSON",
                      name_of_handle != NULL ? name_of_handle : "handle (userdata)");
    }
    bson_write_raw(&e->out, scalar->kind, name, scalar->bytes, scalar->length);
    return true;
}

/* ---- tables ---- */

/* An object is not the sum of its fields, so it is refused; our handles say what they are. */
static bool check_metatable(struct encoder *e, int index, bool *is_array)
{
    lua_State *L = e->L;
    if (!lua_getmetatable(L, index)) {
        return true;
    }
    lua_pop(L, 1);
    *is_array = slot_mark_of(L, index) == SLOT_ARRAY;
    if (*is_array) {
        return true;
    }
    const char *handle = handle_name(L, index);
    return handle != NULL ? refuse(e, "this %s cannot be written as BSON", handle)
                          : refuse(e, "an object (a table with a metatable) cannot be written as "
                                      "BSON; use a plain table of its fields");
}

static bool enter_table(struct encoder *e, int index, bool *is_array)
{
    *is_array = false;
    if (!lua_checkstack(e->L, STACK_A_LEVEL)) {
        return refuse(e, "the table is nested too deep");
    }
    const void *table = lua_topointer(e->L, index);
    for (int i = 0; i < e->depth; i++) {
        if (e->tables[i] == table) {
            return refuse(e, "the table contains itself");
        }
    }
    if (e->depth == LIMIT_DOCUMENT_DEPTH) {
        return refuse(e, "the table is nested deeper than %d levels", LIMIT_DOCUMENT_DEPTH);
    }
    if (!check_metatable(e, index, is_array)) {
        return false;
    }
    e->tables[e->depth] = table;
    e->steps[e->depth] = (struct step){0};
    e->depth++;
    return true;
}

static bool refuse_key(struct encoder *e, int index)
{
    e->steps[e->depth - 1] = (struct step){0};
    int type = lua_type(e->L, index);
    if (type != LUA_TNUMBER) {
        return refuse(e, "a %s as a key cannot be written as BSON; names are texts",
                      lua_typename(e->L, type));
    }
    return refuse(e,
                  "the number %.14g as a key cannot be written as BSON: lists have the keys 1 to "
                  "n, documents have texts (tostring)",
                  lua_tonumber(e->L, index));
}

static bool refuse_mixed(struct encoder *e)
{
    e->steps[e->depth - 1] = (struct step){0};
    return refuse(e, "the table mixes list items and named fields; BSON has either");
}

static bool check_name(struct encoder *e, const char *name, size_t length)
{
    if (strlen(name) != length) {
        return refuse(e, "the name of a field cannot contain a NUL byte");
    }
    if (!bson_is_utf8(name, length)) {
        return refuse(e, "the name of a field is not valid UTF-8");
    }
    return true;
}

static bool encode_fields(struct encoder *e, int index)
{
    lua_State *L = e->L;
    lua_pushnil(L);
    while (lua_next(L, index) != 0) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            return lua_type(L, -2) == LUA_TNUMBER ? refuse_mixed(e) : refuse_key(e, -2);
        }
        size_t length;
        const char *name = lua_tolstring(L, -2, &length);
        e->steps[e->depth - 1].name = name;
        if (!check_name(e, name, length) || !encode_value(e, lua_gettop(L), name)) {
            return false;
        }
        if (e->out.full) {
            return true; /* said once, at the end */
        }
        lua_pop(L, 1);
    }
    return true;
}

/* Every key must be one of 1 to `count`, and each be there. */
static bool check_items(struct encoder *e, int index, size_t count)
{
    lua_State *L = e->L;
    size_t seen = 0;
    bool has_hole = false;
    lua_pushnil(L);
    for (; lua_next(L, index) != 0; seen++) {
        lua_pop(L, 1);
        if (lua_type(L, -1) == LUA_TSTRING) {
            return refuse_mixed(e);
        }
        double key = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
        if (!(key >= 1 && key == floor(key))) {
            return refuse_key(e, -1);
        }
        has_hole = has_hole || key > (double)count;
    }
    if (has_hole || seen != count) {
        return refuse(e, "the list has a hole: its keys must be 1 to n (bson.null fills a hole); "
                         "a document with numbers as names has them as texts (tostring)");
    }
    return true;
}

static bool encode_items(struct encoder *e, int index)
{
    lua_State *L = e->L;
    size_t count = lua_objlen(L, index);
    if (!check_items(e, index, count)) {
        return false;
    }
    char name[12];
    for (unsigned i = 0; i < count && !e->out.full; i++) {
        e->steps[e->depth - 1] = (struct step){.index = (int)i + 1};
        lua_rawgeti(L, index, (int)i + 1);
        if (!encode_value(e, lua_gettop(L), bson_index_name(i, name))) {
            return false;
        }
        lua_pop(L, 1);
    }
    return true;
}

/* `name` NULL: a document of its own. Leaves the stack as it is only when it succeeds; the entry
 * puts it back. */
static bool encode_table(struct encoder *e, int index, const char *name)
{
    lua_State *L = e->L;
    bool is_array;
    if (!enter_table(e, index, &is_array)) {
        return false;
    }
    lua_pushnil(L);
    if (lua_next(L, index) != 0) {
        is_array = is_array || lua_type(L, -2) == LUA_TNUMBER;
        lua_pop(L, 2);
    }
    if (name != NULL) {
        bson_write_head(&e->out, is_array ? BSON_KIND_ARRAY : BSON_KIND_DOCUMENT, name);
    }
    size_t mark = bson_write_begin(&e->out);
    if (!(is_array ? encode_items(e, index) : encode_fields(e, index))) {
        return false;
    }
    bson_write_end(&e->out, mark);
    if (!is_array) {
        value_order(&e->out, mark);
    }
    e->depth--;
    return true;
}

static bool encode_value(struct encoder *e, int index, const char *name)
{
    lua_State *L = e->L;
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return true;
    case LUA_TBOOLEAN:
        bson_write_bool(&e->out, name, lua_toboolean(L, index));
        return true;
    case LUA_TNUMBER:
        bson_write_number(&e->out, name, lua_tonumber(L, index));
        return true;
    case LUA_TSTRING:
        return encode_text(e, index, name);
    case LUA_TTABLE:
        return encode_table(e, index, name);
    case LUA_TUSERDATA:
        return encode_userdata(e, index, name);
    case LUA_TYPE_CDATA:
        return encode_cdata(e, index, name);
    case LUA_TTHREAD:
        return refuse(e, "a coroutine cannot be written as BSON");
    default:
        return refuse(e, "a %s cannot be written as BSON", lua_typename(L, lua_type(L, index)));
    }
}

/* ---- the two entries ---- */

static void begin(struct encoder *e, lua_State *L, struct buffer *out, const char *root,
                  struct error *error)
{
    e->L = L;
    e->out = (struct bson_out){out, false};
    e->error = error;
    e->depth = 0;
    e->root = root;
}

static bool encode(struct encoder *e, int index, const char *name)
{
    lua_State *L = e->L;
    struct buffer *out = e->out.buffer;
    size_t before = out->length;
    int top = lua_gettop(L);
    index = index > 0 ? index : top + index + 1;
    bool ok = lua_checkstack(L, STACK_A_LEVEL) && encode_value(e, index, name);
    if (ok && (e->out.full || out->length - before > LIMIT_DOCUMENT)) {
        e->depth = 0;
        ok = refuse(e, "the document would be larger than %d MiB", LIMIT_DOCUMENT >> 20);
    }
    if (!ok) {
        out->length = before;
    }
    lua_settop(L, top);
    return ok;
}

bool value_encode(lua_State *L, int index, struct buffer *out, struct error *error)
{
    struct encoder e;
    begin(&e, L, out, "", error);
    if (lua_type(L, index) != LUA_TTABLE && view_get(L, index) == NULL) {
        return refuse(&e, "expected a table or a document, got a %s",
                      lua_typename(L, lua_type(L, index)));
    }
    return encode(&e, index, NULL);
}

bool value_encode_field(lua_State *L, int index, struct buffer *out, const char *name,
                        struct error *error)
{
    struct encoder e;
    begin(&e, L, out, name, error);
    return encode(&e, index, name);
}
