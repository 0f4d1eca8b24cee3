/*
 * The inside of a mongo, shared by the files of this room: members (clients and what they are
 * at), requests, leases, the killer. All of it belongs to the loop thread.
 *
 * A member is idle, busy (its job is with the worker), or held: pinned by a lease, or waiting for
 * the answer to its kill. Every change ends in member_settle, which decides what comes next.
 */
#ifndef MOONLIT_MONGO_POOL_H
#define MOONLIT_MONGO_POOL_H

#include "mongo/client.h"
#include "worker/worker.h"

struct member {
    struct job job;
    struct client client;
    struct mongo *mongo;
    struct list link;      /* in the mongo's members */
    struct list idle_link; /* in the mongo's idle */
    struct list kill_link; /* in the killer's waiting or sent */
    struct list gate_link; /* in the gate's kills */
    struct mongo_gate *gate;
    struct mongo_request *request; /* that waits for the call, or NULL */
    struct mongo_lease *lease;     /* that pins it, or NULL */
    bool busy;
    bool leaving;      /* its job is to disconnect */
    bool kill_pending; /* its killSessions is unanswered */
    uint8_t kill_id[16];
    uint64_t cut_at; /* loop time at which a killed call is cut; 0: not killed */
    uint64_t idle_since;
};

enum request_state { REQUEST_WAITING, REQUEST_RUNNING, REQUEST_FAILED };

struct mongo_request {
    struct list link; /* in the queue, a gate's waiting, or failed */
    struct list all;  /* in the mongo's requests */
    struct mongo *mongo;
    struct mongo_gate *gate;
    struct mongo_lease *lease;
    struct member *member;
    enum request_state state;
    struct call call; /* until it is handed to a member */
    bool keeps_cursor;
    uint64_t deadline; /* of waiting, loop time */
    struct mongo_error error;
    mongo_done *done;
    void *data;
};

struct mongo_lease {
    struct list link;
    struct mongo *mongo;   /* NULL once that has stopped */
    struct member *member; /* NULL when the cursor is gone */
    uint32_t server;
    struct reply_cursor cursor;
    char *database; /* of the command that opened it */
};

struct killer {
    struct job job;
    struct client client; /* the control connection */
    struct list waiting;
    struct list sent;
    uint8_t *ids;
    size_t count;
    bool busy;
    bool leaving;
    uint64_t used_at;
};

struct mongo {
    uv_loop_t *loop;
    struct log *log;
    struct settings settings;
    struct wire_counts counts;
    struct worker *worker;
    uv_timer_t tick; /* whatever comes with time */
    uv_timer_t soon; /* callbacks that must not run inside mongo_start */
    struct list members;
    struct list idle;
    struct list queue;
    struct list failed;
    struct list requests;
    struct list leases;
    struct killer killer;
    struct mongo_stats stats; /* the counters among them */
    unsigned handles;         /* still to be closed */
    bool stopping;
    uint64_t stop_at;
    void (*stopped)(void *data);
    void *stopped_data;
};

/* mongo.c */
void mongo_need_tick(struct mongo *mongo, bool fast);
void mongo_finish_stop(struct mongo *mongo);

/* member.c */
struct member *member_take(struct mongo *mongo);
bool member_start(struct member *member);
void member_settle(struct member *member);
void member_leave(struct member *member);
void member_cut(struct member *member);

/* request.c */
void request_fail(struct mongo_request *request, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void request_dispatch(struct mongo_request *request);
void requests_pump(struct mongo *mongo);
void requests_deliver_failed(struct mongo *mongo);
void requests_time_out(struct mongo *mongo, uint64_t now);
void request_answer(struct mongo_request *request, struct member *member);

/* lease.c */
struct mongo_lease *lease_of_reply(struct member *member);
void lease_after_call(struct mongo_lease *lease, struct member *member);
void lease_lose(struct mongo_lease *lease);

/* killer.c */
bool killer_init(struct mongo *mongo);
void killer_add(struct member *member, struct mongo_gate *gate);
void killer_tick(struct mongo *mongo, uint64_t now);
void killer_stop(struct mongo *mongo);
bool killer_is_gone(const struct mongo *mongo);

#endif
