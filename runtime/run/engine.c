#include "run/engine.h"

#include <lauxlib.h>

#include "bridge/state.h"
#include "run/run.h"

const double run_seconds_bounds[RUN_SECONDS_BUCKETS] = {0.0001, 0.00025, 0.001, 0.0025, 0.01, 0.025,
                                                        0.1,    0.25,    1,     2.5,    10,   60};

static void on_check(uv_check_t *check);

static void on_idle(uv_idle_t *idle)
{
    (void)idle; /* it only keeps the loop from sleeping while there is something to do */
}

void engine_init(struct engine *engine, uv_loop_t *loop, struct log *log, struct state *state,
                 const struct engine_limits *limits, void *host)
{
    *engine = (struct engine){
        .loop = loop, .log = log, .state = state, .limits = *limits, .host = host, .budget = 64};
    list_init(&engine->line);
    list_init(&engine->runs);
    clock_init(&engine->clock, loop);
    uv_check_init(loop, &engine->check);
    uv_idle_init(loop, &engine->idle);
    engine->check.data = engine;
    uv_check_start(&engine->check, on_check);
    uv_unref((uv_handle_t *)&engine->check);
    state_set_rewrite_functions(state, &resume_functions);
}

void engine_close(struct engine *engine)
{
    clock_close(&engine->clock);
    uv_close((uv_handle_t *)&engine->check, NULL);
    uv_close((uv_handle_t *)&engine->idle, NULL);
}

/* One turn: everybody who stands in line now is resumed once. */
static void resume_all(struct engine *engine)
{
    struct list turn;
    list_init(&turn);
    turn = engine->line;
    turn.next->previous = turn.previous->next = &turn;
    list_init(&engine->line);
    while (!list_is_empty(&turn)) {
        struct branch *branch = list_item(list_take_first(&turn), struct branch, ready_link);
        branch->in_line = false;
        branch_resume(branch);
    }
}

static void on_check(uv_check_t *check)
{
    struct engine *engine = check->data;
    if (!list_is_empty(&engine->line)) {
        resume_all(engine);
    } else if (engine->cycles > 0) {
        engine->cycles = state_collect(engine->state, engine->cycles, LIMIT_RUN_COLLECT * 1000);
    }
    if (list_is_empty(&engine->line) && engine->cycles == 0) {
        uv_idle_stop(&engine->idle);
    }
}

void engine_clean_up(struct engine *engine, const struct run *run)
{
    if (run->memory_over || run->growth > engine->limits.memory_bytes / 8) {
        engine->cycles = 2;
        uv_idle_start(&engine->idle, on_idle);
    }
}

void engine_line_up(struct engine *engine, struct branch *branch)
{
    if (!branch->in_line) {
        branch->in_line = true;
        list_push_last(&engine->line, &branch->ready_link);
        uv_idle_start(&engine->idle, on_idle);
    }
}

void engine_forget(struct engine *engine, struct branch *branch)
{
    (void)engine;
    if (branch->in_line) {
        branch->in_line = false;
        list_remove(&branch->ready_link);
    }
}

lua_State *engine_take_coroutine(struct engine *engine, int *reference)
{
    lua_State *L = engine->state->L;
    if (engine->pooled > 0) {
        *reference = engine->pool[--engine->pooled];
        lua_rawgeti(L, LUA_REGISTRYINDEX, *reference);
        lua_State *co = lua_tothread(L, -1);
        lua_pop(L, 1);
        return co;
    }
    lua_State *co = lua_newthread(L);
    *reference = luaL_ref(L, LUA_REGISTRYINDEX);
    return co;
}

void engine_give_coroutine(struct engine *engine, lua_State *co, int reference, bool clean)
{
    if (clean && engine->pooled < LIMIT_COROUTINE_POOL) {
        lua_settop(co, 0);
        engine->pool[engine->pooled++] = reference;
    } else {
        luaL_unref(engine->state->L, LUA_REGISTRYINDEX, reference);
    }
}

void engine_count_end(struct engine *engine, const struct run *run)
{
    struct engine_counts *counts = &engine->counts;
    double seconds = (double)(uv_hrtime() - run->started) / 1e9;
    int bucket = 0;
    while (bucket < RUN_SECONDS_BUCKETS && seconds > run_seconds_bounds[bucket]) {
        bucket++;
    }
    counts->seconds[bucket]++;
    counts->seconds_sum += seconds;
    counts->alive--;
    switch (run->leave) {
    case LEAVE_NOT:
    case LEAVE_STOP_CALL:
    case LEAVE_RERUN:
        counts->finished++;
        break;
    case LEAVE_FAILED:
        counts->failed++;
        break;
    case LEAVE_SUPERSEDED:
        counts->superseded++;
        break;
    case LEAVE_STOPPED:
        counts->stopped++;
        break;
    case LEAVE_LIMIT:
        counts->limited++;
        break;
    case LEAVE_SHUTDOWN:
        counts->cancelled++;
        break;
    }
}
