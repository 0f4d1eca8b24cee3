#include "host_app.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "app/app.h"
#include "base/bson.h"
#include "bridge/state.h"
#include "bridge/value.h"
#include "host.h"
#include "run/failure.h"
#include "run/run.h"
#include "session/failure_view.h"

/* ---- the changed script ---- */

/* Without a problem: that it is mended. */
static void encode_problem(const struct app_problem *problem, struct buffer *buffer)
{
    struct bson_out out = {buffer, false};
    buffer_init(buffer, LIMIT_PROBLEM);
    size_t document = bson_write_begin(&out);
    bson_write_text(&out, "t", problem != NULL ? "broken" : "mended", 6);
    if (problem != NULL) {
        failure_write_text(&out, "message", problem->message);
        failure_write_text(&out, "file", problem->file);
        bson_write_int32(&out, "line", problem->line);
        failure_write_source(&out, problem->file, problem->line);
    }
    bson_write_end(&out, document);
}

static void tell_all(struct host *host)
{
    struct buffer document;
    encode_problem(app_problem(host->app), &document);
    registry_broadcast(host->registry, document.bytes, document.length);
    buffer_deinit(&document);
}

static void on_reload(void *data)
{
    struct host *host = data;
    log_write(host->log, LOG_INFO, "%s or a module of it changed: every page runs it anew",
              app_path(host->app));
    registry_reload(host->registry);
}

static void on_broken(void *data, const struct app *app)
{
    struct host *host = data;
    log_write(host->log, LOG_ERROR, "%s:%d: %s (the version before keeps running)",
              app_problem(app)->file, app_problem(app)->line, app_problem(app)->message);
    tell_all(host);
}

static void on_mended(void *data)
{
    tell_all(data);
}

void host_greet(struct host *host, struct session *session)
{
    const struct app_problem *problem = app_problem(host->app);
    if (problem != NULL) {
        struct buffer document;
        encode_problem(problem, &document);
        session_send_bytes(session, document.bytes, document.length);
        buffer_deinit(&document);
    }
}

/* ---- opening ---- */

bool host_app_open(struct host *host, struct error *error)
{
    struct state *state = host->state;
    state_add_library(state, "moonlit.core.run", luaopen_moonlit_core_run);
    state_add_library(state, "moonlit.core.ui", luaopen_moonlit_core_ui);
    state_add_library(state, "moonlit.core.mongo", luaopen_moonlit_core_mongo);
    state_add_library(state, "moonlit.core.bson", luaopen_moonlit_core_bson);
    /* What scripts may require is loaded now, so that no run pays for it. */
    static const char *const modules[] = {"moonlit", "moonlit.mongo", "moonlit.bson",
                                          "moonlit.runner"};
    for (size_t i = 0; i < sizeof modules / sizeof modules[0]; i++) {
        if (!state_require(state, modules[i], error)) {
            return false;
        }
        lua_setfield(state->L, LUA_REGISTRYINDEX, modules[i]);
    }
    struct app_callbacks callbacks = {on_reload, on_broken, on_mended, host};
    host->app = app_new(&host->engine, host->config.script, &callbacks, error);
    return host->app != NULL;
}

/* ---- what the registry asks ---- */

/* Call runner.<name>(session, ...) with `count` arguments on the stack above it; errors are our own
 * faults and go to the log. */
static bool call_runner(struct host *host, int arguments, int results)
{
    lua_State *L = host->state->L;
    if (lua_pcall(L, arguments, results, 0) != 0) {
        log_write(host->log, LOG_ERROR, "%s", lua_tostring(L, -1));
        lua_pop(L, 1);
        return false;
    }
    return true;
}

static void push_runner(struct host *host, const char *name)
{
    lua_State *L = host->state->L;
    lua_getfield(L, LUA_REGISTRYINDEX, "moonlit.runner");
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
}

static void push_session(lua_State *L, const struct session *session)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, session->reference);
}

/* The ids of the widgets changed, the press last; nil when nothing was. */
static void push_changed(lua_State *L, const struct event *event)
{
    if (event == NULL) {
        lua_pushnil(L);
        return;
    }
    lua_createtable(L, (int)event->count + 1, 0);
    int number = 0;
    list_each (link, &event->values) {
        lua_pushnumber(L, (lua_Number)list_item(link, struct event_value, link)->id);
        lua_rawseti(L, -2, ++number);
    }
    if (event->press != 0) {
        lua_pushnumber(L, (lua_Number)event->press);
        lua_rawseti(L, -2, ++number);
    }
}

static int push_run(void *data, lua_State *L, struct session *session, const struct event *event)
{
    struct host *host = data;
    push_runner(host, "main");
    push_session(L, session);
    app_push_instantiate(host->app, L);
    push_changed(L, event);
    lua_pushinteger(L, (lua_Integer)app_version(host->app));
    return 4;
}

static uint64_t place(void *data, const struct run *run)
{
    struct host *host = data;
    lua_State *L = host->state->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, run->container_reference);
    uint64_t id = lib_ui_container(L, -1);
    lua_pop(L, 1);
    return id;
}

static void commit(void *data, struct session *session)
{
    struct host *host = data;
    lua_State *L = host->state->L;
    push_runner(host, "commit");
    push_session(L, session);
    if (call_runner(host, 1, 1)) {
        if (lua_isstring(L, -1)) {
            log_write(host->log, LOG_WARNING, "session %s: %s", session->public_id,
                      lua_tostring(L, -1));
        }
        lua_pop(L, 1);
    }
}

static void rollback(void *data, struct session *session)
{
    struct host *host = data;
    push_runner(host, "rollback");
    push_session(host->state->L, session);
    call_runner(host, 1, 0);
}

static void published(void *data, struct session *session, uint64_t seq, uint64_t seen)
{
    struct host *host = data;
    lua_State *L = host->state->L;
    push_runner(host, "publish");
    push_session(L, session);
    lua_pushnumber(L, (lua_Number)seq);
    lua_pushnumber(L, (lua_Number)seen);
    call_runner(host, 3, 0);
}

static int new_session(void *data, struct session *session)
{
    struct host *host = data;
    (void)session;
    push_runner(host, "new_session");
    if (!call_runner(host, 0, 1)) {
        lua_newtable(host->state->L);
    }
    return luaL_ref(host->state->L, LUA_REGISTRYINDEX);
}

static void end_session(void *data, struct session *session)
{
    struct host *host = data;
    luaL_unref(host->state->L, LUA_REGISTRYINDEX, session->reference);
}

struct registry_app host_app_for_registry(struct host *host)
{
    return (struct registry_app){push_run,  place,       commit,      rollback,
                                 published, new_session, end_session, host};
}
