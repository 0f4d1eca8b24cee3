/*
 * What the files of this room share. No other room includes it.
 *
 * A connection is one TCP stream with its queue of unsent bytes; what is spoken on it is its
 * conversation, first HTTP, then perhaps a WebSocket. Everything hangs from the server: the loop,
 * one read buffer for all (bytes are used up or copied before the next read), one coarse timer that
 * visits every connection, and a list of connections that want to be called from the loop.
 *
 * A connection lives from accept to the close callback of its handle; connection_cut is the only
 * way there, and after any call that may write, connection->is_cut tells whether to go on.
 */
#ifndef MOONLIT_NET_INSIDE_H
#define MOONLIT_NET_INSIDE_H

#include "base/buffer.h"
#include "base/list.h"
#include "net/head.h"
#include "net/origin.h"
#include "net/server.h"

struct connection;

/* Each is called from the loop, with the connection not cut. */
struct conversation {
    void (*on_bytes)(struct connection *connection, uint8_t *bytes, size_t length);
    void (*on_end)(struct connection *connection);     /* the peer sends no more */
    void (*on_written)(struct connection *connection); /* the queue became shorter */
    void (*on_later)(struct connection *connection);   /* asked for by connection_later */
    void (*on_tick)(struct connection *connection, uint64_t now);
    void (*on_drain)(struct connection *connection); /* the server wants to end */
    void (*on_gone)(struct connection *connection);  /* the last call; is_cut */
};

/* The HTTP side of a connection. */
struct http {
    struct buffer held; /* bytes of a head that is not whole, or of requests behind the present */
    size_t scanned;     /* how far the next head was searched for its end */
    uint64_t since;     /* when the head's first byte came, or the connection fell idle */
    bool has_begun;     /* the next head has begun */
    bool is_busy;       /* a request is being answered: nothing is read */
    bool is_reading;    /* inside the loop over heads */
    bool ends_after;    /* the answer under way is the last */
    struct request *request; /* with the application */
};

struct connection {
    uv_tcp_t tcp;
    struct server *server;
    struct list link;  /* in server->connections */
    struct list later; /* in server->later, or unlinked */
    const struct conversation *conversation;
    struct http http;
    struct socket *socket; /* after the upgrade */
    struct list blocks;    /* unsent bytes behind the one uv_write under way */
    size_t waiting;        /* bytes in `blocks` */
    bool is_writing;       /* a uv_write is under way */
    bool is_ending;        /* nothing more to say: flush, FIN, wait for the peer, cut */
    bool has_shut;         /* FIN was asked for */
    bool is_cut;           /* the handle is closing */
    uint64_t queued_ever;  /* bytes that ever had to wait */
    uint64_t taken;        /* ... and that the peer had taken at the last visit of the timer */
    uint64_t progress;     /* when some of it was last taken, or the first byte began to wait */
    uint64_t heard;        /* when bytes last came */
    uv_shutdown_t shutdown;
    char peer[64];
};

struct server {
    uv_loop_t *loop;
    struct log *log;
    struct server_limits limits;
    struct server_callbacks callbacks;
    void *data;
    const struct asset *assets;
    struct origin_rules rules;
    char *common_lines; /* the headers of every response, and the empty line */
    char date[32];
    uint64_t date_second;
    uv_tcp_t *listener; /* NULL: none is open; freed in its close callback */
    bool is_starved;    /* the listener was closed for want of file descriptors: try again */
    struct sockaddr_storage address;
    int port;
    int reserve; /* a file descriptor to give up when there are no more; -1 while given up */
    uv_timer_t tick;
    uv_timer_t drain_timer;
    uv_idle_t idle;
    size_t handles; /* open ones that are not connections' */
    struct list connections;
    struct list later;
    struct server_stats stats; /* `queued` is counted when asked for */
    bool is_draining;
    bool is_freed;
    void (*on_done)(void *data);
    void *done_data;
    uint8_t read_buffer[64 * 1024];
};

/* ---- connection.c ---- */

/* Takes the connection that waits at the listener; NULL if there is none after all. */
struct connection *connection_accept(struct server *server,
                                     const struct conversation *conversation);

/* Send the parts, in order; copies only what the kernel refuses. Every byte that is sent goes
 * through connection_write, every byte that comes goes through connection.c's on_read: TLS would
 * stand there. */
void connection_write(struct connection *connection, const uv_buf_t *parts, unsigned count);
size_t connection_queued(const struct connection *connection);

/* Forget what was queued by whole calls of connection_write and not begun. */
void connection_forget(struct connection *connection);

void connection_stop_reading(struct connection *connection);
void connection_start_reading(struct connection *connection);
void connection_later(struct connection *connection);
void connection_end(struct connection *connection);
void connection_cut(struct connection *connection);
void connection_tick(struct connection *connection, uint64_t now);

/* ---- answer.c ---- */

/* What an answer is made of, beside its body. */
struct answer {
    int status;
    const char *type;  /* NULL: no body */
    const char *cache; /* Cache-Control */
    const char *lines; /* further header lines, or NULL */
    bool is_head;      /* the length is told, the body is not sent */
};

void answer_send(struct connection *connection, const struct answer *answer, const void *body,
                 size_t length);

/* A sentence as the body; `head` (NULL when it could not be read) tells whether it is wanted. */
void answer_words(struct connection *connection, const struct head *head, int status,
                  const char *lines, const char *words);

/* The last answer of a connection: what follows it is not believed. */
void answer_refusal(struct connection *connection, const struct head *head, int status,
                    const char *lines, const char *words);

/* The asset at the head's path, as the browser likes it, or 404. */
void answer_asset(struct connection *connection, const struct head *head);

/* Some of an answer was written; when all of it has left, the next request may be read. */
void answer_finish(struct connection *connection);

/* ---- http.c, socket.c ---- */

extern const struct conversation http_conversation;
extern const struct conversation socket_conversation;

/* Turn a connection, whose upgrade was answered, into a socket and tell the application. */
void socket_open(struct connection *connection, const char *query);

/* ---- server.c ---- */

/* A connection's handle is closed. */
void server_lost(struct server *server);

/* Call the connections in server->later from the loop. */
void server_wake(struct server *server);

const char *server_date(struct server *server);

#endif
