/*
 * The engine: the one place that resumes Lua. It owns the line of branches that can go on, the pool
 * of coroutines, the time slice, the limits of a run and the counts of what became of runs.
 *
 * A branch in line is resumed once a turn of the loop, for at most a slice; so an endless loop
 * leaves the loop free between its slices. Everything that wakes a branch (an op, a child branch, a
 * slice that ended) ends in branch_ready.
 *
 * Thread: loop.
 */
#ifndef MOONLIT_RUN_ENGINE_H
#define MOONLIT_RUN_ENGINE_H

#include <lua.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "base/log.h"
#include "limits.h"
#include "run/clock.h"

struct branch;
struct mongo;
struct rewrite_functions;
struct run;
struct state;

struct engine_limits {
    uint64_t cpu_ms;     /* Lua time of one run */
    uint64_t wall_ms;    /* from start to end */
    uint64_t press_ms;   /* an unreceived press while newer events wait */
    size_t memory_bytes; /* growth of the Lua heap by one run */
};

/* Why the coroutine that has just yielded did so. */
enum yield { YIELD_NONE, YIELD_OP, YIELD_SLICE, YIELD_LEAVE, YIELD_DOOMED };

/* Yield to branch_resume, through whatever coroutines of the script are on the way. */
int engine_yield(lua_State *L, enum yield why);

/* Runs by how they ended, and their seconds as a histogram; for /_moonlit/metrics. */
enum { RUN_SECONDS_BUCKETS = 12 };
extern const double run_seconds_bounds[RUN_SECONDS_BUCKETS];

struct engine_counts {
    uint64_t started;
    uint64_t finished, failed, cancelled, superseded, stopped, limited;
    uint64_t seconds[RUN_SECONDS_BUCKETS + 1];
    double seconds_sum;
    uint64_t alive;
};

struct engine {
    uv_loop_t *loop;
    struct log *log;
    struct state *state;
    struct mongo *mongo; /* NULL until a database is known */
    void *host;
    struct engine_limits limits;
    struct clock clock;
    struct list line; /* branches that can go on */
    struct list runs; /* all alive, by `link` in the run's first branch's run */
    uv_check_t check;
    uv_idle_t idle;
    struct branch *current;
    enum yield yield;
    uint64_t slice_end;
    uint64_t slice_start;
    uint64_t last_tick;
    uint64_t first_tick; /* of this slice behind its first 50 us, 0 before it, */
    uint64_t cpu_then;   /* and the thread's CPU time then */
    uint64_t cpu_last;   /* at the end of the last slice that had a tick */
    int budget;          /* counter ticks until the clock is looked at again */
    int pool[LIMIT_COROUTINE_POOL];
    int pooled;
    unsigned flights; /* names of ui.once */
    unsigned cycles;  /* of a collection while nobody stands in line */
    uint64_t run_numbers;
    struct engine_counts counts;
};

void engine_init(struct engine *engine, uv_loop_t *loop, struct log *log, struct state *state,
                 const struct engine_limits *limits, void *host);

/* Close the handles; every run has ended before. Free after the loop has run once more. */
void engine_close(struct engine *engine);

struct engine *engine_of(lua_State *L);

/* Put a branch in line; called by branch_ready. */
void engine_line_up(struct engine *engine, struct branch *branch);
void engine_forget(struct engine *engine, struct branch *branch);

/* A coroutine from the pool or a new one, and back. */
lua_State *engine_take_coroutine(struct engine *engine, int *reference);
void engine_give_coroutine(struct engine *engine, lua_State *co, int reference, bool clean);

/* resume.c: resume a branch now; what rewritten code calls; core.waiting, added to the table on top
 * of the stack. */
void branch_resume(struct branch *branch);
extern const struct rewrite_functions resume_functions;
void resume_open(lua_State *L);

void engine_count_end(struct engine *engine, const struct run *run);

/* A run that took much memory has ended: what it left is collected when there is nothing to do. */
void engine_clean_up(struct engine *engine, const struct run *run);

#endif
