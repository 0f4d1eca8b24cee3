#include "run/hold.h"

#include <lauxlib.h>

#include "base/log.h"
#include "bridge/rewrite.h"
#include "run/engine.h"
#include "run/run.h"

bool run_is_action(const struct run *run)
{
    if (run->holds.press != PRESS_NONE || run->holds.callbacks) {
        return true;
    }
    list_each (link, &run->branches) {
        const struct branch *branch = list_item(link, struct branch, link);
        if (branch->row_of_writes || branch->shields > 0) {
            return true;
        }
    }
    return false;
}

void hold_ended(struct run *run)
{
    if (!run_is_action(run)) {
        run->owner->on_commit(run);
    }
}

static void end_press(struct run *run)
{
    run->holds.press = PRESS_NONE;
    hold_ended(run);
}

void hold_drop_press(struct run *run)
{
    end_press(run);
}

void hold_end_callbacks(struct run *run)
{
    run->holds.callbacks = false;
    hold_ended(run);
}

bool run_receive_press(lua_State *L, struct branch *branch, uint64_t id)
{
    struct run *run = branch->run;
    if (run->holds.press != PRESS_UNRECEIVED || run->press != id) {
        return false;
    }
    branch_sync(branch); /* the place it draws in is Lua's to change: read before it is written */
    run->holds.press = PRESS_UNCLAIMED;
    run->holds.kept_line = run_line(L, NULL, 0);
    branch->presses++;
    branch_share(branch);
    return true;
}

bool run_before_draw(lua_State *L, struct branch *branch)
{
    if (!branch->row_of_writes) {
        return true;
    }
    branch->row_of_writes = false;
    branch_sync(branch);
    hold_ended(branch->run);
    return run_is_action(branch->run) || !lua_isyieldable(L) ||
           !branch->run->owner->superseded(branch->run);
}

/* ---- what the rewritten code calls ---- */

int hold_claim(lua_State *L)
{
    struct run *run = run_of(L);
    if (run == NULL) {
        lua_pushinteger(L, 0);
        return 1;
    }
    run->holds.press = PRESS_CLAIMED;
    lua_pushinteger(L, ++run->holds.claim);
    return 1;
}

int hold_end(lua_State *L)
{
    struct run *run = run_of(L);
    if (run != NULL && run->holds.press == PRESS_CLAIMED &&
        run->holds.claim == luaL_checkinteger(L, 1)) {
        end_press(run);
    }
    return 0;
}

int hold_drop(lua_State *L)
{
    struct run *run = run_of(L);
    if (run != NULL && run->holds.press == PRESS_UNCLAIMED) {
        end_press(run);
    }
    return 0;
}

int hold_keep(lua_State *L)
{
    struct run *run = run_of(L);
    if (run != NULL && run->holds.press == PRESS_UNCLAIMED) {
        run->holds.press = PRESS_KEPT;
        run->holds.kept_line = (int)luaL_checkinteger(L, 1);
        run->holds.kept_kind = (int)luaL_optinteger(L, 2, 0);
    }
    return 0;
}
