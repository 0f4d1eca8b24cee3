/*
 * One live WebSocket.
 *
 * Life: it comes with on_open, after a good upgrade, and belongs to the server. Exactly one
 * on_closed ends it, whoever closed it and for whatever reason; the pointer is dead afterwards.
 * Until then every function here may be called, also on a socket that is closing: a send is then
 * dropped. None of them calls back: what they cause is told later, from the loop.
 *
 * Back-pressure: socket_send says how many bytes wait unsent. Above the soft mark
 * (server_limits.queue_soft) the application should hold its patches back and keep only the newest
 * state, until on_drained says that the queue has fallen below it; meanwhile nothing is read from
 * the socket, so that who does not listen cannot speak. Above the hard mark the socket is closed
 * with 1013, and the client comes back for the whole state. A peer that takes nothing of what waits
 * for the stall time is cut.
 *
 * Loop thread only.
 */
#ifndef MOONLIT_NET_SOCKET_H
#define MOONLIT_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

struct socket;

enum socket_kind { SOCKET_BINARY, SOCKET_TEXT };

/* The close codes the house uses; see RFC 6455, 7.4. */
enum socket_code {
    SOCKET_CODE_NORMAL = 1000,
    SOCKET_CODE_GOING_AWAY = 1001,
    SOCKET_CODE_PROTOCOL = 1002,
    SOCKET_CODE_UNSUPPORTED = 1003,
    SOCKET_CODE_NONE = 1005,     /* only in on_closed: the peer's Close named no code */
    SOCKET_CODE_ABNORMAL = 1006, /* only in on_closed: the connection ended without a Close */
    SOCKET_CODE_BAD_TEXT = 1007,
    SOCKET_CODE_POLICY = 1008,
    SOCKET_CODE_TOO_LONG = 1009,
    SOCKET_CODE_FAILURE = 1011,
    SOCKET_CODE_TRY_LATER = 1013,
};

/* Send one message and return the bytes that wait unsent after it. Copies at most what the kernel
 * refuses. */
size_t socket_send(struct socket *socket, const void *bytes, size_t length, enum socket_kind kind);

size_t socket_queued(const struct socket *socket);

/* Close with a code and a reason of at most 123 bytes (longer: cut; NULL: none). What was sent
 * before still goes out; no message arrives any more; on_closed comes later. */
void socket_close(struct socket *socket, int code, const char *reason);
bool socket_is_closing(const struct socket *socket);

/* One pointer of the application, NULL at first. */
void *socket_data(const struct socket *socket);
void socket_set_data(struct socket *socket, void *data);

const char *socket_peer(const struct socket *socket);  /* "127.0.0.1:51234" */
const char *socket_query(const struct socket *socket); /* behind the ? of the upgrade, or "" */

#endif
