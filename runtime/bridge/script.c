#include "bridge/script.h"

#include <errno.h>
#include <fcntl.h>
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bridge/chunk.h"
#include "bridge/state.h"
#include "limits.h"

/* ---- files ---- */

static bool read_all(int file, const char *path, struct buffer *out, struct error *error)
{
    for (;;) {
        uint8_t *room = buffer_reserve(out, 4096);
        if (room == NULL) {
            return error_set(error, ERROR_LIMIT, 0,
                             "%s: the file is larger than %d KiB, the most a script may have", path,
                             LIMIT_SCRIPT / 1024);
        }
        ssize_t length = read(file, room, 4096);
        if (length == 0) {
            return true;
        }
        if (length < 0 && errno != EINTR) {
            return error_set(error, ERROR_SYSTEM, errno, "%s: the file cannot be read: %s", path,
                             strerror(errno));
        }
        out->length += length > 0 ? (size_t)length : 0;
    }
}

bool script_read(const char *path, struct buffer *out, struct error *error)
{
    struct stat what;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0 || fstat(file, &what) != 0) {
        int problem = errno;
        if (file >= 0) {
            close(file);
        }
        return error_set(error, ERROR_SYSTEM, problem, "%s: the file cannot be opened: %s", path,
                         strerror(problem));
    }
    bool ok = S_ISREG(what.st_mode)
                  ? read_all(file, path, out, error)
                  : error_set(error, ERROR_MISUSE, 0, "%s: this is not a file", path);
    close(file);
    return ok;
}

/* ---- names ---- */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned script_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    enum { LONGEST = 64 };
    unsigned rows[3][LONGEST + 1];
    if (a_length > LONGEST || b_length > LONGEST) {
        return (unsigned)(a_length + b_length);
    }
    for (size_t j = 0; j <= b_length; j++) {
        rows[0][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], before[j - 2] + 1);
            }
        }
    }
    return rows[a_length % 3][b_length];
}

static int distance(lua_State *L)
{
    size_t a_length, b_length;
    const char *a = luaL_checklstring(L, 1, &a_length);
    const char *b = luaL_checklstring(L, 2, &b_length);
    lua_pushinteger(L, (lua_Integer)script_distance(a, a_length, b, b_length));
    return 1;
}

/* ---- loading ---- */

static int give(lua_State *L, bool ok, const struct error *error)
{
    if (ok) {
        return 1;
    }
    lua_pushnil(L);
    lua_pushstring(L, error->message);
    return 2;
}

static int load_text(lua_State *L)
{
    size_t length;
    const char *text = luaL_checklstring(L, 1, &length);
    const char *name = luaL_checkstring(L, 2);
    struct error error = {0};
    luaL_checktype(L, 3, LUA_TTABLE);
    return give(L, chunk_load_text(L, text, length, name, 3, &error), &error);
}

static int load_file(lua_State *L)
{
    struct error error = {0};
    const char *path = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    struct chunk *chunk = chunk_load_module(state_of(L), path, &error);
    if (chunk != NULL) {
        chunk_instantiate(L, chunk, 2);
    }
    return give(L, chunk != NULL, &error);
}

static const char *directory_of(lua_State *L)
{
    const char *directory = state_of(L)->directory;
    return directory != NULL ? directory : ".";
}

static int get_directory(lua_State *L)
{
    lua_pushstring(L, directory_of(L));
    return 1;
}

/* "a.b" is a/b.lua or a/b/init.lua beside the script. */
static int find(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    const char *place = luaL_gsub(L, name, ".", "/");
    const char *first = lua_pushfstring(L, "%s/%s.lua", directory_of(L), place);
    if (access(first, R_OK) == 0) {
        return 1;
    }
    const char *second = lua_pushfstring(L, "%s/%s/init.lua", directory_of(L), place);
    if (access(second, R_OK) == 0) {
        return 1;
    }
    chunk_await(state_of(L), first);
    chunk_await(state_of(L), second);
    lua_pushnil(L);
    lua_pushfstring(L, "%s and %s", first, second);
    return 2;
}

/* ---- globals ---- */

static bool is_top_level(lua_State *L)
{
    lua_Debug caller;
    return lua_getstack(L, 1, &caller) && state_is_main(L, &caller);
}

static int refuse(lua_State *L)
{
    if (lua_type(L, 2) != LUA_TSTRING) {
        return luaL_error(L,
                          "a global is declared by assigning to it at the top level of the script");
    }
    return luaL_error(L,
                      "the global '%s' is assigned inside a function but not declared: write "
                      "\"local %s\" for a local, or \"%s = nil\" at the top level of the script",
                      lua_tostring(L, 2), lua_tostring(L, 2), lua_tostring(L, 2));
}

/* __newindex(env, key, value). A name stays declared when nil is assigned to it. */
static int declare(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 3);
    lua_getmetatable(L, 1);
    lua_pushliteral(L, "declared");
    lua_rawget(L, 4);
    bool known = false;
    if (lua_istable(L, 5)) {
        lua_pushvalue(L, 2);
        lua_rawget(L, 5);
        known = lua_toboolean(L, -1);
        lua_pop(L, 1);
    }
    if (!known && !is_top_level(L)) {
        return refuse(L);
    }
    if (lua_isnil(L, 5)) {
        lua_newtable(L);
        lua_replace(L, 5);
        lua_pushliteral(L, "declared");
        lua_pushvalue(L, 5);
        lua_rawset(L, 4);
    }
    lua_pushvalue(L, 2);
    lua_pushboolean(L, 1);
    lua_rawset(L, 5);
    lua_pushvalue(L, 2);
    lua_pushvalue(L, 3);
    lua_rawset(L, 1);
    return 0;
}

/* A number that nobody can foretell. */
static int get_random(lua_State *L)
{
    uint32_t number = 0;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) {
        return luaL_error(L, "the system gives no random numbers");
    }
    lua_pushnumber(L, number);
    return 1;
}

static int helpers(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, state_of(L)->helpers);
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 2);
    return 2;
}

int luaopen_moonlit_core_script(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"load", load_text},    {"load_file", load_file},     {"find", find},
        {"declare", declare},   {"distance", distance},       {"helpers", helpers},
        {"random", get_random}, {"directory", get_directory}, {NULL, NULL},
    };
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    lua_pushinteger(L, LIMIT_STRING);
    lua_setfield(L, -2, "string_limit");
    lua_pushinteger(L, LIMIT_WORK_UNSEEN);
    lua_setfield(L, -2, "work_unseen");
    return 1;
}
