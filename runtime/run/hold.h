/*
 * Holds: what makes a run an action, which is never cut. One table (docs/design.md, "Holds"), one
 * question (`run_is_action`), asked before an op starts, in a wait, at a counter tick, and before a
 * draw that ends a row of writes.
 *
 *   the press       one thing, since a run has at most one: unreceived from the start of its run to
 *                   the button's own call; then unclaimed; then claimed by the `if` or the local
 *                   that tests it, to the end of the branch taken or of the last test; or kept to
 *                   the end of the run where the rewriter (bridge/rewrite.h) cannot tell
 *   shield          a callback, ui.shield, a transaction: from its start to its end
 *   row of writes   from a write to the branch's next draw or start of a read
 *
 * The press is the run's, shields and rows are the branch's, so that an ended branch takes its own
 * with it.
 */
#ifndef MOONLIT_RUN_HOLD_H
#define MOONLIT_RUN_HOLD_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

struct run;

enum press_hold {
    PRESS_NONE,       /* no press, or it holds nothing any more */
    PRESS_UNRECEIVED, /* the button has not been called yet */
    PRESS_UNCLAIMED,  /* received, and no statement has claimed it */
    PRESS_CLAIMED,    /* by the `if` or local with number `claim` */
    PRESS_KEPT,       /* to the end of the run */
};

struct holds {
    enum press_hold press;
    int claim;     /* the last number given */
    int kept_line; /* PRESS_KEPT: where the value was used in another way, and how */
    int kept_kind;
};

/* A hold has ended: when none is left, what the run did so far is committed. */
void hold_ended(struct run *run);

/* The press was not received and will not be: false when it already was. */
bool hold_drop_press(struct run *run);

/* What the rewritten code calls about holds (bridge/rewrite.h), as Lua C functions. */
int hold_claim(lua_State *L);
int hold_end(lua_State *L);
int hold_drop(lua_State *L);
int hold_keep(lua_State *L);

#endif
