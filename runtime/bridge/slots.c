#include "bridge/slots.h"

static const char slots_key;

void slot_push(lua_State *L, int slot)
{
    lua_pushlightuserdata(L, (void *)&slots_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (lua_istable(L, -1)) {
        lua_rawgeti(L, -1, slot);
        lua_remove(L, -2);
    }
}

void slot_set(lua_State *L, int slot)
{
    lua_pushlightuserdata(L, (void *)&slots_key);
    lua_rawget(L, LUA_REGISTRYINDEX);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushlightuserdata(L, (void *)&slots_key);
        lua_pushvalue(L, -2);
        lua_rawset(L, LUA_REGISTRYINDEX);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, slot);
    lua_pop(L, 1);
}

void slot_mark(lua_State *L, int mark)
{
    lua_pushlightuserdata(L, (void *)&slots_key);
    lua_pushinteger(L, mark);
    lua_rawset(L, -3);
}

int slot_mark_of(lua_State *L, int index)
{
    if (!lua_getmetatable(L, index)) {
        return 0;
    }
    lua_pushlightuserdata(L, (void *)&slots_key);
    lua_rawget(L, -2);
    int mark = (int)lua_tointeger(L, -1);
    lua_pop(L, 2);
    return mark;
}
