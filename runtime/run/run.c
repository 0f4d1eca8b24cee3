#include "run/run.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bridge/state.h"
#include "run/defer.h"
#include "run/engine.h"
#include "run/failure.h"
#include "run/op.h"

/* ---- finding the way from Lua ---- */

struct engine *engine_of(lua_State *L)
{
    return state_of(L)->owner;
}

struct branch *branch_of(lua_State *L)
{
    return engine_of(L)->current;
}

struct run *run_of(lua_State *L)
{
    struct branch *branch = branch_of(L);
    return branch != NULL ? branch->run : NULL;
}

struct mongo *run_mongo(struct run *run)
{
    return run->engine->mongo;
}

unsigned run_time_left(struct run *run)
{
    uint64_t now = uv_now(run->engine->loop);
    return run->wall.due > now ? (unsigned)(run->wall.due - now) : 1;
}

int run_line(lua_State *L, char *file, size_t size)
{
    lua_Debug frame;
    for (int level = 1; level < 32 && lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (frame.source[0] == '@' && frame.currentline > 0) {
            if (file != NULL) {
                snprintf(file, size, "%s", frame.source + 1);
            }
            return frame.currentline;
        }
    }
    return 0;
}

/* ---- life ---- */

struct failure *run_failure(struct run *run)
{
    if (run->failure == NULL) {
        run->failure = memory_new(sizeof *run->failure);
    }
    return run->failure;
}

static void on_wall(struct alarm *alarm)
{
    struct run *run = list_item(alarm, struct run, wall);
    failure_set(run_failure(run), "Time limit",
                "The run took more than %.3g s and was ended. Wait for less in one run, or start "
                "Moonlit with a larger --wall-limit.",
                (double)run->engine->limits.wall_ms / 1e3);
    failure_locate(run->failure, run->main->co);
    run_finish(run, LEAVE_LIMIT);
}

struct branch *branch_new(struct run *run, struct branch *parent, lua_State *L, int arguments)
{
    struct branch *branch = memory_new(sizeof *branch);
    branch->run = run;
    branch->parent = parent;
    branch->container_reference = branch->error = LUA_NOREF;
    if (parent != NULL && parent->container_reference != LUA_NOREF) {
        lua_rawgeti(L, LUA_REGISTRYINDEX, parent->container_reference);
        branch->container_reference = luaL_ref(L, LUA_REGISTRYINDEX);
    }
    list_init(&branch->ready_link);
    list_push_last(&run->branches, &branch->link);
    branch->co = engine_take_coroutine(run->engine, &branch->reference);
    lua_xmove(L, branch->co, arguments + 1);
    branch->arguments = arguments;
    return branch;
}

struct run *run_new(struct engine *engine, lua_State *L, int arguments, struct session *session,
                    const struct run_owner *owner, void *data)
{
    struct run *run = memory_new(sizeof *run);
    run->engine = engine;
    run->session = session;
    run->owner = owner;
    run->data = data;
    run->number = ++engine->run_numbers;
    run->cpu_limit = engine->limits.cpu_ms * 1000000ull;
    run->started = uv_hrtime();
    list_init(&run->branches);
    list_init(&run->defers);
    run->main = branch_new(run, NULL, L, arguments);
    engine->counts.started++;
    engine->counts.alive++;
    alarm_set(&engine->clock, &run->wall, engine->limits.wall_ms, on_wall);
    return run;
}

void run_start(struct run *run)
{
    branch_ready(run->main);
}

void branch_ready(struct branch *branch)
{
    engine_line_up(branch->run->engine, branch);
}

/* Take a branch out of its run, whatever it waits for. `clean`: its coroutine may be used again. */
static void drop_branch(struct branch *branch, bool clean)
{
    struct engine *engine = branch->run->engine;
    if (branch->op != NULL) {
        struct op *op = branch->op;
        branch->op = NULL;
        if (!op->ready) {
            op->type->cancel(op);
        }
        op->type->free(op);
    }
    engine_forget(engine, branch);
    list_remove(&branch->link);
    luaL_unref(engine->state->L, LUA_REGISTRYINDEX, branch->error);
    if (branch->container_reference != LUA_NOREF) {
        luaL_unref(engine->state->L, LUA_REGISTRYINDEX, branch->container_reference);
    }
    engine_give_coroutine(engine, branch->co, branch->reference, clean);
    free(branch);
}

/* The outermost branch around `branch`, itself included, that is doomed; NULL when none is. */
static struct branch *find_doomed(const struct branch *branch)
{
    struct branch *doomed = NULL;
    for (; branch != NULL; branch = branch->parent) {
        doomed = branch->doomed ? (struct branch *)branch : doomed;
    }
    return doomed;
}

void branch_end(struct branch *branch)
{
    struct run *run = branch->run;
    struct branch *doomed = find_doomed(branch->parent);
    bool held = branch->row_of_writes || branch->shields > 0;
    drop_branch(branch, false);
    if (held) {
        hold_ended(run);
    }
    if (doomed != NULL) { /* perhaps it waited for this one alone: it looks in its turn */
        branch_ready(doomed);
    }
}

bool branch_is_doomed(const struct branch *branch)
{
    const struct branch *doomed = find_doomed(branch);
    while (doomed != NULL && branch != doomed && branch->shields == 0) {
        branch = branch->parent;
    }
    return doomed != NULL && branch->shields == 0;
}

bool branch_end_doomed(struct branch *branch)
{
    if (!branch_is_doomed(branch)) {
        return false;
    }
    struct branch *doomed = find_doomed(branch);
    if (!branch_is_busy(doomed)) {
        doomed->on_end(doomed, BRANCH_DOOMED, 0);
    }
    return true;
}

void run_on_branch_end(struct branch *branch, int status, int results)
{
    struct run *run = branch->run;
    if (branch->on_end != NULL) {
        branch->on_end(branch, status, results);
        return;
    }
    run_finish(run, status != 0 ? LEAVE_FAILED : run->rerun_after ? LEAVE_RERUN : LEAVE_NOT);
}

static enum run_state state_after(enum leave leave)
{
    switch (leave) {
    case LEAVE_NOT:
    case LEAVE_STOP_CALL:
    case LEAVE_RERUN:
        return RUN_FINISHED;
    case LEAVE_FAILED:
    case LEAVE_LIMIT:
        return RUN_FAILED;
    case LEAVE_SUPERSEDED:
        return RUN_SUPERSEDED;
    default:
        return RUN_CANCELLED;
    }
}

void run_finish(struct run *run, enum leave leave)
{
    struct engine *engine = run->engine;
    run->leave = leave;
    run->state = state_after(leave);
    run->container_reference = run->main->container_reference;
    run->main->container_reference = LUA_NOREF;
    alarm_clear(&engine->clock, &run->wall);
    alarm_clear(&engine->clock, &run->stop);
    while (!list_is_empty(&run->branches)) { /* children before the branch that waits for them */
        struct branch *last = list_item(run->branches.previous, struct branch, link);
        bool clean = last == run->main && leave == LEAVE_NOT;
        drop_branch(last, clean);
    }
    while (!list_is_empty(&run->defers)) {
        struct list *first = list_take_first(&run->defers);
        struct defer *defer = list_item(first, struct defer, link);
        defer->call(defer);
    }
    engine_count_end(engine, run);
    engine_clean_up(engine, run);
    int container = run->container_reference;
    run->owner->on_end(run);
    luaL_unref(engine->state->L, LUA_REGISTRYINDEX, container);
    free(run->failure);
    free(run);
}

void run_defer(struct run *run, struct defer *defer)
{
    list_push_first(&run->defers, &defer->link);
}

void defer_remove(struct defer *defer)
{
    list_remove(&defer->link);
}

/* ---- leaving ---- */

static bool is_writing(const struct branch *branch)
{
    return branch->op != NULL && branch->op->kind == OP_WRITE && !branch->op->ready;
}

static bool is_inside(const struct branch *branch, const struct branch *outer)
{
    while (branch != NULL && branch != outer) {
        branch = branch->parent;
    }
    return branch != NULL;
}

bool branch_is_busy(const struct branch *outer)
{
    list_each (link, &outer->run->branches) {
        const struct branch *branch = list_item(link, struct branch, link);
        if ((branch->shields > 0 || is_writing(branch)) && is_inside(branch, outer)) {
            return true;
        }
    }
    return false;
}

/* The person's Stop and shutdown wait for writes alone, the script's own leaving for shields too.
 */
static bool is_from_outside(enum leave leave)
{
    return leave == LEAVE_STOPPED || leave == LEAVE_SHUTDOWN;
}

bool run_has_unfinished_business(const struct run *run)
{
    list_each (link, &run->branches) {
        const struct branch *branch = list_item(link, struct branch, link);
        bool counts = branch->shields > 0 && !is_from_outside(run->leave);
        if (counts || is_writing(branch)) {
            return true;
        }
    }
    return false;
}

static void on_stop_time(struct alarm *alarm)
{
    struct run *run = list_item(alarm, struct run, stop);
    run_finish(run, run->leave);
}

void run_leave(struct run *run, enum leave leave)
{
    if (run->leaving && run->leave >= leave) { /* a second Stop does not wait anew */
        return;
    }
    run->leave = leave;
    bool waits =
        leave != LEAVE_SUPERSEDED && leave != LEAVE_LIMIT && run_has_unfinished_business(run);
    if (!waits) {
        run_finish(run, leave);
        return;
    }
    run->leaving = true;
    if (is_from_outside(leave)) {
        alarm_set(&run->engine->clock, &run->stop,
                  leave == LEAVE_STOPPED ? LIMIT_RUN_STOP_TIME : LIMIT_SHUTDOWN_WRITE_TIME,
                  on_stop_time);
    }
}

int run_leave_here(lua_State *L, enum leave leave)
{
    struct engine *engine = engine_of(L);
    struct branch *branch = engine->current;
    if (!lua_isyieldable(L)) {
        return luaL_error(L, "a run cannot be left from inside an error handler or a C function's "
                             "callback");
    }
    if (!branch->run->leaving) {
        branch->run->leave = leave;
    }
    for (struct branch *around = branch; around != NULL; around = around->parent) {
        around->shields = 0; /* the shields that it leaves do not keep it from leaving */
    }
    branch_share(branch);
    return engine_yield(L, YIELD_LEAVE);
}

void run_look(struct run *run)
{
    if (!run_is_action(run) && !run->leaving && run->owner->superseded(run)) {
        run_finish(run, LEAVE_SUPERSEDED);
    }
}
