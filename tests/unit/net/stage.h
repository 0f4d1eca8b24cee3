/*
 * A server and its raw TCP clients on one loop. Waiting is always for an event: the loop turns
 * until a condition holds, and a watch, far beyond anything that is expected, ends a test that
 * hangs.
 */
#ifndef TESTS_STAGE_H
#define TESTS_STAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client_frame.h"
#include "net/server.h"

enum { WATCH_TIME = 100000, CODES_MOST = 16, HEARD_MOST = 64 * 1024 };

struct stage {
    uv_loop_t loop;
    uv_timer_t watch;
    struct server *server;
    struct socket *socket;   /* the last that opened and has not closed */
    struct request *request; /* kept by a test that answers later */
    bool keeps_requests;
    bool in_call; /* the test is inside a call of the server's interface */
    int opened;
    int closed;
    int codes[CODES_MOST];
    int drained;
    int messages;
    bool last_is_text;
    size_t last_length;
    char last[256];
    size_t echo_times; /* each message is sent back so often */
    bool is_done;      /* a drain is over */
};

struct client {
    struct stage *stage;
    uv_tcp_t tcp;
    uv_connect_t connect;
    struct buffer heard;
    bool is_connected;
    bool has_ended; /* the server closed, or the connection failed */
    bool is_open;   /* the handle is */
};

static inline void stage_turn(struct stage *stage)
{
    uv_run(&stage->loop, UV_RUN_ONCE);
}

#define WAIT_FOR(stage, condition)                                                                 \
    while (!(condition)) {                                                                         \
        stage_turn(stage);                                                                         \
    }

static void on_watch(uv_timer_t *watch)
{
    (void)watch;
    fprintf(stderr, "nothing happened for too long\n");
    abort();
}

/* ---- the application ---- */

static void on_request(void *data, struct request *request)
{
    struct stage *stage = data;
    assert_false(stage->in_call);
    if (stage->keeps_requests) {
        stage->request = request;
        return;
    }
    char words[256];
    int length = snprintf(words, sizeof words, "%s %s %s", request_method(request),
                          request_path(request), request_query(request));
    request_respond(request, 200, "text/plain", words, (size_t)length, NULL);
}

static void on_open(void *data, struct socket *socket)
{
    struct stage *stage = data;
    assert_false(stage->in_call);
    stage->socket = socket;
    stage->opened++;
    socket_set_data(socket, stage);
}

static void on_message(void *data, struct socket *socket, const uint8_t *bytes, size_t length,
                       bool is_text)
{
    struct stage *stage = data;
    assert_false(stage->in_call);
    assert_ptr_equal(socket_data(socket), stage);
    stage->messages++;
    stage->last_is_text = is_text;
    stage->last_length = length;
    snprintf(stage->last, sizeof stage->last, "%.*s", (int)length, (const char *)bytes);
    for (size_t i = 0; i < stage->echo_times; i++) {
        socket_send(socket, bytes, length, is_text ? SOCKET_TEXT : SOCKET_BINARY);
    }
}

static void on_drained(void *data, struct socket *socket)
{
    struct stage *stage = data;
    assert_false(stage->in_call);
    (void)socket;
    stage->drained++;
}

static void on_closed(void *data, struct socket *socket, int code)
{
    struct stage *stage = data;
    assert_false(stage->in_call);
    if (stage->socket == socket) {
        stage->socket = NULL;
    }
    stage->codes[stage->closed++ % CODES_MOST] = code;
}

static inline void on_done(void *data)
{
    struct stage *stage = data;
    assert_false(stage->in_call);
    stage->is_done = true;
}

static const uint8_t page[] = "<!doctype html><title>Moonlit</title>";
static const uint8_t script[] = "console.log(1)";
static const struct asset stage_assets[] = {
    {"/index.html", "text/html; charset=utf-8", "page1", page, sizeof page - 1,
     (const uint8_t *)"GZ", 2, (const uint8_t *)"B", 1, false},
    {"/assets/main-1f2e.js", "text/javascript", "main1", script, sizeof script - 1, NULL, 0, NULL,
     0, true},
    {NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, false},
};

static inline void stage_open(struct stage *stage, struct server_limits limits)
{
    *stage = (struct stage){.echo_times = 1};
    uv_loop_init(&stage->loop);
    uv_timer_init(&stage->loop, &stage->watch);
    uv_timer_start(&stage->watch, on_watch, WATCH_TIME, 0);
    static const char *const hosts[] = {"app.example", NULL};
    struct server_config config = {
        .limits = limits,
        .hosts = hosts,
        .assets = stage_assets,
        .script_hashes = "'sha256-abc='",
        .callbacks = {on_request, on_open, on_message, on_drained, on_closed},
        .data = stage,
    };
    struct error error;
    stage->server = server_new(&stage->loop, NULL, &config, &error);
    assert_non_null(stage->server);
    if (!server_listen(stage->server, "127.0.0.1", 0, &error)) {
        fail_msg("%s", error.message);
    }
}

/* Ends everything; no callback may come any more, and nothing may be left on the loop. */
static inline void stage_close(struct stage *stage)
{
    int closed = stage->closed;
    stage->in_call = true;
    server_free(stage->server);
    uv_close((uv_handle_t *)&stage->watch, NULL);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(stage->closed, closed);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
}

/* ---- clients ---- */

static void on_client_room(uv_handle_t *handle, size_t size, uv_buf_t *room)
{
    static char bytes[HEARD_MOST];
    (void)handle;
    (void)size;
    *room = uv_buf_init(bytes, sizeof bytes);
}

static void on_client_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *room)
{
    struct client *client = stream->data;
    if (count < 0) {
        client->has_ended = true;
        uv_read_stop(stream);
    } else if (count > 0) {
        buffer_append(&client->heard, room->base, (size_t)count);
        if (client->heard.length < client->heard.maximum) {
            *buffer_reserve(&client->heard, 1) = 0;
        }
    }
}

static inline void client_listen(struct client *client)
{
    uv_read_start((uv_stream_t *)&client->tcp, on_client_room, on_client_read);
}

static void on_client_connect(uv_connect_t *connect, int status)
{
    struct client *client = connect->data;
    client->is_connected = status == 0;
    client->has_ended = status != 0;
    if (status == 0) {
        client_listen(client);
    }
}

static inline void client_begin(struct client *client, struct stage *stage)
{
    *client = (struct client){.stage = stage, .is_open = true};
    buffer_init(&client->heard, 256 * 1024 * 1024);
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", server_port(stage->server), &address);
    uv_tcp_init(&stage->loop, &client->tcp);
    client->tcp.data = client->connect.data = client;
    uv_tcp_connect(&client->connect, &client->tcp, (struct sockaddr *)&address, on_client_connect);
}

static inline void client_open(struct client *client, struct stage *stage)
{
    client_begin(client, stage);
    WAIT_FOR(stage, client->is_connected || client->has_ended);
    assert_true(client->is_connected);
}

static inline void client_close(struct client *client)
{
    if (client->is_open) {
        client->is_open = false;
        buffer_deinit(&client->heard);
        uv_close((uv_handle_t *)&client->tcp, NULL);
        uv_run(&client->stage->loop, UV_RUN_NOWAIT);
    }
}

/* Send small things, which the kernel takes at once. */
static inline void client_send(struct client *client, const void *bytes, size_t length)
{
    const char *next = bytes;
    while (length > 0) {
        uv_buf_t part = uv_buf_init((char *)next, (unsigned)length);
        int sent = uv_try_write((uv_stream_t *)&client->tcp, &part, 1);
        if (sent < 0) {
            assert_int_equal(sent, UV_EAGAIN);
            stage_turn(client->stage);
            continue;
        }
        next += sent;
        length -= (size_t)sent;
    }
}

static inline void client_say(struct client *client, const char *text)
{
    client_send(client, text, strlen(text));
}

static inline void client_frames(struct client *client, enum frame_kind kind, bool is_last,
                                 const void *payload, size_t length)
{
    struct buffer out;
    buffer_init(&out, 16 * 1024 * 1024);
    client_frame(&out, kind, is_last, payload, length);
    client_send(client, out.bytes, out.length);
    buffer_deinit(&out);
}

static inline bool client_has(const struct client *client, const char *text)
{
    return client->heard.length > 0 &&
           memmem(client->heard.bytes, client->heard.length, text, strlen(text)) != NULL;
}

static inline size_t client_count(const struct client *client, const char *text)
{
    size_t count = 0;
    size_t length = strlen(text);
    for (size_t at = 0; at + length <= client->heard.length; at++) {
        count += memcmp(client->heard.bytes + at, text, length) == 0;
    }
    return count;
}

/* Wait for a text; the connection must not end before. Then forget what was heard. */
static inline void client_expect(struct client *client, const char *text)
{
    WAIT_FOR(client->stage, client_has(client, text) || client->has_ended);
    if (!client_has(client, text)) {
        fail_msg("\"%s\" expected, heard:\n%.*s", text, (int)client->heard.length,
                 (const char *)client->heard.bytes);
    }
}

static inline void client_expect_bytes(struct client *client, const void *bytes, size_t length)
{
    WAIT_FOR(client->stage, client->heard.length >= length || client->has_ended);
    assert_true(client->heard.length >= length);
    assert_memory_equal(client->heard.bytes, bytes, length);
    buffer_consume(&client->heard, length);
}

static inline void client_expect_end(struct client *client)
{
    WAIT_FOR(client->stage, client->has_ended);
}

/* ---- what clients say ---- */

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost:8501\r\n\r\n"
#define UPGRADE_LINES                                                                              \
    "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"       \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define UPGRADE                                                                                    \
    "GET /_moonlit/socket?s=1 HTTP/1.1\r\nHost: localhost:8501\r\n"                                \
    "Origin: http://localhost:8501\r\n" UPGRADE_LINES "\r\n"

static inline void client_upgrade(struct client *client, struct stage *stage)
{
    client_open(client, stage);
    client_say(client, UPGRADE);
    client_expect(client, "\r\n\r\n");
    assert_true(client_has(client, "HTTP/1.1 101 "));
    assert_true(client_has(client, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    buffer_clear(&client->heard);
}

#endif
