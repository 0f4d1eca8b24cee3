/*
 * Lua patterns with a step counter: what find, match, gmatch and gsub of scripts stand on. The
 * semantics are LuaJIT's own, error messages included; a match that takes more than
 * LIMIT_PATTERN_STEPS plus LIMIT_PATTERN_STEPS_BYTE for each byte of the subject raises
 * "pattern takes too long".
 *
 * "moonlit.core.pattern", for lua/moonlit/text.lua:
 *
 *   find(s, p, init, plain), match(s, p, init)   as in the manual
 *   match_at(s, p, at)       first match at or after `at`, anchors not special: start, end,
 *                            captures...; or nil
 *   match_here(s, p, at)     the match that begins just at `at`: end, captures...; or nil
 *   gsub(s, p, text, n)      replacement by a string, which calls nobody
 *   gsub_table(s, p, t, n)   replacement by a table without a metatable
 */
#ifndef MOONLIT_BRIDGE_PATTERN_H
#define MOONLIT_BRIDGE_PATTERN_H

#include <lua.h>

int luaopen_moonlit_core_pattern(lua_State *L);

#endif
