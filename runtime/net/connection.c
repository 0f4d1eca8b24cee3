#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/inside.h"

/* A block is the unsent rest of one write, or several small writes; its ends are ends of writes. */
struct block {
    struct list link;
    uv_write_t write;
    struct connection *connection;
    size_t length;
    size_t capacity;
    uint8_t bytes[];
};

enum { BLOCK_LEAST = 4096 };

static void on_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct server *server = connection->server;
    if (connection->conversation->on_gone != NULL) {
        connection->conversation->on_gone(connection);
    }
    connection_forget(connection);
    list_remove(&connection->link);
    list_remove(&connection->later);
    buffer_deinit(&connection->http.held);
    free(connection);
    server_lost(server);
}

void connection_cut(struct connection *connection)
{
    if (!connection->is_cut) {
        connection->is_cut = true;
        list_remove(&connection->later);
        uv_close((uv_handle_t *)&connection->tcp, on_closed);
    }
}

/* ---- bytes out ------------------------------------------------------------------------------ */

static void write_next(struct connection *connection);

static void shut_when_flushed(struct connection *connection)
{
    if (!connection->is_ending || connection->has_shut || connection_queued(connection) > 0) {
        return;
    }
    connection->has_shut = true;
    connection->progress = uv_now(connection->server->loop);
    if (uv_shutdown(&connection->shutdown, (uv_stream_t *)&connection->tcp, NULL) != 0) {
        connection_cut(connection);
    }
}

static void on_written(uv_write_t *write, int status)
{
    struct block *block = write->data;
    struct connection *connection = block->connection;
    size_t length = block->length;
    free(block);
    connection->is_writing = false;
    if (connection->is_cut) {
        return;
    }
    if (status != 0) {
        connection_cut(connection);
        return;
    }
    connection->server->stats.bytes_out += length;
    write_next(connection);
    if (connection->is_ending) {
        shut_when_flushed(connection);
    } else if (!connection->is_cut) {
        connection->conversation->on_written(connection);
    }
}

static void write_next(struct connection *connection)
{
    if (connection->is_writing || list_is_empty(&connection->blocks)) {
        return;
    }
    struct block *block = list_item(list_take_first(&connection->blocks), struct block, link);
    connection->waiting -= block->length;
    connection->is_writing = true;
    block->write.data = block;
    uv_buf_t part = uv_buf_init((char *)block->bytes, (unsigned)block->length);
    if (uv_write(&block->write, (uv_stream_t *)&connection->tcp, &part, 1, on_written) != 0) {
        connection->is_writing = false;
        free(block);
        connection_cut(connection);
    }
}

/* A block with room for `length` bytes: the last one, or a new one. */
static struct block *block_for(struct connection *connection, size_t length)
{
    if (!list_is_empty(&connection->blocks)) {
        struct block *last = list_item(connection->blocks.previous, struct block, link);
        if (length <= last->capacity - last->length) {
            return last;
        }
    }
    size_t capacity = length > BLOCK_LEAST ? length : BLOCK_LEAST;
    struct block *block = memory_resize(NULL, sizeof *block + capacity);
    block->connection = connection;
    block->length = 0;
    block->capacity = capacity;
    list_init(&block->link);
    list_push_last(&connection->blocks, &block->link);
    return block;
}

/* Queue the parts behind their first `sent` bytes. */
static void queue(struct connection *connection, const uv_buf_t *parts, unsigned count, size_t sent)
{
    size_t left = 0;
    for (unsigned i = 0; i < count; i++) {
        left += parts[i].len;
    }
    left -= sent;
    if (left == 0) {
        return;
    }
    if (connection_queued(connection) == 0) {
        connection->progress = uv_now(connection->server->loop);
    }
    struct block *block = block_for(connection, left);
    connection->waiting += left;
    connection->queued_ever += left;
    for (unsigned i = 0; i < count; i++) {
        size_t skip = sent < parts[i].len ? sent : parts[i].len;
        sent -= skip;
        if (parts[i].len > skip) {
            memcpy(block->bytes + block->length, parts[i].base + skip, parts[i].len - skip);
            block->length += parts[i].len - skip;
        }
    }
}

void connection_write(struct connection *connection, const uv_buf_t *parts, unsigned count)
{
    if (connection->is_cut || connection->has_shut) {
        return;
    }
    size_t sent = 0;
    if (!connection->is_writing) {
        int result = uv_try_write((uv_stream_t *)&connection->tcp, parts, count);
        if (result < 0 && result != UV_EAGAIN) {
            connection_cut(connection);
            return;
        }
        sent = result > 0 ? (size_t)result : 0;
        connection->server->stats.bytes_out += sent;
    }
    queue(connection, parts, count, sent);
    write_next(connection);
}

size_t connection_queued(const struct connection *connection)
{
    return connection->waiting + (connection->is_writing ? connection->tcp.write_queue_size : 0);
}

void connection_forget(struct connection *connection)
{
    for (struct list *link; (link = list_take_first(&connection->blocks)) != NULL;) {
        free(list_item(link, struct block, link));
    }
    connection->waiting = 0;
}

void connection_end(struct connection *connection)
{
    if (connection->is_ending || connection->is_cut) {
        return;
    }
    connection->is_ending = true;
    connection->progress = uv_now(connection->server->loop);
    connection_start_reading(connection);
    shut_when_flushed(connection);
}

/* ---- bytes in ------------------------------------------------------------------------------- */

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct connection *connection = handle->data;
    struct server *server = connection->server;
    *room = uv_buf_init((char *)server->read_buffer, sizeof server->read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
    struct connection *connection = stream->data;
    if (connection->is_cut || count == 0) {
        return;
    }
    if (count < 0) {
        if (connection->is_ending || count != UV_EOF) {
            connection_cut(connection);
        } else {
            connection->conversation->on_end(connection);
        }
        return;
    }
    connection->server->stats.bytes_in += (uint64_t)count;
    if (!connection->is_ending) {
        connection->heard = uv_now(connection->server->loop);
        connection->conversation->on_bytes(connection, (uint8_t *)room->base, (size_t)count);
    }
}

void connection_stop_reading(struct connection *connection)
{
    if (!connection->is_cut) {
        uv_read_stop((uv_stream_t *)&connection->tcp);
    }
}

void connection_start_reading(struct connection *connection)
{
    if (connection->is_cut) {
        return;
    }
    int result = uv_read_start((uv_stream_t *)&connection->tcp, on_room, on_read);
    if (result != 0 && result != UV_EALREADY) {
        connection_cut(connection);
    }
}

/* ---- life ----------------------------------------------------------------------------------- */

static void name_peer(struct connection *connection)
{
    struct sockaddr_storage address;
    int length = sizeof address;
    char name[48] = "?";
    int port = 0;
    if (uv_tcp_getpeername(&connection->tcp, (struct sockaddr *)&address, &length) == 0) {
        const struct sockaddr_in *four = (const void *)&address;
        const struct sockaddr_in6 *six = (const void *)&address;
        bool is_four = address.ss_family == AF_INET;
        is_four ? uv_ip4_name(four, name, sizeof name) : uv_ip6_name(six, name, sizeof name);
        port = ntohs(is_four ? four->sin_port : six->sin6_port);
    }
    bool brackets = strchr(name, ':') != NULL;
    snprintf(connection->peer, sizeof connection->peer, brackets ? "[%s]:%d" : "%s:%d", name, port);
}

struct connection *connection_accept(struct server *server, const struct conversation *conversation)
{
    struct connection *connection = memory_new(sizeof *connection);
    connection->server = server;
    connection->conversation = conversation;
    connection->progress = connection->heard = connection->http.since = uv_now(server->loop);
    list_init(&connection->link);
    list_init(&connection->later);
    list_init(&connection->blocks);
    buffer_init(&connection->http.held, server->limits.head + sizeof server->read_buffer);
    uv_tcp_init(server->loop, &connection->tcp);
    connection->tcp.data = connection;
    list_push_last(&server->connections, &connection->link);
    server->stats.connections++;
    if (uv_accept((uv_stream_t *)server->listener, (uv_stream_t *)&connection->tcp) != 0) {
        connection_cut(connection);
        return NULL;
    }
    uv_tcp_nodelay(&connection->tcp, 1);
    name_peer(connection);
    return connection;
}

void connection_later(struct connection *connection)
{
    if (!connection->is_cut) {
        list_remove(&connection->later);
        list_push_last(&connection->server->later, &connection->later);
        server_wake(connection->server);
    }
}

void connection_tick(struct connection *connection, uint64_t now)
{
    size_t queued = connection_queued(connection);
    uint64_t taken = connection->queued_ever - queued;
    if (taken != connection->taken) {
        connection->taken = taken;
        connection->progress = now;
    }
    if (!connection->is_ending) {
        connection->conversation->on_tick(connection, now);
        return;
    }
    unsigned patience = queued > 0 ? connection->server->limits.stall_time : LIMIT_HTTP_LINGER_TIME;
    if (now - connection->progress >= patience) {
        connection_cut(connection);
    }
}
