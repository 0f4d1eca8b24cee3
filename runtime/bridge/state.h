/*
 * The Lua state of an app: its memory account, the libraries that Moonlit's own Lua stands on, and
 * the loader of Moonlit's own modules.
 *
 * Life: state_new; state_add_library for each C library ("moonlit.core.run", ...); the engine tells
 * what the rewritten code calls (state_set_rewrite_functions); state_require loads the first
 * internal module; state_free ends it all.
 *
 * Two worlds live in one state. Internal Lua (lua/, and nothing else) sees the real globals, `ffi`
 * and a `require` of its own, which finds registered C libraries and the modules built into the
 * binary, or those on disk when the environment variable MOONLIT_LUA names the directory lua/.
 * Scripts see only what lua/moonlit/sandbox.lua builds for them.
 *
 * Memory: every byte is counted. Between state_guard and state_unguard the heap may grow to a limit.
 * Who looks at state_growth sees that it is passed; from an eighth of the limit above it the counters
 * of the running functions run down, so that they look; from twice the limit on the error "not
 * enough memory" is raised at the next instruction; LIMIT_RUN_MEMORY_REFUSED times the limit and
 * more are refused. Outside of that nothing is refused.
 *
 * Thread: the one that made it.
 */
#ifndef MOONLIT_BRIDGE_STATE_H
#define MOONLIT_BRIDGE_STATE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct chunk;
struct spare;

enum { MEMORY_STEP = 16, MEMORY_SMALL = 256 };

struct memory_account {
    size_t bytes;         /* of the heap now */
    size_t highest;       /* it ever was */
    size_t before;        /* the heap at state_guard */
    size_t look_at;       /* a heap larger than this makes the script look */
    size_t look_step;     /* growth until it must look again, doubled while it does not */
    size_t stop_at;       /* a heap larger than this raises an error */
    size_t refuse_at;     /* ... is not to be had */
    unsigned demands;     /* looks demanded since the last one */
    int usual_multiplier; /* of the collector's steps, while a look is demanded */
    bool guarded;
    bool stopped;  /* an error was raised, or an allocation refused, since state_guard */
    size_t spared; /* bytes of the spare blocks below */
    struct spare *spares[MEMORY_SMALL / MEMORY_STEP];
};

/* What the rewritten code calls (bridge/rewrite.h tells what each must do). */
struct rewrite_functions {
    lua_CFunction tick;     /* _ml_T */
    lua_CFunction hold;     /* _ml_H */
    lua_CFunction end_hold; /* _ml_E */
    lua_CFunction drop;     /* _ml_D */
    lua_CFunction keep;     /* _ml_L */
};

struct state {
    lua_State *L;
    void *owner; /* the engine, or whoever called state_new */
    struct memory_account memory;
    struct rewrite_functions functions;
    int helpers;          /* registry reference of { T, P, H, E, D, L } */
    int shared;           /* ... of P, which drawing calls need often */
    int mains;            /* ... of the main functions of chunks, a table with weak keys */
    int loaded;           /* ... of internal modules by name */
    int libraries;        /* ... of C libraries by name */
    struct chunk *chunks; /* compiled files */
    unsigned files;       /* ... how many */
    unsigned interpreted; /* chunks that need the count hook */
    char *directory;      /* where the script and its modules are */
    char *lua_directory;  /* MOONLIT_LUA, or NULL */
    void (*on_file)(void *data, const char *path); /* a script's file was read; may be NULL */
    void *on_file_data;
};

struct state *state_new(void *owner, struct error *error);
void state_free(struct state *state);

/* The state of any coroutine; a load and a compare, cheap enough for every call. */
struct state *state_of(lua_State *L);

/* A C library for internal Lua's require; it is opened at the first require. */
void state_add_library(struct state *state, const char *name, lua_CFunction open);

/* Internal Lua's require: push what the module returns. */
bool state_require(struct state *state, const char *name, struct error *error);

/* Is this path one of Moonlit's own modules ("lua/moonlit/ui.lua")? Scripts need not know of it. */
bool state_is_own_file(const char *path);

/* What rewritten code calls from now on; modules and scripts loaded before keep what they had. */
void state_set_rewrite_functions(struct state *state, const struct rewrite_functions *functions);

/* Push _ml_P, the table that rewritten code and the engine share: [1] presses of the branch, [2]
 * the container it draws into, [3] its shields. */
void state_push_shared(lua_State *L);

/* Is the frame's function the main one of a script or module? */
bool state_is_main(lua_State *L, lua_Debug *frame);

/* Push "file:line: " of the nearest frame from `level` on that is not Moonlit's own, "" when there is
 * none. */
void state_push_place(lua_State *L, int level);

/* A C function took long: the counters of the Lua functions that called it run down, so that their
 * loops look at the clock at the end of this turn, not after a thousand. */
void state_took_long(lua_State *L);

/* The same for the functions from `level` of the stack on: 0 is the one that runs. */
void state_run_down(lua_State *L, int level);

/* The same when it went through more bytes than go unseen (LIMIT_WORK_UNSEEN). */
void state_worked(lua_State *L, size_t bytes);

/* Where require, loadfile and dofile look; the directory of the script. */
void state_set_directory(struct state *state, const char *directory);

/* Be told of each file that scripts are made of (to watch it). */
void state_set_on_file(struct state *state, void (*on_file)(void *data, const char *path),
                       void *data);

/* ---- memory, around each resume (state_memory.c) ---- */

/* The lua_Alloc of the state; `data` is the state. */
void *state_allocate(void *data, void *memory, size_t old_size, size_t size);

/* Behind lua_close: small blocks that were kept for the next ones of their size. */
void state_free_spares(struct state *state);

/* `grown`: bytes of the limit that are used already. */
void state_guard(struct state *state, size_t grown, size_t limit);
void state_unguard(struct state *state);

/* The script looks by itself, or is about to yield. */
void state_end_demand(struct state *state);

/* One more chunk has no counter and needs the count hook, in this slice already. */
void state_add_interpreted(struct state *state);

/* Refuse nothing while the host does something for itself in the middle of a run; returns what was
 * so before, to be set again. */
bool state_set_guarded(struct state *state, bool guarded);

/* luaL_ref into the registry that is never refused: for what the host keeps in the middle of a run,
 * while it holds what an error would lose, or on the main state, where nobody catches one. */
int state_ref(lua_State *L);

/* Growth of the heap since state_guard; below zero when others' garbage was collected. */
ptrdiff_t state_growth(const struct state *state);

/* Did the script meet "not enough memory" since state_guard? */
bool state_was_stopped(const struct state *state);

/* LuaJIT does not collect before an allocation fails. Collect for about so long; `cycles` says how
 * many times the heap is to be gone through (twice, so that what became garbage while it was looked
 * at is found), and the result how often it still is. */
unsigned state_collect(struct state *state, unsigned cycles, unsigned microseconds);

#endif
