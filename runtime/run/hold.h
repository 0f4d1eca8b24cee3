/*
 * Holds: what makes a run an action, which is never cut. One table (docs/design.md, "Holds"), one
 * question (`run_is_action`), asked before an op starts, in a wait, at a counter tick, and before a
 * draw that ends a row of writes.
 *
 *   unreceived press    from the start of its run to the button's own call
 *   open if             an `if` whose condition received a press, to the end of the branch taken
 *   press in a local    to the last `if` that tests it; the rewriter (bridge/rewrite.h) says where
 *   unclaimed press     received, and no statement claimed it: to the end of the run
 *   shield              a callback, ui.shield, a transaction: from its start to its end
 *   row of writes       from a write to the branch's next draw or start of a read
 *
 * The first four are counted for the run, shields and rows for the branch, so that an ended branch
 * takes its own with it.
 */
#ifndef MOONLIT_RUN_HOLD_H
#define MOONLIT_RUN_HOLD_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct run;

struct holds {
    bool press;        /* not received yet */
    unsigned claimed;  /* ifs and locals open now */
    unsigned lasting;  /* to the end of the run */
};

/* A hold has ended: when none is left, what the run did so far is committed. */
void hold_ended(struct run *run);

/* The rewriter's helper functions and the counter's, as Lua C functions. */
void hold_open_functions(lua_State *L);

#endif
