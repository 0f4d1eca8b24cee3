/*
 * The rerun of a 20-element script, on the server, without a socket: an event goes into a session,
 * the run ends, the patch comes out. Beside it the same script with C functions that draw nothing,
 * and a comparison of the bytes drawn: the least that a rerun can cost.
 *
 *   bench_rerun FILE ROUNDS     prints microseconds of CPU: rerun, limit
 */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/app.h"
#include "bridge/state.h"
#include "host.h"
#include "host_app.h"
#include "protocol/message.h"
#include "run/run.h"
#include "session/registry.h"

static double cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static size_t take(void *data, const uint8_t *bytes, size_t length)
{
    (void)bytes;
    *(size_t *)data += length;
    return 0;
}

static void settle(struct host *host, struct session *session)
{
    while (session->run != NULL) {
        uv_run(host->loop, UV_RUN_ONCE);
    }
}

static double measure_rerun(const char *file, int rounds)
{
    uv_loop_t loop;
    struct log log = {.level = LOG_WARNING};
    struct config config;
    struct error error = {0};
    size_t bytes = 0;
    char *arguments[] = {(char *)file};
    uv_loop_init(&loop);
    config_read(&config, 1, arguments, &error);
    struct host *host = host_new(&loop, &log, &config, &error);
    if (host == NULL || !host_app_open(host, &error)) {
        fprintf(stderr, "%s\n", error.message);
        exit(1);
    }
    struct registry_app app = host_app_for_registry(host);
    host->registry = registry_new(&host->engine, &app, "bench", 600000, 1);
    struct session *session = registry_open(host->registry, &error);
    struct outlet outlet = {take, NULL, &bytes};
    struct message hello = {.kind = MESSAGE_HELLO, .load = "bench"};
    session_attach(session, &outlet, &hello);
    settle(host, session);
    double start = 0;
    for (int i = 1; i <= rounds + rounds / 10; i++) {
        if (i == rounds / 10) {
            start = cpu_now();
        }
        struct message event = {.kind = MESSAGE_EVENT, .n = i, .seen = (int64_t)session->seq};
        session_receive(session, &event, &error);
        settle(host, session);
    }
    return (cpu_now() - start) / rounds;
}

/* A drawing call that draws nothing: gives back the value it would have shown. */
static int draw_nothing(lua_State *L)
{
    lua_pushvalue(L, lua_upvalueindex(1));
    return 1;
}

static int draw_function(lua_State *L)
{
    lua_pushcclosure(L, draw_nothing, 1);
    return 1;
}

/* The script with a `ui` of C functions that return at once, as a fresh closure each time. */
static double measure_limit(const char *file, int rounds)
{
    static const char prelude[] =
        "local file, rounds, draw = ... local source = io.open(file):read('*a') "
        "local make = assert(loadstring('return function() ' .. source .. ' end')) "
        "local values = { text_input = '', slider = 5, selectbox = 'a' } "
        "package.loaded.moonlit = setmetatable({}, { __index = function(ui, name) "
        "  ui[name] = draw(values[name] or false) return ui[name] end }) "
        "return function() for i = 1, rounds do make()() end end";
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    if (luaL_loadstring(L, prelude) != 0) {
        return 0;
    }
    lua_pushstring(L, file);
    lua_pushinteger(L, rounds);
    lua_pushcfunction(L, draw_function);
    if (lua_pcall(L, 3, 1, 0) != 0) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        exit(1);
    }
    static char old[2200], new[2200];
    double start = cpu_now();
    lua_call(L, 0, 0);
    volatile int sum = 0;
    for (int i = 0; i < rounds; i++) {
        new[i % (int)sizeof new] = 0;
        sum += memcmp(old, new, sizeof old);
    }
    (void)sum;
    double result = (cpu_now() - start) / rounds;
    lua_close(L);
    return result;
}

int main(int count, char **arguments)
{
    const char *file = count > 1 ? arguments[1] : "bench/twenty.lua";
    int rounds = count > 2 ? atoi(arguments[2]) : 20000;
    double rerun = measure_rerun(file, rounds);
    double limit = measure_limit(file, rounds);
    printf("%.2f %.2f\n", rerun, limit);
    return 0;
}
