#include "net/http.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "net/inside.h"

static const char SOCKET_PATH[] = "/_moonlit/socket";
static const char HOST_PATHS[] = "/_moonlit/";

struct request {
    struct connection *connection; /* NULL: the browser left */
    struct head head;              /* views of `bytes` */
    struct origin_place host;
    char peer[64];
    char bytes[];
};

/* ---- upgrade -------------------------------------------------------------------------------- */

/* 16 bytes in base64. */
static bool key_is_valid(const char *key)
{
    uint8_t bytes[18];
    return key != NULL && strlen(key) == 24 && strcmp(key + 22, "==") == 0 &&
           EVP_DecodeBlock(bytes, (const unsigned char *)key, 24) == 18;
}

static void accept_key(const char *key, char accept[32])
{
    char text[64];
    int length = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    EVP_Digest(text, (size_t)length, digest, &size, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)accept, digest, (int)size);
}

static void answer_upgrade(struct connection *connection, const char *key)
{
    char accept[32];
    accept_key(key, accept);
    char lines[256];
    int length = snprintf(lines, sizeof lines,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                          accept);
    uv_buf_t part = uv_buf_init(lines, (unsigned)length);
    connection->server->stats.requests++;
    connection_write(connection, &part, 1);
}

/* True when the connection is a socket from now on. */
static bool upgrade(struct connection *connection, struct request *request)
{
    const struct head *head = &request->head;
    const char *origin = head_value(head, "origin");
    const char *version = head_value(head, "sec-websocket-version");
    const char *key = head_value(head, "sec-websocket-key");
    if (!head->wants_websocket) {
        answer_refusal(connection, head, 426, "Upgrade: websocket\r\nConnection: Upgrade\r\n",
                       "Only a WebSocket is served here.");
    } else if (version == NULL || strcmp(version, "13") != 0) {
        answer_refusal(connection, head, 426, "Sec-WebSocket-Version: 13\r\n",
                       "Only version 13 of the WebSocket protocol is spoken here.");
    } else if (!key_is_valid(key)) {
        answer_refusal(connection, head, 400, NULL, "The Sec-WebSocket-Key is malformed.");
    } else if (origin == NULL ||
               !origin_allows_origin(&connection->server->rules, origin, &request->host)) {
        answer_refusal(
            connection, head, 403, NULL,
            "The Origin of this connection is not this app: a page of another address may not "
            "open it. If the app is served under another name, start it with --allow-host NAME.");
    } else if (connection->server->is_draining) {
        answer_refusal(connection, head, 503, NULL, "The app is ending.");
    } else {
        answer_upgrade(connection, key);
        if (!connection->is_cut) {
            socket_open(connection, head->query);
        }
        return true;
    }
    return false;
}

/* ---- one request ---------------------------------------------------------------------------- */

static bool check_host(struct connection *connection, struct request *request)
{
    const struct head *head = &request->head;
    if (!origin_read(head_value(head, "host"), &request->host)) {
        answer_refusal(connection, head, 400, NULL, "The Host of the request is malformed.");
        return false;
    }
    if (!origin_allows_host(&connection->server->rules, &request->host)) {
        char words[512];
        snprintf(words, sizeof words,
                 "This app does not answer to the name %s: if it should, start it with "
                 "--allow-host %s.",
                 request->host.name, request->host.name);
        answer_refusal(connection, head, 403, NULL, words);
        return false;
    }
    return true;
}

/* Nothing in this house takes a body; an Expect: 100-continue is answered by the refusal. */
static bool check_method(struct connection *connection, const struct head *head)
{
    const char *expected = head_value(head, "expect");
    bool known = strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0;
    if (!known) {
        answer_refusal(connection, head, 405, "Allow: GET, HEAD\r\n",
                       "Only GET and HEAD are served here.");
    } else if (head->has_body) {
        answer_refusal(connection, head, 413, NULL, "No body is taken here.");
    } else if (expected != NULL && !head_list_has(expected, "100-continue")) {
        answer_refusal(connection, head, 417, NULL, "This expectation is not known here.");
    } else {
        return true;
    }
    return false;
}

/* Hand the request to the application. */
static void ask(struct connection *connection, struct request *request)
{
    struct server *server = connection->server;
    connection->http.is_busy = true;
    connection->http.request = request;
    request->connection = connection;
    memcpy(request->peer, connection->peer, sizeof request->peer);
    server->callbacks.on_request(server->data, request);
}

static bool belongs_to_host(const struct server *server, const char *path)
{
    return strncmp(path, HOST_PATHS, sizeof HOST_PATHS - 1) == 0;
}

/* True when the application keeps the request. */
static bool serve(struct connection *connection, struct request *request)
{
    const struct head *head = &request->head;
    connection->http.ends_after = !head->keeps_alive || head->is_old;
    if (!check_host(connection, request) || !check_method(connection, head)) {
        return false;
    }
    if (strcmp(head->path, SOCKET_PATH) == 0) {
        upgrade(connection, request);
    } else if (!belongs_to_host(connection->server, head->path)) {
        answer_asset(connection, head);
    } else if (connection->server->callbacks.on_request != NULL) {
        ask(connection, request);
        return true;
    } else {
        answer_words(connection, head, 404, NULL, "There is nothing under this path.");
    }
    return false;
}

static void read_request(struct connection *connection, const uint8_t *bytes, size_t length)
{
    struct request *request = memory_resize(NULL, sizeof *request + length);
    memcpy(request->bytes, bytes, length);
    struct head_refusal refusal;
    if (head_parse(request->bytes, length, &request->head, &refusal)) {
        if (serve(connection, request)) {
            return;
        }
    } else if (request->head.is_other) {
        connection_cut(connection);
    } else {
        answer_refusal(connection, NULL, refusal.status, NULL, refusal.words);
    }
    free(request);
}

/* ---- the conversation ----------------------------------------------------------------------- */

static bool takes_requests(const struct connection *connection)
{
    return !connection->is_cut && !connection->is_ending && !connection->http.is_busy &&
           connection->conversation == &http_conversation;
}

/* The head at the start of the bytes: its length when it is whole and may be read. */
static size_t next_head(struct connection *connection, const uint8_t *bytes, size_t length)
{
    struct http *http = &connection->http;
    bool is_bad = false;
    size_t end = head_find_end((const char *)bytes, length, &http->scanned, &is_bad);
    size_t most = connection->server->limits.head;
    if (is_bad) {
        answer_refusal(connection, NULL, 400, NULL, "A line does not end with CR LF.");
    } else if (end > most || (end == 0 && length > most)) {
        answer_refusal(connection, NULL, 431, NULL, "The head of the request is too long.");
    } else if (end == 0 && !http->has_begun) {
        http->has_begun = true;
        http->since = uv_now(connection->server->loop);
    }
    return end > most ? 0 : end;
}

/* Answer whole requests while that is possible; returns how many bytes were used up. */
static size_t read_requests(struct connection *connection, const uint8_t *bytes, size_t length)
{
    size_t used = 0;
    connection->http.is_reading = true;
    while (used < length && takes_requests(connection)) {
        size_t end = next_head(connection, bytes + used, length - used);
        if (end == 0) {
            break;
        }
        connection->http.scanned = 0;
        read_request(connection, bytes + used, end);
        used += end;
    }
    connection->http.is_reading = false;
    return used;
}

/* Bytes behind an upgrade belong to the socket. */
static void hand_over(struct connection *connection, const uint8_t *bytes, size_t length)
{
    struct buffer rest = connection->http.held;
    buffer_init(&connection->http.held, rest.maximum);
    if (rest.length == 0) {
        buffer_append(&rest, bytes, length);
    } else {
        buffer_consume(&rest, rest.length - length);
    }
    if (rest.length > 0) {
        connection->conversation->on_bytes(connection, rest.bytes, rest.length);
    }
    buffer_deinit(&rest);
}

static void keep_rest(struct connection *connection, const uint8_t *bytes, size_t length)
{
    struct buffer *held = &connection->http.held;
    if (length == 0) {
        buffer_deinit(held);
    } else if (held->length == 0) {
        buffer_append(held, bytes, length);
    } else {
        buffer_consume(held, held->length - length);
    }
}

static void http_read(struct connection *connection, const uint8_t *bytes, size_t length)
{
    size_t used = read_requests(connection, bytes, length);
    if (connection->is_cut || connection->is_ending) {
        return;
    }
    if (connection->conversation != &http_conversation) {
        hand_over(connection, bytes + used, length - used);
        return;
    }
    keep_rest(connection, bytes + used, length - used);
    if (connection->http.is_busy) {
        connection_stop_reading(connection);
    } else {
        connection_start_reading(connection);
    }
}

static void http_on_bytes(struct connection *connection, uint8_t *bytes, size_t length)
{
    struct buffer *held = &connection->http.held;
    if (held->length == 0) {
        http_read(connection, bytes, length);
    } else if (buffer_append(held, bytes, length)) {
        http_read(connection, held->bytes, held->length);
    } else {
        connection_cut(connection);
    }
}

static void http_on_later(struct connection *connection)
{
    struct buffer *held = &connection->http.held;
    if (!takes_requests(connection)) {
        return;
    }
    if (held->length > 0) {
        http_read(connection, held->bytes, held->length);
    } else {
        connection_start_reading(connection);
    }
}

static void http_on_end(struct connection *connection)
{
    connection_cut(connection);
}

static void http_on_written(struct connection *connection)
{
    if (connection->http.is_busy && connection->http.request == NULL) {
        answer_finish(connection);
    }
}

static void http_on_tick(struct connection *connection, uint64_t now)
{
    const struct server_limits *limits = &connection->server->limits;
    struct http *http = &connection->http;
    if (http->is_busy) {
        if (connection_queued(connection) > 0 && now - connection->progress >= limits->stall_time) {
            connection_cut(connection);
        }
    } else if (http->has_begun && now - http->since >= limits->head_time) {
        answer_refusal(connection, NULL, 408, NULL, "The head of the request took too long.");
    } else if (!http->has_begun && now - http->since >= limits->idle_time) {
        connection_end(connection);
    }
}

static void http_on_drain(struct connection *connection)
{
    if (!connection->http.is_busy) {
        connection_end(connection);
    }
}

static void http_on_gone(struct connection *connection)
{
    if (connection->http.request != NULL) {
        connection->http.request->connection = NULL;
    }
}

const struct conversation http_conversation = {
    .on_bytes = http_on_bytes,
    .on_end = http_on_end,
    .on_written = http_on_written,
    .on_later = http_on_later,
    .on_tick = http_on_tick,
    .on_drain = http_on_drain,
    .on_gone = http_on_gone,
};

/* ---- what the application sees -------------------------------------------------------------- */

const char *request_method(const struct request *request)
{
    return request->head.method;
}

const char *request_path(const struct request *request)
{
    return request->head.path;
}

const char *request_query(const struct request *request)
{
    return request->head.query;
}

const char *request_peer(const struct request *request)
{
    return request->peer;
}

const char *request_header(const struct request *request, const char *name)
{
    return head_value(&request->head, name);
}

void request_respond(struct request *request, int status, const char *content_type,
                     const void *body, size_t length, const char *extra_headers)
{
    struct connection *connection = request->connection;
    if (connection != NULL && !connection->is_cut) {
        struct answer given = {.status = status,
                               .type = content_type,
                               .cache = "no-store",
                               .lines = extra_headers,
                               .is_head = strcmp(request->head.method, "HEAD") == 0};
        connection->http.request = NULL;
        answer_send(connection, &given, body, length);
    } else if (connection != NULL) {
        connection->http.request = NULL;
    }
    free(request);
}
