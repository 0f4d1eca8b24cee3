#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/inside.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: localhost:8501\r\n\r\n"

static const struct server_limits defaults;

/* ---- HTTP ----------------------------------------------------------------------------------- */

static void the_page_and_its_security_headers_are_served(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    client_say(&client, GET("/"));
    client_expect(&client, (const char *)page);
    static const char *const lines[] = {
        "HTTP/1.1 200 OK\r\n",
        "Content-Type: text/html; charset=utf-8\r\n",
        "Content-Length: 37\r\n",
        "Cache-Control: no-cache\r\n",
        "ETag: \"page1\"\r\n",
        "Vary: Accept-Encoding\r\n",
        "script-src 'self' 'sha256-abc='; style-src 'self';",
        "connect-src 'self';",
        "X-Content-Type-Options: nosniff\r\n",
        "Referrer-Policy: no-referrer\r\n",
        "Cross-Origin-Opener-Policy: same-origin\r\n",
        "Cross-Origin-Resource-Policy: same-origin\r\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        client_expect(&client, lines[i]);
    }
    assert_false(client_has(&client, "unsafe"));
    client_close(&client);
    stage_close(&stage);
}

static void one_connection_serves_many_requests(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    client_say(&client, GET("/orders/today"));
    client_expect(&client, "<title>Moonlit");
    buffer_clear(&client.heard);
    client_say(&client, GET("/assets/main-1f2e.js"));
    client_expect(&client, "console.log(1)");
    assert_true(client_has(&client, "max-age=31536000, immutable"));
    buffer_clear(&client.heard);
    client_say(&client, GET("/nothing.js"));
    client_expect(&client, "HTTP/1.1 404 ");
    client_expect(&client, "path.\n");
    buffer_clear(&client.heard);
    client_say(&client, GET("/_moonlit/health?a=b"));
    client_expect(&client, "GET /_moonlit/health a=b");
    assert_int_equal(server_stats(stage.server).accepted, 1);
    assert_int_equal(server_stats(stage.server).requests, 4);
    client_close(&client);
    stage_close(&stage);
}

static void the_browsers_copy_and_its_encoding_count(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    client_say(&client, "GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip, br\r\n\r\n");
    client_expect(&client, "\r\n\r\nB");
    assert_true(client_has(&client, "Content-Encoding: br\r\n"));
    assert_true(client_has(&client, "ETag: \"page1-br\"\r\n"));
    buffer_clear(&client.heard);
    client_say(&client, "GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n"
                        "If-None-Match: \"page1-gz\"\r\n\r\n");
    client_expect(&client, "\r\n\r\n");
    assert_true(client_has(&client, "HTTP/1.1 304 "));
    assert_true(client_has(&client, "ETag: \"page1-gz\"\r\n"));
    assert_false(client_has(&client, "Content-Length"));
    buffer_clear(&client.heard);
    client_say(&client, "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n" GET("/_moonlit/x"));
    client_expect(&client, "GET /_moonlit/x ");
    assert_true(client_has(&client, "Content-Length: 37\r\n"));
    assert_false(client_has(&client, "doctype"));
    client_close(&client);
    stage_close(&stage);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    stage.keeps_requests = true;
    client_say(&client, GET("/_moonlit/one") GET("/_moonlit/two") GET("/assets/main-1f2e.js"));
    WAIT_FOR(&stage, stage.request != NULL);
    struct request *first = stage.request;
    assert_string_equal(request_path(first), "/_moonlit/one");
    client_say(&client, GET("/_moonlit/three"));
    struct client other; /* the loop turns, and no second request comes */
    client_open(&other, &stage);
    client_say(&other, GET("/"));
    client_expect(&other, "doctype");
    assert_ptr_equal(stage.request, first);
    assert_int_equal(client.heard.length, 0);
    stage.keeps_requests = false;
    stage.in_call = true;
    request_respond(first, 200, "text/plain", "first", 5, "X-Extra: 1\r\n");
    stage.in_call = false;
    client_expect(&client, "GET /_moonlit/three ");
    const char *all = (const char *)client.heard.bytes;
    assert_true(strstr(all, "X-Extra: 1\r\n") < strstr(all, "first"));
    assert_true(strstr(all, "first") < strstr(all, "GET /_moonlit/two "));
    assert_true(strstr(all, "/_moonlit/two") < strstr(all, "console.log(1)"));
    client_close(&client);
    client_close(&other);
    stage_close(&stage);
}

static void a_request_outlives_its_browser(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    stage.keeps_requests = true;
    client_say(&client, GET("/_moonlit/one"));
    WAIT_FOR(&stage, stage.request != NULL);
    stage.in_call = true;
    server_drain(stage.server, 1, on_done, &stage);
    stage.in_call = false;
    WAIT_FOR(&stage, stage.is_done);
    assert_string_equal(request_path(stage.request), "/_moonlit/one");
    request_respond(stage.request, 200, "text/plain", "late", 4, NULL);
    client_close(&client);
    stage_close(&stage);
}

static void a_head_may_come_byte_by_byte(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    for (const char *next = GET("/_moonlit/slowly"); *next != 0; next++) {
        uint64_t before = server_stats(stage.server).bytes_in;
        client_send(&client, next, 1);
        WAIT_FOR(&stage, server_stats(stage.server).bytes_in > before);
    }
    client_expect(&client, "GET /_moonlit/slowly");
    client_close(&client);
    stage_close(&stage);
}

static void bad_heads_are_refused_and_others_served(void **state)
{
    static const struct {
        const char *head;
        const char *answer;
    } cases[] = {
        {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
         "Transfer-Encoding: chunked\r\n\r\n",
         "400"},
        {"GET / HTTP/1.1\r\n\r\n", "400"},
        {"GET / HTTP/1.1\nHost: localhost\n\n", "400"},
        {"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\r\n c\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nA: b\rc\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "400"},
        {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", "403"},
        {"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi", "405"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi", "413"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
         "413"},
        {"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: tea\r\n\r\n", "417"},
        {"GET /_moonlit/socket HTTP/1.1\r\nHost: localhost\r\n\r\n", "426"},
        {"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", "505"},
    };
    struct stage stage;
    struct client steady;
    stage_open(&stage, defaults);
    client_upgrade(&steady, &stage);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client client;
        client_open(&client, &stage);
        client_say(&client, cases[i].head);
        client_say(&client, GET("/_moonlit/smuggled"));
        client_expect_end(&client);
        char expected[32];
        snprintf(expected, sizeof expected, "HTTP/1.1 %s ", cases[i].answer);
        client_expect(&client, expected);
        assert_true(client_has(&client, "Connection: close\r\n"));
        assert_true(client_has(&client, "Content-Security-Policy"));
        assert_int_equal(client_count(&client, "\r\nDate: "), 1);
        client_close(&client);
    }
    client_frames(&steady, FRAME_TEXT, true, "still here", 10);
    client_expect_bytes(&steady, "\x81\x0astill here", 12);
    client_close(&steady);
    stage_close(&stage);
}

static void a_foreign_host_is_told_the_way_out(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    client_say(&client, "GET / HTTP/1.1\r\nHost: evil.example:8501\r\n\r\n");
    client_expect(&client, "start it with --allow-host evil.example.");
    client_close(&client);
    client_open(&client, &stage);
    client_say(&client, "GET / HTTP/1.1\r\nHost: app.example\r\n\r\n");
    client_expect(&client, "HTTP/1.1 200 ");
    client_close(&client);
    stage_close(&stage);
}

static void the_preface_of_http2_is_closed_without_a_word(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    client_say(&client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    client_expect_end(&client);
    assert_int_equal(client.heard.length, 0);
    client_close(&client);
    stage_close(&stage);
}

static void a_long_head_is_refused(void **state)
{
    struct stage stage;
    stage_open(&stage, (struct server_limits){.head = 1000});
    char value[2001];
    memset(value, 'x', sizeof value - 1);
    value[2000] = 0;
    for (int is_whole = 0; is_whole < 2; is_whole++) {
        struct client client;
        client_open(&client, &stage);
        client_say(&client, "GET / HTTP/1.1\r\nHost: localhost\r\nA: ");
        client_say(&client, value);
        client_say(&client, is_whole ? "\r\n\r\n" : "");
        client_expect_end(&client);
        client_expect(&client, "HTTP/1.1 431 ");
        client_close(&client);
    }
    stage_close(&stage);
}

static void a_slow_head_is_refused(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.head_time = 50});
    client_open(&client, &stage);
    client_say(&client, "GET / HTTP/1.1\r\nHost: loc");
    client_expect(&client, "HTTP/1.1 408 ");
    client_expect_end(&client);
    client_close(&client);
    stage_close(&stage);
}

static void an_idle_connection_is_closed(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.idle_time = 50});
    client_open(&client, &stage);
    client_expect_end(&client);
    assert_int_equal(client.heard.length, 0);
    client_close(&client);
    WAIT_FOR(&stage, server_stats(stage.server).connections == 0);
    stage_close(&stage);
}

static void a_response_that_nobody_reads_is_cut_off(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.stall_time = 100});
    client_open(&client, &stage);
    uv_read_stop((uv_stream_t *)&client.tcp);
    stage.keeps_requests = true;
    client_say(&client, GET("/_moonlit/big"));
    WAIT_FOR(&stage, stage.request != NULL);
    size_t size = 64 * 1024 * 1024;
    char *body = calloc(1, size);
    request_respond(stage.request, 200, "text/plain", body, size, NULL);
    free(body);
    assert_true(server_stats(stage.server).queued > 0);
    WAIT_FOR(&stage, server_stats(stage.server).connections == 0);
    client_close(&client);
    stage_close(&stage);
}

static void a_big_response_arrives_whole_and_the_next_follows(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    stage.keeps_requests = true;
    client_say(&client, GET("/_moonlit/big") GET("/assets/main-1f2e.js"));
    WAIT_FOR(&stage, stage.request != NULL);
    size_t size = 16 * 1024 * 1024;
    char *body = malloc(size);
    memset(body, 'x', size);
    request_respond(stage.request, 200, "text/plain", body, size, NULL);
    free(body);
    WAIT_FOR(&stage, client.heard.length > size);
    client_expect(&client, "console.log(1)");
    assert_true(client_count(&client, "xxxxxxxx") == size - 7);
    client_close(&client);
    stage_close(&stage);
}

/* ---- WebSockets ----------------------------------------------------------------------------- */

static void messages_go_both_ways(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_upgrade(&client, &stage);
    assert_string_equal(socket_query(stage.socket), "s=1");
    assert_int_equal(strncmp(socket_peer(stage.socket), "127.0.0.1:", 10), 0);
    client_frames(&client, FRAME_TEXT, true, "hello", 5);
    client_expect_bytes(&client, "\x81\x05hello", 7);
    assert_true(stage.last_is_text);
    client_frames(&client, FRAME_BINARY, true, "", 0);
    client_expect_bytes(&client, "\x82\x00", 2);
    assert_false(stage.last_is_text);
    assert_int_equal(server_stats(stage.server).sockets, 1);
    client_close(&client);
    WAIT_FOR(&stage, stage.closed == 1);
    assert_int_equal(stage.codes[0], SOCKET_CODE_ABNORMAL);
    assert_int_equal(server_stats(stage.server).sockets, 0);
    stage_close(&stage);
}

static void a_message_may_follow_the_upgrade_at_once(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    struct buffer out;
    buffer_init(&out, 4096);
    buffer_append_text(&out, GET("/assets/main-1f2e.js") UPGRADE);
    client_frame(&out, FRAME_TEXT, true, "early", 5);
    client_send(&client, out.bytes, out.length);
    buffer_deinit(&out);
    client_expect(&client, "\x81\x05"
                           "early");
    client_close(&client);
    stage_close(&stage);
}

static void an_upgrade_behind_a_late_answer_still_hears(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    stage.keeps_requests = true;
    client_say(&client, GET("/_moonlit/one") UPGRADE);
    WAIT_FOR(&stage, stage.request != NULL);
    request_respond(stage.request, 200, "text/plain", "one", 3, NULL);
    client_expect(&client, "HTTP/1.1 101 ");
    client_frames(&client, FRAME_TEXT, true, "hello", 5);
    client_expect(&client, "\x81\x05hello");
    client_close(&client);
    stage_close(&stage);
}

static void fragments_with_a_ping_between_are_one_message(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_upgrade(&client, &stage);
    client_frames(&client, FRAME_TEXT, false, "gr\xc3", 3);
    client_frames(&client, FRAME_PING, true, "you?", 4);
    client_expect_bytes(&client, "\x8a\x04you?", 6);
    assert_int_equal(stage.messages, 0);
    client_frames(&client, FRAME_CONTINUATION, true, "\xbcn", 2);
    client_expect_bytes(&client, "\x81\x05gr\xc3\xbcn", 7);
    assert_int_equal(stage.messages, 1);
    client_close(&client);
    stage_close(&stage);
}

static void hostile_frames_close_their_socket_alone(void **state)
{
    static const struct {
        int code;
        size_t length;
        const char *bytes;
    } cases[] = {
        {1002, 7, "\x81\x05hello"},          {1002, 6, "\xc1\x80\0\0\0\0"},
        {1002, 6, "\x83\x80\0\0\0\0"},       {1002, 6, "\x09\x80\0\0\0\0"},
        {1002, 8, "\x89\xfe\0\x7e\0\0\0\0"}, {1002, 6, "\x80\x80\0\0\0\0"},
        {1002, 8, "\x82\xfe\0\x7d\0\0\0\0"}, {1009, 14, "\x82\xff\0\0\0\x10\0\0\0\0\0\0\0\0"},
        {1007, 7, "\x81\x81\0\0\0\0\xff"},   {1002, 7, "\x88\x81\0\0\0\0\x03"},
    };
    struct stage stage;
    struct client steady;
    stage_open(&stage, defaults);
    client_upgrade(&steady, &stage);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client client;
        client_upgrade(&client, &stage);
        client_send(&client, cases[i].bytes, cases[i].length);
        client_expect_end(&client);
        assert_true(client.heard.length >= 4);
        assert_int_equal(client.heard.bytes[0], 0x88);
        assert_int_equal(client.heard.bytes[2] << 8 | client.heard.bytes[3], cases[i].code);
        client_close(&client);
        WAIT_FOR(&stage, stage.closed == (int)i + 1);
        assert_int_equal(stage.codes[i], cases[i].code);
    }
    assert_int_equal(stage.messages, 0);
    client_frames(&steady, FRAME_TEXT, true, "still here", 10);
    client_expect_bytes(&steady, "\x81\x0astill here", 12);
    client_close(&steady);
    stage_close(&stage);
}

static void a_frame_that_is_cut_ends_quietly(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_upgrade(&client, &stage);
    client_send(&client, "\x81\xfe\x01\0\0\0\0\0abc", 11);
    client_close(&client);
    WAIT_FOR(&stage, stage.closed == 1);
    assert_int_equal(stage.codes[0], SOCKET_CODE_ABNORMAL);
    assert_int_equal(stage.messages, 0);
    stage_close(&stage);
}

static void foreign_upgrades_are_refused(void **state)
{
    static const struct {
        const char *lines;
        const char *answer;
    } cases[] = {
        {"Origin: http://evil.example\r\n" UPGRADE_LINES, "403"},
        {"Origin: http://localhost:3000\r\n" UPGRADE_LINES, "403"},
        {"Origin: null\r\n" UPGRADE_LINES, "403"},
        {UPGRADE_LINES, "403"},
        {"Origin: http://localhost:8501\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 8\r\n",
         "426"},
        {"Origin: http://localhost:8501\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Key: short\r\nSec-WebSocket-Version: 13\r\n",
         "400"},
    };
    struct stage stage;
    stage_open(&stage, defaults);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client client;
        client_open(&client, &stage);
        client_say(&client, "GET /_moonlit/socket HTTP/1.1\r\nHost: localhost:8501\r\n");
        client_say(&client, cases[i].lines);
        client_say(&client, "\r\n");
        client_expect_end(&client);
        char expected[32];
        snprintf(expected, sizeof expected, "HTTP/1.1 %s ", cases[i].answer);
        client_expect(&client, expected);
        client_close(&client);
    }
    assert_int_equal(stage.opened, 0);
    stage_close(&stage);
}

static void the_browser_closes_and_is_answered(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_upgrade(&client, &stage);
    client_frames(&client, FRAME_CLOSE, true,
                  "\x0f\xa1"
                  "bye",
                  5);
    client_expect_bytes(&client, "\x88\x02\x0f\xa1", 4);
    client_expect_end(&client);
    client_close(&client);
    WAIT_FOR(&stage, stage.closed == 1);
    assert_int_equal(stage.codes[0], 4001);
    stage_close(&stage);
}

static void we_close_and_the_browser_answers(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_upgrade(&client, &stage);
    stage.in_call = true;
    socket_close(stage.socket, 1001, "bye");
    assert_true(socket_is_closing(stage.socket));
    assert_int_equal(socket_send(stage.socket, "dropped", 7, SOCKET_TEXT), 0);
    stage.in_call = false;
    client_expect_bytes(&client,
                        "\x88\x05\x03\xe9"
                        "bye",
                        7);
    client_frames(&client, FRAME_TEXT, true, "too late", 8);
    client_frames(&client, FRAME_CLOSE, true, "\x03\xe9", 2);
    client_expect_end(&client);
    assert_int_equal(client.heard.length, 0);
    assert_int_equal(stage.messages, 0);
    client_close(&client);
    WAIT_FOR(&stage, stage.closed == 1);
    assert_int_equal(stage.codes[0], 1001);
    stage_close(&stage);
}

static void a_close_that_nobody_answers_ends_by_its_timer(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.close_time = 50});
    client_upgrade(&client, &stage);
    socket_close(stage.socket, 1000, NULL);
    WAIT_FOR(&stage, stage.closed == 1);
    assert_int_equal(stage.codes[0], 1000);
    client_close(&client);
    stage_close(&stage);
}

static void a_silent_browser_is_pinged_and_then_cut(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.ping_time = 50, .dead_time = 200});
    client_upgrade(&client, &stage);
    client_expect_bytes(&client, "\x89\x00", 2);
    client_expect_end(&client);
    client_close(&client);
    WAIT_FOR(&stage, stage.closed == 1);
    assert_int_equal(stage.codes[0], SOCKET_CODE_ABNORMAL);
    stage_close(&stage);
}

/* Its machine has lost the network: what we send goes into the kernel's buffers and no further. */
static void what_we_send_is_no_sign_of_the_browsers_life(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.ping_time = 50, .dead_time = 200});
    client_upgrade(&client, &stage);
    while (stage.closed == 0) {
        stage.in_call = true;
        socket_send(stage.socket, "patch", 5, SOCKET_BINARY);
        stage.in_call = false;
        stage_turn(&stage);
    }
    assert_int_equal(stage.codes[0], SOCKET_CODE_ABNORMAL);
    assert_true(client_has(&client, "\x89"));
    client_close(&client);
    stage_close(&stage);
}

static void a_browser_that_talks_and_never_reads_is_cut(void **state)
{
    struct stage stage;
    struct client client;
    static char patch[65536];
    stage_open(&stage, (struct server_limits){.stall_time = 200, .queue_soft = 100000});
    client_upgrade(&client, &stage);
    uv_read_stop((uv_stream_t *)&client.tcp);
    while (stage.closed == 0) {
        stage.in_call = true;
        socket_send(stage.socket, patch, socket_queued(stage.socket) < 1000000 ? sizeof patch : 1,
                    SOCKET_BINARY);
        stage.in_call = false;
        uv_buf_t pong = uv_buf_init("\x8a\x80\0\0\0\0", 6);
        uv_try_write((uv_stream_t *)&client.tcp, &pong, 1); /* fails when the end has come */
        stage_turn(&stage);
    }
    assert_int_equal(stage.codes[0], SOCKET_CODE_ABNORMAL);
    client_close(&client);
    stage_close(&stage);
}

static void nothing_is_read_from_a_browser_that_is_far_behind(void **state)
{
    struct stage stage;
    struct client client;
    static char patch[65536];
    stage_open(&stage, (struct server_limits){.queue_soft = 100000});
    client_upgrade(&client, &stage);
    uv_read_stop((uv_stream_t *)&client.tcp);
    stage.in_call = true;
    size_t sent = 0;
    for (; socket_queued(stage.socket) < 1000000; sent++) {
        socket_send(stage.socket, patch, sizeof patch, SOCKET_BINARY);
    }
    stage.in_call = false;
    client_frames(&client, FRAME_TEXT, true, "late", 4);
    struct client other; /* the loop turns, and no message comes */
    client_open(&other, &stage);
    client_say(&other, GET("/"));
    client_expect(&other, "doctype");
    client_close(&other);
    assert_int_equal(stage.messages, 0);
    client_listen(&client);
    WAIT_FOR(&stage, stage.messages == 1);
    assert_string_equal(stage.last, "late");
    WAIT_FOR(&stage, client.heard.length == sent * (sizeof patch + 10) + 6);
    client_close(&client);
    stage_close(&stage);
}

static void a_slow_reader_is_drained_and_told(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.queue_soft = 100000});
    client_upgrade(&client, &stage);
    uv_read_stop((uv_stream_t *)&client.tcp);
    static char patch[65536];
    size_t sent = 0;
    stage.in_call = true;
    while (socket_queued(stage.socket) <= 1000000) {
        size_t queued = socket_send(stage.socket, patch, sizeof patch, SOCKET_BINARY);
        assert_int_equal(queued, socket_queued(stage.socket));
        sent++;
    }
    stage.in_call = false;
    assert_true(server_stats(stage.server).queued > 1000000);
    assert_int_equal(stage.drained, 0);
    client_listen(&client);
    WAIT_FOR(&stage, stage.drained == 1);
    WAIT_FOR(&stage, client.heard.length >= sent * (sizeof patch + 10));
    assert_int_equal(client.heard.length, sent * (sizeof patch + 10));
    assert_int_equal(socket_queued(stage.socket), 0);
    assert_int_equal(stage.drained, 1);
    client_close(&client);
    stage_close(&stage);
}

static void a_reader_far_too_slow_is_cut_off_with_1013(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.queue_hard = 1000000, .close_time = 2000});
    client_upgrade(&client, &stage);
    uv_read_stop((uv_stream_t *)&client.tcp);
    static char patch[65536];
    stage.in_call = true;
    size_t most = 0;
    while (!socket_is_closing(stage.socket)) {
        size_t queued = socket_send(stage.socket, patch, sizeof patch, SOCKET_BINARY);
        most = queued > most ? queued : most;
    }
    assert_true(most <= 1000000 + 1000);
    assert_true(socket_queued(stage.socket) < 200000);
    stage.in_call = false;
    client_listen(&client);
    client_expect(&client, "\x88\x0a\x03\xf5too slow");
    client_frames(&client, FRAME_CLOSE, true, "\x03\xf5", 2);
    WAIT_FOR(&stage, stage.closed == 1);
    assert_int_equal(stage.codes[0], SOCKET_CODE_TRY_LATER);
    client_close(&client);
    stage_close(&stage);
}

static void a_paused_socket_keeps_what_came(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_upgrade(&client, &stage);
    stage.pauses = true;
    struct buffer out;
    buffer_init(&out, 4096);
    client_frame(&out, FRAME_TEXT, true, "one", 3);
    client_frame(&out, FRAME_TEXT, true, "two", 3);
    client_frame(&out, FRAME_TEXT, true, "three", 5);
    client_send(&client, out.bytes, out.length);
    buffer_deinit(&out);
    for (int i = 1; i <= 3; i++) {
        WAIT_FOR(&stage, stage.messages == i);
        struct client other; /* the loop turns, and no message comes */
        client_open(&other, &stage);
        client_say(&other, GET("/"));
        client_expect(&other, "doctype");
        client_close(&other);
        assert_int_equal(stage.messages, i);
        stage.pauses = i < 2;
        stage.in_call = true;
        socket_resume(stage.socket);
        stage.in_call = false;
    }
    assert_string_equal(stage.last, "three");
    client_expect_bytes(&client, "\x81\x03one\x81\x03two\x81\x05three", 17);
    client_close(&client);
    stage_close(&stage);
}

/* ---- the door ------------------------------------------------------------------------------- */

static void a_port_in_use_is_named_with_the_way_out(void **state)
{
    struct stage stage;
    stage_open(&stage, defaults);
    struct server_config config = {0};
    struct error error;
    struct server *second = server_new(&stage.loop, NULL, &config, &error);
    assert_false(server_listen(second, "127.0.0.1", server_port(stage.server), &error));
    char words[128];
    snprintf(words, sizeof words,
             "Port %d on 127.0.0.1 is already in use: stop the other program or choose another "
             "with --port.",
             server_port(stage.server));
    assert_string_equal(error.message, words);
    assert_true(server_listen(second, "localhost", 0, &error));
    assert_true(server_port(second) > 0);
    server_free(second);
    stage_close(&stage);
}

static void a_malformed_allowed_host_is_named(void **state)
{
    static const char *const hosts[] = {"good.example", "http://bad.example", NULL};
    struct server_config config = {.hosts = hosts};
    struct error error;
    uv_loop_t loop;
    uv_loop_init(&loop);
    assert_null(server_new(&loop, NULL, &config, &error));
    assert_non_null(strstr(error.message, "\"http://bad.example\""));
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void too_many_connections_are_turned_away(void **state)
{
    struct stage stage;
    struct client first;
    struct client second;
    stage_open(&stage, (struct server_limits){.connections = 1});
    client_open(&first, &stage);
    client_say(&first, GET("/"));
    client_expect(&first, "doctype");
    client_open(&second, &stage);
    client_expect(&second, "HTTP/1.1 503 ");
    client_expect_end(&second);
    client_close(&second);
    client_close(&first);
    WAIT_FOR(&stage, server_stats(stage.server).connections == 0);
    client_open(&first, &stage);
    client_say(&first, GET("/"));
    client_expect(&first, "doctype");
    assert_int_equal(server_stats(stage.server).refused, 1);
    client_close(&first);
    stage_close(&stage);
}

static int next_descriptor(void)
{
    int descriptor = open("/dev/null", O_RDONLY);
    close(descriptor);
    return descriptor;
}

/* A connection that waits at the listener, made without the loop. */
static int knock(int port)
{
    struct sockaddr_in address;
    uv_ip4_addr("127.0.0.1", port, &address);
    int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(descriptor, (struct sockaddr *)&address, sizeof address), 0);
    return descriptor;
}

static void running_out_of_descriptors_is_survived(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    client_open(&client, &stage);
    client_say(&client, GET("/"));
    client_expect(&client, "doctype");
    buffer_clear(&client.heard);
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    for (int round = 0; round < 3; round++) {
        int waiting[4];
        for (int i = 0; i < 4; i++) {
            waiting[i] = knock(server_port(stage.server));
        }
        struct rlimit tight = {.rlim_cur = (rlim_t)next_descriptor(), .rlim_max = before.rlim_max};
        setrlimit(RLIMIT_NOFILE, &tight);
        client_say(&client, GET("/"));
        client_expect(&client, "doctype"); /* the loop does not spin */
        buffer_clear(&client.heard);
        char byte;
        for (int i = 0; i < 4; i++) {
            struct timeval most = {.tv_sec = 10};
            setsockopt(waiting[i], SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
            uv_run(&stage.loop, UV_RUN_NOWAIT);
            ssize_t count = recv(waiting[i], &byte, 1, 0); /* turned away, not left waiting */
            assert_true(count >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK));
        }
        setrlimit(RLIMIT_NOFILE, &before);
        for (int i = 0; i < 4; i++) {
            close(waiting[i]);
        }
    }
    struct client next;
    client_open(&next, &stage);
    client_say(&next, GET("/"));
    client_expect(&next, "doctype");
    client_close(&next);
    client_close(&client);
    stage_close(&stage);
}

/* libuv keeps a descriptor in reserve too; take it away, as another thread could. */
static void lose_reserve_of_libuv(struct stage *stage)
{
    if (stage->loop.emfile_fd >= 0) {
        close(stage->loop.emfile_fd);
        stage->loop.emfile_fd = -1;
    }
}

static void our_reserve_turns_visitors_away(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, defaults);
    lose_reserve_of_libuv(&stage);
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    int waiting[3];
    for (int i = 0; i < 3; i++) {
        waiting[i] = knock(server_port(stage.server));
    }
    struct rlimit tight = {.rlim_cur = (rlim_t)next_descriptor(), .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &tight);
    WAIT_FOR(&stage, server_stats(stage.server).refused == 3);
    setrlimit(RLIMIT_NOFILE, &before);
    for (int i = 0; i < 3; i++) {
        char words[13] = "";
        assert_int_equal(recv(waiting[i], words, 12, MSG_WAITALL), 12);
        assert_string_equal(words, "HTTP/1.1 503");
        close(waiting[i]);
    }
    client_open(&client, &stage);
    client_say(&client, GET("/"));
    client_expect(&client, "doctype");
    client_close(&client);
    stage_close(&stage);
}

static void without_any_reserve_the_door_opens_again(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.close_time = 50});
    lose_reserve_of_libuv(&stage);
    close(stage.server->reserve);
    stage.server->reserve = -1;
    struct rlimit before;
    getrlimit(RLIMIT_NOFILE, &before);
    int waiting = knock(server_port(stage.server));
    struct rlimit tight = {.rlim_cur = (rlim_t)next_descriptor(), .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &tight);
    WAIT_FOR(&stage, stage.server->is_starved);
    setrlimit(RLIMIT_NOFILE, &before);
    close(waiting);
    WAIT_FOR(&stage, stage.server->listener != NULL);
    client_open(&client, &stage);
    client_say(&client, GET("/"));
    client_expect(&client, "doctype");
    assert_true(stage.server->reserve >= 0);
    client_close(&client);
    stage_close(&stage);
}

static void draining_finishes_what_was_begun(void **state)
{
    struct stage stage;
    struct client idle;
    struct client busy;
    struct client socket;
    stage_open(&stage, defaults);
    client_open(&idle, &stage);
    client_say(&idle, GET("/"));
    client_expect(&idle, "doctype");
    client_open(&busy, &stage);
    client_upgrade(&socket, &stage);
    stage.keeps_requests = true;
    client_say(&busy, GET("/_moonlit/slow"));
    WAIT_FOR(&stage, stage.request != NULL);
    stage.in_call = true;
    server_drain(stage.server, 20000, on_done, &stage);
    stage.in_call = false;
    client_expect_end(&idle);
    client_close(&idle);
    client_expect(&socket, "\x88\x13\x03\xe9the app is ending");
    client_frames(&socket, FRAME_CLOSE, true, "\x03\xe9", 2);
    client_expect_end(&socket);
    client_close(&socket);
    WAIT_FOR(&stage, stage.closed == 1);
    assert_int_equal(stage.codes[0], 1001);
    assert_false(stage.is_done);
    request_respond(stage.request, 200, "text/plain", "done", 4, NULL);
    client_expect(&busy, "\r\n\r\ndone");
    assert_true(client_has(&busy, "Connection: close\r\n"));
    client_expect_end(&busy);
    client_close(&busy);
    WAIT_FOR(&stage, stage.is_done);
    struct client late;
    client_begin(&late, &stage);
    client_expect_end(&late);
    assert_false(late.is_connected);
    client_close(&late);
    stage_close(&stage);
}

static void the_deadline_of_a_drain_cuts_the_rest(void **state)
{
    struct stage stage;
    struct client deaf;
    stage_open(&stage, defaults);
    client_upgrade(&deaf, &stage);
    server_drain(stage.server, 50, on_done, &stage);
    WAIT_FOR(&stage, stage.is_done);
    assert_int_equal(stage.closed, 1);
    assert_int_equal(stage.codes[0], 1001);
    client_close(&deaf);
    stage_close(&stage);
}

static void draining_an_empty_server_is_told_from_the_loop(void **state)
{
    struct stage stage;
    stage_open(&stage, defaults);
    stage.in_call = true;
    server_drain(stage.server, 20000, on_done, &stage);
    stage.in_call = false;
    assert_false(stage.is_done);
    WAIT_FOR(&stage, stage.is_done);
    stage_close(&stage);
}

static void freeing_cuts_everything_without_a_word(void **state)
{
    struct stage stage;
    struct client page_client;
    struct client socket;
    stage_open(&stage, defaults);
    client_open(&page_client, &stage);
    client_say(&page_client, "GET / HTTP/1.1\r\nHo");
    client_upgrade(&socket, &stage);
    static char patch[65536];
    uv_read_stop((uv_stream_t *)&socket.tcp);
    while (socket_send(stage.socket, patch, sizeof patch, SOCKET_BINARY) < 500000) {
    }
    uv_close((uv_handle_t *)&page_client.tcp, NULL);
    uv_close((uv_handle_t *)&socket.tcp, NULL);
    buffer_deinit(&page_client.heard);
    buffer_deinit(&socket.heard);
    stage_close(&stage);
    assert_int_equal(stage.closed, 0);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_and_its_security_headers_are_served),
        cmocka_unit_test(one_connection_serves_many_requests),
        cmocka_unit_test(the_browsers_copy_and_its_encoding_count),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(a_request_outlives_its_browser),
        cmocka_unit_test(a_head_may_come_byte_by_byte),
        cmocka_unit_test(bad_heads_are_refused_and_others_served),
        cmocka_unit_test(a_foreign_host_is_told_the_way_out),
        cmocka_unit_test(the_preface_of_http2_is_closed_without_a_word),
        cmocka_unit_test(a_long_head_is_refused),
        cmocka_unit_test(a_slow_head_is_refused),
        cmocka_unit_test(an_idle_connection_is_closed),
        cmocka_unit_test(a_response_that_nobody_reads_is_cut_off),
        cmocka_unit_test(a_big_response_arrives_whole_and_the_next_follows),
        cmocka_unit_test(messages_go_both_ways),
        cmocka_unit_test(a_message_may_follow_the_upgrade_at_once),
        cmocka_unit_test(an_upgrade_behind_a_late_answer_still_hears),
        cmocka_unit_test(fragments_with_a_ping_between_are_one_message),
        cmocka_unit_test(hostile_frames_close_their_socket_alone),
        cmocka_unit_test(a_frame_that_is_cut_ends_quietly),
        cmocka_unit_test(foreign_upgrades_are_refused),
        cmocka_unit_test(the_browser_closes_and_is_answered),
        cmocka_unit_test(we_close_and_the_browser_answers),
        cmocka_unit_test(a_close_that_nobody_answers_ends_by_its_timer),
        cmocka_unit_test(a_silent_browser_is_pinged_and_then_cut),
        cmocka_unit_test(what_we_send_is_no_sign_of_the_browsers_life),
        cmocka_unit_test(a_browser_that_talks_and_never_reads_is_cut),
        cmocka_unit_test(nothing_is_read_from_a_browser_that_is_far_behind),
        cmocka_unit_test(a_slow_reader_is_drained_and_told),
        cmocka_unit_test(a_reader_far_too_slow_is_cut_off_with_1013),
        cmocka_unit_test(a_paused_socket_keeps_what_came),
        cmocka_unit_test(a_port_in_use_is_named_with_the_way_out),
        cmocka_unit_test(a_malformed_allowed_host_is_named),
        cmocka_unit_test(too_many_connections_are_turned_away),
        cmocka_unit_test(running_out_of_descriptors_is_survived),
        cmocka_unit_test(our_reserve_turns_visitors_away),
        cmocka_unit_test(without_any_reserve_the_door_opens_again),
        cmocka_unit_test(draining_finishes_what_was_begun),
        cmocka_unit_test(the_deadline_of_a_drain_cuts_the_rest),
        cmocka_unit_test(draining_an_empty_server_is_told_from_the_loop),
        cmocka_unit_test(freeing_cuts_everything_without_a_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
