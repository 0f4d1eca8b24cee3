/*
 * The arguments of a drawing call: where they stand, found by the list of elements.
 */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "api/lib_ui.h"
#include "limits.h"

int call_slot(const struct call *call, const char *name)
{
    for (int i = 0; i < call->field_count; i++) {
        if (call->slots[i] != 0 && strcmp(element_field(call->element, i)->name, name) == 0) {
            return call->slots[i];
        }
    }
    return 0;
}

static void read_key(struct call *call, int index)
{
    if (lua_type(call->L, index) == LUA_TNUMBER) {
        lua_pushvalue(call->L, index);
        index = lua_gettop(call->L);
    } else if (lua_type(call->L, index) != LUA_TSTRING) {
        call_error(call, "key is a name, { key = tostring(...) }, got %s",
                   lib_ui_kind(call->L, index));
    }
    call->key = lua_tolstring(call->L, index, &call->key_length);
    if (call->key_length == 0 || call->key_length > LIMIT_WIDGET_KEY ||
        strlen(call->key) != call->key_length) {
        call_error(call, "a key has 1 to %d bytes, none of them zero", LIMIT_WIDGET_KEY);
    }
}

static bool is_option(const struct call *call, const struct field *field)
{
    return call->raw || field->source == SOURCE_OPTION || field->source == SOURCE_LOCAL;
}

/* The error about an argument: `what` is wrong, and how the call is written. */
static void say_usage(struct call *call, const char *name, const char *what)
{
    char words[200] = "";
    size_t length = 0;
    for (int i = 0; i < call->field_count; i++) {
        const struct field *other = element_field(call->element, i);
        if (other->source == SOURCE_ARG && length < sizeof words) {
            length += (size_t)snprintf(words + length, sizeof words - length, "%s%s",
                                       length > 0 ? ", " : "", other->name);
        }
    }
    call_error(call, "%s %s; write ui.%s(%s)", name, what, call->element->name, words);
}

static int find_option(struct call *call, const char *name)
{
    for (int i = 0; i < call->field_count; i++) {
        const struct field *field = element_field(call->element, i);
        if (field->name[0] != name[0] || strcmp(field->name, name) != 0) {
            continue;
        }
        if (field->source == SOURCE_ARG && !call->raw) {
            say_usage(call, name, "is an argument, not an option");
        }
        return is_option(call, field) ? i : -1;
    }
    return -1;
}

/* What is on top is the value of option `name`: it stays on the stack. */
static void note_option(struct call *call, const char *name)
{
    int index = lua_gettop(call->L);
    if (strcmp(name, "key") == 0) {
        read_key(call, index);
        return;
    }
    int field = find_option(call, name);
    if (field < 0) {
        call_error(call, "there is no option \"%.60s\"; did you mean \"%s\"?", name,
                   element_nearest(call->type, name));
    }
    call->slots[field] = index;
}

static void read_options(struct call *call, int index)
{
    lua_State *L = call->L;
    luaL_checkstack(L, 2 * CALL_FIELDS_MAX, "too many options");
    lua_pushnil(L);
    while (lua_next(L, index)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            call_error(call, "options have names: { help = \"...\" }; this one has the key %s",
                       lua_type(L, -2) == LUA_TNUMBER ? "of a list" : luaL_typename(L, -2));
        }
        int top = lua_gettop(L);
        note_option(call, lua_tostring(L, -2));
        lua_pushvalue(L, top - 1); /* the name, for lua_next */
    }
}

/* A table where a value could be missing is the options. */
static bool is_options_here(const struct call *call, const struct field *field, int index)
{
    return lua_type(call->L, index) == LUA_TTABLE && !field_is_required(field);
}

static int read_positional(struct call *call)
{
    lua_State *L = call->L;
    int at = call->first;
    for (int i = 0; i < call->field_count; i++) {
        const struct field *field = element_field(call->element, i);
        if (field->source != SOURCE_ARG) {
            continue;
        }
        if (is_options_here(call, field, at)) {
            break;
        }
        if (!lua_isnoneornil(L, at)) {
            call->slots[i] = at;
        } else if (field_is_required(field) && field->type != FIELD_VALUE) {
            say_usage(call, field->name, "is missing");
        }
        at++;
    }
    return at;
}

/* To show how options are written. */
static const char *first_option(const struct call *call)
{
    for (int i = 0; i < call->field_count; i++) {
        if (element_field(call->element, i)->source == SOURCE_OPTION) {
            return element_field(call->element, i)->name;
        }
    }
    return "key";
}

void call_read_arguments(struct call *call)
{
    lua_State *L = call->L;
    int at = call->raw ? call->first : read_positional(call);
    bool is_choice = call->type == ELEMENT_radio || call->type == ELEMENT_selectbox ||
                     call->type == ELEMENT_multiselect;
    int last = lua_gettop(L);
    while (last > at && lua_isnil(L, last)) {
        last--;
    }
    call->rest = at + 1;
    if (last > at && !is_choice) {
        call_error(call, "too many arguments: options come last, in one table");
    }
    if (lua_isnoneornil(L, at)) {
        return;
    }
    if (lua_type(L, at) != LUA_TTABLE) {
        call_error(call, "the last argument is a table of options, { %s = ... }, not a %s",
                   first_option(call), luaL_typename(L, at));
    }
    read_options(call, at);
}
