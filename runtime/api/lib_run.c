/*
 * "moonlit.core.run": the run and the session of a script as plain functions; lua/moonlit/wait.lua,
 * state.lua and runner.lua stand on them.
 */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/lib_ui.h"
#include "base/log.h"
#include "bridge/state.h"
#include "limits.h"
#include "run/engine.h"
#include "run/failure.h"
#include "run/op.h"
#include "run/run.h"
#include "session/session.h"
#include "ui/element.h"

/* The session of the run now going on, or an error that says what cannot be used here. */
static struct session *check_session(lua_State *L, const char *what)
{
    struct run *run = run_of(L);
    if (run == NULL) {
        lib_ui_error(L, "%s can only be used while a script runs", what);
        return NULL;
    }
    if (run->session == NULL) {
        lib_ui_error(L,
                     "%s cannot be used inside ui.once: it runs once for the whole process and "
                     "belongs to no session. Return what you need and use it outside",
                     what);
    }
    return run->session;
}

/* session_or_nil(): the same, nil where there is none. */
static int get_session_or_nil(lua_State *L)
{
    struct run *run = run_of(L);
    if (run == NULL || run->session == NULL) {
        return 0;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, run->session->reference);
    return 1;
}

/* session(what): the session's Lua table. */
static int get_session(lua_State *L)
{
    struct session *session = check_session(L, luaL_optstring(L, 1, "this"));
    lua_rawgeti(L, LUA_REGISTRYINDEX, session->reference);
    return 1;
}

static int get_info(lua_State *L)
{
    struct session *session = check_session(L, "ui.session");
    lua_createtable(L, 0, 5);
    lua_pushstring(L, session->public_id);
    lua_setfield(L, -2, "id");
    lua_pushnumber(L, (lua_Number)session->started);
    lua_setfield(L, -2, "started");
    lua_pushstring(L, session->locale);
    lua_setfield(L, -2, "locale");
    lua_pushstring(L, session->zone);
    lua_setfield(L, -2, "time_zone");
    lua_pushstring(L, session->theme);
    lua_setfield(L, -2, "theme");
    return 1;
}

static int stop(lua_State *L)
{
    check_session(L, "ui.stop()");
    return run_leave_here(L, run_of(L)->rerun_after ? LEAVE_RERUN : LEAVE_STOP_CALL);
}

static int rerun(lua_State *L)
{
    struct session *session = check_session(L, "ui.rerun()");
    if (session->reruns >= LIMIT_RUN_RERUNS) {
        return luaL_error(L,
                          "ui.rerun() was called %d times in a row without anything new: call it "
                          "only when something has changed",
                          LIMIT_RUN_RERUNS);
    }
    struct run *run = run_of(L);
    session->reruns += !run->rerun_after;
    if (run->holds.callbacks) { /* acts after the rest */
        run->rerun_after = true;
        return 0;
    }
    return run_leave_here(L, LEAVE_RERUN);
}

static int print_line(lua_State *L)
{
    struct engine *engine = engine_of(L);
    struct run *run = run_of(L);
    char file[256] = "";
    size_t length;
    const char *words = luaL_checklstring(L, 1, &length);
    int line = run_line(L, file, sizeof file);
    if (run != NULL && run->printed > LIMIT_RUN_PRINT) {
        return 0;
    }
    if (run != NULL && (run->printed += length + 1) > LIMIT_RUN_PRINT) {
        words = "(this run has printed enough: the rest is left out)";
    }
    log_write(engine->log, LOG_INFO, "%s%s%s:%d: %s",
              run != NULL && run->session != NULL ? run->session->public_id : "",
              run != NULL && run->session != NULL ? " " : "", file, line, words);
    return 0;
}

static int shield_begin(lua_State *L)
{
    struct branch *branch = branch_of(L);
    if (branch == NULL) {
        return luaL_error(L, "ui.shield can only be used while a script runs");
    }
    branch_sync(branch);
    branch->shields++;
    branch_share(branch);
    return 0;
}

static int shield_end(lua_State *L)
{
    struct branch *branch = branch_of(L);
    branch_sync(branch);
    if (branch->shields > 0) {
        branch->shields--;
        branch_share(branch);
        hold_ended(branch->run);
    }
    return op_leave_if_over(L);
}

/* shield_left(): an error has passed through shields, and pcall caught it. */
static int shield_left(lua_State *L)
{
    struct branch *branch = branch_of(L);
    if (branch != NULL) {
        branch_sync(branch);
        hold_ended(branch->run);
    }
    return 0;
}

/* callback_failed(error): the error handler around a callback. It is shown, and the run goes on. */
static int callback_failed(lua_State *L)
{
    struct run *run = run_of(L);
    failure_read(run_failure(run), L, L);
    session_show_failure(run, ROOT_MAIN);
    return 0;
}

/* callback_ended(): whatever it left open is closed. */
static int callback_ended(lua_State *L)
{
    struct branch *branch = branch_of(L);
    branch_sync(branch);
    luaL_unref(L, LUA_REGISTRYINDEX, branch->container_reference);
    branch->container_reference = LUA_NOREF;
    branch->shields = 0;
    branch_share(branch);
    return 0;
}

static int callbacks_ended(lua_State *L)
{
    hold_end_callbacks(run_of(L));
    return 0;
}

static int get_seen(lua_State *L)
{
    struct run *run = run_of(L);
    lua_pushnumber(L, (lua_Number)run->seen);
    return 1;
}

/* place(): file and line of the script's call now running. */
static int place(lua_State *L)
{
    char file[256] = "";
    int line = run_line(L, file, sizeof file);
    lua_pushstring(L, file);
    lua_pushinteger(L, line);
    return 2;
}

int luaopen_moonlit_core_run(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"session", get_session},
        {"session_or_nil", get_session_or_nil},
        {"info", get_info},
        {"stop", stop},
        {"rerun", rerun},
        {"print", print_line},
        {"shield_begin", shield_begin},
        {"shield_end", shield_end},
        {"shield_left", shield_left},
        {"callback_failed", callback_failed},
        {"callback_ended", callback_ended},
        {"callbacks_ended", callbacks_ended},
        {"seen", get_seen},
        {"place", place},
        {NULL, NULL},
    };
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    lua_pushinteger(L, LIMIT_STATE);
    lua_setfield(L, -2, "state_limit");
    lib_sleep_open(L);
    lib_together_open(L);
    lib_once_open(L);
    resume_open(L);
    return 1;
}
