#include "net/socket.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/frame.h"
#include "net/inside.h"

struct socket {
    struct connection *connection;
    struct frame_reader reader;
    struct buffer held; /* bytes that came with a message whose answer filled the queue */
    void *data;
    char *query;
    int code;          /* for on_closed; 0 until one is known */
    uint64_t closing;  /* when our Close was sent */
    bool has_closed;   /* our Close is sent: nothing more is, no message is delivered */
    bool is_over_soft; /* nothing is read, and on_drained is owed */
    bool has_pinged;   /* since the last sign of life */
};

static void read_on(struct socket *socket);

/* ---- bytes out ------------------------------------------------------------------------------ */

static void write_frame(struct socket *socket, enum frame_kind kind, const void *bytes,
                        size_t length)
{
    uint8_t head[FRAME_HEAD_MOST];
    size_t size = frame_write_head(head, kind, length);
    uv_buf_t parts[] = {uv_buf_init((char *)head, (unsigned)size),
                        uv_buf_init((char *)bytes, (unsigned)length)};
    connection_write(socket->connection, parts, length > 0 ? 2 : 1);
}

static void write_close(struct socket *socket, int code, const char *reason)
{
    uint8_t payload[FRAME_CONTROL_MOST];
    size_t length = code == SOCKET_CODE_NONE ? 0 : frame_write_close(payload, code, reason);
    write_frame(socket, FRAME_CLOSE, payload, length);
    socket->has_closed = true;
    socket->closing = uv_now(socket->connection->server->loop);
    socket->code = code;
    read_on(socket);
}

/* False when the frame would pass the hard mark: the socket is closing then. What was queued and
 * not begun is forgotten, so that the Close still reaches a slow reader. */
static bool may_queue(struct socket *socket, size_t length)
{
    struct connection *connection = socket->connection;
    size_t hard = connection->server->limits.queue_hard;
    size_t queued = connection_queued(connection);
    if (queued == 0 || (queued <= hard && length <= hard - queued)) {
        return true;
    }
    connection_forget(connection);
    write_close(socket, SOCKET_CODE_TRY_LATER, "too slow");
    return false;
}

/* A pong, too, counts for the soft mark: pings would fill the queue of who does not read. */
static void send_frame(struct socket *socket, enum frame_kind kind, const void *bytes,
                       size_t length)
{
    if (socket_is_closing(socket) || !may_queue(socket, length)) {
        return;
    }
    write_frame(socket, kind, bytes, length);
    if (connection_queued(socket->connection) >= socket->connection->server->limits.queue_soft) {
        socket->is_over_soft = true;
        connection_stop_reading(socket->connection);
    }
}

size_t socket_send(struct socket *socket, const void *bytes, size_t length, enum socket_kind kind)
{
    send_frame(socket, kind == SOCKET_TEXT ? FRAME_TEXT : FRAME_BINARY, bytes, length);
    return connection_queued(socket->connection);
}

size_t socket_queued(const struct socket *socket)
{
    return connection_queued(socket->connection);
}

/* ---- the end -------------------------------------------------------------------------------- */

/* The peer broke a rule: say why and do not wait for its answer. */
static void fail(struct socket *socket, int code, const char *words)
{
    if (!socket->has_closed) {
        write_close(socket, code, words);
    }
    connection_end(socket->connection);
}

static void on_close_frame(struct socket *socket, int code)
{
    if (!socket->has_closed) {
        write_close(socket, code, NULL);
    }
    connection_end(socket->connection);
}

void socket_close(struct socket *socket, int code, const char *reason)
{
    if (socket->has_closed || socket->connection->is_cut) {
        return;
    }
    write_close(socket, code, reason);
}

bool socket_is_closing(const struct socket *socket)
{
    return socket->has_closed || socket->connection->is_cut;
}

static void on_gone(struct connection *connection)
{
    struct socket *socket = connection->socket;
    struct server *server = connection->server;
    server->stats.sockets--;
    if (!server->is_freed && server->callbacks.on_closed != NULL) {
        int code = socket->code != 0 ? socket->code : SOCKET_CODE_ABNORMAL;
        server->callbacks.on_closed(server->data, socket, code);
    }
    frame_reader_deinit(&socket->reader);
    buffer_deinit(&socket->held);
    free(socket->query);
    free(socket);
}

/* ---- bytes in ------------------------------------------------------------------------------- */

static void deliver(struct socket *socket, const struct frame_event *event)
{
    struct server *server = socket->connection->server;
    if (!socket->has_closed && server->callbacks.on_message != NULL) {
        const uint8_t *bytes = event->bytes != NULL ? event->bytes : (const uint8_t *)"";
        server->callbacks.on_message(server->data, socket, bytes, event->length,
                                     event->kind == FRAME_TEXT);
    }
}

static void on_frame(struct socket *socket, const struct frame_event *event)
{
    switch (event->kind) {
    case FRAME_TEXT:
    case FRAME_BINARY:
        deliver(socket, event);
        break;
    case FRAME_PING:
        send_frame(socket, FRAME_PONG, event->bytes, event->length);
        break;
    case FRAME_CLOSE:
        on_close_frame(socket, event->code);
        break;
    case FRAME_PONG:
    case FRAME_CONTINUATION:
        break;
    }
}

/* Behind our Close the answer to it is read, whatever held us up before. */
static bool is_held_up(const struct socket *socket)
{
    return socket->is_over_soft && !socket->has_closed;
}

static bool is_receiving(const struct socket *socket)
{
    return !is_held_up(socket) && !socket->connection->is_cut && !socket->connection->is_ending;
}

/* Read frames while nobody objects, and keep what is left for later. */
static void read_frames(struct socket *socket, uint8_t *bytes, size_t length)
{
    enum frame_result result = FRAME_READY;
    while (result == FRAME_READY && is_receiving(socket)) {
        struct frame_event event;
        size_t used;
        result = frame_read(&socket->reader, bytes, length, &used, &event);
        bytes += used;
        length -= used;
        if (result == FRAME_READY) {
            on_frame(socket, &event);
        } else if (result == FRAME_BROKEN) {
            fail(socket, event.code, event.words);
        }
    }
    if (is_held_up(socket) && length > 0 && !buffer_append(&socket->held, bytes, length)) {
        connection_cut(socket->connection);
    }
}

static void on_bytes(struct connection *connection, uint8_t *bytes, size_t length)
{
    read_frames(connection->socket, bytes, length);
}

/* Go on reading from the loop, if nothing holds us up any more. */
static void read_on(struct socket *socket)
{
    if (!is_held_up(socket)) {
        connection_later(socket->connection);
    }
}

static void on_later(struct connection *connection)
{
    struct socket *socket = connection->socket;
    struct buffer rest = socket->held;
    buffer_init(&socket->held, rest.maximum);
    if (rest.length > 0) {
        read_frames(socket, rest.bytes, rest.length);
    }
    buffer_deinit(&rest);
    if (is_receiving(socket)) {
        connection->heard = uv_now(connection->server->loop);
        connection_start_reading(connection);
    }
}

/* ---- the rest of the conversation ----------------------------------------------------------- */

static void on_end(struct connection *connection)
{
    connection_cut(connection);
}

static void on_written(struct connection *connection)
{
    struct socket *socket = connection->socket;
    struct server *server = connection->server;
    if (socket->is_over_soft && connection_queued(connection) < server->limits.queue_soft) {
        socket->is_over_soft = false;
        read_on(socket);
        if (!socket->has_closed && server->callbacks.on_drained != NULL) {
            server->callbacks.on_drained(server->data, socket);
        }
    }
}

/* A sign of life is what came, or that something which waited was taken; not what the kernel took
 * from us, because it does so for a peer that is long gone. */
static void ping(struct socket *socket, uint64_t now)
{
    struct connection *connection = socket->connection;
    const struct server_limits *limits = &connection->server->limits;
    bool took_later = connection->progress > connection->heard;
    uint64_t silence = now - (took_later ? connection->progress : connection->heard);
    if (silence < limits->ping_time) {
        socket->has_pinged = false;
    } else if (!socket->has_pinged) { /* also when we were held up, and the silence is our own */
        socket->has_pinged = true;
        send_frame(socket, FRAME_PING, NULL, 0);
    } else if (silence >= limits->dead_time) {
        connection_cut(connection);
    }
}

static void on_tick(struct connection *connection, uint64_t now)
{
    struct socket *socket = connection->socket;
    const struct server_limits *limits = &connection->server->limits;
    if (socket->has_closed) {
        if (now - socket->closing >= limits->close_time) {
            connection_cut(connection);
        }
        return;
    }
    on_written(connection);
    if (connection_queued(connection) > 0) {
        if (now - connection->progress >= limits->stall_time) {
            connection_cut(connection);
        }
        return; /* a ping would wait behind what is queued */
    }
    if (is_held_up(socket)) {
        return;
    }
    ping(socket, now);
}

static void on_drain(struct connection *connection)
{
    socket_close(connection->socket, SOCKET_CODE_GOING_AWAY, "the app is ending");
}

const struct conversation socket_conversation = {
    .on_bytes = on_bytes,
    .on_end = on_end,
    .on_written = on_written,
    .on_later = on_later,
    .on_tick = on_tick,
    .on_drain = on_drain,
    .on_gone = on_gone,
};

void socket_open(struct connection *connection, const char *query)
{
    struct server *server = connection->server;
    struct socket *socket = memory_new(sizeof *socket);
    socket->connection = connection;
    socket->query = memory_copy_text(query);
    frame_reader_init(&socket->reader, server->limits.message);
    buffer_init(&socket->held, 2 * sizeof server->read_buffer + server->limits.head);
    connection->socket = socket;
    connection->conversation = &socket_conversation;
    server->stats.sockets++;
    connection_start_reading(connection);
    if (server->callbacks.on_open != NULL) {
        server->callbacks.on_open(server->data, socket);
    }
}

/* ---- small things --------------------------------------------------------------------------- */

void *socket_data(const struct socket *socket)
{
    return socket->data;
}

void socket_set_data(struct socket *socket, void *data)
{
    socket->data = data;
}

const char *socket_peer(const struct socket *socket)
{
    return socket->connection->peer;
}

const char *socket_query(const struct socket *socket)
{
    return socket->query;
}
