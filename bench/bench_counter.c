/*
 * What the rewriter's counter costs: each program of bench/loops as it is, and rewritten as every
 * script is, in a Lua state of its own. Each round makes a fresh closure of the cached prototype,
 * as a rerun does.
 *
 *   bench_counter FILE...     prints "name ratio" a line; the ratio of the fastest rounds
 */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bridge/chunk.h"
#include "bridge/state.h"

enum { ROUNDS = 9, SOURCE_MAX = 8192 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void fail(const char *file, const char *words)
{
    fprintf(stderr, "bench_counter: %s: %s\n", file, words);
    exit(1);
}

/* Milliseconds of one call of the function on top, which goes. */
static double call(lua_State *L, const char *file)
{
    double begin = now();
    if (lua_pcall(L, 0, 0, 0) != 0) {
        fail(file, lua_tostring(L, -1));
    }
    return now() - begin;
}

/* The program as it is, in a function that makes it: `return function() ... end`. */
static void load_plain(lua_State *L, const char *file)
{
    static const char head[] = "return function(...) ", tail[] = "\nend";
    char text[SOURCE_MAX + sizeof head + sizeof tail];
    FILE *stream = fopen(file, "re");
    if (stream == NULL) {
        fail(file, "cannot be read");
    }
    size_t length = strlen(strcpy(text, head));
    length += fread(text + length, 1, SOURCE_MAX, stream);
    fclose(stream);
    strcpy(text + length, tail);
    if (luaL_loadbuffer(L, text, length + strlen(tail), file) != 0) {
        fail(file, lua_tostring(L, -1));
    }
}

static double measure_plain(lua_State *L)
{
    lua_pushvalue(L, 1);
    lua_call(L, 0, 1);
    return call(L, "plain");
}

static double measure_rewritten(lua_State *L, const struct chunk *chunk, const char *file)
{
    lua_pushvalue(L, LUA_GLOBALSINDEX);
    chunk_instantiate(L, chunk, lua_gettop(L));
    lua_remove(L, -2);
    return call(L, file);
}

static double compare(const char *file)
{
    struct error error = {0};
    double plain = 1e300, rewritten = 1e300;
    struct state *state = state_new(NULL, &error);
    const struct chunk *chunk = state != NULL ? chunk_load(state, file, &error) : NULL;
    if (chunk == NULL) {
        fail(file, error.message);
    }
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    load_plain(L, file);
    for (int round = 0; round < ROUNDS; round++) {
        double a = measure_plain(L), b = measure_rewritten(state->L, chunk, file);
        plain = a < plain ? a : plain;
        rewritten = b < rewritten ? b : rewritten;
    }
    lua_close(L);
    state_free(state);
    return rewritten / plain;
}

int main(int count, char **arguments)
{
    for (int i = 1; i < count; i++) {
        const char *name = strrchr(arguments[i], '/');
        printf("%s %.3f\n", name != NULL ? name + 1 : arguments[i], compare(arguments[i]));
    }
    return 0;
}
