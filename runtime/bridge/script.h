/*
 * "moonlit.core.script": what lua/moonlit/sandbox.lua and modules.lua need from C.
 *
 *   load(text, name, env)     a fresh main function of the text, or nil and the error
 *   load_file(path, env)      a fresh main function of the file, compiled once, or nil and the error
 *   find(name)                the path of a module beside the script, or nil and where it was looked
 *                             for
 *   directory()               of the script
 *   declare(env, key, value)  __newindex of environments: at a chunk's top level a global is
 *                             declared, inside a function it is an error
 *   distance(a, b)            how many letters must change to make a of b
 *   helpers()                 T and P of rewritten code
 *   random()                  a number from 0 to 2^32 - 1 that nobody can foretell
 *   string_limit              LIMIT_STRING
 *   work_unseen               LIMIT_WORK_UNSEEN
 */
#ifndef MOONLIT_BRIDGE_SCRIPT_H
#define MOONLIT_BRIDGE_SCRIPT_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Append a file to `out`; LIMIT_SCRIPT is the most. */
bool script_read(const char *path, struct buffer *out, struct error *error);

/* Letters inserted, dropped, replaced, or swapped with their neighbour to make `a` of `b`; names
 * longer than 64 are as far as can be. */
unsigned script_distance(const char *a, size_t a_length, const char *b, size_t b_length);

int luaopen_moonlit_core_script(lua_State *L);

#endif
