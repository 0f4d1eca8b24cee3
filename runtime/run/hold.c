#include "run/hold.h"

#include <lauxlib.h>

#include "run/engine.h"
#include "run/run.h"

bool run_is_action(const struct run *run)
{
    if (run->holds.press || run->holds.claimed > 0 || run->holds.lasting > 0) {
        return true;
    }
    list_each (link, &run->branches) {
        const struct branch *branch = list_item(link, struct branch, link);
        if (branch->row_of_writes || branch->unclaimed || branch->shields > 0) {
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

bool run_receive_press(struct branch *branch, uint64_t id)
{
    struct run *run = branch->run;
    if (!run->holds.press || run->press != id) {
        return false;
    }
    run->holds.press = false;
    branch->unclaimed = true;
    branch->presses++;
    struct engine *engine = run->engine;
    lua_State *L = engine->state->L;
    lua_rawgeti(L, LUA_REGISTRYINDEX, engine->shared);
    lua_pushinteger(L, (lua_Integer)branch->presses);
    lua_rawseti(L, -2, 1);
    lua_pop(L, 1);
    return true;
}

bool run_before_draw(lua_State *L, struct branch *branch)
{
    if (!branch->row_of_writes) {
        return true;
    }
    branch->row_of_writes = false;
    hold_ended(branch->run);
    return run_is_action(branch->run) || !lua_isyieldable(L) ||
           !branch->run->owner->superseded(branch->run);
}
