#include "api/lib_ui.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "bridge/json.h"
#include "bridge/scalar.h"
#include "bridge/state.h"
#include "bridge/view.h"
#include "run/engine.h"
#include "run/failure.h"

#define HANDLE_TYPE "moonlit.handle"

/* ---- errors ---- */

static int throw_here(lua_State *L, const char *name, const char *format, va_list arguments)
{
    char file[256] = "", message[1024];
    int line = run_line(L, file, sizeof file);
    vsnprintf(message, sizeof message, format, arguments);
    if (line > 0) {
        lua_pushfstring(L, "%s:%d: %s%s", file, line, name, message);
    } else {
        lua_pushfstring(L, "%s%s", name, message);
    }
    return lua_error(L);
}

int lib_ui_error(lua_State *L, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    throw_here(L, "", format, arguments);
    va_end(arguments);
    return 0;
}

int call_error(const struct call *call, const char *format, ...)
{
    va_list arguments;
    char name[64];
    snprintf(name, sizeof name, "ui.%s: ", call->element->name);
    va_start(arguments, format);
    throw_here(call->L, name, format, arguments);
    va_end(arguments);
    return 0;
}

int call_refuse(const struct call *call, enum draft_answer answer, const char *label)
{
    char file[256] = "";
    int before = draft_line(call->draft, call->id);
    if (answer == DRAFT_GONE) {
        return call_error(call, "its container is not on the page of this run: draw the container "
                                "again in each run");
    }
    if (answer == DRAFT_DEEP) {
        return call_error(call, "containers stand too deep in each other");
    }
    int now = run_line(call->L, file, sizeof file);
    if (call->key != NULL) {
        return call_error(
            call,
            "two elements have the key \"%.100s\", at lines %d and %d: a key names one "
            "element of the page",
            call->key, before, now);
    }
    return call_error(call,
                      "two in one place have the label \"%.100s\", at lines %d and %d: give one of "
                      "them a key of its own: { key = \"...\" }",
                      label != NULL ? label : "", before, now);
}

/* ---- handles ---- */

const struct handle *handle_get(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) {
        return NULL;
    }
    bool is_handle = lua_rawequal(L, -1, lua_upvalueindex(2)) != 0;
    lua_pop(L, 1);
    return is_handle ? lua_touserdata(L, index) : NULL;
}

static void push_handle(lua_State *L, int metatable, struct handle handle)
{
    struct handle *memory = lua_newuserdata(L, sizeof *memory);
    *memory = handle;
    lua_pushvalue(L, metatable);
    lua_setmetatable(L, -2);
}

void handle_push(const struct call *call)
{
    push_handle(call->L, lua_upvalueindex(2),
                (struct handle){call->id, call->run->number, (uint16_t)call->type});
}

uint64_t lib_ui_container(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA || !lua_getmetatable(L, index)) {
        return ROOT_MAIN;
    }
    luaL_getmetatable(L, HANDLE_TYPE);
    bool is_handle = lua_rawequal(L, -1, -2) != 0;
    lua_pop(L, 2);
    return is_handle ? ((const struct handle *)lua_touserdata(L, index))->id : ROOT_MAIN;
}

/* ---- a call ---- */

static void find_run(struct call *call)
{
    call->branch = branch_of(call->L);
    if (call->branch == NULL) {
        call_error(call, "a page can only be drawn while a script runs");
    }
    call->run = call->branch->run;
    if (call->run->session == NULL) {
        call_error(call, "ui.once runs for the whole process, without a session or a page: return "
                         "what you need and draw it outside");
    }
    call->draft = call->run->draft;
    call->widgets = call->run->session->widgets;
}

/* Where the script draws now: _ml_P[2]. */
static uint64_t current_container(struct call *call)
{
    lua_State *L = call->L;
    state_push_shared(L);
    lua_rawgeti(L, -1, 2);
    const struct handle *handle = handle_get(L, -1);
    lua_pop(L, 2);
    return handle != NULL ? handle->id : ROOT_MAIN;
}

/* box.text("words") would draw at the current place, and ui:text("words") the library itself. */
static void check_spelling(const struct call *call)
{
    lua_State *L = call->L;
    if (lua_toboolean(L, lua_upvalueindex(4))) {
        call_error(call, "a method is called with a colon; write box:%s(...)", call->element->name);
    }
    if (lua_type(L, 1) == LUA_TUSERDATA && view_get(L, 1) == NULL && scalar_get(L, 1) == NULL) {
        call_error(call, "this is no method; write ui.%s(...), with a dot", call->element->name);
    }
}

static void find_place(struct call *call)
{
    const struct handle *handle = handle_get(call->L, 1);
    call->first = handle != NULL ? 2 : 1;
    if (handle == NULL) {
        check_spelling(call);
    }
    if (call->type == ELEMENT_toast && (handle == NULL || handle->type != ELEMENT_toast)) {
        call->container = ROOT_EVENT;
        return;
    }
    if (handle == NULL) {
        call->container = current_container(call);
        return;
    }
    if (handle->run != 0 && handle->run != call->run->number) {
        call_error(call, "this handle is of an earlier run: draw its element again in each run");
    }
    bool is_container = element_get((enum element_type)handle->type)->kind == KIND_CONTAINER;
    if (is_container && !(call->raw && handle->type == call->type)) {
        call->container = handle->id;
        return;
    }
    if (!is_container && call->element->kind != KIND_LEAF && call->type != ELEMENT_empty) {
        call_error(call, "only an element that shows something can take the place of another: to "
                         "change what stands there, draw in `local place = ui.empty()`");
    }
    call->again = handle->id;
}

static uint64_t counted_id(struct call *call)
{
    /* A toast of each run is a new one. */
    uint64_t salt = call->type == ELEMENT_toast ? call->run->number : 0;
    unsigned number = draft_next_number(call->draft, call->type, call->container);
    return element_id_counted(call->type, number, call->container + (salt << 8));
}

void call_find_id(struct call *call)
{
    call->id = call->key != NULL ? element_id_keyed(call->key, call->key_length) : counted_id(call);
}

static enum draft_answer begin_element(struct call *call)
{
    if (call->again != 0) {
        call->id = call->again;
        return draft_begin_again(call->draft, call->type, call->again);
    }
    call_find_id(call);
    return draft_begin(call->draft, call->type, call->id, call->container);
}

static int draw_element(struct call *call)
{
    struct error error;
    enum draft_answer answer = begin_element(call);
    if (answer != DRAFT_YES) {
        return call_refuse(call, answer, NULL);
    }
    call_write_fields(call);
    int line = call->key != NULL ? run_line(call->L, NULL, 0) : 0;
    if (!draft_end(call->draft, false, line, &error)) {
        return call_error(call, "%s", error.message);
    }
    state_worked(call->L, call->draft->pending.length);
    handle_push(call);
    return 1;
}

/* Upvalues: the type, the handles' metatable, whether ui.lua made the call, whether as a method. */
static int draw(lua_State *L)
{
    struct call call = {.L = L, .type = (enum element_type)lua_tointeger(L, lua_upvalueindex(1))};
    call.raw = lua_toboolean(L, lua_upvalueindex(3)) != 0;
    call.element = element_get(call.type);
    call.field_count = element_field_count(call.type);
    find_run(&call);
    if (!run_before_draw(L, call.branch)) {
        return run_leave_here(L, LEAVE_SUPERSEDED);
    }
    find_place(&call);
    call_read_arguments(&call);
    if (call.element->kind == KIND_WIDGET) {
        return draw_widget(&call);
    }
    return container_tells(&call) ? draw_telling_container(&call) : draw_element(&call);
}

/* ---- for ui.lua ---- */

/* The handle of the first argument, which must be of this run. */
static const struct handle *check_handle(lua_State *L, struct call *call)
{
    call->L = L;
    call->element = element_get(ELEMENT_empty);
    find_run(call);
    const struct handle *handle = handle_get(L, 1);
    if (handle == NULL || (handle->run != 0 && handle->run != call->run->number)) {
        lib_ui_error(L, "this handle is of an earlier run: draw its element again in each run");
    }
    return handle;
}

/* clear(handle), remove(handle) */
static int clear(lua_State *L)
{
    struct call call = {0};
    struct error error;
    const struct handle *handle = check_handle(L, &call);
    if (!draft_empty(call.draft, handle->id, &error)) {
        return lib_ui_error(L, "%s", error.message);
    }
    lua_settop(L, 1);
    return 1;
}

static int take_away(lua_State *L)
{
    struct call call = {0};
    struct error error;
    const struct handle *handle = check_handle(L, &call);
    if (!draft_remove(call.draft, handle->id, &error)) {
        return lib_ui_error(L, "%s", error.message);
    }
    return 0;
}

/* ui:write("words") is a call of the library itself. */
static bool is_library(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TUSERDATA || !luaL_getmetafield(L, 1, "__handle")) {
        return false;
    }
    bool is = lua_type(L, -1) == LUA_TSTRING && strcmp(lua_tostring(L, -1), "library") == 0;
    lua_pop(L, 1);
    return is;
}

/* type(value): the element's name of a handle, nil for anything else. What ui.lua gives first is
 * the first argument of a call. */
static int get_type(lua_State *L)
{
    const struct handle *handle = handle_get(L, 1);
    if (handle == NULL && is_library(L)) {
        return lib_ui_error(L, "the calls of ui are no methods; write ui.write(...), with a dot");
    }
    if (handle == NULL) {
        return 0;
    }
    lua_pushstring(L, element_get((enum element_type)handle->type)->name);
    lua_pushboolean(L, element_get((enum element_type)handle->type)->kind == KIND_CONTAINER);
    return 2;
}

/* shared(): the table whose [2] is where the script draws. */
static int get_shared(lua_State *L)
{
    state_push_shared(L);
    return 1;
}

/* fail(message): raise at the script's line. */
static int fail(lua_State *L)
{
    return lib_ui_error(L, "%s", luaL_checkstring(L, 1));
}

/* source(file, line): the text of a script's line, or nil. */
static int get_source(lua_State *L)
{
    char text[256];
    if (!failure_source_line(luaL_checkstring(L, 1), (int)luaL_checkinteger(L, 2), text,
                             sizeof text)) {
        return 0;
    }
    lua_pushstring(L, text);
    return 1;
}

/* on_first_draw(f): f(key) gives what ui.state holds for a widget that was never drawn. */
static int set_on_first_draw(lua_State *L)
{
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "moonlit.ui.first");
    return 0;
}

/* ---- opening ---- */

/* A function for each element; metatable at `metatable`. */
static void push_elements(lua_State *L, int metatable, bool raw, bool method)
{
    lua_createtable(L, 0, ELEMENT_COUNT);
    for (int type = 0; type < ELEMENT_COUNT; type++) {
        lua_pushinteger(L, type);
        lua_pushvalue(L, metatable);
        lua_pushboolean(L, raw);
        lua_pushboolean(L, method);
        lua_pushcclosure(L, draw, 4);
        lua_setfield(L, -2, element_get((enum element_type)type)->name);
    }
}

static void add_functions(lua_State *L, int metatable)
{
    static const luaL_Reg functions[] = {
        {"clear", clear},
        {"remove", take_away},
        {"type", get_type},
        {"shared", get_shared},
        {"fail", fail},
        {"source", get_source},
        {"on_first_draw", set_on_first_draw},
        {"value", widgets_value},
        {"get_value", widgets_get_value},
        {"set_value", widgets_set_value},
        {"values", widgets_values},
        {NULL, NULL},
    };
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushnil(L);
        lua_pushvalue(L, metatable);
        lua_pushcclosure(L, function->func, 2);
        lua_setfield(L, -2, function->name);
    }
}

static void add_roots(lua_State *L, int metatable)
{
    static const enum element_type roots[] = {ELEMENT_main, ELEMENT_sidebar, ELEMENT_event,
                                              ELEMENT_bottom};
    lua_newtable(L);
    for (int i = 0; i < ROOT_LAST; i++) {
        push_handle(L, metatable, (struct handle){(uint64_t)i + 1, 0, (uint16_t)roots[i]});
        lua_setfield(L, -2, element_get(roots[i])->name);
    }
    lua_setfield(L, -2, "roots");
}

/* { elements = {name: function}, methods = {...}, raw = {...}, roots = {...}, metatable = ..., and
 * the functions } */
int luaopen_moonlit_core_ui(lua_State *L)
{
    lua_newtable(L);
    int module = lua_gettop(L);
    luaL_newmetatable(L, HANDLE_TYPE);
    int metatable = lua_gettop(L);
    push_elements(L, metatable, false, false);
    lua_setfield(L, module, "elements");
    push_elements(L, metatable, false, true);
    lua_setfield(L, module, "methods");
    push_elements(L, metatable, true, false);
    lua_setfield(L, module, "raw");
    lua_settop(L, metatable);
    lua_pushvalue(L, module);
    add_functions(L, metatable);
    add_roots(L, metatable);
    lua_pop(L, 1);
    lua_setfield(L, module, "metatable");
    return 1;
}
