/*
 * One client of the pool: a single libmongoc client with its session, and the call it makes.
 *
 * A client is used by one thread at a time: by the worker between submit and done, else by the
 * loop. What the loop may touch meanwhile says so: client_give_up, client_copy_lsid, wire_cut.
 *
 * It connects when it is first used. A connection that breaks is closed on the worker, at once;
 * the empty client can connect anew. A client whose wire is cut is of no more use.
 */
#ifndef MOONLIT_MONGO_CLIENT_H
#define MOONLIT_MONGO_CLIENT_H

#include "mongo/command.h"
#include "mongo/wire.h"
#include <pthread.h>

/* What the worker is to do, and what came of it. Owns its memory. */
struct call {
    char *database;
    uint8_t *bson;
    size_t length;
    enum mongo_kind kind;
    unsigned max_time_ms;
    uint32_t server; /* 0: any that fits; else the one where the cursor is */
    bool repeats;    /* may be sent once more although it is a write without a number */
    bool was_lost;   /* an answer was: the server may have done it */

    bool ok;
    uint8_t *reply; /* NULL when none came */
    size_t reply_length;
    struct mongo_error error;
    struct reply_cursor cursor; /* of the reply; id 0: none or at its end */
    uint32_t replied;           /* the server that answered */
};

enum client_session {
    SESSION_LATER = 0, /* not connected, or not yet */
    SESSION_NEVER,     /* the server has no sessions */
    SESSION_OPEN,
};

struct client {
    const struct settings *settings;
    const mongoc_uri_t *uri;
    unsigned patience; /* ms in which a server must be found */
    struct wire wire;
    struct call call;

    /* the worker's */
    mongoc_client_t *driver;          /* NULL: not connected */
    mongoc_client_session_t *session; /* NULL: the server has none */
    int64_t number;                   /* last txnNumber given */
    bool numbers;                     /* writes get a number */
    uint32_t server;                  /* that answered last */

    /* shared */
    atomic_bool given_up; /* nobody waits for the call any more */
    atomic_bool returned; /* the call has its result */
    pthread_mutex_t lock; /* guards what follows */
    enum client_session session_state;
    uint8_t lsid[16];
};

bool client_init(struct client *client, const struct settings *settings, const mongoc_uri_t *uri,
                 struct wire_counts *counts);

/* Disconnected before, on a worker. */
void client_deinit(struct client *client);

void call_clear(struct call *call);

/* Fill the result of `client->call`, connecting before and repeating as the rules allow. */
void client_call_on_worker(struct client *client);

/* Says goodbye to the server; blocks unless cut. */
void client_disconnect_on_worker(struct client *client);

/* For the control connection: kill the sessions in `ids` (16 bytes each), at every member when
 * reads do not all go to the primary. The result is in `client->call`. */
void client_kill_sessions_on_worker(struct client *client, const uint8_t *ids, size_t count);

/* The call stops at its next step, without repeating. */
void client_give_up(struct client *client);

/* Has the server session in which the client's calls run an id? A call given up before it had one
 * (SESSION_LATER) sends nothing. */
enum client_session client_copy_lsid(struct client *client, uint8_t lsid[16]);

#endif
