/*
 * A small MongoDB for tests: a thread for each connection, OP_MSG and the old OP_QUERY handshake,
 * and switches for everything that can go wrong. All functions may be called from any thread.
 *
 * Commands: hello, isMaster, ping, insert (counted; a repeated lsid and txnNumber gets the first
 * answer), killSessions, killCursors, endSessions, and
 *   find with filter { block: true }  waits for fake_mongo_release or a kill of its session
 *   find with filter { fail: CODE }   answers that error
 *   find with filter { batches: N }   opens a cursor of N batches, read by getMore
 * Everything else is answered { ok: 1 }.
 */
#ifndef FAKE_MONGO_H
#define FAKE_MONGO_H

#include <stdbool.h>

struct fake_mongo;

struct fake_options {
    bool silent;       /* accepts and never answers */
    bool deaf_to_kill; /* answers killSessions and ends nothing */
    bool mute_on_kill; /* never answers killSessions */
    bool standalone;   /* no replica set: no numbered writes */
    bool no_sessions;
    int close_on_find;   /* so many finds are answered by closing the connection */
    int close_on_hello;  /* so many handshakes are answered by closing the connection */
    int close_on_insert; /* so many inserts are done, and then the connection closed */
    int garbled;         /* one reply of so many is spoiled (garble.h) */
    int cut_finds;       /* the answers to so many finds are cut in half */
    int refuse_inserts;  /* so many inserts are refused with NotWritablePrimary and a label */
};

struct fake_numbers {
    int connections; /* accepted since the start */
    int open;        /* now */
    int finds;       /* received */
    int blocked;     /* finds that wait now */
    int get_mores;
    int inserts;          /* done */
    int insert_commands;  /* received */
    int numbered_inserts; /* ... with a txnNumber */
    int kill_commands;    /* killSessions received */
    int killed_sessions;  /* named in them */
    int most_killed;      /* named in one of them */
    int finds_killed;     /* blocked finds that a kill ended */
    int killed_cursors;
    int end_sessions;
    int concerns;    /* read and write concerns received with commands that have none */
    int max_time_ms; /* of the last command that had it, else 0 */
    int finds_before_kill_answered; /* finds that began while a killSessions was being answered */
};

/* Listens on a port of its own on 127.0.0.1, or on a socket file in /tmp. */
struct fake_mongo *fake_mongo_new(bool on_unix_socket);
void fake_mongo_free(struct fake_mongo *fake);

/* mongodb://.../test without options. */
const char *fake_mongo_uri(const struct fake_mongo *fake);

void fake_mongo_set(struct fake_mongo *fake, struct fake_options options);
void fake_mongo_hold_kills(struct fake_mongo *fake, bool hold); /* answered when let go */
void fake_mongo_release(struct fake_mongo *fake);               /* all blocked finds */
void fake_mongo_disconnect_all(struct fake_mongo *fake);
struct fake_numbers fake_mongo_numbers(struct fake_mongo *fake);

#endif
