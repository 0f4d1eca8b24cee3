/*
 * The garden door: what scripts can call, as internal Lua modules "moonlit.core.*". lua/moonlit/
 * stands on them; scripts never see them. One file a library, and one a call that waits.
 */
#ifndef MOONLIT_API_API_H
#define MOONLIT_API_API_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

int luaopen_moonlit_core_ui(lua_State *L);
int luaopen_moonlit_core_run(lua_State *L);
int luaopen_moonlit_core_mongo(lua_State *L);

/* The id of the container handle at `index`; the main root's for anything else. */
uint64_t lib_ui_container(lua_State *L, int index);

/* The calls that wait, added to the table on top of the stack. */
void lib_sleep_open(lua_State *L);
void lib_together_open(lua_State *L);
void lib_once_open(lua_State *L);

/* ui.once, when the host ends: end what is under way, writes are waited for (true: not all has ended,
 * ask again); then forget what is remembered. */
bool lib_once_stop(lua_State *L);
void lib_once_close(lua_State *L);

#endif
