/*
 * The host: the one struct from which everything hangs.
 *
 * Life: host_new makes it on a loop the caller gives and runs; host_start loads the app, finds the
 * database, listens, and says so by the log; host_stop ends it in order and calls `done` on the
 * loop; then host_free. Nothing here is mutable outside of the struct, so several hosts live beside
 * each other in one process.
 *
 * Thread: loop.
 */
#ifndef MOONLIT_HOST_H
#define MOONLIT_HOST_H

#include <stdbool.h>
#include <uv.h>

#include "base/list.h"
#include "base/log.h"
#include "config.h"
#include "mongo/mongo.h"
#include "net/server.h"
#include "run/engine.h"

struct app;
struct registry;
struct session;
struct state;
struct store_child;

struct host {
    uv_loop_t *loop;
    struct log *log;
    struct config config;
    struct state *state;
    struct engine engine;
    struct app *app;
    struct registry *registry;
    struct server *server;
    struct mongo *mongo;
    struct store_child *store;
    struct list waiting_pages; /* pages whose session's old page is being asked (page.c) */
    char *database_words;      /* which database, for people */
    void (*on_ready)(void *data);
    void (*on_stopped)(void *data);
    void *data;
    struct alarm stopping; /* looks whether the runs have ended */
    bool is_stopping;
    bool drained;
};

struct host *host_new(uv_loop_t *loop, struct log *log, const struct config *config,
                      struct error *error);

/* Listen and load. False and a sentence when it cannot be served. */
bool host_start(struct host *host, struct error *error);

/* The port it listens on, and a sentence about the database in use. */
int host_port(const struct host *host);
const char *host_database(const struct host *host);

void host_stop(struct host *host, void (*done)(void *data), void *data);

/* The process ends now, whatever is under way: leave no file of ours behind. */
void host_abandon(const struct host *host);

/* After `done`, when the loop has run the closing of its handles. */
void host_free(struct host *host);

/* A page has come: tell it what is wrong with the changed script, if something is. */
void host_greet(struct host *host, struct session *session);

#endif
