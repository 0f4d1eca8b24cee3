#include "bridge/state.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "bridge/chunk.h"
#include "bridge/module.h"
#include "bridge/pattern.h"
#include "bridge/script.h"
#include "limits.h"

struct state *state_of(lua_State *L)
{
    void *data;
    lua_getallocf(L, &data);
    return data;
}

/* ---- what rewritten code calls ---- */

static int idle_tick(lua_State *L)
{
    lua_pushinteger(L, 1000);
    return 1;
}

static int idle_hold(lua_State *L)
{
    lua_pushinteger(L, 1);
    return 1;
}

static int idle(lua_State *L)
{
    (void)L;
    return 0;
}

void state_set_rewrite_functions(struct state *state, const struct rewrite_functions *functions)
{
    const lua_CFunction list[] = {functions->tick, NULL,
                                  functions->hold, functions->end_hold,
                                  functions->drop, functions->keep};
    state->functions = *functions;
    lua_rawgeti(state->L, LUA_REGISTRYINDEX, state->helpers);
    for (int i = 0; i < 6; i++) {
        if (list[i] != NULL) {
            lua_pushcfunction(state->L, list[i]);
            lua_rawseti(state->L, -2, i + 1);
        }
    }
    lua_pop(state->L, 1);
}

void state_push_shared(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->shared);
}

/* The counter is an upvalue of every function that has a loop or a call (bridge/rewrite.h). */
static void run_down(lua_State *L)
{
    const char *name;
    for (int i = 1; (name = lua_getupvalue(L, -1, i)) != NULL; i++) {
        lua_pop(L, 1);
        if (strcmp(name, "_ml_n") == 0) {
            lua_pushinteger(L, 0);
            lua_setupvalue(L, -2, i);
            return;
        }
    }
}

void state_run_down(lua_State *L, int level)
{
    enum { LEVELS = 10 };
    lua_Debug frame;
    for (int last = level + LEVELS; level < last && lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "f", &frame);
        if (!lua_iscfunction(L, -1)) {
            run_down(L);
        }
        lua_pop(L, 1);
    }
}

void state_took_long(lua_State *L)
{
    luaL_checkstack(L, 3, "too many frames");
    state_run_down(L, 1);
}

void state_worked(lua_State *L, size_t bytes)
{
    if (bytes > LIMIT_WORK_UNSEEN) {
        state_took_long(L);
    }
}

static void make_helpers(struct state *state)
{
    static const struct rewrite_functions idle_functions = {idle_tick, idle_hold, idle, idle, idle};
    lua_State *L = state->L;
    lua_createtable(L, 6, 0);
    lua_createtable(L, 3, 0);
    lua_pushinteger(L, 0);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, -1);
    state->shared = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_rawseti(L, -2, 2);
    state->helpers = luaL_ref(L, LUA_REGISTRYINDEX);
    state_set_rewrite_functions(state, &idle_functions);
}

/* ---- internal modules ---- */

void state_add_library(struct state *state, const char *name, lua_CFunction open)
{
    lua_rawgeti(state->L, LUA_REGISTRYINDEX, state->libraries);
    lua_pushcfunction(state->L, open);
    lua_setfield(state->L, -2, name);
    lua_pop(state->L, 1);
}

static bool read_from_disk(const struct state *state, const struct lua_module *module,
                           struct buffer *out, struct error *error)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", state->lua_directory, module->path + strlen("lua/"));
    return script_read(path, out, error);
}

static bool load_module(struct state *state, const struct lua_module *module, struct error *error)
{
    char name[256];
    snprintf(name, sizeof name, "=%s", module->path); /* "@" marks files of scripts */
    if (state->lua_directory == NULL) {
        return chunk_load_internal(state, module->start, (size_t)(module->end - module->start),
                                   name, error);
    }
    struct buffer source;
    buffer_init(&source, LIMIT_SCRIPT);
    bool ok = read_from_disk(state, module, &source, error) &&
              chunk_load_internal(state, (const char *)source.bytes, source.length, name, error);
    buffer_deinit(&source);
    return ok;
}

static const struct lua_module *find_module(const char *name)
{
    for (const struct lua_module *module = lua_modules; module->name != NULL; module++) {
        if (strcmp(module->name, name) == 0) {
            return module;
        }
    }
    return NULL;
}

bool state_is_own_file(const char *path)
{
    for (const struct lua_module *module = lua_modules; module->name != NULL; module++) {
        if (strcmp(module->path, path) == 0) {
            return true;
        }
    }
    return false;
}

bool state_is_main(lua_State *L, lua_Debug *frame)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->mains);
    lua_getinfo(L, "f", frame);
    lua_rawget(L, -2);
    bool is = lua_toboolean(L, -1);
    lua_pop(L, 2);
    return is;
}

void state_push_place(lua_State *L, int level)
{
    lua_Debug frame;
    for (; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.currentline > 0 && !state_is_own_file(frame.source + 1)) {
            lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

/* Push the function that makes the module, on state->L. */
static bool push_maker(struct state *state, const char *name, struct error *error)
{
    lua_State *L = state->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->libraries);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    if (!lua_isnil(L, -1)) {
        return true;
    }
    lua_pop(L, 1);
    const struct lua_module *module = find_module(name);
    if (module == NULL) {
        return error_set(error, ERROR_MISUSE, 0, "there is no internal module \"%s\"", name);
    }
    return load_module(state, module, error);
}

/* require(name) of internal Lua. Its results are kept; a module that asks for itself is told so. */
static int require(lua_State *L)
{
    struct state *state = state_of(L);
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->loaded);
    lua_getfield(L, 2, name);
    if (lua_islightuserdata(L, 3)) {
        return luaL_error(L, "internal module \"%s\" requires itself", name);
    }
    if (!lua_isnil(L, 3)) {
        return 1;
    }
    lua_pop(L, 1);
    struct error error = {0};
    if (!push_maker(state, name, &error)) {
        return luaL_error(L, "%s", error.message);
    }
    lua_xmove(state->L, L, state->L != L ? 1 : 0);
    lua_pushlightuserdata(L, state);
    lua_setfield(L, 2, name);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != 0) {
        lua_pushnil(L);
        lua_setfield(L, 2, name);
        return lua_error(L);
    }
    if (lua_isnil(L, -1)) {
        lua_pushboolean(L, 1);
        lua_replace(L, -2);
    }
    lua_pushvalue(L, -1);
    lua_setfield(L, 2, name);
    return 1;
}

bool state_require(struct state *state, const char *name, struct error *error)
{
    lua_pushcfunction(state->L, require);
    lua_pushstring(state->L, name);
    if (lua_pcall(state->L, 1, 1, 0) == 0) {
        return true;
    }
    const char *words = lua_tostring(state->L, -1);
    error_set(error, ERROR_SCRIPT, 0, "%s", words != NULL ? words : "an error without words");
    lua_pop(state->L, 1);
    return false;
}

/* ---- life ---- */

static const luaL_Reg stock_libraries[] = {
    {"", luaopen_base},     {"table", luaopen_table}, {"string", luaopen_string},
    {"math", luaopen_math}, {"os", luaopen_os},       {"debug", luaopen_debug},
    {"bit", luaopen_bit},   {"jit", luaopen_jit},     {"ffi", luaopen_ffi},
    {NULL, NULL},
};

static int new_table_reference(lua_State *L)
{
    lua_newtable(L);
    return luaL_ref(L, LUA_REGISTRYINDEX);
}

static void make_mains(struct state *state)
{
    lua_State *L = state->L;
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    state->mains = luaL_ref(L, LUA_REGISTRYINDEX);
}

static int open_all(lua_State *L)
{
    struct state *state = state_of(L);
    make_helpers(state);
    make_mains(state);
    state->loaded = new_table_reference(L);
    state->libraries = new_table_reference(L);
    for (const luaL_Reg *library = stock_libraries; library->func != NULL; library++) {
        lua_pushcfunction(L, library->func);
        lua_pushstring(L, library->name);
        lua_call(L, 1, 1);
        if (library->name[0] != '\0') {
            lua_rawgeti(L, LUA_REGISTRYINDEX, state->loaded);
            lua_pushvalue(L, -2);
            lua_setfield(L, -2, library->name);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pushcfunction(L, require);
    lua_setglobal(L, "require");
    state_add_library(state, "moonlit.core.pattern", luaopen_moonlit_core_pattern);
    state_add_library(state, "moonlit.core.script", luaopen_moonlit_core_script);
    return 0;
}

/* An error outside of any protected call is a fault of ours; the process cannot go on. */
static int panic(lua_State *L)
{
    const char *words = lua_tostring(L, -1);
    fprintf(stderr, "Lua: error outside of a protected call: %s\n", words != NULL ? words : "?");
    abort();
}

struct state *state_new(void *owner, struct error *error)
{
    struct state *state = memory_new(sizeof *state);
    state->owner = owner;
    state->L = lua_newstate(state_allocate, state);
    if (state->L == NULL) {
        state_free_spares(state);
        free(state);
        error_set(error, ERROR_SYSTEM, 0, "no memory for a Lua state");
        return NULL;
    }
    lua_atpanic(state->L, panic);
    const char *lua_directory = getenv("MOONLIT_LUA");
    if (lua_directory != NULL && lua_directory[0] != '\0') {
        state->lua_directory = memory_copy_text(lua_directory);
    }
    if (lua_cpcall(state->L, open_all, NULL) != 0) {
        error_set(error, ERROR_SYSTEM, 0, "the Lua state cannot be made: %s",
                  lua_tostring(state->L, -1));
        state_free(state);
        return NULL;
    }
    return state;
}

void state_free(struct state *state)
{
    if (state == NULL) {
        return;
    }
    chunk_free_all(state);
    lua_close(state->L);
    state_free_spares(state);
    free(state->directory);
    free(state->lua_directory);
    free(state);
}

void state_set_directory(struct state *state, const char *directory)
{
    free(state->directory);
    state->directory = memory_copy_text(directory);
}

void state_set_on_file(struct state *state, void (*on_file)(void *data, const char *path),
                       void *data)
{
    state->on_file = on_file;
    state->on_file_data = data;
}
