/*
 * The database: commands in, replies out, as BSON bytes, without the loop ever waiting.
 *
 * Everything a script asks of a database is one thing here: run this command in that database.
 * A command becomes a request; it waits for a free client of the pool (single, unpooled libmongoc
 * clients with our own streams), runs on a worker thread and calls back on the loop.
 *
 * Life of a request: mongo_start; then exactly one of
 *   - its callback runs once, from the loop and never inside mongo_start, or
 *   - mongo_cancel, after which the callback never runs.
 * Either ends it: the pointer is dead from the callback's start on.
 *
 * Cancelling. A request that has not started is withdrawn. A read under way is given up at once,
 * and its work at the server ended by killSessions over one control connection outside the pool
 * (kills that wait go out together). Its client comes back into the pool when both the call has
 * returned and the kill is answered; one that does not return soon after is cut off at the socket
 * and dropped. A write under way can only be cut; whether it happened is then unknown.
 *
 * Gates. Each session has one; while a kill of the session's is unanswered, its new requests wait
 * there, so that a run never starts an operation beside what is left of its predecessor.
 *
 * Cursors. A server's cursor lives in the session of the client that opened it, so a reply with an
 * open cursor pins its client: the result carries a lease, and getMore goes through the lease.
 *
 * Retries are our own, at most two, and stop when the request is cancelled: reads outside leases,
 * and writes that carry a number by which the server knows a repetition (insert, findAndModify,
 * update and delete of one document each; not on a standalone server). A server that cannot be
 * found is looked for until serverSelectionTimeoutMS has passed. `retryReads=false` and
 * `retryWrites=false` in the URI hold.
 *
 * All functions are for the loop thread.
 */
#ifndef MOONLIT_MONGO_MONGO_H
#define MOONLIT_MONGO_MONGO_H

#include "base/error.h"
#include "base/list.h"
#include "base/log.h"
#include "limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct mongo;
struct mongo_request;
struct mongo_lease;

/* ---- the process ----------------------------------------------------------------------------- */

/* Once per process, by main, before the first mongo_new; the library's own messages go to `log`
 * (which outlives mongo_global_deinit), without addresses' passwords. */
void mongo_global_init(struct log *log);
void mongo_global_deinit(void);

/* Before main begins the driver puts its counters into /dev/shm, where a process that is killed
 * would leave them for good. This takes the name away; the first thing that every command does. */
void mongo_global_hide(void);

/* ---- a database ------------------------------------------------------------------------------ */

/* Copied. What the URI itself says (maxPoolSize, appName, the timeouts) wins. */
struct mongo_config {
    const char *uri;
    const char *app_name; /* NULL: none */
    unsigned pool_size;   /* clients at most; 0: LIMIT_MONGO_POOL */
    unsigned run_time; /* wall limit of a run, the socket's time-out is a little longer; 0: none */
};

/* Connects to nothing yet. NULL and an error for a URI that is not one; the sentence never
 * contains a password. */
struct mongo *mongo_new(uv_loop_t *loop, struct log *log, const struct mongo_config *config,
                        struct error *error);

/* Ends everything: what waits or runs and was not cancelled gets its callback with an error, hung
 * calls are cut, threads joined, handles closed, the struct freed; then `done` on the loop. Leases
 * stay their owners', dead, and are still to be released. Takes a fraction of a second whatever
 * the server does. From here on nothing may be started. */
void mongo_stop(struct mongo *mongo, void (*done)(void *data), void *data);

/* Host names or socket path, for people; and the database that the URI names, or "test". Both
 * live as long as the mongo. */
const char *mongo_address(const struct mongo *mongo);
const char *mongo_default_database(const struct mongo *mongo);

/* ---- gates ----------------------------------------------------------------------------------- */

struct mongo_gate {
    struct list kills;   /* clients whose kill is unanswered */
    struct list waiting; /* requests that wait for these, in order */
};

void mongo_gate_init(struct mongo_gate *gate);

/* No request started through it may still be alive; unanswered kills are forgotten. */
void mongo_gate_deinit(struct mongo_gate *gate);

/* ---- requests -------------------------------------------------------------------------------- */

enum mongo_kind {
    MONGO_READ, /* may be ended at any time, and repeated once when the connection breaks */
    MONGO_WRITE,
};

struct mongo_command {
    const char *database;
    const uint8_t *bson; /* the command's name is its first key; copied */
    size_t length;
    enum mongo_kind kind;
    unsigned max_time_ms;      /* 0: none; added as maxTimeMS, except to getMore and killCursors */
    bool keeps_cursor;         /* find, aggregate, list...: an open cursor becomes a lease */
    struct mongo_lease *lease; /* getMore (and only commands for its cursor): the client to use */
};

struct mongo_error {
    int code;           /* the server's, or 0 when it is not the server that speaks */
    char code_name[64]; /* the server's, or "" */
    char message[1024]; /* a sentence */
    unsigned label_count;
    char labels[LIMIT_MONGO_LABELS][64];
    bool unknown; /* a write that may or may not have happened */
};

/* Belongs to the callback's caller, except what the callee takes. */
struct mongo_result {
    bool ok;        /* the server answered { ok: 1 }. writeErrors and writeConcernError
                       inside such an answer are the caller's to look at */
    uint8_t *reply; /* the server's answer, also a refusal, sound BSON; NULL only when not ok
                       and there was none. From malloc; set it to NULL to take it */
    size_t length;
    struct mongo_lease *lease; /* of an open cursor, else NULL; the callee's */
    struct mongo_error error;  /* when not ok */
};

typedef void mongo_done(void *data, struct mongo_result *result);

/* Never NULL: what cannot even start (queue full, a dead lease, not BSON) calls back with an
 * error. `gate` may be NULL. */
struct mongo_request *mongo_start(struct mongo *mongo, struct mongo_gate *gate,
                                  const struct mongo_command *command, mongo_done *done,
                                  void *data);

/* True when the command surely changed nothing (it had not started, or is a read). */
bool mongo_cancel(struct mongo_request *request);

/* ---- leases ---------------------------------------------------------------------------------- */

/* The lease is gone with this call. A cursor still open is killed at the server; a request still
 * running on the lease must have ended before. */
void mongo_lease_release(struct mongo_lease *lease);

/* False when the cursor is at its end, was killed, or its connection is lost. */
bool mongo_lease_is_open(const struct mongo_lease *lease);

/* ---- numbers --------------------------------------------------------------------------------- */

struct mongo_stats {
    uint64_t connections_created;
    uint64_t connections_open;
    unsigned clients; /* in the pool, in whatever state, without the control connection */
    unsigned clients_idle;
    unsigned clients_pinned;   /* by leases */
    unsigned requests_waiting; /* for a client or at a gate */
    unsigned requests_running;
    unsigned requests_ending; /* given up, their client not back yet */
    uint64_t requests_ok;
    uint64_t requests_failed;
    uint64_t requests_cancelled; /* waiting or running */
    uint64_t requests_timed_out; /* in the queue */
    uint64_t kills;              /* sessions named in killSessions */
    uint64_t kill_commands;      /* killSessions sent */
    uint64_t cuts;               /* clients cut off at the socket */
};

void mongo_stats(const struct mongo *mongo, struct mongo_stats *stats);

#endif
