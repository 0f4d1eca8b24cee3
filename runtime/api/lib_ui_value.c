/*
 * The values of widgets, from BSON, from Lua, and back.
 */
#include <math.h>
#include <string.h>

#include "api/lib_ui.h"
#include "bridge/scalar.h"
#include "bridge/value.h"
#include "bridge/view.h"

/* A finite number, or a date as one: up to what a number holds exactly, some 285,000 years. */
static bool read_number(const struct bson_element *element, double *number, bool *is_date)
{
    static const int64_t most = (int64_t)1 << 53;
    int64_t milliseconds;
    *is_date = element->kind == BSON_KIND_DATE && element->length == sizeof milliseconds;
    if (!*is_date) {
        return bson_element_number(element, number) && isfinite(*number);
    }
    memcpy(&milliseconds, element->value, sizeof milliseconds);
    *number = (double)milliseconds;
    return milliseconds >= -most && milliseconds <= most;
}

static struct value read_list(const struct bson_element *list)
{
    struct value value = {.kind = VALUE_TEXTS, .texts = *list};
    struct bson_walk walk;
    struct bson_element item;
    double numbers[2];
    bool dates[2];
    unsigned count = 0, texts = 0, known = 0;
    bool ok = bson_walk_begin(&walk, list->value, list->length);
    for (; ok && bson_walk_next(&walk, &item); count++) {
        known += count < 2 && read_number(&item, &numbers[count], &dates[count]);
        texts += item.kind == BSON_KIND_TEXT;
    }
    if (walk.broken) {
        return (struct value){.kind = VALUE_NONE};
    }
    if (count == 2 && known == 2 && dates[0] == dates[1]) {
        return (struct value){
            .kind = VALUE_RANGE, .low = numbers[0], .high = numbers[1], .date = dates[0]};
    }
    return texts == count ? value : (struct value){.kind = VALUE_NONE};
}

struct value value_read_bson(uint8_t kind, const uint8_t *bytes, size_t length)
{
    struct bson_element element = {.kind = (enum bson_kind)kind, .value = bytes, .length = length};
    struct value value = {.kind = VALUE_NONE};
    if (read_number(&element, &value.low, &value.date)) {
        value.kind = VALUE_NUMBER;
        return value;
    }
    switch (element.kind) {
    case BSON_KIND_NULL:
        value.kind = VALUE_NULL;
        break;
    case BSON_KIND_BOOL:
        value.kind = VALUE_BOOL;
        value.flag = bson_element_bool(&element);
        break;
    case BSON_KIND_TEXT:
        value.kind = VALUE_TEXT;
        value.text = bson_element_text(&element, &value.length);
        break;
    case BSON_KIND_ARRAY:
        return read_list(&element);
    default:
        break;
    }
    return value;
}

/* Anything but a list of Lua. */
static struct value read_single(lua_State *L, int index)
{
    struct value value = {.kind = VALUE_NONE};
    const struct scalar *scalar = scalar_get(L, index);
    const struct view *view = view_get(L, index);
    if (scalar != NULL) {
        return value_read_bson((uint8_t)scalar->kind, scalar->bytes, scalar->length);
    }
    if (view != NULL) {
        return value_read_bson(view->is_array ? BSON_KIND_ARRAY : BSON_KIND_DOCUMENT, view->bytes,
                               view->length);
    }
    switch (lua_type(L, index)) {
    case LUA_TNIL:
    case LUA_TNONE:
        value.kind = VALUE_NULL;
        break;
    case LUA_TBOOLEAN:
        value.kind = VALUE_BOOL;
        value.flag = lua_toboolean(L, index) != 0;
        break;
    case LUA_TNUMBER:
        value.low = lua_tonumber(L, index);
        value.kind = isfinite(value.low) ? VALUE_NUMBER : VALUE_NONE;
        break;
    case LUA_TSTRING:
        value.text = lua_tolstring(L, index, &value.length);
        value.kind = bson_is_utf8(value.text, value.length) ? VALUE_TEXT : VALUE_NONE;
        break;
    default:
        break;
    }
    return value;
}

static struct value read_pair(lua_State *L, int index)
{
    struct value pair = {.kind = VALUE_NONE};
    if (lua_objlen(L, index) != 2) {
        return pair;
    }
    lua_rawgeti(L, index, 1);
    lua_rawgeti(L, index, 2);
    int top = lua_gettop(L);
    struct value low = read_single(L, top - 1), high = read_single(L, top);
    if (low.kind == VALUE_NUMBER && high.kind == VALUE_NUMBER && low.date == high.date) {
        pair =
            (struct value){.kind = VALUE_RANGE, .low = low.low, .high = high.low, .date = low.date};
    }
    lua_pop(L, 2);
    return pair;
}

struct value value_read_lua(lua_State *L, int index)
{
    return lua_istable(L, index) ? read_pair(L, index) : read_single(L, index);
}

static void write_number(const struct value *value, double number, struct bson_out *out,
                         const char *name)
{
    if (value->date) {
        bson_write_date(out, name, (int64_t)number);
    } else {
        bson_write_number(out, name, number);
    }
}

void value_write(const struct value *value, struct bson_out *out, const char *name)
{
    size_t list;
    switch (value->kind) {
    case VALUE_NONE:
    case VALUE_NULL:
        bson_write_null(out, name);
        break;
    case VALUE_BOOL:
        bson_write_bool(out, name, value->flag);
        break;
    case VALUE_NUMBER:
        write_number(value, value->low, out, name);
        break;
    case VALUE_RANGE:
        list = bson_write_begin_array(out, name);
        write_number(value, value->low, out, "0");
        write_number(value, value->high, out, "1");
        bson_write_end(out, list);
        break;
    case VALUE_TEXT:
        bson_write_text(out, name, value->text, value->length);
        break;
    case VALUE_TEXTS:
        bson_write_raw(out, BSON_KIND_ARRAY, name, value->texts.value, value->texts.length);
        break;
    }
}

static void push_number(lua_State *L, const struct value *value, double number)
{
    int64_t milliseconds = (int64_t)number;
    if (value->date) {
        scalar_push(L, BSON_KIND_DATE, (const uint8_t *)&milliseconds, sizeof milliseconds);
    } else {
        lua_pushnumber(L, number);
    }
}

static void push_texts(lua_State *L, const struct bson_element *list)
{
    struct bson_walk walk;
    struct bson_element item;
    int count = 0;
    lua_newtable(L);
    value_mark_list(L);
    for (bool ok = bson_walk_begin(&walk, list->value, list->length);
         ok && bson_walk_next(&walk, &item);) {
        size_t length;
        const char *text = bson_element_text(&item, &length);
        lua_pushlstring(L, text, length);
        lua_rawseti(L, -2, ++count);
    }
}

void value_push_plain(lua_State *L, const struct value *value)
{
    switch (value->kind) {
    case VALUE_NONE:
    case VALUE_NULL:
        lua_pushnil(L);
        break;
    case VALUE_BOOL:
        lua_pushboolean(L, value->flag);
        break;
    case VALUE_NUMBER:
        push_number(L, value, value->low);
        break;
    case VALUE_RANGE:
        lua_createtable(L, 2, 0);
        push_number(L, value, value->low);
        lua_rawseti(L, -2, 1);
        push_number(L, value, value->high);
        lua_rawseti(L, -2, 2);
        break;
    case VALUE_TEXT:
        lua_pushlstring(L, value->text, value->length);
        break;
    case VALUE_TEXTS:
        push_texts(L, &value->texts);
        break;
    }
}
