/*
 * The host's side of the built-in store: a child process that is started, restarted when it dies,
 * and ended with the host.
 *
 * The host owns the listening socket (a short path in a folder of the user's own) and hands it to
 * each new child, so that clients only notice a short wait when one dies. A lock file in the
 * store's folder says which host that is; a second host on the same folder joins: it uses the same
 * socket, and when the owner has ended, it takes the lock, the socket's path and the child over.
 *
 * The child has a session of its own, so that Ctrl+C does not reach it, and it ends when the host's
 * end of a pipe closes, however the host ends.
 *
 * Life: store_child_start; store_child_stop, whose `done` comes when nothing is left: no process,
 * no socket file, no handle. Thread: loop.
 */
#ifndef MOONLIT_STORE_CHILD_H
#define MOONLIT_STORE_CHILD_H

#include <stdbool.h>
#include <uv.h>

#include "base/error.h"
#include "base/log.h"

struct store_child;

struct store_child_options {
    const char *directory; /* made if missing; copied */
    const char *program;   /* the moonlit binary; NULL: the one now running */
    bool test_commands;
};

struct store_child_callbacks {
    /* The child died again and again before it served; it is tried further. */
    void (*on_failed)(void *data, const struct error *error);
    void *data;
};

struct store_child *store_child_start(uv_loop_t *loop, struct log *log,
                                      const struct store_child_options *options,
                                      const struct store_child_callbacks *callbacks,
                                      struct error *error);

/* "mongodb://...": usable at once, since the socket listens already. */
const char *store_child_uri(const struct store_child *child);

/* The process now serving, or 0 (joined, or between two). */
int store_child_process(const struct store_child *child);

/* The process ends now, without store_child_stop: take away what would outlive it. The child ends
 * by itself when we are gone. */
void store_child_abandon(const struct store_child *child);

void store_child_stop(struct store_child *child, void (*done)(void *data), void *data);

#endif
