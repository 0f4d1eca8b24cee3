/* A bare Lua state with "moonlit.core.bson" and lua/ on its path, and chunks that must succeed. */
#ifndef TESTS_LUA_CASE_H
#define TESTS_LUA_CASE_H

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "bridge/value.h"

static inline lua_State *lua_case_new(void)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_getglobal(L, "package");
    lua_pushliteral(L, "lua/?.lua;tests/scripts/?.lua");
    lua_setfield(L, -2, "path");
    lua_getfield(L, -1, "preload");
    lua_pushcfunction(L, luaopen_moonlit_core_bson);
    lua_setfield(L, -2, "moonlit.core.bson");
    lua_settop(L, 0);
    value_open(L);
    return L;
}

static inline void lua_case_run(lua_State *L, const char *source)
{
    static const char head[] =
        "local bson = require 'moonlit.bson' "
        "local core = require 'moonlit.core.bson' "
        "local function equal(a, b) if a ~= b then error(tostring(a) .. ' ~= ' "
        ".. tostring(b), 2) end end ";
    lua_pushstring(L, head);
    lua_pushstring(L, source);
    lua_concat(L, 2);
    size_t length;
    const char *chunk = lua_tolstring(L, -1, &length);
    if (luaL_loadbuffer(L, chunk, length, "=case") != 0 || lua_pcall(L, 0, 0, 0) != 0) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    lua_settop(L, 0);
}

#endif
