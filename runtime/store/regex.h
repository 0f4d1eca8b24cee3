/*
 * Regular expressions for the query language: PCRE2, compiled for the machine, with bounded work.
 * regex_register puts regex_compile, regex_match and regex_find into the Lua table on the stack:
 *   regex_compile(pattern, options) -> compiled, or nil and a sentence; options of "imsxu"
 *   regex_match(compiled, text) -> boolean
 *   regex_find(compiled, text, start?) -> first, last, captures... (1-based; false for an unset
 * one), or nil A match that takes too much work raises the server's error as a table.
 */
#ifndef MOONLIT_STORE_REGEX_H
#define MOONLIT_STORE_REGEX_H

#include <lua.h>

void regex_register(lua_State *L);

#endif
