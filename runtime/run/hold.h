/*
 * Holds: what makes a run an action, which is never cut. One table (docs/design.md, "Holds"), one
 * question (`run_is_action`), asked before an op starts, in a wait, at a counter tick, and before a
 * draw that ends a row of writes.
 *
 * - The press: one thing, since a run has at most one. Unreceived from the start of its run to the
 *   button's own call; then unclaimed; then claimed by the `if` or the local that tests it, to the
 *   end of the branch taken or of the last test; or kept to the end of the run, where the rewriter
 *   (bridge/rewrite.h) cannot tell.
 * - Callbacks: from the start of the run to the end of its last callback.
 * - A shield: ui.shield, from its start to its end.
 * - A row of writes: from a write to the branch's next draw or start of a read.
 *
 * The press and the callbacks are the run's, shields and rows are the branch's, so that an ended
 * branch takes its own with it.
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
    bool callbacks; /* those of the run's event have not all ended */
    int claim;      /* the last number given */
    int kept_line;  /* where the press was received; PRESS_KEPT: was used in another way, and how */
    int kept_kind;
};

/* A hold has ended: when none is left, what the run did so far is committed. */
void hold_ended(struct run *run);

/* The press has not been received and will not be. */
void hold_drop_press(struct run *run);

/* The callbacks of the run's event have ended. */
void hold_end_callbacks(struct run *run);

/* What the rewritten code calls about holds (bridge/rewrite.h), as Lua C functions. */
int hold_claim(lua_State *L);
int hold_end(lua_State *L);
int hold_drop(lua_State *L);
int hold_keep(lua_State *L);

#endif
