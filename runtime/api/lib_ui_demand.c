/*
 * What a widget's value must be, as its draw says it: its kind, bounds, steps, length.
 */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "api/lib_ui.h"
#include "bridge/value.h"

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
    if (value->kind != demand->kind || value->date != demand->dates) {
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

bool call_has(const struct call *call, bool flag, const char *name)
{
    int slot = call_slot(call, name);
    return slot != 0 && lua_type(call->L, slot) == LUA_TBOOLEAN &&
           (lua_toboolean(call->L, slot) != 0) == flag;
}

double call_number_option(const struct call *call, const char *name, double usual)
{
    int slot = call_slot(call, name);
    if (slot == 0) {
        return usual;
    }
    if (lua_type(call->L, slot) != LUA_TNUMBER || !isfinite(lua_tonumber(call->L, slot))) {
        call_error(call, "%s is a finite number, got %s", name, lib_ui_kind(call->L, slot));
    }
    return lua_tonumber(call->L, slot);
}

unsigned call_count_option(const struct call *call, const char *name)
{
    double count = call_number_option(call, name, 0);
    if (call_slot(call, name) != 0 && !(count >= 1 && count <= 1e9 && count == floor(count))) {
        call_error(call, "%s is a whole number from 1 on, got %g", name, count);
    }
    return (unsigned)count;
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
    demand->characters = call_count_option(call, "max_chars");
    if (call_has(call, false, "value")) {
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
    demand->step = call_number_option(call, "step", 0);
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
    if (demand->low > demand->high && demand->dates) {
        call_error(call, "min is a later date than max");
    } else if (demand->low > demand->high) {
        call_error(call, "min is %g, which is above max, %g", demand->low, demand->high);
    }
}

enum { DAY = 86400, QUARTER = 900, MILLISECONDS = 1000 };

/* A bound of a slider; whether it is a date. */
static bool read_bound(const struct call *call, const char *name, double *bound)
{
    int slot = call_slot(call, name);
    if (slot == 0) {
        return false;
    }
    struct value value = value_read_lua(call->L, slot);
    if (value.kind != VALUE_NUMBER) {
        call_error(call, "%s is a finite number or a date, got %s", name,
                   lib_ui_kind(call->L, slot));
    }
    *bound = value.low;
    return value.date;
}

/* Seconds of a slider of dates: days where there are some, else quarters of an hour. */
static void find_step_of_dates(const struct call *call, struct demand *demand)
{
    bool has_days = demand->high - demand->low >= 2.0 * DAY * MILLISECONDS;
    demand->step = call_number_option(call, "step", has_days ? DAY : QUARTER);
    if (demand->step <= 0) {
        call_error(call, "step is above 0, got %g", demand->step);
    }
}

/* `min` by default. */
static struct value read_slider_value(const struct call *call, double low, bool is_date)
{
    int slot = call_slot(call, "value");
    if (slot == 0) {
        return (struct value){.kind = VALUE_NUMBER, .low = low, .date = is_date};
    }
    struct value value = value_read_lua(call->L, slot);
    if (value.kind != VALUE_NUMBER && value.kind != VALUE_RANGE) {
        call_error(call, "value is a number or a date, or a list of two for a range, got a %s",
                   luaL_typename(call->L, slot));
    }
    return value;
}

static void demand_slider(const struct call *call, struct demand *demand)
{
    demand->low = 0;
    demand->high = 100;
    bool has_first = read_bound(call, "min", &demand->low);
    bool has_last = read_bound(call, "max", &demand->high);
    demand->usual = read_slider_value(call, demand->low, has_first);
    demand->kind = demand->usual.kind;
    demand->dates = demand->usual.date;
    if (has_first != demand->dates || has_last != demand->dates) {
        call_error(call, "min, max and value are numbers, or all three are dates");
    }
    check_bounds(call, demand);
    if (demand->dates) {
        find_step_of_dates(call, demand);
    } else {
        find_step(call, demand, (demand->high - demand->low) / 100);
    }
    demand->usual.low = into(demand->usual.low, demand->low, demand->high);
    demand->usual.high = into(demand->usual.high, demand->usual.low, demand->high);
}

static void demand_number(const struct call *call, struct demand *demand)
{
    int slot = call_slot(call, "value");
    bool has_word = slot != 0 && lua_type(call->L, slot) == LUA_TSTRING &&
                    strcmp(lua_tostring(call->L, slot), "min") == 0;
    demand->kind = VALUE_NUMBER;
    demand->low = call_number_option(call, "min", -INFINITY);
    demand->high = call_number_option(call, "max", INFINITY);
    check_bounds(call, demand);
    demand->may_be_null = call_has(call, false, "value");
    double first = isinf(demand->low) ? into(0, demand->low, demand->high) : demand->low;
    demand->usual = (struct value){.kind = VALUE_NUMBER, .low = first};
    if (slot != 0 && !demand->may_be_null && !has_word) {
        demand->usual.low = call_number_option(call, "value", 0);
    }
    find_step(call, demand, 0.01);
    demand->usual.low = into(demand->usual.low, demand->low, demand->high);
    demand->usual.kind = demand->may_be_null ? VALUE_NULL : VALUE_NUMBER;
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
            (struct value){.kind = VALUE_BOOL, .flag = call_has(call, true, "expanded")};
        break;
    case ELEMENT_tabs:
        demand_tabs(call, demand);
        break;
    default:
        demand_choice(call, demand);
    }
}
