/*
 * Lua patterns with a step counter: what find, match, gmatch and gsub of scripts stand on. The
 * semantics are LuaJIT's own, error messages included; a match that takes more than
 * LIMIT_PATTERN_STEPS plus LIMIT_PATTERN_STEPS_BYTE for each byte of the subject raises
 * "pattern takes too long".
 *
 * "moonlit.core.pattern", for lua/moonlit/text.lua:
 *
 *   find(s, p, init, plain), match(s, p, init)   as in the manual
 *   match_at(s, p, at, steps, bare)  the first match at or after `at`, "^" not special: start, end,
 *                           and the captures or, unless `bare`, the whole; nothing when there is none
 *   match_here(s, p, at, nil, bare)  the same for a match that begins just at `at`
 *   gsub(s, p, by, n, at, steps)     by a string, or by a table without a metatable: it calls nobody
 *
 * match_at, and gsub with an `at`, stop after LIMIT_PATTERN_PIECE steps: false, or two more results,
 * and then where to go on and with how many steps. Errors name the script's line.
 */
#ifndef MOONLIT_BRIDGE_PATTERN_H
#define MOONLIT_BRIDGE_PATTERN_H

#include <lua.h>

int luaopen_moonlit_core_pattern(lua_State *L);

#endif
