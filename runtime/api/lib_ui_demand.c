/*
 * What a widget's value must be, as its draw says it: bounds, whole numbers, the labels of a
 * choice.
 *
 * A choice's value is its label, on the wire and in the session; ui.lua makes the labels and passes
 * the options themselves behind the options table.
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

/* ---- does it fit ---- */

static bool number_fits(const struct demand *demand, double number)
{
    return number >= demand->low && number <= demand->high &&
           (!demand->whole || number == floor(number));
}

static size_t count_characters(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        count += (text[i] & 0xc0) != 0x80;
    }
    return count;
}

bool demand_text_fits(lua_State *L, const struct demand *demand, const char *text, size_t length)
{
    if (demand->labels != 0) {
        return demand->free_texts || choice_find_label(L, demand->labels, text, length) > 0;
    }
    return demand->characters == 0 || count_characters(text, length) <= demand->characters;
}

bool demand_fits(lua_State *L, const struct demand *demand, const struct value *value)
{
    if (value->kind == VALUE_NULL) {
        return demand->may_be_null;
    }
    if (value->kind != demand->kind) {
        return false;
    }
    switch (value->kind) {
    case VALUE_NUMBER:
        return number_fits(demand, value->low);
    case VALUE_RANGE:
        return number_fits(demand, value->low) && number_fits(demand, value->high) &&
               value->low <= value->high;
    case VALUE_TEXT:
        return demand_text_fits(L, demand, value->text, value->length);
    default:
        return true;
    }
}

/* ---- the demands of each kind ---- */

static bool option_is_false(const struct call *call, const char *name)
{
    int slot = call_slot(call, name);
    return slot != 0 && lua_type(call->L, slot) == LUA_TBOOLEAN && !lua_toboolean(call->L, slot);
}

static bool option_is_true(const struct call *call, const char *name)
{
    int slot = call_slot(call, name);
    return slot != 0 && lua_toboolean(call->L, slot) != 0;
}

static double number_option(const struct call *call, const char *name, double usual)
{
    int slot = call_slot(call, name);
    if (slot == 0) {
        return usual;
    }
    if (lua_type(call->L, slot) != LUA_TNUMBER || !isfinite(lua_tonumber(call->L, slot))) {
        call_error(call, "%s is a finite number, got a %s", name, luaL_typename(call->L, slot));
    }
    return lua_tonumber(call->L, slot);
}

static void demand_box(const struct call *call, struct demand *demand)
{
    int slot = call_slot(call, "value");
    demand->kind = VALUE_BOOL;
    demand->usual = (struct value){.kind = VALUE_BOOL};
    if (slot != 0) {
        if (lua_type(call->L, slot) != LUA_TBOOLEAN) {
            call_error(call, "value is true or false, got a %s", luaL_typename(call->L, slot));
        }
        demand->usual.flag = lua_toboolean(call->L, slot) != 0;
    }
}

static void demand_text(const struct call *call, struct demand *demand)
{
    int slot = call_slot(call, "value");
    demand->kind = VALUE_TEXT;
    demand->usual = (struct value){.kind = VALUE_TEXT, .text = ""};
    demand->characters = (size_t)number_option(call, "max_chars", 0);
    if (option_is_false(call, "value")) {
        demand->may_be_null = true;
        demand->usual.kind = VALUE_NULL;
    } else if (slot != 0) {
        if (lua_type(call->L, slot) == LUA_TNUMBER) {
            lua_tolstring(call->L, slot, NULL); /* the copy on our stack */
        }
        demand->usual = value_read_lua(call->L, slot);
        if (demand->usual.kind != VALUE_TEXT) {
            call_error(call, "value is a text, or false for an empty field, got a %s",
                       luaL_typename(call->L, slot));
        }
    }
}

static double into(double number, double low, double high)
{
    return number < low ? low : number > high ? high : number;
}

static bool is_whole(double number)
{
    return number == floor(number) || isinf(number);
}

/* Whole numbers give whole numbers: when all that is said is whole. */
static void find_step(const struct call *call, struct demand *demand, double usual)
{
    demand->step = number_option(call, "step", 0);
    if (call_slot(call, "step") != 0 && demand->step <= 0) {
        call_error(call, "step is above 0, got %g", demand->step);
    }
    demand->whole = is_whole(demand->low) && is_whole(demand->high) && is_whole(demand->step) &&
                    is_whole(demand->usual.low) &&
                    (demand->usual.kind != VALUE_RANGE || is_whole(demand->usual.high));
    if (demand->step == 0) {
        demand->step = demand->whole ? 1 : usual;
    }
}

static void check_bounds(const struct call *call, const struct demand *demand)
{
    if (demand->low > demand->high) {
        call_error(call, "min is %g, which is above max, %g", demand->low, demand->high);
    }
}

static void demand_slider(const struct call *call, struct demand *demand)
{
    int slot = call_slot(call, "value");
    demand->low = number_option(call, "min", 0);
    demand->high = number_option(call, "max", 100);
    check_bounds(call, demand);
    demand->usual = (struct value){.kind = VALUE_NUMBER, .low = demand->low};
    if (slot != 0) {
        demand->usual = value_read_lua(call->L, slot);
        if (demand->usual.kind != VALUE_NUMBER && demand->usual.kind != VALUE_RANGE) {
            call_error(call, "value is a number, or a list of two for a range, got a %s",
                       luaL_typename(call->L, slot));
        }
    }
    demand->kind = demand->usual.kind;
    find_step(call, demand, (demand->high - demand->low) / 100);
    demand->usual.low = into(demand->usual.low, demand->low, demand->high);
    demand->usual.high = into(demand->usual.high, demand->usual.low, demand->high);
}

static void demand_number(const struct call *call, struct demand *demand)
{
    int slot = call_slot(call, "value");
    bool has_word = slot != 0 && lua_type(call->L, slot) == LUA_TSTRING &&
                    strcmp(lua_tostring(call->L, slot), "min") == 0;
    demand->kind = VALUE_NUMBER;
    demand->low = number_option(call, "min", -INFINITY);
    demand->high = number_option(call, "max", INFINITY);
    check_bounds(call, demand);
    demand->may_be_null = option_is_false(call, "value");
    double first = isinf(demand->low) ? into(0, demand->low, demand->high) : demand->low;
    demand->usual = (struct value){.kind = VALUE_NUMBER, .low = first};
    if (slot != 0 && !demand->may_be_null && !has_word) {
        demand->usual.low = number_option(call, "value", 0);
    }
    find_step(call, demand, 0.01);
    demand->usual.low = into(demand->usual.low, demand->low, demand->high);
    demand->usual.kind = demand->may_be_null ? VALUE_NULL : VALUE_NUMBER;
}

static int index_option(const struct call *call, int count)
{
    int slot = call_slot(call, "index");
    if (slot == 0) {
        return count > 0 ? 1 : 0;
    }
    if (option_is_false(call, "index")) {
        return 0;
    }
    double index = number_option(call, "index", 1);
    if (index < 1 || index > count || index != floor(index)) {
        call_error(call, "index is %g, but there are %d options; false chooses none", index, count);
    }
    return (int)index;
}

static void demand_choice(const struct call *call, struct demand *demand)
{
    demand->labels = call_slot(call, "options");
    int count = (int)lua_objlen(call->L, demand->labels);
    demand->free_texts = option_is_true(call, "accept_new_options");
    demand->most = (unsigned)number_option(call, "max_selections", 0);
    if (call->type == ELEMENT_multiselect) {
        int slot = call_slot(call, "default");
        demand->kind = VALUE_TEXTS;
        if (slot == 0) {
            lua_newtable(call->L);
            slot = lua_gettop(call->L);
        } else if (!lua_istable(call->L, slot)) {
            call_error(call, "default is a list of options, got a %s",
                       luaL_typename(call->L, slot));
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
static void demand_tabs(const struct call *call, struct demand *demand)
{
    int slot = call_slot(call, "default");
    demand->kind = VALUE_TEXT;
    demand->labels = call_slot(call, "labels");
    demand->usual =
        slot != 0 ? value_read_lua(call->L, slot) : label_at(call->L, demand->labels, 1);
}

void demand_find(const struct call *call, struct demand *demand)
{
    switch (call->type) {
    case ELEMENT_checkbox:
    case ELEMENT_toggle:
        demand_box(call, demand);
        break;
    case ELEMENT_text_input:
    case ELEMENT_text_area:
        demand_text(call, demand);
        break;
    case ELEMENT_slider:
        demand_slider(call, demand);
        break;
    case ELEMENT_number_input:
        demand_number(call, demand);
        break;
    case ELEMENT_expander:
        demand->kind = VALUE_BOOL;
        demand->usual =
            (struct value){.kind = VALUE_BOOL, .flag = option_is_true(call, "expanded")};
        break;
    case ELEMENT_tabs:
        demand_tabs(call, demand);
        break;
    default:
        demand_choice(call, demand);
    }
}
