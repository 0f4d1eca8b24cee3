/* The door: listening, room for so many and no more, draining. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/inside.h"

static const struct server_limits defaults;

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
        for (int i = 0; i < 4; i++) { /* turned away, not left waiting */
            while (recv(waiting[i], &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN) {
                stage_turn(&stage);
            }
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
