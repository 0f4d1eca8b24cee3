/*
 * A session: one browser tab and what it remembers. It outlives its sockets, and at most one run of
 * it is alive.
 *
 * Life: registry_open makes it at a page's first hello; session_attach gives it an outlet (a live
 * socket, or an embedder's), session_detach takes it away; events come by session_receive; it ends
 * when it had no outlet for the session time-out and no press waits, or with the host.
 *
 * A run takes what the queue holds up to the first press, and applies its values to the widgets and
 * to the tree (that is what the page shows). What the run draws is flushed into the tree at each
 * wait and at its end, and the difference goes to the outlet as a patch. The tree is what the page
 * has been told, whether or not a page is there: on reconnect it gets what it missed, or the tree.
 *
 * Ownership: the registry owns sessions; a session owns its tree, widgets, queue and run.
 * Thread: loop.
 */
#ifndef MOONLIT_SESSION_SESSION_H
#define MOONLIT_SESSION_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/list.h"
#include "mongo/mongo.h"
#include "run/clock.h"
#include "run/run.h"
#include "session/event.h"

struct message;
struct patch;
struct registry;
struct tree;
struct widgets;

enum { SESSION_SECRET_LENGTH = 32, SESSION_PUBLIC_LENGTH = 8 };

/* Where a session's messages go: given by the host, so that a socket, a test and an embedder are
 * equal guests. `send` returns how many bytes wait unsent. */
struct outlet {
    size_t (*send)(void *data, const uint8_t *bytes, size_t length);
    void (*close)(void *data, int code, const char *reason);
    void *data;
};

/* Why the next run is wanted. */
enum session_want {
    WANT_NOTHING = 0,
    WANT_RUN = 1,    /* ui.rerun(): waits for the run alive */
    WANT_RELOAD = 2, /* the script changed or the page was loaded anew: supersedes views */
};

struct session {
    struct registry *registry;
    struct list link;
    char secret[SESSION_SECRET_LENGTH + 1];
    char public_id[SESSION_PUBLIC_LENGTH + 1];
    struct session *next_in_bucket;

    struct outlet outlet; /* send is NULL without a page */
    char locale[32], zone[64], theme[8];
    uint64_t started; /* seconds since 1970 */

    struct tree *tree;
    struct widgets *widgets;
    int reference; /* the session's Lua table */

    struct event_queue queue;
    uint64_t load;     /* the page load now; 0 for none */
    int64_t taken;     /* last event of this load that is in the queue or done */
    int64_t reflected; /* last event of this load that a run has taken */
    bool refusing;     /* events after `taken` were refused */

    struct run *run; /* the one alive */
    int want;
    unsigned reruns;       /* ui.rerun() in a row */
    uint64_t handed_on;    /* a press that a rerun handed on */
    unsigned patience;     /* ms a view runs before a value supersedes it */
    uint64_t waited_since; /* when something newer began to wait, uv_hrtime; 0: nothing waits */
    struct alarm look;     /* when to look again at a view or an unreceived press */
    struct mongo_gate gate;

    uint64_t seq;       /* of the last patch */
    bool is_full;       /* the outlet's queue is: patches are held back */
    bool is_behind;     /* some were: the page gets the whole tree when the queue has fallen */
    struct list frames; /* sent lately, for a reconnect */
    size_t frames_size;
    bool announced; /* the page knows that the run is alive */

    struct alarm expiry;
};

/* A page is there: welcome it, send what it missed or the whole tree, and start a run if it is a
 * new page load. */
void session_attach(struct session *session, const struct outlet *outlet,
                    const struct message *hello);
void session_detach(struct session *session);

/* A decoded message other than hello. False: the page broke the protocol (error filled). */
bool session_receive(struct session *session, const struct message *message, struct error *error);

/* The outlet's queue has fallen: send the newest state. */
void session_drained(struct session *session);

/* The script changed (or, without `reload`, a plain rerun is wanted). */
void session_request_run(struct session *session, enum session_want want);

/* Tell the page that the changed script does not compile, or compiles again. */
void session_send_bytes(struct session *session, const uint8_t *bytes, size_t length);

/* The random name of a page load, as `load`. */
uint64_t session_load_number(const char *text);

/* Inside the room. */
struct session *session_new(struct registry *registry);
void session_start_next_run(struct session *session);
void session_flush(struct session *session, struct run *run, bool ended);
void session_free(struct session *session);

/* From now on the page shows these values: it sent them itself, they go with the whole tree, or, if
 * there is one, with `patch`. */
void session_tell_values(struct session *session, const struct event *event, struct patch *patch);

/* Log a failure of the run's script and draw it, with line, source and traceback. */
void session_show_failure(struct run *run, uint64_t container);
extern const struct run_owner session_run_owner;

#endif
