/*
 * Widgets: which value they have. The user's or the script's comes first, if it still fits; else
 * what ui.state held for the key before the first draw; else the default of the call.
 */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "api/lib_ui.h"
#include "bridge/value.h"

/* ---- the value ---- */

/* Drop what is no longer an option and what is too many; the shortened list goes on the stack. */
static void sift_texts(lua_State *L, const struct demand *demand, struct value *value)
{
    struct buffer *buffer = value_scratch(L);
    struct bson_walk walk;
    struct bson_element item;
    unsigned kept = 0;
    char name[12];
    struct bson_out out = {.buffer = buffer};
    size_t mark = bson_write_begin(&out);
    for (bool ok = bson_walk_begin(&walk, value->texts.value, value->texts.length);
         ok && bson_walk_next(&walk, &item);) {
        size_t length;
        const char *text = bson_element_text(&item, &length);
        bool has_room = demand->most == 0 || kept < demand->most;
        if (has_room && demand_text_fits(L, demand, text, length)) {
            bson_write_text(&out, bson_index_name(kept++, name), text, length);
        }
    }
    bson_write_end(&out, mark);
    lua_pushlstring(L, (const char *)buffer->bytes, buffer->length);
    buffer_clear(buffer);
    value->texts.value = (const uint8_t *)lua_tolstring(L, -1, &value->texts.length);
}

/* What ui.state held for the key before this first draw. */
static struct value read_first(const struct call *call)
{
    lua_State *L = call->L;
    lua_getfield(L, LUA_REGISTRYINDEX, "moonlit.ui.first");
    if (!lua_isfunction(L, -1)) {
        return (struct value){.kind = VALUE_NONE};
    }
    lua_pushlstring(L, call->key, call->key_length);
    lua_call(L, 1, 1);
    if (lua_isnil(L, -1)) {
        return (struct value){.kind = VALUE_NONE};
    }
    int index = lua_gettop(L);
    return choice_is(call->type)
               ? choice_read_lua(L, call->type, index, call->rest, call_slot(call, "options"))
               : value_read_lua(L, index);
}

enum origin { FROM_DEFAULT, FROM_OWNER, FROM_STATE };

static enum origin find_value(const struct call *call, const struct widget *widget, bool is_new,
                              const struct demand *demand, struct value *value)
{
    const struct widget_value *own = &widget->value;
    enum origin origin = FROM_OWNER;
    *value = (struct value){.kind = VALUE_NONE};
    if (own->owned) {
        *value = value_read_bson(own->kind, own->bytes, own->length);
    } else if (is_new && call->key != NULL) {
        *value = read_first(call);
        origin = FROM_STATE;
    }
    if (call->type == ELEMENT_number_input && demand->whole && value->low != floor(value->low)) {
        value->low = floor(value->low + 0.5); /* typed where whole numbers are asked for */
        origin = FROM_STATE;
    }
    if (value->kind == VALUE_NONE || !demand_fits(call->L, demand, value)) {
        *value = demand->usual;
        return FROM_DEFAULT;
    }
    if (value->kind == VALUE_TEXTS) {
        sift_texts(call->L, demand, value);
    }
    return origin;
}

/* Remember what is drawn, whose bytes stand in the draft behind kind and name. */
static void remember(const struct call *call, struct widget *widget, enum origin origin,
                     const uint8_t *field, size_t length)
{
    const uint8_t *bytes = field + 1 + sizeof "value";
    length -= 1 + sizeof "value";
    if (origin == FROM_STATE) {
        widgets_set_by_script(call->widgets, widget, field[0], bytes, length);
    } else if (origin == FROM_DEFAULT && (widget->value.owned || widget->key != NULL)) {
        widgets_set_default(call->widgets, widget, field[0], bytes, length);
    }
}

/* ---- what the script gets ---- */

/* The label on top becomes its option; a text that is none of them stays. */
static void label_to_option(const struct call *call)
{
    size_t length;
    const char *text = lua_tolstring(call->L, -1, &length);
    int place = choice_find_label(call->L, call_slot(call, "options"), text, length);
    if (place > 0) {
        lua_pop(call->L, 1);
        lua_rawgeti(call->L, call->rest, place);
    }
}

void widget_push_value(const struct call *call, const struct value *value)
{
    value_push_plain(call->L, value);
    if (!choice_is(call->type)) {
        return;
    }
    if (value->kind == VALUE_TEXT) {
        label_to_option(call);
    } else if (value->kind == VALUE_TEXTS) {
        int count = (int)lua_objlen(call->L, -1);
        for (int i = 1; i <= count; i++) {
            lua_rawgeti(call->L, -1, i);
            label_to_option(call);
            lua_rawseti(call->L, -2, i);
        }
    }
}

/* ---- bindings ---- */

static void bind_slot(const struct call *call, const char *name, int type)
{
    int slot = call_slot(call, name);
    if (slot == 0) {
        return;
    }
    if (lua_type(call->L, slot) != type) {
        call_error(call, "%s is a %s, got a %s", name, lua_typename(call->L, type),
                   luaL_typename(call->L, slot));
    }
    lua_pushvalue(call->L, slot);
    lua_setfield(call->L, -2, name);
}

/* lua/moonlit/bindings.lua gives them to the patch in which they reach the page. */
static void bind_widget(const struct call *call, struct widget *widget)
{
    lua_State *L = call->L;
    bool has_callback = call_slot(call, "on_change") != 0 || call_slot(call, "on_click") != 0;
    if (!has_callback && !widget->bound && !choice_is(call->type)) {
        return;
    }
    widget->bound = has_callback || choice_is(call->type);
    lua_rawgeti(L, LUA_REGISTRYINDEX, call->run->session->reference);
    lua_getfield(L, -1, "drawn");
    lua_pushnumber(L, (lua_Number)call->id);
    lua_createtable(L, 0, 4);
    bind_slot(call, "on_change", LUA_TFUNCTION);
    if (call->type == ELEMENT_button) {
        bind_slot(call, "on_click", LUA_TFUNCTION);
    }
    bind_slot(call, "args", LUA_TTABLE);
    if (choice_is(call->type)) {
        lua_pushvalue(L, call->rest);
        lua_setfield(L, -2, "options");
        lua_pushvalue(L, call_slot(call, "options"));
        lua_setfield(L, -2, "labels");
    }
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

/* ---- drawing ---- */

/* on_change may be a word: then there is no callback to bind. */
static void read_on_change_word(struct call *call)
{
    int slot = call_slot(call, "on_change");
    if (slot == 0 || lua_type(call->L, slot) != LUA_TSTRING) {
        return;
    }
    const char *word = lua_tostring(call->L, slot);
    call->ignores = strcmp(word, "ignore") == 0;
    if (!call->ignores && strcmp(word, "rerun") != 0) {
        call_error(call, "on_change is a function, \"rerun\" or \"ignore\"; got \"%.60s\"", word);
    }
    call->slots[element_find_field(call->type, "on_change")] = 0;
}

static struct widget *know_widget(const struct call *call, bool *is_new)
{
    struct error error;
    const struct widget *known = widgets_find(call->widgets, call->id);
    *is_new = known == NULL || known->value.kind == BSON_KIND_END;
    struct widget *widget =
        widgets_draw(call->widgets, call->id, call->type, call->key, call->key_length, &error);
    if (widget == NULL) {
        call_error(call, "%s", error.message);
    }
    return widget;
}

static struct widget *begin_widget(struct call *call, bool *is_new)
{
    size_t length;
    int slot = call_slot(call, "label");
    if (lua_type(call->L, slot) != LUA_TSTRING) {
        call_error(call, "label is a text, got a %s", luaL_typename(call->L, slot));
    }
    const char *label = lua_tolstring(call->L, slot, &length);
    call->id = call->key != NULL ? element_id_keyed(call->key, call->key_length)
                                 : element_id_widget(call->type, label, length, call->container);
    return know_widget(call, is_new);
}

static void begin_draft(const struct call *call)
{
    enum draft_answer answer = draft_begin(call->draft, call->type, call->id, call->container);
    if (answer != DRAFT_YES) {
        int slot = call_slot(call, "label");
        call_refuse(call, answer, slot != 0 ? lua_tostring(call->L, slot) : NULL);
    }
    call_write_fields(call);
    if (call->ignores) {
        bson_write_bool(&call->draft->out, "ignores", true);
    }
}

static void end_draft(const struct call *call, bool by_script)
{
    struct error error;
    if (!draft_end(call->draft, by_script, run_line(call->L, NULL, 0), &error)) {
        call_error(call, "%s", error.message);
    }
}

static int draw_button(struct call *call)
{
    bool is_new;
    struct widget *widget = begin_widget(call, &is_new);
    bind_widget(call, widget);
    begin_draft(call);
    end_draft(call, false);
    lua_pushboolean(call->L, run_receive_press(call->L, call->branch, call->id));
    return 1;
}

/* Draw it with the value that it has; a widget's is pushed, as the script knows it. */
static void draw_with_value(const struct call *call, struct widget *widget, bool is_new)
{
    struct demand demand = {0};
    struct value value;
    demand_find(call, &demand);
    enum origin origin = find_value(call, widget, is_new, &demand, &value);
    bool by_script = origin != FROM_OWNER || widget->value.by_script;
    bind_widget(call, widget);
    widget_push_value(call, &value);
    begin_draft(call);
    struct bson_out *out = &call->draft->out;
    if (demand.step > 0 && call_slot(call, "step") == 0) {
        bson_write_number(out, "step", demand.step);
    }
    size_t before = call->draft->buffer.length;
    value_write(&value, out, "value");
    size_t length = call->draft->buffer.length - before;
    end_draft(call, by_script);
    if (!out->full) {
        remember(call, widget, origin, call->draft->buffer.bytes + before, length);
    }
}

int draw_widget(struct call *call)
{
    bool is_new;
    read_on_change_word(call);
    if (call->type == ELEMENT_button) {
        return draw_button(call);
    }
    struct widget *widget = begin_widget(call, &is_new);
    draw_with_value(call, widget, is_new);
    return 1;
}

/* ---- containers that tell ---- */

bool container_tells(struct call *call)
{
    if (!element_has_value(call->type) || call_slot(call, "on_change") == 0) {
        return false;
    }
    read_on_change_word(call);
    return !call->ignores;
}

int draw_telling_container(struct call *call)
{
    bool is_new;
    call_find_id(call);
    struct widget *widget = know_widget(call, &is_new);
    draw_with_value(call, widget, is_new);
    handle_push(call);
    return 1;
}
