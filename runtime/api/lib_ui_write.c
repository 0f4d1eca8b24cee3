/*
 * The arguments of a drawing call: each is checked by its line in the list of elements, and written
 * into the draft.
 */
#include <ctype.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "api/lib_ui.h"
#include "bridge/scalar.h"
#include "bridge/value.h"
#include "bridge/view.h"

typedef void writer(const struct call *, const struct field *, int);

const char *lib_ui_kind(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TUSERDATA:
        return "an object";
    case LUA_TNIL:
    case LUA_TNONE:
        return "nil";
    case LUA_TNUMBER:
        return isfinite(lua_tonumber(L, index)) ? "a number"
               : isnan(lua_tonumber(L, index))  ? "nan"
                                                : "an infinite one";
    default:
        return lua_pushfstring(L, "a %s", luaL_typename(L, index));
    }
}

static void say_expected(const struct call *call, const struct field *field, int index,
                         const char *expected)
{
    call_error(call, "%s is %s, got %s", field->name, expected, lib_ui_kind(call->L, index));
}

static void write_checked_text(const struct call *call, const char *place, const char *name,
                               const char *text, size_t length)
{
    if (!bson_is_utf8(text, length)) {
        call_error(call, "%s is not UTF-8: show bytes with bson.binary or as hexadecimal", place);
    }
    bson_write_text(&call->draft->out, name, text, length);
}

static void write_text(const struct call *call, const struct field *field, int index)
{
    lua_State *L = call->L;
    size_t length;
    int type = lua_type(L, index);
    if (type == LUA_TNUMBER) {
        lua_pushvalue(L, index); /* lua_tolstring would change the caller's */
        index = lua_gettop(L);
    } else if (type != LUA_TSTRING) {
        say_expected(call, field, index,
                     type == LUA_TTABLE || type == LUA_TUSERDATA
                         ? "a text (ui.write shows anything, tostring(...) makes a text)"
                         : "a text");
    }
    const char *text = lua_tolstring(L, index, &length);
    if (!field_is_default_word(field, text, length) || field->source == SOURCE_ARG) {
        write_checked_text(call, field->name, field->name, text, length);
    }
    if (type == LUA_TNUMBER) {
        lua_pop(L, 1);
    }
}

static void write_boolean(const struct call *call, const struct field *field, int index)
{
    bool is_true = lua_toboolean(call->L, index) != 0;
    if (lua_type(call->L, index) != LUA_TBOOLEAN) {
        say_expected(call, field, index, "true or false");
    }
    if (!field_is_default_word(field, is_true ? "true" : "false", is_true ? 4 : 5)) {
        bson_write_bool(&call->draft->out, field->name, is_true);
    }
}

static bool is_default_number(const struct field *field, double number)
{
    char *end;
    bool may_be = field->default_value[0] == '-' || isdigit((unsigned char)field->default_value[0]);
    return may_be && strtod(field->default_value, &end) == number && *end == '\0';
}

static void write_number(const struct call *call, const struct field *field, int index)
{
    double number = lua_tonumber(call->L, index);
    if (lua_type(call->L, index) != LUA_TNUMBER || !isfinite(number)) {
        say_expected(call, field, index, "a finite number");
    }
    if (field->type == FIELD_INTEGER && (number != floor(number) || fabs(number) > 1e15)) {
        call_error(call, "%s is a whole number, got %g", field->name, number);
    }
    if (!is_default_number(field, number)) {
        bson_write_number(&call->draft->out, field->name, number);
    }
}

static void write_value(const struct call *call, const struct field *field, int index)
{
    struct error error;
    if (!value_encode_field(call->L, index, &call->draft->buffer, field->name, &error)) {
        call_error(call, "%s", error.message);
    }
}

/* Number `i` of a list, from 0, which is on top of the stack. */
typedef void item_writer(const struct call *, const struct field *, unsigned i);

static void write_text_of_list(const struct call *call, const struct field *field, unsigned i)
{
    lua_State *L = call->L;
    char name[12];
    size_t length;
    if (!lua_isstring(L, -1)) {
        call_error(call, "%s[%u] is a text, got %s", field->name, i + 1, lib_ui_kind(L, -1));
    }
    const char *text = lua_tolstring(L, -1, &length);
    write_checked_text(call, field->name, bson_index_name(i, name), text, length);
}

static void write_number_of_list(const struct call *call, const struct field *field, unsigned i)
{
    lua_State *L = call->L;
    char name[12];
    if (lua_type(L, -1) != LUA_TNUMBER) {
        call_error(call, "%s[%u] is a number, got %s", field->name, i + 1, lib_ui_kind(L, -1));
    }
    bson_write_number(&call->draft->out, bson_index_name(i, name), lua_tonumber(L, -1));
}

static void write_list(const struct call *call, const struct field *field, int index,
                       const char *expected, item_writer *write_item)
{
    lua_State *L = call->L;
    if (view_get(L, index) != NULL && view_get(L, index)->is_array) {
        write_value(call, field, index);
        return;
    }
    if (lua_type(L, index) != LUA_TTABLE) {
        say_expected(call, field, index, expected);
    }
    size_t list = bson_write_begin_array(&call->draft->out, field->name);
    size_t count = lua_objlen(L, index);
    for (unsigned i = 0; i < count; i++) {
        lua_rawgeti(L, index, (int)i + 1);
        write_item(call, field, i);
        lua_pop(L, 1);
    }
    bson_write_end(&call->draft->out, list);
}

static void write_texts(const struct call *call, const struct field *field, int index)
{
    write_list(call, field, index, "a list of texts", write_text_of_list);
}

static void write_numbers(const struct call *call, const struct field *field, int index)
{
    write_list(call, field, index, "a list of numbers", write_number_of_list);
}

static void write_choice(const struct call *call, const struct field *field, int index)
{
    size_t length = 0;
    const char *word =
        lua_type(call->L, index) == LUA_TSTRING ? lua_tolstring(call->L, index, &length) : NULL;
    if (word == NULL || !field_has_word(field, word, length)) {
        call_error(call, "%s is one of %s; got %s%.60s", field->name, field->words,
                   word == NULL ? lib_ui_kind(call->L, index) : "", word != NULL ? word : "");
    }
    if (!field_is_default_word(field, word, length)) {
        bson_write_text(&call->draft->out, field->name, word, length);
    }
}

/* Words that name a kind of value are no words to write. */
static bool is_kind(const char *word)
{
    static const char *const kinds[] = {"true", "false", "number", "text", "bson"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(word, kinds[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_kind(const struct field *field, const char *kind)
{
    return field_has_word(field, kind, strlen(kind));
}

/* A scalar, or an int64 as LuaJIT has it, which the C interface has no name for. */
static bool is_bson(lua_State *L, int index)
{
    return scalar_get(L, index) != NULL || lua_type(L, index) > LUA_TTHREAD;
}

/* How the value is written; NULL when it is neither a word of the field nor of a kind of it. */
static writer *find_writer(const struct call *call, const struct field *field, int index)
{
    size_t length;
    const char *word;
    switch (lua_type(call->L, index)) {
    case LUA_TBOOLEAN:
        return has_kind(field, lua_toboolean(call->L, index) ? "true" : "false") ? write_boolean
                                                                                 : NULL;
    case LUA_TNUMBER:
        return has_kind(field, "number") ? write_number : NULL;
    case LUA_TSTRING:
        word = lua_tolstring(call->L, index, &length);
        if (has_kind(field, "text")) {
            return write_text;
        }
        return field_has_word(field, word, length) && !is_kind(word) ? write_choice : NULL;
    default:
        return has_kind(field, "bson") && is_bson(call->L, index) ? write_value : NULL;
    }
}

static void write_one_of(const struct call *call, const struct field *field, int index)
{
    writer *write = find_writer(call, field, index);
    if (write == NULL) {
        bool is_text = lua_type(call->L, index) == LUA_TSTRING;
        call_error(call, "%s is one of %s; got %.60s", field->name, field->words,
                   is_text ? lua_tostring(call->L, index) : lib_ui_kind(call->L, index));
        return;
    }
    write(call, field, index);
}

static void write_size(const struct call *call, const struct field *field, int index)
{
    lua_State *L = call->L;
    const char *word = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
    double pixels = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
    if (strcmp(word, "stretch") == 0 || strcmp(word, "content") == 0) {
        bson_write_text(&call->draft->out, field->name, word, strlen(word));
    } else if (pixels >= 0 && pixels < 1e6) {
        bson_write_number(&call->draft->out, field->name, pixels);
    } else {
        say_expected(call, field, index, "\"stretch\", \"content\" or pixels");
    }
}

static void write_field(const struct call *call, const struct field *field, int index)
{
    static writer *const writers[] = {
        [FIELD_TEXT] = write_text,     [FIELD_BOOLEAN] = write_boolean,
        [FIELD_NUMBER] = write_number, [FIELD_INTEGER] = write_number,
        [FIELD_TEXTS] = write_texts,   [FIELD_NUMBERS] = write_numbers,
        [FIELD_VALUE] = write_value,   [FIELD_CHOICE] = write_choice,
        [FIELD_SIZE] = write_size,     [FIELD_ONE_OF] = write_one_of,
    };
    if (field->type != FIELD_FUNCTION) {
        writers[field->type](call, field, index);
    }
}

void call_write_fields(const struct call *call)
{
    for (int i = 0; i < call->field_count; i++) {
        const struct field *field = element_field(call->element, i);
        if (call->slots[i] != 0 && field->source != SOURCE_LOCAL &&
            !(call->element->kind == KIND_WIDGET && strcmp(field->name, "value") == 0)) {
            write_field(call, field, call->slots[i]);
        }
    }
}
