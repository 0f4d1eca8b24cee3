/*
 * An op is something a coroutine waits for. Every waiting call of a script is one file with the
 * same beats (read api/lib_sleep.c first):
 *
 *   the C function   that Lua sees: checks its arguments, makes the op, and ends with
 *                    `return op_wait(L, op)`
 *   start            begins the work; called by op_wait when the run may begin it
 *   ... the loop goes on; the outside event calls op_ready(op) ...
 *   finish           pushes the results on the coroutine, just before it is resumed
 *   free             the op's memory goes
 *
 * or, when the run is superseded, stopped, over its limits or its tab is gone:
 *
 *   cancel           end the work, down to the server; op_ready must not follow
 *   free
 *
 * A run that is to be superseded starts no op: then op_wait frees it unstarted and the coroutine is
 * never resumed. A write is not cancelled (it is a hold, run.h), except by shutdown and by limits.
 *
 * The results follow one rule, so that Lua can raise at the script's own line: the first value is
 * true and the results follow, or false and the error (a table or a text) follows. LuaJIT cannot
 * raise out of a yield, so lua/moonlit/ wraps each raw function: `local ok, v = raw(...) if not ok
 * then error(v, 2) end return v`.
 *
 * Thread: loop.
 */
#ifndef MOONLIT_RUN_OP_H
#define MOONLIT_RUN_OP_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct branch;
struct op;

enum op_kind {
    OP_QUIET, /* a timer, another branch: starting it needs no permission beyond the run's life */
    OP_READ,  /* cancelled when superseded; ends a row of writes */
    OP_WRITE, /* finished and never repeated; begins or continues a row of writes */
};

struct op_type {
    const char *name; /* for logs and metrics: "sleep", "find" */
    void (*start)(struct op *op);
    int (*finish)(struct op *op, lua_State *L);
    void (*cancel)(struct op *op);
    void (*free)(struct op *op);
};

/* Embedded as the first member of each op's own struct. */
struct op {
    const struct op_type *type;
    enum op_kind kind;
    struct branch *branch; /* who waits; set by op_wait; NULL outside of a run */
    uint64_t started;      /* uv_hrtime when it was started */
    bool ready;            /* op_ready was called */
};

/* Wait for `op` (from memory_new; owned by the branch from here on): the last thing a C function
 * given to scripts does, as `return op_wait(L, op)`. Raises where a coroutine cannot wait. */
int op_wait(lua_State *L, struct op *op);

/* Where a shield ends: when the branch or its run has been ended meanwhile, nothing behind it begins.
 * The last thing a C function does; it returns nothing otherwise. */
int op_leave_if_over(lua_State *L);

/* The outcome is there. The coroutine is put in line and resumed in its turn. May be called from
 * within start. */
void op_ready(struct op *op);

#endif
