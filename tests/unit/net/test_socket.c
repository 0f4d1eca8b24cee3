/* WebSockets: the upgrade, messages, hostile frames, the end, and peers that are slow or gone. */
#include "stage.h"

#include <signal.h>

static const struct server_limits defaults;

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

/* The loop turns no more until both times are over. */
static void a_browser_is_pinged_before_it_is_cut_though_the_host_was_held_up(void **state)
{
    struct stage stage;
    struct client client;
    stage_open(&stage, (struct server_limits){.ping_time = 50, .dead_time = 100});
    client_upgrade(&client, &stage);
    for (uint64_t begin = uv_hrtime(); uv_hrtime() - begin < 150000000;) {
    }
    WAIT_FOR(&stage, client.heard.length > 0 || client.has_ended);
    client_expect_bytes(&client, "\x89\x00", 2);
    client_close(&client);
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

/* Each ping is answered with as many bytes as it has. */
static void a_browser_that_pings_and_never_reads_is_not_listened_to(void **state)
{
    struct stage stage;
    struct client client;
    struct buffer pings;
    stage_open(&stage, (struct server_limits){.queue_soft = 100000, .stall_time = 1000});
    client_upgrade(&client, &stage);
    uv_read_stop((uv_stream_t *)&client.tcp);
    buffer_init(&pings, 1 << 20);
    for (int i = 0; i < 1000; i++) {
        client_frame(&pings, FRAME_PING, true, memset((char[125]){0}, 'p', 125), 125);
    }
    size_t most = 0, sent = 0;
    while (stage.closed == 0) {
        uv_buf_t part = uv_buf_init((char *)pings.bytes + sent, (unsigned)(pings.length - sent));
        int taken = uv_try_write((uv_stream_t *)&client.tcp, &part, 1); /* or an error at the end */
        sent = (sent + (size_t)(taken > 0 ? taken : 0)) % pings.length;
        stage_turn(&stage);
        size_t queued = stage.closed == 0 ? socket_queued(stage.socket) : 0;
        most = queued > most ? queued : most;
    }
    assert_true(most >= 100000 && most < 300000);
    buffer_deinit(&pings);
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
    stage_open(&stage, (struct server_limits){.queue_hard = 1000000, .close_time = 20000});
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

static void what_comes_with_a_message_whose_answer_fills_the_queue_is_kept(void **state)
{
    struct stage stage;
    struct client client, other;
    struct buffer out;
    static char patch[65536], question[16384];
    stage_open(&stage, (struct server_limits){.queue_soft = 3000000});
    client_upgrade(&client, &stage);
    uv_read_stop((uv_stream_t *)&client.tcp);
    stage.in_call = true;
    while (socket_queued(stage.socket) == 0) { /* until the kernel takes no more */
        socket_send(stage.socket, patch, sizeof patch, SOCKET_BINARY);
    }
    stage.in_call = false;
    stage.echo_times = 300;
    buffer_init(&out, sizeof patch);
    client_frame(&out, FRAME_BINARY, true, question, sizeof question);
    client_frame(&out, FRAME_TEXT, true, "late", 4);
    client_send(&client, out.bytes, out.length);
    buffer_deinit(&out);
    WAIT_FOR(&stage, stage.messages == 1);
    stage.echo_times = 0;
    client_open(&other, &stage); /* the loop turns, and no message comes */
    client_say(&other, GET("/"));
    client_expect(&other, "doctype");
    client_close(&other);
    assert_int_equal(stage.messages, 1);
    client_listen(&client);
    WAIT_FOR(&stage, stage.messages == 2);
    assert_string_equal(stage.last, "late");
    assert_int_equal(stage.drained, 1);
    client_close(&client);
    stage_close(&stage);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(a_browser_is_pinged_before_it_is_cut_though_the_host_was_held_up),
        cmocka_unit_test(what_we_send_is_no_sign_of_the_browsers_life),
        cmocka_unit_test(a_browser_that_talks_and_never_reads_is_cut),
        cmocka_unit_test(nothing_is_read_from_a_browser_that_is_far_behind),
        cmocka_unit_test(a_browser_that_pings_and_never_reads_is_not_listened_to),
        cmocka_unit_test(a_slow_reader_is_drained_and_told),
        cmocka_unit_test(a_reader_far_too_slow_is_cut_off_with_1013),
        cmocka_unit_test(what_comes_with_a_message_whose_answer_fills_the_queue_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
