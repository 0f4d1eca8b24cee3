/*
 * Clean-ups of a run, executed in reverse order however it ends: finished, failed, cancelled,
 * superseded. Embed a struct defer in what must be cleaned; take it off the list when the thing
 * ends earlier. Clean-ups never wait and never enter Lua.
 */
#ifndef MOONLIT_RUN_DEFER_H
#define MOONLIT_RUN_DEFER_H

#include "base/list.h"

struct run;

struct defer {
    struct list link;
    void (*call)(struct defer *defer);
};

/* Add to the run; the last added is called first. */
void run_defer(struct run *run, struct defer *defer);

/* Forget it without calling it. */
void defer_remove(struct defer *defer);

#endif
