/* Requests and their answers: what is served, what is refused, and in which time. */
#include "stage.h"

#include <signal.h>

static const struct server_limits defaults;

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
