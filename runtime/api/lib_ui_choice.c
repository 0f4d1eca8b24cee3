/*
 * Choices: radio, selectbox, multiselect, and the names of tabs.
 *
 * A choice's value is its label, on the wire and in the session; choose.lua makes the labels and
 * passes the options themselves behind the options table.
 */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "api/lib_ui.h"
#include "bridge/value.h"

bool choice_is(enum element_type type)
{
    return type == ELEMENT_radio || type == ELEMENT_selectbox || type == ELEMENT_multiselect;
}

/* ---- labels ---- */

/* The place of a label, from 1; 0 when it is not there. */
int choice_find_label(lua_State *L, int labels, const char *text, size_t length)
{
    int found = 0, count = (int)lua_objlen(L, labels);
    for (int i = 1; i <= count && found == 0; i++) {
        size_t other_length;
        lua_rawgeti(L, labels, i);
        const char *other = lua_tolstring(L, -1, &other_length);
        if (other != NULL && other_length == length && memcmp(other, text, length) == 0) {
            found = i;
        }
        lua_pop(L, 1);
    }
    return found;
}

/* The place of an option equal to the value at `index`. */
static int find_option(lua_State *L, int options, int index)
{
    int found = 0, count = (int)lua_objlen(L, options);
    for (int i = 1; i <= count && found == 0; i++) {
        lua_rawgeti(L, options, i);
        found = lua_equal(L, -1, index) ? i : 0;
        lua_pop(L, 1);
    }
    return found;
}

/* The label at a place; the string is kept by the list. */
static struct value label_at(lua_State *L, int labels, int place)
{
    struct value value = {.kind = VALUE_TEXT};
    lua_rawgeti(L, labels, place);
    value.text = lua_tolstring(L, -1, &value.length);
    lua_pop(L, 1);
    return value;
}

/* The labels of a list of options, as a BSON array in a string on top of the stack. False when one
 * is not among them. */
static bool push_label_list(lua_State *L, int list, int options, int labels, struct value *value)
{
    struct buffer *buffer = value_scratch(L);
    struct bson_out out = {.buffer = buffer};
    char name[12];
    bool all = true;
    size_t mark = bson_write_begin(&out);
    int count = (int)lua_objlen(L, list);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        int place = find_option(L, options, lua_gettop(L));
        lua_pop(L, 1);
        if (place == 0) {
            all = false;
            continue;
        }
        struct value label = label_at(L, labels, place);
        bson_write_text(&out, bson_index_name((unsigned)i - 1, name), label.text, label.length);
    }
    bson_write_end(&out, mark);
    lua_pushlstring(L, (const char *)buffer->bytes, buffer->length);
    buffer_clear(buffer);
    value->kind = VALUE_TEXTS;
    value->texts = (struct bson_element){.kind = BSON_KIND_ARRAY};
    value->texts.value = (const uint8_t *)lua_tolstring(L, -1, &value->texts.length);
    return all && !out.full;
}

/* A value of Lua for a choice: options become labels. May leave a string on the stack. */
struct value choice_read_lua(lua_State *L, enum element_type type, int index, int options,
                             int labels)
{
    struct value value = {.kind = VALUE_NONE};
    if (type == ELEMENT_multiselect) {
        value_to_table(L, index);
        if (lua_istable(L, index) && !push_label_list(L, index, options, labels, &value)) {
            value.kind = VALUE_NONE;
        }
        return value;
    }
    if (lua_isnoneornil(L, index)) {
        value.kind = VALUE_NULL;
        return value;
    }
    int place = find_option(L, options, index);
    return place > 0 ? label_at(L, labels, place) : value;
}

/* ---- what they demand ---- */

static int index_option(const struct call *call, int count)
{
    int slot = call_slot(call, "index");
    if (slot == 0) {
        return count > 0 ? 1 : 0;
    }
    if (call_has(call, false, "index")) {
        return 0;
    }
    double index = call_number_option(call, "index", 1);
    if (index < 1 || index > count || index != floor(index)) {
        call_error(call, "index is %g, but there are %d options; false chooses none", index, count);
    }
    return (int)index;
}

/* Has something, and nothing at 1, 2, 3. */
static bool has_names(lua_State *L, int index)
{
    if (lua_objlen(L, index) > 0) {
        return false;
    }
    lua_pushnil(L);
    bool has = lua_next(L, index) != 0;
    lua_pop(L, has ? 2 : 0);
    return has;
}

void demand_choice(const struct call *call, struct demand *demand)
{
    demand->labels = call_slot(call, "options");
    int count = (int)lua_objlen(call->L, demand->labels);
    demand->free_texts = call_has(call, true, "accept_new_options");
    demand->most = call_count_option(call, "max_selections");
    if (call->type == ELEMENT_multiselect) {
        int slot = call_slot(call, "default");
        demand->kind = VALUE_TEXTS;
        if (slot == 0) {
            lua_newtable(call->L);
            slot = lua_gettop(call->L);
        }
        value_to_table(call->L, slot);
        if (!lua_istable(call->L, slot) || has_names(call->L, slot)) {
            call_error(call, "default is a list of options, got a %s",
                       lua_istable(call->L, slot) ? "table with names"
                                                  : luaL_typename(call->L, slot));
        }
        if (!push_label_list(call->L, slot, call->rest, demand->labels, &demand->usual)) {
            call_error(call, "default holds a value that is not one of the options");
        }
        return;
    }
    int index = index_option(call, count);
    demand->kind = VALUE_TEXT;
    demand->may_be_null = index == 0;
    demand->usual.kind = VALUE_NULL;
    if (index > 0) {
        demand->usual = label_at(call->L, demand->labels, index);
    }
}

/* The name of a tab; layout.lua has looked at the names. */
void demand_tabs(const struct call *call, struct demand *demand)
{
    int slot = call_slot(call, "default");
    demand->kind = VALUE_TEXT;
    demand->labels = call_slot(call, "labels");
    demand->usual =
        slot != 0 ? value_read_lua(call->L, slot) : label_at(call->L, demand->labels, 1);
}
