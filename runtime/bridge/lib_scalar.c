/*
 * The makers of scalars, part of "moonlit.core.bson". Each returns the value, or nil and a
 * sentence.
 */
#include <bson/bson.h>
#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "bridge/lib_bson.h"
#include "bridge/scalar.h"
#include "bridge/slots.h"
#include "bridge/value.h"
#include "bridge/view.h"
#include "limits.h"

void bson_make_oid(uint8_t oid[12])
{
    bson_oid_t made;
    bson_oid_init(&made, NULL);
    memcpy(oid, made.bytes, 12);
}

/* Push the scalar whose bytes are the value of the one element in `out` behind its name "". */
static int push_written(lua_State *L, const struct buffer *out)
{
    scalar_push(L, out->bytes[0], out->bytes + 2, out->length - 2);
    return 1;
}

/* A whole number, digits, an int64 cdata or scalar at `index`; false with nil and a sentence
 * pushed. */
static bool to_int64(lua_State *L, int index, int64_t *number)
{
    struct error error;
    if (lua_type(L, index) == LUA_TSTRING) {
        const char *text = lua_tostring(L, index);
        char *end;
        errno = 0;
        *number = strtoll(text, &end, 10);
        if (errno == 0 && end != text && *end == '\0') {
            return true;
        }
        lib_bson_refuse(L, "the text is not a whole number that an int64 holds");
        return false;
    }
    struct buffer *out = value_scratch(L);
    if (!value_encode_field(L, index, out, "", &error)) {
        lib_bson_refuse(L, error.message);
        return false;
    }
    struct bson_element element = {.value = out->bytes + 2};
    int written = out->length > 0 ? out->bytes[0] : 0;
    if (written == BSON_KIND_INT32) {
        *number = bson_element_int32(&element);
        return true;
    }
    if (written == BSON_KIND_INT64) {
        *number = bson_element_int64(&element);
        return true;
    }
    lib_bson_refuse(L, "expected a whole number within 2^53, its digits as a text, or an int64");
    return false;
}

/* oid(nil or 24 hex digits) */
static int make_oid(lua_State *L)
{
    uint8_t oid[12];
    if (lua_isnoneornil(L, 1)) {
        bson_make_oid(oid);
    } else {
        size_t length = 0;
        const char *hex = lua_type(L, 1) == LUA_TSTRING ? lua_tolstring(L, 1, &length) : "";
        if (!bson_oid_is_valid(hex, length) || length != 24) {
            return lib_bson_refuse(L, "an ObjectId is made of 24 hexadecimal digits");
        }
        bson_oid_t made;
        bson_oid_init_from_string(&made, hex);
        memcpy(oid, made.bytes, 12);
    }
    scalar_push(L, BSON_KIND_OID, oid, 12);
    return 1;
}

/* date(nil or milliseconds) */
static int make_date(lua_State *L)
{
    int64_t ms;
    if (lua_isnoneornil(L, 1)) {
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    } else if (!to_int64(L, 1, &ms)) {
        return 2;
    }
    scalar_push(L, BSON_KIND_DATE, (const uint8_t *)&ms, 8);
    return 1;
}

/* binary(data, subtype) */
static int make_binary(lua_State *L)
{
    size_t length;
    const char *data = luaL_checklstring(L, 1, &length);
    lua_Number subtype = luaL_optnumber(L, 2, 0);
    if (!(subtype >= 0 && subtype <= 255 && subtype == floor(subtype))) {
        return lib_bson_refuse(L, "a binary's subtype is a whole number from 0 to 255");
    }
    if (length > LIMIT_DOCUMENT) {
        return lib_bson_refuse(L, "the data would be larger than 16 MiB");
    }
    struct buffer *out = value_scratch(L);
    bool is_old = subtype == 2; /* says its length twice */
    int32_t inner = (int32_t)length;
    int32_t size = inner + (is_old ? 4 : 0);
    buffer_append(out, "\x05", 2);
    buffer_append(out, &size, 4);
    buffer_append(out, &(uint8_t){(uint8_t)subtype}, 1);
    if (is_old) {
        buffer_append(out, &inner, 4);
    }
    buffer_append(out, data, length);
    return push_written(L, out);
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* 32 hexadecimal digits, with dashes anywhere or none. */
static bool parse_uuid(const char *text, uint8_t uuid[16])
{
    int digits = 0;
    memset(uuid, 0, 16);
    for (; *text != '\0'; text++) {
        int digit = hex_digit(*text);
        if (*text == '-') {
            continue;
        }
        if (digit < 0 || digits == 32) {
            return false;
        }
        uuid[digits / 2] = (uint8_t)(uuid[digits / 2] << 4 | digit);
        digits++;
    }
    return digits == 32;
}

/* uuid(nil or text) */
static int make_uuid(lua_State *L)
{
    uint8_t value[5 + 16] = {16, 0, 0, 0, 4};
    if (lua_isnoneornil(L, 1)) {
        if (getrandom(value + 5, 16, 0) != 16) {
            return lib_bson_refuse(L, "the system gave no random bytes");
        }
        value[5 + 6] = (uint8_t)((value[5 + 6] & 0x0f) | 0x40);
        value[5 + 8] = (uint8_t)((value[5 + 8] & 0x3f) | 0x80);
    } else if (lua_type(L, 1) != LUA_TSTRING || !parse_uuid(lua_tostring(L, 1), value + 5)) {
        return lib_bson_refuse(L, "a UUID is made of 32 hexadecimal digits");
    }
    scalar_push(L, BSON_KIND_BINARY, value, sizeof value);
    return 1;
}

/* decimal(text or number) */
static int make_decimal(lua_State *L)
{
    bson_decimal128_t decimal;
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    if (strlen(text) != length || !bson_decimal128_from_string(text, &decimal)) {
        return lib_bson_refuse(L, "the text is not a decimal number of at most 34 digits");
    }
    uint8_t bytes[16];
    memcpy(bytes, &decimal.low, 8);
    memcpy(bytes + 8, &decimal.high, 8);
    scalar_push(L, BSON_KIND_DECIMAL128, bytes, sizeof bytes);
    return 1;
}

/* The server wants the letters in order and each once. */
static bool sort_options(const char *options, char sorted[8])
{
    static const char known[] = "ilmsux";
    size_t count = 0;
    for (const char *letter = known; *letter != '\0'; letter++) {
        if (strchr(options, *letter) != NULL) {
            sorted[count++] = *letter;
        }
    }
    sorted[count] = '\0';
    return count == strlen(options);
}

/* regex(pattern, options) */
static int make_regex(lua_State *L)
{
    size_t length;
    const char *pattern = luaL_checklstring(L, 1, &length);
    char options[8];
    if (strlen(pattern) != length || !bson_is_utf8(pattern, length)) {
        return lib_bson_refuse(L, "a pattern is valid UTF-8 without NUL bytes");
    }
    if (length > LIMIT_DOCUMENT) {
        return lib_bson_refuse(L, "the pattern would be larger than 16 MiB");
    }
    if (!sort_options(luaL_optstring(L, 2, ""), options)) {
        return lib_bson_refuse(L,
                               "the options of a regex are some of the letters i, l, m, s, u, x");
    }
    struct buffer *out = value_scratch(L);
    buffer_append(out, "\x0b", 2);
    buffer_append(out, pattern, length + 1);
    buffer_append(out, options, strlen(options) + 1);
    return push_written(L, out);
}

static bool is_uint32(double number)
{
    return number >= 0 && number <= UINT32_MAX && number == floor(number);
}

/* timestamp(time, increment) */
static int make_timestamp(lua_State *L)
{
    double time = luaL_checknumber(L, 1);
    double increment = luaL_optnumber(L, 2, 0);
    if (!is_uint32(time) || !is_uint32(increment)) {
        return lib_bson_refuse(L, "a timestamp has two whole numbers from 0 to 4294967295");
    }
    uint64_t value = (uint64_t)time << 32 | (uint64_t)increment;
    scalar_push(L, BSON_KIND_TIMESTAMP, (const uint8_t *)&value, 8);
    return 1;
}

/* Code or symbol: the value of a text of another kind. */
static int make_text(lua_State *L, enum bson_kind kind)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    if (!bson_is_utf8(text, length)) {
        return lib_bson_refuse(L, "the text is not valid UTF-8");
    }
    struct buffer *out = value_scratch(L);
    struct bson_out writer = {out, false};
    bson_write_text(&writer, "", text, length);
    if (writer.full) {
        return lib_bson_refuse(L, "the text would be larger than 16 MiB");
    }
    out->bytes[0] = (uint8_t)kind;
    return push_written(L, out);
}

static int make_symbol(lua_State *L)
{
    return make_text(L, BSON_KIND_SYMBOL);
}

/* code(source, scope) */
static int make_code(lua_State *L)
{
    if (lua_isnoneornil(L, 2)) {
        return make_text(L, BSON_KIND_CODE);
    }
    size_t length;
    const char *source = luaL_checklstring(L, 1, &length);
    if (!bson_is_utf8(source, length) || length > LIMIT_DOCUMENT) {
        return lib_bson_refuse(L, "the source is not valid UTF-8 of at most 16 MiB");
    }
    struct buffer *out = value_scratch(L);
    struct error error;
    int32_t size = (int32_t)length + 1;
    buffer_append(out, "\x0f\0\0\0\0", 6);
    bool fits = buffer_append(out, &size, 4) && buffer_append(out, source, length + 1);
    if (!fits || !value_encode(L, 2, out, &error)) {
        return lib_bson_refuse(L, fits ? error.message : "the source is larger than 16 MiB");
    }
    int32_t total = (int32_t)out->length - 2;
    memcpy(out->bytes + 2, &total, 4);
    return push_written(L, out);
}

/* dbpointer(collection, oid) */
static int make_dbpointer(lua_State *L)
{
    const struct scalar *oid = scalar_get(L, 2);
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    if (oid == NULL || oid->kind != BSON_KIND_OID || !bson_is_utf8(text, length)) {
        return lib_bson_refuse(L, "a DBPointer has a collection's name and an ObjectId");
    }
    struct buffer *out = value_scratch(L);
    struct bson_out writer = {out, false};
    bson_write_text(&writer, "", text, length);
    if (writer.full || !buffer_append(out, oid->bytes, 12)) {
        return lib_bson_refuse(L, "the name would be larger than 16 MiB");
    }
    out->bytes[0] = BSON_KIND_DBPOINTER;
    return push_written(L, out);
}

/* int64(number, digits or cdata): one that is written as int64 whatever its size; beyond 2^53 a
 * cdata, which is so anyway. */
static int make_int64(lua_State *L)
{
    int64_t number;
    if (!to_int64(L, 1, &number)) {
        return 2;
    }
    if (number < -9007199254740992 || number > 9007199254740992) {
        value_push_int64(L, number);
    } else {
        scalar_push(L, BSON_KIND_INT64, (const uint8_t *)&number, 8);
    }
    return 1;
}

static int make_double(lua_State *L)
{
    double number = luaL_checknumber(L, 1);
    scalar_push(L, BSON_KIND_DOUBLE, (const uint8_t *)&number, 8);
    return 1;
}

static void set_single(lua_State *L, const char *name, enum bson_kind kind)
{
    scalar_push(L, kind, NULL, 0);
    lua_setfield(L, -2, name);
}

void lib_bson_open_makers(lua_State *L)
{
    static const luaL_Reg makers[] = {
        {"oid", make_oid},
        {"date", make_date},
        {"binary", make_binary},
        {"uuid", make_uuid},
        {"decimal", make_decimal},
        {"regex", make_regex},
        {"timestamp", make_timestamp},
        {"code", make_code},
        {"symbol", make_symbol},
        {"dbpointer", make_dbpointer},
        {"int64", make_int64},
        {"double", make_double},
        {NULL, NULL},
    };
    for (const luaL_Reg *maker = makers; maker->name != NULL; maker++) {
        lua_pushcfunction(L, maker->func);
        lua_setfield(L, -2, maker->name);
    }
    set_single(L, "null", BSON_KIND_NULL);
    set_single(L, "undefined", BSON_KIND_UNDEFINED);
    set_single(L, "minkey", BSON_KIND_MINKEY);
    set_single(L, "maxkey", BSON_KIND_MAXKEY);
}
