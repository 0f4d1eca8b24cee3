#include "host_app.h"

#include <bson/bson.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "app/app.h"
#include "bridge/state.h"
#include "bridge/value.h"
#include "host.h"
#include "run/failure.h"
#include "run/run.h"

/* ---- the changed script ---- */

static void append_source(bson_t *document, const struct app_problem *problem)
{
    bson_t lines;
    BSON_APPEND_ARRAY_BEGIN(document, "source", &lines);
    int number = 0;
    char text[256];
    for (int line = problem->line - 2; line <= problem->line + 2; line++) {
        if (failure_source_line(problem->file, line, text, sizeof text)) {
            char key[12];
            bson_t pair;
            snprintf(key, sizeof key, "%d", number++);
            BSON_APPEND_ARRAY_BEGIN(&lines, key, &pair);
            BSON_APPEND_INT32(&pair, "0", line);
            BSON_APPEND_UTF8(&pair, "1", text);
            bson_append_array_end(&lines, &pair);
        }
    }
    bson_append_array_end(document, &lines);
}

static void encode_problem(const struct app_problem *problem, bson_t *document)
{
    bson_init(document);
    BSON_APPEND_UTF8(document, "t", "broken");
    BSON_APPEND_UTF8(document, "message", problem->message);
    BSON_APPEND_UTF8(document, "file", problem->file);
    BSON_APPEND_INT32(document, "line", problem->line);
    append_source(document, problem);
}

static void on_reload(void *data)
{
    struct host *host = data;
    log_write(host->log, LOG_INFO, "%s changed: every page runs it anew", app_path(host->app));
    registry_reload(host->registry);
}

static void on_broken(void *data, const struct app *app)
{
    struct host *host = data;
    bson_t document;
    log_write(host->log, LOG_ERROR, "%s:%d: %s (the version before keeps running)",
              app_problem(app)->file, app_problem(app)->line, app_problem(app)->message);
    encode_problem(app_problem(app), &document);
    registry_broadcast(host->registry, bson_get_data(&document), document.len);
    bson_destroy(&document);
}

static void on_mended(void *data)
{
    struct host *host = data;
    bson_t document;
    bson_init(&document);
    BSON_APPEND_UTF8(&document, "t", "mended");
    registry_broadcast(host->registry, bson_get_data(&document), document.len);
    bson_destroy(&document);
}

void host_greet(struct host *host, struct session *session)
{
    const struct app_problem *problem = app_problem(host->app);
    if (problem != NULL) {
        bson_t document;
        encode_problem(problem, &document);
        session_send_bytes(session, bson_get_data(&document), document.len);
        bson_destroy(&document);
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
