/* A state with a stand-in for the engine: coroutines are resumed to their end, waits are counted,
 * and what the rewritten code calls is written down. */
#ifndef TESTS_SCRIPT_CASE_H
#define TESTS_SCRIPT_CASE_H

#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/chunk.h"
#include "bridge/state.h"

struct script_case {
    struct state *state;
    bool waits;       /* the yield on its way is one for the host */
    bool tick_yields; /* each tick is the end of a slice */
    unsigned ticks;
    unsigned slices; /* yields for the host that arrived */
    unsigned last_hold;
    char log[8192];
};

static inline struct script_case *case_of(lua_State *L)
{
    return state_of(L)->owner;
}

static inline void case_log(lua_State *L, const char *words)
{
    struct script_case *test = case_of(L);
    size_t length = strlen(test->log);
    snprintf(test->log + length, sizeof test->log - length, "%s%s", length > 0 ? " " : "", words);
}

static int case_tick(lua_State *L)
{
    struct script_case *test = case_of(L);
    test->ticks++;
    if (test->tick_yields && lua_isyieldable(L)) {
        test->waits = true;
        return lua_yield(L, 0);
    }
    if (test->ticks > 1000000) {
        return luaL_error(L, "too long where Lua cannot pause");
    }
    lua_pushinteger(L, 10);
    return 1;
}

static int case_hold(lua_State *L)
{
    char words[32];
    unsigned id = ++case_of(L)->last_hold;
    snprintf(words, sizeof words, "H%u", id);
    case_log(L, words);
    lua_pushinteger(L, (lua_Integer)id);
    return 1;
}

static int case_end_hold(lua_State *L)
{
    char words[32];
    snprintf(words, sizeof words, "E%d", (int)luaL_checkinteger(L, 1));
    case_log(L, words);
    return 0;
}

static int case_drop(lua_State *L)
{
    case_log(L, "D");
    return 0;
}

static int case_keep(lua_State *L)
{
    char words[32];
    snprintf(words, sizeof words, "L%d:%d", (int)luaL_checkinteger(L, 1),
             (int)luaL_checkinteger(L, 2));
    case_log(L, words);
    return 0;
}

/* ---- for scripts ---- */

static int case_print(lua_State *L)
{
    case_log(L, luaL_checkstring(L, 1));
    return 0;
}

/* press(): a button that receives its press. */
static int case_press(lua_State *L)
{
    state_push_shared(L);
    lua_rawgeti(L, -1, 1);
    lua_Integer presses = lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_pushinteger(L, presses + 1);
    lua_rawseti(L, -2, 1);
    lua_pushboolean(L, 1);
    return 1;
}

static int case_wait(lua_State *L)
{
    case_of(L)->waits = true;
    return lua_yield(L, 0);
}

static int case_waiting(lua_State *L)
{
    lua_pushboolean(L, case_of(L)->waits);
    return 1;
}

static int case_shield_left(lua_State *L)
{
    case_log(L, "left");
    return 0;
}

static int case_open_run(lua_State *L)
{
    static const luaL_Reg functions[] = {{"print", case_print},
                                         {"waiting", case_waiting},
                                         {"sleep", case_wait},
                                         {"shield_left", case_shield_left},
                                         {NULL, NULL}};
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    return 1;
}

static inline struct script_case *case_new(void)
{
    static const struct rewrite_functions functions = {case_tick, case_hold, case_end_hold,
                                                       case_drop, case_keep};
    struct script_case *test = calloc(1, sizeof *test);
    struct error error = {0};
    test->state = state_new(test, &error);
    if (test->state == NULL) {
        fail_msg("%s", error.message);
    }
    state_set_rewrite_functions(test->state, &functions);
    state_add_library(test->state, "moonlit.core.run", case_open_run);
    return test;
}

static inline void case_free(struct script_case *test)
{
    state_free(test->state);
    free(test);
}

/* Push a table of globals: everything internal, and press, wait and print. */
static inline void case_push_open_globals(struct script_case *test)
{
    lua_State *L = test->state->L;
    lua_newtable(L);
    lua_newtable(L);
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pushcfunction(L, case_press);
    lua_setfield(L, -2, "press");
    lua_pushcfunction(L, case_wait);
    lua_setfield(L, -2, "wait");
    lua_pushcfunction(L, case_print);
    lua_setfield(L, -2, "say");
}

/* Push the sandbox's globals for a session table, which is made when `session` is LUA_NOREF. */
static inline void case_push_sandbox(struct script_case *test, int session)
{
    lua_State *L = test->state->L;
    struct error error = {0};
    if (!state_require(test->state, "moonlit.sandbox", &error)) {
        fail_msg("%s", error.message);
    }
    lua_getfield(L, -1, "environment");
    lua_remove(L, -2);
    if (session == LUA_NOREF) {
        lua_newtable(L);
    } else {
        lua_rawgeti(L, LUA_REGISTRYINDEX, session);
    }
    if (lua_pcall(L, 1, 1, 0) != 0) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    lua_pushliteral(L, "press");
    lua_pushcfunction(L, case_press);
    lua_rawset(L, -3);
    lua_pushliteral(L, "wait");
    lua_pushcfunction(L, case_wait);
    lua_rawset(L, -3);
}

/* Resume to the end, or until `most` waits. The outcome is on top of the coroutine's stack. */
static inline int case_resume(struct script_case *test, lua_State *co, unsigned most)
{
    test->slices = 0;
    for (int arguments = 0;; arguments = 1) {
        test->waits = false;
        int status = lua_resume(co, arguments);
        if (status != LUA_YIELD || !test->waits || ++test->slices >= most) {
            return status;
        }
        lua_settop(co, 0);
        lua_pushinteger(co, 10); /* a budget, or a wait's "true" */
    }
}

/* Run a script in the globals on top of the stack, which are taken. The error's words, or "". */
static inline const char *case_run(struct script_case *test, const char *source)
{
    static char words[2048];
    lua_State *L = test->state->L;
    struct error error = {0};
    words[0] = '\0';
    int environment = lua_gettop(L);
    if (!chunk_load_text(L, source, strlen(source), "=case", environment, &error)) {
        snprintf(words, sizeof words, "%s", error.message);
        lua_settop(L, environment - 1);
        return words;
    }
    lua_State *co = lua_newthread(L);
    lua_insert(L, -2);
    lua_xmove(L, co, 1);
    int status = case_resume(test, co, 1000000);
    if (status != 0) {
        snprintf(words, sizeof words, "%s",
                 status == LUA_YIELD ? "a stray yield" : lua_tostring(co, -1));
    }
    lua_settop(L, environment - 1);
    return words;
}

#endif
