/*
 * A run is one execution of a script from top to bottom, or of the host's own work without a
 * session (ui.once). It has branches: coroutines, the first of which is the script; ui.together
 * and ui.timeout add more. Each branch waits for at most one op.
 *
 * Life: run_new makes it queued; run_start puts its first branch in line; the scheduler resumes
 * branches (resume.c, the one place that does); whenever no branch can go on, what was drawn is
 * flushed into the session's tree and told to the page. run_finish, or run_leave from the script,
 * the session or a limit, ends it: ops are cancelled, clean-ups called in reverse, the owner is
 * told
 * (`on_end`), and the memory goes with it. At most one run of a session is alive.
 *
 *   queued -> running <-> waiting -> finished | failed | cancelled | superseded
 *
 * A run with a hold (hold.h) is an action and is never cut; one without is a view and may be
 * superseded. A superseded view leaves no trace.
 *
 * Ownership: the owner (a session, or once.c) keeps the pointer until on_end, which is the last
 * call. Thread: loop.
 */
#ifndef MOONLIT_RUN_RUN_H
#define MOONLIT_RUN_RUN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "run/clock.h"
#include "run/hold.h"

struct draft;
struct engine;
struct mongo;
struct mongo_gate;
struct op;
struct session;

enum run_state {
    RUN_QUEUED,
    RUN_RUNNING,
    RUN_WAITING,
    RUN_FINISHED,
    RUN_FAILED,
    RUN_CANCELLED,
    RUN_SUPERSEDED,
};

/* Why a run ends before its script's last line; the later in this list, the stronger. */
enum leave {
    LEAVE_NOT,
    LEAVE_STOP_CALL, /* ui.stop(): ends as if the script were finished */
    LEAVE_RERUN,     /* ui.rerun() */
    LEAVE_FAILED,    /* an error nobody caught */
    LEAVE_SUPERSEDED,
    LEAVE_STOPPED, /* the person pressed Stop */
    LEAVE_LIMIT,   /* time or memory */
    LEAVE_SHUTDOWN,
};

/* A script error as the page shows it. */
struct failure {
    char kind[64];
    char message[2048];
    char file[256];
    int line;
    char traceback[4096];
};

struct run_owner {
    /* What was drawn so far is to be told to the page: the run waits. */
    void (*on_wait)(struct run *run);
    /* A hold ended and none is left: what the run did so far stands. */
    void (*on_commit)(struct run *run);
    /* Should this view end now, for something newer? Asked at the points of hold.h. */
    bool (*superseded)(struct run *run);
    /* The last call: how it ended stands in run->state and run->leave. */
    void (*on_end)(struct run *run);
};

struct run {
    struct engine *engine;
    struct session *session; /* NULL: the host's own work */
    const struct run_owner *owner;
    void *data; /* the owner's */
    uint64_t number;
    enum run_state state;
    enum leave leave;
    bool leaving;         /* `leave` waits for a write under way or a shield */
    struct list branches; /* all not yet ended */
    struct branch *main;
    struct list defers;
    struct draft *draft; /* NULL without a session */
    struct holds holds;
    int container_reference; /* where the main branch drew when the run ended */
    uint64_t press;          /* the widget pressed, 0 for none */
    uint64_t seen;           /* the last patch the page had applied at that event */
    uint64_t started;        /* uv_hrtime */
    uint64_t cpu;            /* nanoseconds spent in Lua so far */
    uint64_t cpu_limit;      /* nanoseconds */
    size_t growth;           /* bytes of Lua memory this run has added so far */
    size_t relieved;         /* ... when the garbage was last collected for it */
    unsigned cycles;         /* of a collection under way for it */
    size_t printed;          /* bytes */
    bool memory_over;
    const struct branch *grower; /* took much last; only compared */
    bool rerun_after;            /* ui.rerun() in a callback: when the script has ended */
    bool write_unknown;          /* a write under way was given up */
    struct alarm wall;           /* the wall-clock limit */
    struct alarm stop;           /* how long a leaving run waits for a write */
    unsigned operations;         /* ops started */
    struct failure *failure;     /* of LEAVE_FAILED and LEAVE_LIMIT, by run_failure; NULL before */
};

enum { BRANCH_DOOMED = -1 };

/* One coroutine of a run. */
struct branch {
    struct run *run;
    struct branch *parent;  /* waits for it, or NULL */
    struct list link;       /* in the run */
    struct list ready_link; /* in the scheduler's line */
    bool in_line;
    bool begun;
    lua_State *co;
    int reference;           /* keeps the coroutine */
    int arguments;           /* values on its stack for the next resume */
    struct op *op;           /* what it waits for */
    uint64_t presses;        /* received so far: _ml_P[1] */
    int container_reference; /* the Lua handle of where it draws, LUA_NOREF for main: _ml_P[2] */
    bool row_of_writes;      /* a hold: from a write to the next draw or read */
    unsigned shields;        /* holds of ui.shield open here: _ml_P[3] */
    bool doomed;             /* to be ended as soon as nothing in it is waited for */
    /* For children; status is that of lua_resume, or BRANCH_DOOMED. */
    int error; /* reference of what it died of, LUA_NOREF before */
    void (*on_end)(struct branch *branch, int status, int results);
    void *data;
};

/* ---- for the doors (api/) ---- */

/* The branch that is resumed now, or NULL outside a run. */
struct branch *branch_of(lua_State *L);
struct run *run_of(lua_State *L);

/* The database of the run's app, its session's gate (NULL without one), and the milliseconds until
 * the wall limit (at least 1). */
struct mongo *run_mongo(struct run *run);
struct mongo_gate *run_gate(struct run *run);
unsigned run_time_left(struct run *run);

/* True exactly once, for the widget whose press this run carries. */
bool run_receive_press(lua_State *L, struct branch *branch, uint64_t id);

/* To be asked before each draw: it ends a row of writes, and with it maybe the run. When it answers
 * false, the C function ends with `return run_leave_here(L, LEAVE_SUPERSEDED)`. */
bool run_before_draw(lua_State *L, struct branch *branch);

/* The script's line now running, and optionally its file; 0 if unknown. */
int run_line(lua_State *L, char *file, size_t size);

/* Leave the run from inside a call of its script: `return run_leave_here(L, LEAVE_RERUN)`. Writes
 * under way and shields of other branches are waited for. */
int run_leave_here(lua_State *L, enum leave leave);

/* ---- for the owner ---- */

/* A new run whose script is the function on top of `L` with `arguments` values above it; both are
 * moved to its coroutine. */
struct run *run_new(struct engine *engine, lua_State *L, int arguments, struct session *session,
                    const struct run_owner *owner, void *data);
void run_start(struct run *run);

/* End it from outside: stopped and shutdown wait a while for a write under way, the others end at
 * once. Of a run that is being left already, the stronger reason counts. */
void run_leave(struct run *run, enum leave leave);

/* True while it may not be superseded. */
bool run_is_action(const struct run *run);

/* Where its failure stands or is to be written; most runs never have one. */
struct failure *run_failure(struct run *run);

/* Look now whether the owner wants it superseded. */
void run_look(struct run *run);

/* ---- inside the room ---- */
struct branch *branch_new(struct run *run, struct branch *parent, lua_State *L, int arguments);
void branch_end(struct branch *branch);
void branch_ready(struct branch *branch);
/* _ml_P is the branch's while it is resumed: write it, or read back what Lua may have changed. */
void branch_share(const struct branch *branch);
void branch_sync(struct branch *branch);
void run_finish(struct run *run, enum leave leave);
void run_on_branch_end(struct branch *branch, int status, int results);
/* Is there anything that a run that is left as `run->leave` says waits for? */
bool run_has_unfinished_business(const struct run *run);
/* Is the branch, or one inside of it, in a write or in a shield? Then it cannot be ended yet. */
bool branch_is_busy(const struct branch *branch);
/* Is it inside of a doomed branch, and not in a shield of that? Then it does not go on. */
bool branch_is_doomed(const struct branch *branch);
/* The same; and what is doomed is ended if nothing in it is busy any more. */
bool branch_end_doomed(struct branch *branch);

#endif
