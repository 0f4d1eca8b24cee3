#include "bridge/scalar.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "bridge/civil.h"
#include "bridge/slots.h"
#include "bridge/value.h"

static bool is_single(enum bson_kind kind)
{
    return kind == BSON_KIND_NULL || kind == BSON_KIND_UNDEFINED || kind == BSON_KIND_MINKEY ||
           kind == BSON_KIND_MAXKEY;
}

static void push_new(lua_State *L, enum bson_kind kind, const uint8_t *bytes, size_t length)
{
    struct scalar *scalar = lua_newuserdata(L, sizeof *scalar + length);
    scalar->kind = kind;
    scalar->length = (uint32_t)length;
    if (length > 0) {
        memcpy(scalar->bytes, bytes, length);
    }
    slot_push(L, (int)kind);
    lua_setmetatable(L, -2);
}

void scalar_push(lua_State *L, enum bson_kind kind, const uint8_t *bytes, size_t length)
{
    if (is_single(kind)) {
        slot_push(L, SLOT_SINGLE + (int)kind);
    } else {
        push_new(L, kind, bytes, length);
    }
}

void scalar_push_null(lua_State *L)
{
    slot_push(L, SLOT_SINGLE + BSON_KIND_NULL);
}

const struct scalar *scalar_get(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA) {
        return NULL;
    }
    int mark = slot_mark_of(L, index);
    return mark > 0 && mark < SLOT_VIEW ? lua_touserdata(L, index) : NULL;
}

struct bson_element scalar_element(const struct scalar *scalar)
{
    return (struct bson_element){
        .kind = scalar->kind, .name = "", .value = scalar->bytes, .length = scalar->length};
}

/* ---- what scripts can ask of them ---- */

static const struct scalar *check_scalar(lua_State *L, int index, enum bson_kind kind)
{
    const struct scalar *scalar = scalar_get(L, index);
    if (scalar == NULL || (kind != BSON_KIND_END && scalar->kind != kind)) {
        luaL_error(L, "call this method with a colon on a value of its type: value:method()");
    }
    return scalar;
}

static int64_t check_int64(lua_State *L, enum bson_kind kind)
{
    return bson_load_int64(check_scalar(L, 1, kind)->bytes);
}

static int to_text(lua_State *L)
{
    struct buffer *out = value_scratch(L);
    scalar_write_text(check_scalar(L, 1, BSON_KIND_END), out);
    lua_pushlstring(L, out->bytes == NULL ? "" : (const char *)out->bytes, out->length);
    return 1;
}

static int is_equal(lua_State *L)
{
    const struct scalar *a = scalar_get(L, 1);
    const struct scalar *b = scalar_get(L, 2);
    lua_pushboolean(L, a != NULL && b != NULL && a->kind == b->kind && a->length == b->length &&
                           memcmp(a->bytes, b->bytes, a->length) == 0);
    return 1;
}

/* Below, at or above zero: a against b, of one kind. */
static int compare(lua_State *L)
{
    const struct scalar *a = check_scalar(L, 1, BSON_KIND_END);
    const struct scalar *b = check_scalar(L, 2, a->kind);
    if (a->kind == BSON_KIND_OID) {
        return memcmp(a->bytes, b->bytes, 12);
    }
    if (a->kind == BSON_KIND_TIMESTAMP) {
        uint64_t left = (uint64_t)bson_load_int64(a->bytes);
        uint64_t right = (uint64_t)bson_load_int64(b->bytes);
        return (left > right) - (left < right);
    }
    int64_t left = bson_load_int64(a->bytes);
    int64_t right = bson_load_int64(b->bytes);
    return (left > right) - (left < right);
}

static int is_less(lua_State *L)
{
    lua_pushboolean(L, compare(L) < 0);
    return 1;
}

static int is_less_or_equal(lua_State *L)
{
    lua_pushboolean(L, compare(L) <= 0);
    return 1;
}

static int refuse_change(lua_State *L)
{
    return luaL_error(L, "a value of this type cannot be changed: make a new one");
}

static int oid_time(lua_State *L)
{
    const uint8_t *b = check_scalar(L, 1, BSON_KIND_OID)->bytes;
    lua_pushnumber(
        L, (double)((uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]));
    return 1;
}

static int date_ms(lua_State *L)
{
    value_push_int64(L, check_int64(L, BSON_KIND_DATE));
    return 1;
}

static int date_seconds(lua_State *L)
{
    lua_pushnumber(L, (double)check_int64(L, BSON_KIND_DATE) / 1000.0);
    return 1;
}

static void set_part(lua_State *L, const char *name, double value)
{
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static int date_parts(lua_State *L)
{
    struct civil civil;
    civil_from_ms(check_int64(L, BSON_KIND_DATE), &civil);
    lua_createtable(L, 0, 7);
    set_part(L, "year", (double)civil.year);
    set_part(L, "month", civil.month);
    set_part(L, "day", civil.day);
    set_part(L, "hour", civil.hour);
    set_part(L, "min", civil.minute);
    set_part(L, "sec", civil.second);
    set_part(L, "ms", civil.millisecond);
    return 1;
}

static int binary_data(lua_State *L)
{
    struct bson_element element = scalar_element(check_scalar(L, 1, BSON_KIND_BINARY));
    uint8_t subtype;
    size_t length;
    const uint8_t *bytes = bson_element_binary(&element, &subtype, &length);
    if (subtype == 2 && length >= 4 && (size_t)bson_load_int32(bytes) == length - 4) {
        bytes += 4; /* the old form says its length twice */
        length -= 4;
    }
    lua_pushlstring(L, (const char *)bytes, length);
    return 1;
}

static int binary_subtype(lua_State *L)
{
    lua_pushinteger(L, check_scalar(L, 1, BSON_KIND_BINARY)->bytes[4]);
    return 1;
}

static int int64_number(lua_State *L)
{
    lua_pushnumber(L, (double)check_int64(L, BSON_KIND_INT64));
    return 1;
}

static int double_number(lua_State *L)
{
    struct bson_element element = scalar_element(check_scalar(L, 1, BSON_KIND_DOUBLE));
    lua_pushnumber(L, bson_element_double(&element));
    return 1;
}

static int decimal_number(lua_State *L)
{
    struct buffer *out = value_scratch(L);
    scalar_write_text(check_scalar(L, 1, BSON_KIND_DECIMAL128), out);
    buffer_append(out, "", 1);
    double number = NAN;
    sscanf((const char *)out->bytes, "%lf", &number);
    lua_pushnumber(L, number);
    return 1;
}

static int timestamp_time(lua_State *L)
{
    lua_pushnumber(L, (double)((uint64_t)check_int64(L, BSON_KIND_TIMESTAMP) >> 32));
    return 1;
}

static int timestamp_increment(lua_State *L)
{
    lua_pushnumber(L, (double)((uint64_t)check_int64(L, BSON_KIND_TIMESTAMP) & 0xffffffffu));
    return 1;
}

static int regex_pattern(lua_State *L)
{
    lua_pushstring(L, (const char *)check_scalar(L, 1, BSON_KIND_REGEX)->bytes);
    return 1;
}

static int regex_options(lua_State *L)
{
    const char *pattern = (const char *)check_scalar(L, 1, BSON_KIND_REGEX)->bytes;
    lua_pushstring(L, pattern + strlen(pattern) + 1);
    return 1;
}

static int code_scope(lua_State *L)
{
    const struct scalar *code = check_scalar(L, 1, BSON_KIND_CODE_WITH_SCOPE);
    const uint8_t *scope = code->bytes + 8 + bson_load_int32(code->bytes + 4);
    value_push_document(L, scope, (size_t)bson_load_int32(scope));
    return 1;
}

static int dbpointer_collection(lua_State *L)
{
    const struct scalar *pointer = check_scalar(L, 1, BSON_KIND_DBPOINTER);
    lua_pushlstring(L, (const char *)pointer->bytes + 4, pointer->length - 12 - 5);
    return 1;
}

static int dbpointer_id(lua_State *L)
{
    const struct scalar *pointer = check_scalar(L, 1, BSON_KIND_DBPOINTER);
    scalar_push(L, BSON_KIND_OID, pointer->bytes + pointer->length - 12, 12);
    return 1;
}

/* "Saved as " .. id */
static int concatenate(lua_State *L)
{
    for (int i = 1; i <= 2; i++) {
        const struct scalar *scalar = scalar_get(L, i);
        if (scalar == NULL && !lua_isstring(L, i)) {
            return luaL_error(L, "attempt to concatenate a %s value", luaL_typename(L, i));
        }
        if (scalar != NULL) {
            lua_pushcfunction(L, to_text);
            lua_pushvalue(L, i);
            lua_call(L, 1, 1);
            lua_replace(L, i);
        }
    }
    lua_concat(L, 2);
    return 1;
}

/* ---- making the metatables ---- */

struct method {
    enum bson_kind kind;
    const char *name;
    lua_CFunction call;
};

static const struct method methods[] = {
    {BSON_KIND_OID, "hex", to_text},
    {BSON_KIND_OID, "time", oid_time},
    {BSON_KIND_DATE, "ms", date_ms},
    {BSON_KIND_DATE, "seconds", date_seconds},
    {BSON_KIND_DATE, "parts", date_parts},
    {BSON_KIND_BINARY, "data", binary_data},
    {BSON_KIND_BINARY, "subtype", binary_subtype},
    {BSON_KIND_INT64, "number", int64_number},
    {BSON_KIND_DOUBLE, "number", double_number},
    {BSON_KIND_DECIMAL128, "number", decimal_number},
    {BSON_KIND_TIMESTAMP, "time", timestamp_time},
    {BSON_KIND_TIMESTAMP, "increment", timestamp_increment},
    {BSON_KIND_REGEX, "pattern", regex_pattern},
    {BSON_KIND_REGEX, "options", regex_options},
    {BSON_KIND_CODE, "source", to_text},
    {BSON_KIND_CODE_WITH_SCOPE, "source", to_text},
    {BSON_KIND_CODE_WITH_SCOPE, "scope", code_scope},
    {BSON_KIND_SYMBOL, "text", to_text},
    {BSON_KIND_DBPOINTER, "collection", dbpointer_collection},
    {BSON_KIND_DBPOINTER, "id", dbpointer_id},
};

static void set_function(lua_State *L, const char *name, lua_CFunction function)
{
    lua_pushcfunction(L, function);
    lua_setfield(L, -2, name);
}

static void push_methods(lua_State *L, enum bson_kind kind)
{
    lua_newtable(L);
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (methods[i].kind == kind) {
            set_function(L, methods[i].name, methods[i].call);
        }
    }
}

static bool is_ordered(enum bson_kind kind)
{
    return kind == BSON_KIND_OID || kind == BSON_KIND_DATE || kind == BSON_KIND_TIMESTAMP ||
           kind == BSON_KIND_INT64;
}

static void open_kind(lua_State *L, enum bson_kind kind)
{
    lua_newtable(L);
    slot_mark(L, (int)kind);
    push_methods(L, kind);
    lua_setfield(L, -2, "__index");
    set_function(L, "__newindex", refuse_change);
    set_function(L, "__tostring", to_text);
    set_function(L, "__concat", concatenate);
    set_function(L, "__eq", is_equal);
    if (is_ordered(kind)) {
        set_function(L, "__lt", is_less);
        set_function(L, "__le", is_less_or_equal);
    }
    lua_pushstring(L, bson_kind_name(kind));
    lua_setfield(L, -2, "__metatable");
    slot_set(L, (int)kind);
    if (is_single(kind)) {
        push_new(L, kind, NULL, 0);
        slot_set(L, SLOT_SINGLE + (int)kind);
    }
}

void scalar_open(lua_State *L)
{
    static const enum bson_kind kinds[] = {
        BSON_KIND_DOUBLE, BSON_KIND_BINARY,     BSON_KIND_UNDEFINED,       BSON_KIND_OID,
        BSON_KIND_DATE,   BSON_KIND_NULL,       BSON_KIND_REGEX,           BSON_KIND_DBPOINTER,
        BSON_KIND_CODE,   BSON_KIND_SYMBOL,     BSON_KIND_CODE_WITH_SCOPE, BSON_KIND_TIMESTAMP,
        BSON_KIND_INT64,  BSON_KIND_DECIMAL128, BSON_KIND_MAXKEY,          BSON_KIND_MINKEY,
    };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        open_kind(L, kinds[i]);
    }
}
