/*
 * The street door: HTTP/1.1 and WebSockets on the host's own loop.
 *
 * Life: server_new, server_listen (once), then callbacks from the loop; server_drain to end
 * politely; server_free to end at once. server_free cuts what is left and calls nothing back any
 * more; its memory goes when the loop has run the closing of its handles, so run the loop once more
 * before uv_loop_close.
 *
 * What it answers itself: the embedded assets, /_moonlit/socket (the upgrade), and every refusal.
 * Other paths below /_moonlit/ go to on_request. A request whose Host is not an allowed name is
 * refused with 403, and so is an upgrade whose Origin is foreign or missing.
 *
 * One loop, one thread, no locks. No callback ever comes from inside a call the application makes.
 */
#ifndef MOONLIT_NET_SERVER_H
#define MOONLIT_NET_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "base/log.h"
#include "net/asset.h"
#include "net/http.h"
#include "net/socket.h"

struct server;

/* A field of 0 means the default of limits.h. Sizes are bytes, times are milliseconds. */
struct server_limits {
    size_t head;          /* head of a request */
    unsigned head_time;   /* from the first byte of a head to its last */
    unsigned idle_time;   /* a kept-alive connection without a request */
    unsigned stall_time;  /* unsent bytes of which the browser takes nothing */
    unsigned connections; /* open at once */
    size_t message;       /* one message from the browser */
    size_t queue_soft;    /* unsent bytes of a socket: on_drained below this */
    size_t queue_hard;    /* unsent bytes of a socket: closed with 1013 above this */
    unsigned ping_time;   /* silence before a ping */
    unsigned dead_time;   /* silence before a socket is cut */
    unsigned close_time;  /* wait for the answer to a Close */
};

/* `data` is server_config.data in all of them. NULL is allowed for each. */
struct server_callbacks {
    void (*on_request)(void *data, struct request *request);
    void (*on_open)(void *data, struct socket *socket);
    void (*on_message)(void *data, struct socket *socket, const uint8_t *bytes, size_t length,
                       bool is_text); /* the bytes are a view that dies with the call */
    void (*on_drained)(void *data, struct socket *socket);
    void (*on_closed)(void *data, struct socket *socket, int code); /* the last word of a socket */
};

struct server_config {
    struct server_limits limits;
    const char *const *hosts;   /* allowed besides loopback and the bound host: "NAME" or
                                   "NAME:PORT", ended by NULL; copied. NULL: none */
    const struct asset *assets; /* must outlive the server. NULL: none */
    const char *script_hashes; /* for the policy: "'sha256-...' 'sha256-...'"; copied. NULL: none */
    struct server_callbacks callbacks;
    void *data;
};

struct server_stats {
    size_t connections; /* open now, WebSockets included */
    size_t sockets;     /* open now */
    uint64_t accepted;  /* ever */
    uint64_t refused;   /* closed at the door: too many, or no file descriptor left */
    uint64_t requests;  /* heads answered, refusals and upgrades included */
    uint64_t bytes_in;
    uint64_t bytes_out;
    size_t queued; /* unsent bytes of all connections */
};

/* `log` may be NULL. Fails only on a wrong config. */
struct server *server_new(uv_loop_t *loop, struct log *log, const struct server_config *config,
                          struct error *error);

/* `host` is an address or a name; `port` 0 takes any free one. The error is one sentence for the
 * user. May be called again after a failure. */
bool server_listen(struct server *server, const char *host, int port, struct error *error);
int server_port(const struct server *server);

/* Stop accepting, close sockets with 1001, let requests finish, and cut what is left after
 * `deadline_ms`. `done` (may be NULL) comes when no connection is left, after the last on_closed.
 */
void server_drain(struct server *server, unsigned deadline_ms, void (*done)(void *data),
                  void *data);

void server_free(struct server *server);

struct server_stats server_stats(const struct server *server);

#endif
