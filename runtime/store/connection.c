#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/log.h"
#include "base/memory.h"
#include "limits.h"
#include "store/inside.h"
#include "store/wire.h"

enum { READ_PIECE = 64 * 1024 };

/* One client. It is freed when libuv has closed its handle; Lua knows it by its number alone. */
struct connection {
    union {
        uv_stream_t stream;
        uv_pipe_t pipe;
        uv_tcp_t tcp;
    } handle;
    struct store *store;
    struct list link;
    uint32_t id;
    struct buffer in;
    bool is_busy; /* a request is with Lua */
    bool is_reading;
    bool is_broken; /* to be closed once Lua has returned */
    bool is_closing;
};

struct answer {
    uv_write_t write;
    struct connection *connection;
    uint8_t bytes[];
};

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    buffer_deinit(&connection->in);
    free(connection);
}

void connection_close(struct connection *connection)
{
    struct store *store = connection->store;
    if (connection->is_closing) {
        return;
    }
    connection->is_closing = true;
    list_remove(&connection->link);
    store->connection_count--;
    uv_close((uv_handle_t *)&connection->handle, on_closed);
    store_lua_tell(store, "closed", connection->id);
}

void connection_close_later(struct connection *connection)
{
    connection->is_broken = true;
    store_wake(connection->store);
}

void connection_close_all(struct store *store)
{
    while (!list_is_empty(&store->connections)) {
        connection_close(list_item(store->connections.next, struct connection, link));
    }
}

struct connection *connection_find(struct store *store, uint32_t id)
{
    list_each (link, &store->connections) {
        struct connection *connection = list_item(link, struct connection, link);
        if (connection->id == id) {
            return connection;
        }
    }
    return NULL;
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct connection *connection = handle->data;
    uint8_t *room = buffer_reserve(&connection->in, READ_PIECE);
    *buffer = uv_buf_init((char *)room, room == NULL ? 0 : READ_PIECE);
}

static void stop_reading(struct connection *connection)
{
    uv_read_stop(&connection->handle.stream);
    connection->is_reading = false;
}

static void on_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    struct connection *connection = stream->data;
    if (length == UV_ENOBUFS) { /* pipelined beyond the limit: read on when it is worked off */
        stop_reading(connection);
    } else if (length < 0) {
        connection_close(connection);
    } else if (length > 0) {
        connection->in.length += (size_t)length;
        connection_process(connection);
    }
    store_continue(connection->store);
}

static void start_reading(struct connection *connection)
{
    if (!connection->is_reading && !connection->is_closing) {
        connection->is_reading = uv_read_start(&connection->handle.stream, on_alloc, on_read) == 0;
    }
}

static void refuse(struct connection *connection, const struct error *error)
{
    struct log log = {.level = LOG_INFO};
    log_write(&log, LOG_WARNING, "store: connection %u closed: %s", connection->id, error->message);
    connection_close(connection);
}

void connection_process(struct connection *connection)
{
    struct wire_request request;
    struct error error = {0};
    while (!connection->is_busy && !connection->is_broken && !connection->is_closing &&
           uv_stream_get_write_queue_size(&connection->handle.stream) == 0) {
        enum wire_result result =
            wire_read(connection->in.bytes, connection->in.length, &request, &error);
        if (result == WIRE_MORE) {
            break;
        }
        if (result == WIRE_BROKEN) {
            refuse(connection, &error);
            break;
        }
        connection->is_busy = true;
        if (!store_lua_receive(connection->store, connection->id, &request)) {
            connection_close(connection);
            break;
        }
        buffer_consume(&connection->in, request.size);
    }
    start_reading(connection);
}

void connection_process_all(struct store *store)
{
    list_each_safe (link, after, &store->connections) {
        struct connection *connection = list_item(link, struct connection, link);
        if (connection->is_broken) {
            connection_close(connection);
        } else if (!connection->is_busy && connection->in.length > 0) {
            connection_process(connection);
        }
    }
}

/* ---- answering ---- */

static void on_written(uv_write_t *write, int status)
{
    struct answer *answer = (struct answer *)write;
    struct connection *connection = answer->connection;
    free(answer);
    if (status < 0) {
        connection_close(connection);
    } else {
        connection_process(connection);
    }
    store_continue(connection->store);
}

/* What the socket did not take at once. */
static void write_rest(struct connection *connection, const uv_buf_t pieces[2], size_t written)
{
    size_t total = pieces[0].len + pieces[1].len;
    struct answer *answer = memory_new(sizeof *answer + total);
    answer->connection = connection;
    memcpy(answer->bytes, pieces[0].base, pieces[0].len);
    memcpy(answer->bytes + pieces[0].len, pieces[1].base, pieces[1].len);
    uv_buf_t rest = uv_buf_init((char *)answer->bytes + written, (unsigned)(total - written));
    if (uv_write(&answer->write, &connection->handle.stream, &rest, 1, on_written) != 0) {
        free(answer);
        connection_close_later(connection);
    }
}

void connection_answer(struct connection *connection, int operation, int32_t request,
                       const char *bytes, size_t length)
{
    connection->is_busy = false;
    if (bytes == NULL || connection->is_closing) {
        return;
    }
    uint8_t head[WIRE_HEAD_MAX];
    size_t head_length =
        wire_write_head(head, (enum wire_operation)operation, request, request, length);
    uv_buf_t pieces[2] = {uv_buf_init((char *)head, (unsigned)head_length),
                          uv_buf_init((char *)bytes, (unsigned)length)};
    int written = uv_try_write(&connection->handle.stream, pieces, 2);
    if (written < 0 && written != UV_EAGAIN) {
        connection_close_later(connection);
    } else if (written < 0 || (size_t)written < head_length + length) {
        write_rest(connection, pieces, written < 0 ? 0 : (size_t)written);
    }
}

/* ---- accepting ---- */

static struct connection *connection_new(struct store *store, uv_stream_t *listener)
{
    struct connection *connection = memory_new(sizeof *connection);
    connection->store = store;
    if (listener->type == UV_TCP) {
        uv_tcp_init(&store->loop, &connection->handle.tcp);
        uv_tcp_nodelay(&connection->handle.tcp, 1);
    } else {
        uv_pipe_init(&store->loop, &connection->handle.pipe, 0);
    }
    connection->handle.stream.data = connection;
    connection->id = ++store->last_connection;
    buffer_init(&connection->in, LIMIT_STORE_MESSAGE + READ_PIECE);
    list_push_last(&store->connections, &connection->link);
    store->connection_count++;
    return connection;
}

void store_accept(struct store *store, uv_stream_t *listener)
{
    struct connection *connection = connection_new(store, listener);
    store_lua_tell(store, "opened", connection->id);
    /* Some above the limit are let in to be told so by the answer to their first request. */
    if (uv_accept(listener, &connection->handle.stream) != 0 ||
        store->connection_count > LIMIT_STORE_CONNECTIONS + LIMIT_STORE_CONNECTIONS / 4) {
        connection_close(connection);
        return;
    }
    start_reading(connection);
}
