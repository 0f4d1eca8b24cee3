/*
 * All sessions of a host, by their secret id; their number has an upper bound, and those without a
 * page expire.
 *
 * The secret is 128 random bits in hexadecimal: whoever knows it is the page. It is never logged;
 * the short public id is.
 *
 * Thread: loop.
 */
#ifndef MOONLIT_SESSION_REGISTRY_H
#define MOONLIT_SESSION_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "session/session.h"

struct draft;
struct engine;

enum { REGISTRY_BUCKETS = 4096 };

/* What sessions ask of the app. */
struct registry_app {
    /* Push the run's function and its arguments; returns how many arguments. */
    int (*push_run)(void *data, lua_State *L, struct session *session, const struct event *event);
    /* The container in which the run's main branch draws. */
    uint64_t (*place)(void *data, const struct run *run);
    /* What the session's run did so far stands, or never was. */
    void (*commit)(void *data, struct session *session);
    void (*rollback)(void *data, struct session *session);
    /* What the run has drawn so far reached the page with patch `seq`; the page is known to have
     * applied patch `seen`. */
    void (*published)(void *data, struct session *session, uint64_t seq, uint64_t seen);
    /* Make and forget the session's Lua table. */
    int (*new_session)(void *data, struct session *session);
    void (*end_session)(void *data, struct session *session);
    void *data;
};

struct registry {
    struct engine *engine;
    struct registry_app app;
    const char *app_name;
    uint64_t idle_ms; /* a session without a page is kept for so long */
    size_t most;      /* sessions at once */
    struct list sessions;
    size_t count;
    uint64_t opened;
    bool closing;
    struct draft *spare_draft;
    struct session *buckets[REGISTRY_BUCKETS];
};

struct registry *registry_new(struct engine *engine, const struct registry_app *app,
                              const char *app_name, uint64_t idle_ms, size_t most);

/* Every session's run has ended before. */
void registry_free(struct registry *registry);

/* The session with this secret, or NULL. */
struct session *registry_find(struct registry *registry, const char *secret);

/* A new one; NULL and a sentence when there are too many. The longest without a page goes first. */
struct session *registry_open(struct registry *registry, struct error *error);

void registry_remove(struct registry *registry, struct session *session);

/* Every session wants a run (the script changed). */
void registry_reload(struct registry *registry);

/* Send bytes to every page. */
void registry_broadcast(struct registry *registry, const uint8_t *bytes, size_t length);

/* End all runs (shutdown): writes under way are waited for, no new run starts. */
void registry_cancel_runs(struct registry *registry);
bool registry_has_runs(const struct registry *registry);

#endif
