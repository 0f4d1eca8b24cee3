/*
 * Widgets as ui.state sees them: by key, with the values that the script knows.
 */
#include <lauxlib.h>

#include "api/lib_ui.h"
#include "limits.h"

static struct session *session_of(lua_State *L)
{
    struct run *run = run_of(L);
    return run != NULL ? run->session : NULL;
}

/* Push what is bound to the widget; nil if nothing is. */
static void push_binding(lua_State *L, const struct session *session, uint64_t id)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, session->reference);
    int table = lua_gettop(L);
    lua_getfield(L, table, "drawn");
    lua_pushnumber(L, (lua_Number)id);
    lua_rawget(L, -2);
    if (lua_isnil(L, -1)) {
        lua_settop(L, table);
        lua_getfield(L, table, "bindings");
        lua_pushnumber(L, (lua_Number)id);
        lua_rawget(L, -2);
        if (lua_istable(L, -1)) {
            lua_rawgeti(L, -1, (int)lua_objlen(L, -1));
        }
    }
    lua_replace(L, table);
    lua_settop(L, table);
}

/* Push the value as the script knows it: a choice's options. */
static void push_widget_value(lua_State *L, const struct session *session,
                              const struct widget *widget)
{
    struct value value =
        value_read_bson(widget->value.kind, widget->value.bytes, widget->value.length);
    if (!choice_is((enum element_type)widget->type) || value.kind == VALUE_NULL) {
        value_push_plain(L, &value);
        return;
    }
    struct call call = {.L = L, .type = (enum element_type)widget->type};
    push_binding(L, session, widget->id);
    int binding = lua_gettop(L);
    if (!lua_istable(L, binding)) {
        value_push_plain(L, &value);
        lua_replace(L, binding);
        return;
    }
    lua_getfield(L, binding, "options");
    call.rest = lua_gettop(L);
    lua_getfield(L, binding, "labels");
    call.element = element_get(call.type);
    call.field_count = element_field_count(call.type);
    call.slots[element_find_field(call.type, "options")] = lua_gettop(L);
    widget_push_value(&call, &value);
    lua_replace(L, binding);
    lua_settop(L, binding);
}

/* The widget of a key once it has a value: before its first draw ends, ui.state has it. */
static struct widget *find_widget(const struct session *session, const char *key)
{
    struct widget *widget = session != NULL ? widgets_find_key(session->widgets, key) : NULL;
    return widget != NULL && widget->value.kind == BSON_KIND_END && widget->type != ELEMENT_button
               ? NULL
               : widget;
}

/* get_value(key): true and the value of the widget of that key; false when there is none. */
int widgets_get_value(lua_State *L)
{
    const struct session *session = session_of(L);
    const struct widget *widget = find_widget(session, luaL_checkstring(L, 1));
    if (widget == NULL || widget->type == ELEMENT_button) {
        lua_pushboolean(L, false);
        return 1;
    }
    lua_pushboolean(L, true);
    push_widget_value(L, session, widget);
    return 2;
}

/* value(handle): what the user made of a container that tells; nothing for what has no value. */
int widgets_value(lua_State *L)
{
    const struct session *session = session_of(L);
    const struct handle *handle = handle_get(L, 1);
    const struct widget *widget =
        session != NULL && handle != NULL ? widgets_find(session->widgets, handle->id) : NULL;
    if (widget == NULL || widget->value.kind == BSON_KIND_END) {
        return 0;
    }
    push_widget_value(L, session, widget);
    return 1;
}

/* values(): all of them by key. */
struct push_values {
    lua_State *L;
    const struct session *session;
};

static bool push_one(void *data, struct widget *widget)
{
    const struct push_values *push = data;
    if (widget->type != ELEMENT_button && widget->value.kind != BSON_KIND_END) {
        lua_pushstring(push->L, widget->key);
        push_widget_value(push->L, push->session, widget);
        lua_rawset(push->L, -3);
    }
    return true;
}

int widgets_values(lua_State *L)
{
    struct push_values push = {L, session_of(L)};
    lua_newtable(L);
    if (push.session != NULL) {
        widgets_each_keyed(push.session->widgets, push_one, &push);
    }
    return 1;
}

static enum value_kind kind_for(const struct widget *widget)
{
    switch ((enum element_type)widget->type) {
    case ELEMENT_checkbox:
    case ELEMENT_toggle:
    case ELEMENT_expander:
        return VALUE_BOOL;
    case ELEMENT_slider:
    case ELEMENT_number_input:
        return VALUE_NUMBER;
    case ELEMENT_multiselect:
        return VALUE_TEXTS;
    default:
        return VALUE_TEXT;
    }
}

static struct value read_new_value(lua_State *L, const struct session *session,
                                   const struct widget *widget, int index)
{
    enum element_type type = (enum element_type)widget->type;
    struct value value = {.kind = VALUE_NONE};
    if (!choice_is(type)) {
        value = value_read_lua(L, index);
        bool is_range = type == ELEMENT_slider && value.kind == VALUE_RANGE;
        bool is_null = value.kind == VALUE_NULL;
        return is_range || is_null || value.kind == kind_for(widget)
                   ? value
                   : (struct value){.kind = VALUE_NONE};
    }
    push_binding(L, session, widget->id);
    int binding = lua_gettop(L);
    if (lua_istable(L, binding)) {
        lua_getfield(L, binding, "options");
        lua_getfield(L, binding, "labels");
        value = choice_read_lua(L, type, index, binding + 1, binding + 2);
    }
    if (value.kind == VALUE_NONE && type != ELEMENT_multiselect &&
        lua_type(L, index) == LUA_TSTRING) { /* perhaps of the options to come */
        value = value_read_lua(L, index);
    }
    return value;
}

/* set_value(key, value): true when a widget of that key took it; true and a sentence when it
 * cannot; false when there is no such widget. */
int widgets_set_value(lua_State *L)
{
    struct session *session = session_of(L);
    struct error error;
    struct widget *widget = find_widget(session, luaL_checkstring(L, 1));
    lua_settop(L, 2);
    lua_pushboolean(L, widget != NULL);
    if (widget == NULL) {
        return 1;
    }
    const char *name = element_get((enum element_type)widget->type)->name;
    if (widget->type == ELEMENT_button) {
        if (lua_isnil(L, 2)) {
            return 1; /* it holds nothing: a loop that empties all keys is right */
        }
        lua_pushfstring(L, "ui.state.%s is a button, which only the user presses", widget->key);
        return 2;
    }
    struct value value = read_new_value(L, session, widget, 2);
    if (value.kind == VALUE_NONE) {
        lua_settop(L, 3);
        lua_pushfstring(L, "ui.state.%s belongs to a %s, which cannot have this value (a %s)",
                        widget->key, name, luaL_typename(L, 2));
        return 2;
    }
    if (value.kind == VALUE_NULL) { /* back to the default */
        widgets_set_default(session->widgets, widget, BSON_KIND_NULL, NULL, 0);
        lua_settop(L, 3);
        return 1;
    }
    struct buffer buffer;
    buffer_init(&buffer, 2 * LIMIT_WIDGET_VALUE);
    struct bson_out out = {.buffer = &buffer};
    value_write(&value, &out, "value");
    size_t head = 1 + sizeof "value";
    bool is_set = !out.full && buffer.length - head <= LIMIT_WIDGET_VALUE;
    if (!is_set) {
        error_set(&error, ERROR_LIMIT, 0, "the value is too large for a widget");
    } else {
        const uint8_t *bytes = buffer.bytes + head;
        widgets_set_by_script(session->widgets, widget, buffer.bytes[0], bytes,
                              buffer.length - head);
        is_set = draft_set_value(run_of(L)->draft, widget->id, buffer.bytes[0], bytes,
                                 buffer.length - head, &error);
    }
    buffer_deinit(&buffer);
    lua_settop(L, 3);
    if (!is_set) {
        lua_pushfstring(L, "ui.state.%s: %s", widget->key, error.message);
        return 2;
    }
    return 1;
}
