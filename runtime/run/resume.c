/*
 * The only resume. It sets the current branch, the slice and the memory guard, resumes, and reads
 * the outcome: waiting, slice over, leaving, finished or failed. The counter that the rewriter put
 * into the script's loops ends here too (`tick`).
 */
#include <lauxlib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bridge/state.h"
#include "run/engine.h"
#include "run/failure.h"
#include "run/op.h"
#include "run/run.h"

static uint64_t cpu_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void branch_share(const struct branch *branch)
{
    lua_State *L = branch->run->engine->state->L;
    state_push_shared(L);
    lua_pushinteger(L, (lua_Integer)branch->presses);
    lua_rawseti(L, -2, 1);
    lua_rawgeti(L, LUA_REGISTRYINDEX, branch->container_reference);
    lua_rawseti(L, -2, 2);
    lua_pushinteger(L, (lua_Integer)branch->shields);
    lua_rawseti(L, -2, 3);
    lua_pop(L, 1);
}

/* Container and shields are plain fields, which Lua may set itself (pcall puts them back when an
 * error has passed), because that is what the JIT compiles best. */
void branch_sync(struct branch *branch)
{
    lua_State *L = branch->run->engine->state->L;
    state_push_shared(L);
    lua_rawgeti(L, -1, 3);
    branch->shields = (unsigned)lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_rawgeti(L, -1, 2);
    luaL_unref(L, LUA_REGISTRYINDEX, branch->container_reference);
    branch->container_reference = LUA_NOREF;
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
    } else {
        branch->container_reference = state_ref(L);
    }
    lua_pop(L, 1);
}

static bool is_over_limits(const struct run *run)
{
    return run->cpu > run->cpu_limit || run->memory_over;
}

static void tell_limit(struct run *run)
{
    if (run->cpu > run->cpu_limit) {
        failure_set(run_failure(run), "Time limit",
                    "The run used more than %.3g s of CPU time and was ended. Do less in one run, "
                    "or start Moonlit with a larger --cpu-limit.",
                    (double)run->cpu_limit / 1e9);
    } else {
        failure_set(run_failure(run), "Memory limit",
                    "The run needed more than %zu MiB of memory and was ended. Read less at once "
                    "(cursors read in batches), or start Moonlit with a larger --memory-limit.",
                    run->engine->limits.memory_bytes >> 20);
    }
}

enum { SHORT_SLICE = 50000 }; /* ns */

/* The time in Lua since the slice began. Up to the first tick behind its first 50 us, by the wall's
 * clock: to ask the kernel for CPU time costs as much as drawing three elements, and most runs end
 * before. */
static uint64_t slice_time(struct engine *engine)
{
    if (engine->first_tick == 0) {
        return uv_hrtime() - engine->slice_start;
    }
    uint64_t before = engine->first_tick - engine->slice_start;
    uint64_t most = engine->cpu_then - engine->cpu_last; /* where others had the processor */
    engine->cpu_last = cpu_now();
    return (before < most ? before : most) + engine->cpu_last - engine->cpu_then;
}

/* What has been collected in between, for whomever, is not known here; but a run cannot have added
 * more than there is. */
static void add_growth(struct run *run, ptrdiff_t bytes)
{
    ptrdiff_t growth = (ptrdiff_t)run->growth + bytes;
    run->growth = growth > 0 ? (size_t)growth : 0;
    if (run->growth > run->engine->state->memory.bytes) {
        run->growth = run->engine->state->memory.bytes;
    }
}

static void account(struct branch *branch)
{
    struct run *run = branch->run;
    struct state *state = run->engine->state;
    run->cpu += slice_time(run->engine);
    add_growth(run, state_growth(state));
    if (state_was_stopped(state)) {
        run->memory_over = true;
        run->grower = branch;
    }
}

static bool is_beyond_memory(const struct run *run)
{
    ptrdiff_t growth = (ptrdiff_t)run->growth + state_growth(run->engine->state);
    return state_was_stopped(run->engine->state) ||
           growth > (ptrdiff_t)run->engine->limits.memory_bytes;
}

/* Where a run was when it had taken much memory: a coroutine that dies of an allocation does not
 * know the line it was in. */
static void note_place(struct branch *branch)
{
    struct run *run = branch->run;
    if (run->growth > run->engine->limits.memory_bytes / 4) {
        failure_locate(run_failure(run), branch->co);
        run->grower = branch;
    }
}

static void fail(struct branch *branch)
{
    struct run *run = branch->run;
    lua_State *L = run->engine->state->L;
    struct failure noted = *run_failure(run);
    lua_xmove(branch->co, L, 1);
    failure_read(run_failure(run), L, branch->co);
    branch->error = luaL_ref(L, LUA_REGISTRYINDEX);
    if (is_over_limits(run)) {
        struct failure told = *run->failure;
        tell_limit(run);
        failure_put_place(run->failure, told.line > 0 ? &told : &noted);
        run_finish(run, LEAVE_LIMIT);
        return;
    }
    run_on_branch_end(branch, LUA_ERRRUN, 0);
}

/* When no branch of the run can go on, what it has drawn is told. The last thing done with it: the
 * owner may end the run. */
static void wait_if_idle(struct run *run)
{
    list_each (link, &run->branches) {
        if (list_item(link, struct branch, link)->in_line) {
            return;
        }
    }
    run->state = RUN_WAITING;
    run->owner->on_wait(run);
}

/* A leaving run only goes on where it finishes a write or a shield. */
static bool stays_suspended(struct branch *branch)
{
    struct run *run = branch->run;
    bool goes_on = branch->shields > 0 && run->leave < LEAVE_STOPPED;
    if (!run->leaving || goes_on) {
        return false;
    }
    if (!run_has_unfinished_business(run)) {
        run_finish(run, run->leave);
    }
    return true;
}

static bool ends_over_limits(struct branch *branch)
{
    struct run *run = branch->run;
    if (!is_over_limits(run)) {
        return false;
    }
    struct failure noted = *run_failure(run);
    tell_limit(run);
    failure_locate(run->failure, branch->co);
    bool by_another = run->memory_over && run->grower != NULL && run->grower != branch;
    if (by_another && noted.line > 0) {
        failure_put_place(run->failure, &noted);
    }
    run_finish(run, LEAVE_LIMIT);
    return true;
}

static void after_yield(struct branch *branch)
{
    struct run *run = branch->run;
    struct engine *engine = run->engine;
    switch (engine->yield) {
    case YIELD_OP:
        wait_if_idle(run); /* op_ready will put the branch in line */
        return;
    case YIELD_SLICE:
        if (ends_over_limits(branch)) {
            return;
        }
        note_place(branch);
        lua_pushinteger(branch->co, engine->budget);
        branch->arguments = 1;
        branch_ready(branch);
        run_look(run);
        return;
    case YIELD_DOOMED:
        branch_end_doomed(branch);
        return;
    case YIELD_LEAVE:
        if (!run->leaving) {
            run_leave(run, run->leave);
        } else if (!run_has_unfinished_business(run)) {
            run_finish(run, run->leave);
        }
        return;
    case YIELD_NONE:
        lua_settop(branch->co, 0);
        failure_set(run_failure(run), "Script error",
                    "coroutine.yield was called outside of a coroutine: wrap the function in "
                    "coroutine.wrap, or use ui.sleep to wait.");
        failure_locate(run->failure, branch->co);
        lua_pushstring(engine->state->L, run->failure->message);
        branch->error = luaL_ref(engine->state->L, LUA_REGISTRYINDEX);
        run_on_branch_end(branch, LUA_ERRRUN, 0);
        return;
    }
}

/* The op is ready: its results go on the coroutine. They are never refused, but counted. */
static void take_results(struct branch *branch)
{
    struct op *op = branch->op;
    struct run *run = branch->run;
    size_t before = run->engine->state->memory.bytes;
    branch->op = NULL;
    branch->arguments = op->type->finish(op, branch->co);
    op->type->free(op);
    size_t bytes = run->engine->state->memory.bytes;
    add_growth(run, (ptrdiff_t)(bytes - before));
    if (bytes > before + run->engine->limits.memory_bytes / 16) {
        run->grower = branch;
    }
}

/* Three quarters of the run's memory are used, and much more than when it was last collected for, or
 * all of it, which it was not then: some of that may be garbage. */
static bool wants_collection(const struct run *run, size_t growth)
{
    size_t limit = run->engine->limits.memory_bytes;
    bool is_much = growth > run->relieved + limit / 16;
    bool is_all = growth > limit && run->relieved <= limit;
    return run->cycles == 0 && growth > limit / 4 * 3 && (is_much || is_all);
}

/* A run that waits often may look at its garbage too late by its counter. It pays for the time: where
 * a run lives near its limit and makes garbage, most of what is done for it is this. */
static bool is_collecting_first(struct run *run)
{
    struct state *state = run->engine->state;
    run->cycles = wants_collection(run, run->growth) ? 2 : run->cycles;
    if (run->cycles > 0) {
        size_t before = state->memory.bytes;
        uint64_t start = cpu_now();
        run->cycles = state_collect(state, run->cycles, LIMIT_RUN_COLLECT * 1000);
        run->cpu += cpu_now() - start;
        add_growth(run, (ptrdiff_t)(state->memory.bytes - before));
        run->relieved = run->growth;
    }
    return run->cycles > 0;
}

void branch_resume(struct branch *branch)
{
    struct run *run = branch->run;
    struct engine *engine = run->engine;
    if (stays_suspended(branch) || branch_end_doomed(branch) ||
        (branch->op != NULL && !branch->op->ready)) {
        return;
    }
    if (branch->op != NULL) {
        take_results(branch);
    }
    if (is_collecting_first(run)) {
        branch_ready(branch);
        return;
    }
    run->memory_over = run->memory_over || run->growth > engine->limits.memory_bytes;
    if (ends_over_limits(branch)) { /* what is left is no garbage */
        return;
    }
    int arguments = branch->arguments;
    branch->arguments = 0;
    branch_share(branch);
    run->state = RUN_RUNNING;
    engine->current = branch;
    engine->yield = YIELD_NONE;
    engine->slice_start = engine->last_tick = uv_hrtime();
    engine->slice_end = engine->slice_start + LIMIT_RUN_SLICE * 1000000ull;
    engine->first_tick = 0;
    state_guard(engine->state, run->growth, engine->limits.memory_bytes);
    int status = lua_resume(branch->co, arguments);
    state_unguard(engine->state);
    engine->current = NULL;
    account(branch);
    branch_sync(branch);
    int results = lua_gettop(branch->co);
    if (status == LUA_YIELD) {
        after_yield(branch);
    } else if (status == 0) {
        run_on_branch_end(branch, 0, results);
    } else {
        fail(branch);
    }
}

/* The same within a slice. True while the collection is not done. */
static bool is_collecting(struct run *run)
{
    struct state *state = run->engine->state;
    long growth = (long)run->growth + (long)state_growth(state);
    run->cycles = wants_collection(run, growth > 0 ? (size_t)growth : 0) ? 2 : run->cycles;
    if (run->cycles > 0) {
        run->cycles = state_collect(state, run->cycles, LIMIT_RUN_COLLECT * 1000);
        growth = (long)run->growth + (long)state_growth(state);
        run->relieved = growth > 0 ? (size_t)growth : 0;
    }
    return run->cycles > 0;
}

int engine_yield(lua_State *L, enum yield why)
{
    struct engine *engine = engine_of(L);
    state_end_demand(engine->state);
    engine->yield = why;
    return lua_yield(L, 0);
}

/* _ml_T: the counter has run down. Looks at the clock, the limits and at whether something newer
 * waits; returns how many ticks until the next look. */
static int tick(lua_State *L)
{
    struct engine *engine = engine_of(L);
    struct branch *branch = engine->current;
    if (branch == NULL) {
        lua_pushinteger(L, 1000);
        return 1;
    }
    uint64_t now = uv_hrtime();
    uint64_t since = now - engine->last_tick;
    engine->last_tick = now;
    if (engine->first_tick == 0 && now - engine->slice_start > SHORT_SLICE) {
        engine->first_tick = now;
        engine->cpu_then = cpu_now();
    }
    if (since > 500000 && engine->budget > 1) { /* keep looks about 50 to 500 us apart */
        engine->budget = (int)((uint64_t)engine->budget * 250000 / since);
        engine->budget = engine->budget > 0 ? engine->budget : 1;
    } else if (since < 50000 && engine->budget < 1000) {
        engine->budget = engine->budget * 2 > 1000 ? 1000 : engine->budget * 2;
    }
    bool collecting = is_collecting(branch->run);
    engine->budget = collecting ? 1 : engine->budget;
    if (lua_isyieldable(L)) {
        bool over = collecting || now >= engine->slice_end || is_beyond_memory(branch->run);
        if (over) {
            return engine_yield(L, YIELD_SLICE);
        }
    } else if (!collecting && is_beyond_memory(branch->run)) {
        branch->run->memory_over = true;
        return luaL_error(L, "not enough memory");
    } else if (now - engine->slice_start > LIMIT_RUN_UNYIELDABLE * 1000000ull) {
        return luaL_error(L,
                          "this ran for more than %d ms where Lua cannot pause (an error handler "
                          "or a C function's callback): do the work outside of it",
                          LIMIT_RUN_UNYIELDABLE);
    }
    lua_pushinteger(L, engine->budget);
    return 1;
}

/* core.waiting(): true while the current branch's yield is on its way out to the host. */
static int waiting(lua_State *L)
{
    lua_pushboolean(L, engine_of(L)->yield != YIELD_NONE);
    return 1;
}

const struct rewrite_functions resume_functions = {
    .tick = tick,
    .hold = hold_claim,
    .end_hold = hold_end,
    .drop = hold_drop,
    .keep = hold_keep,
};

void resume_open(lua_State *L)
{
    lua_pushcfunction(L, waiting);
    lua_setfield(L, -2, "waiting");
}
