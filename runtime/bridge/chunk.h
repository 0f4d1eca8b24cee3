/*
 * A chunk is a compiled script or module, from which any number of instances is made: fresh main
 * functions, each with an environment of its own.
 *
 * Compiling: bytecode and sources above LIMIT_SCRIPT are refused; the original is compiled first
 * (its syntax errors are the true ones), then rewritten (bridge/rewrite.h) and compiled. Where only
 * the rewritten form passes a limit of the compiler, less is rewritten; a chunk without a counter
 * is never compiled to machine code and runs under a count hook (state_guard sets it).
 *
 * Files are compiled once per state and stay as they are until chunk_refresh, so that a half-saved
 * module never meets a running version. Errors are one sentence that begins with "file:line: ".
 *
 * Ownership: chunks of files belong to the state; chunk_load's result is valid until state_free,
 * and chunk_refresh changes what it makes. Texts (load) leave only functions on the Lua stack.
 */
#ifndef MOONLIT_BRIDGE_CHUNK_H
#define MOONLIT_BRIDGE_CHUNK_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

struct chunk;
struct state;

/* The chunk of a file, compiled now or before. NULL with the error. */
struct chunk *chunk_load(struct state *state, const char *path, struct error *error);

/* The same for a module: one that was deleted is a change to chunk_refresh, which leaves it to the
 * next run to miss it, while a script that was deleted is broken. */
struct chunk *chunk_load_module(struct state *state, const char *path, struct error *error);

/* A module was looked for here in vain: its coming is a change to chunk_refresh. */
void chunk_await(struct state *state, const char *path);

/* The path of a file that was loaded, as it is or as Lua's words shorten it; NULL for others. */
const char *chunk_path(const struct state *state, const char *shown);

/* Is this the main function of a file? Told by its lines ("S" of lua_getinfo): the wrapper ends it a
 * line behind the source. Nothing is pushed, so that a coroutine without room can be asked. */
bool chunk_is_main(struct state *state, const lua_Debug *frame);

/* Push a fresh main function; its environment is the table at `environment`. */
void chunk_instantiate(lua_State *L, const struct chunk *chunk, int environment);

/* Compile a text and push a fresh main function; `name` as for luaL_loadbuffer ("@file", "=word" or
 * the text itself). False: nothing is pushed. */
bool chunk_load_text(lua_State *L, const char *text, size_t length, const char *name,
                     int environment, struct error *error);

/* Compile every file of the state anew that has changed on disk. All or nothing: when one that runs
 * does not compile any more, the error says which, and everything stays as it was. */
enum chunk_change { CHUNK_SAME, CHUNK_CHANGED, CHUNK_BROKEN };
enum chunk_change chunk_refresh(struct state *state, struct error *error);

/* `moonlit check FILE`: append one line "file:line: words" for a syntax error, or for each global
 * that is neither known nor assigned at the top level. True when there was nothing to say; `error`
 * is filled when the check itself was impossible (then false as well). */
bool chunk_check(struct state *state, const char *path, struct buffer *out, struct error *error);

/* For state.c: free all chunks; load an internal module's main function, counter only, or not even
 * that when its first line begins with "-- (no counter)". */
void chunk_free_all(struct state *state);
bool chunk_load_internal(struct state *state, const char *text, size_t length, const char *name,
                         struct error *error);

#endif
