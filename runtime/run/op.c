#include "run/op.h"

#include <lauxlib.h>
#include <stdlib.h>

#include "bridge/state.h"
#include "run/engine.h"
#include "run/run.h"

/* Was it ended while something in it could not be cut? */
static bool is_over(const struct branch *branch)
{
    return branch_is_doomed(branch) || (branch->run->leaving && branch->shields == 0);
}

int op_leave_if_over(lua_State *L)
{
    struct engine *engine = engine_of(L);
    struct branch *branch = engine->current;
    if (!is_over(branch) || !lua_isyieldable(L)) {
        return 0;
    }
    if (!branch_is_doomed(branch)) {
        return run_leave_here(L, branch->run->leave);
    }
    return engine_yield(L, YIELD_DOOMED);
}

int op_wait(lua_State *L, struct op *op)
{
    struct engine *engine = engine_of(L);
    struct branch *branch = engine->current;
    const char *name = op->type->name;
    op->branch = branch;
    if (branch == NULL || !lua_isyieldable(L)) {
        op->type->free(op);
        return luaL_error(L,
                          "%s cannot wait here: Lua cannot pause inside an error handler or a C "
                          "function's callback; call it outside of that",
                          name);
    }
    struct run *run = branch->run;
    branch_sync(branch);
    if (op->kind == OP_READ && branch->row_of_writes) {
        branch->row_of_writes = false;
        hold_ended(run);
    }
    if (!run_is_action(run) && run->owner->superseded(run)) {
        op->type->free(op);
        return run_leave_here(L, LEAVE_SUPERSEDED);
    }
    if (is_over(branch)) {
        op->type->free(op);
        return op_leave_if_over(L);
    }
    if (op->kind == OP_WRITE) {
        branch->row_of_writes = true;
    }
    op->started = uv_hrtime();
    branch->op = op;
    run->operations++;
    bool was_guarded = state_set_guarded(engine->state, false); /* branches, runs: the host's own */
    op->type->start(op);
    state_set_guarded(engine->state, was_guarded);
    return engine_yield(L, YIELD_OP);
}

void op_ready(struct op *op)
{
    op->ready = true;
    branch_ready(op->branch);
}
