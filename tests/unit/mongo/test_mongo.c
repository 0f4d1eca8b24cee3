#include "mongo/mongo.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../support/fake_mongo.c"

/* ---- a loop, a fake server, a mongo ---------------------------------------------------------- */

struct place {
    uv_loop_t loop;
    uv_timer_t poke; /* lets the loop look again at what the server's threads did */
    struct log log;
    struct fake_mongo *fake;
    struct mongo *mongo;
    bool stopped;
};

struct outcome {
    int calls;
    bool ok;
    struct mongo_error error;
    struct mongo_lease *lease;
    uint8_t *reply;
    size_t length;
};

static void drop_line(void *data, enum log_level level, const char *line)
{
}

static void do_nothing(uv_timer_t *timer)
{
}

static void place_connect(struct place *place, const char *uri, unsigned pool_size)
{
    struct mongo_config config = {.uri = uri, .app_name = "test", .pool_size = pool_size};
    struct error error = {0};
    place->log = (struct log){.sink = drop_line};
    assert_int_equal(uv_loop_init(&place->loop), 0);
    uv_timer_init(&place->loop, &place->poke);
    uv_timer_start(&place->poke, do_nothing, 2, 2);
    place->mongo = mongo_new(&place->loop, &place->log, &config, &error);
    assert_non_null(place->mongo);
}

static void place_open(struct place *place, unsigned pool_size)
{
    *place = (struct place){0};
    place->fake = fake_mongo_new(false);
    place_connect(place, fake_mongo_uri(place->fake), pool_size);
}

static void on_stopped(void *data)
{
    struct place *place = data;
    place->stopped = true;
    uv_close((uv_handle_t *)&place->poke, NULL);
}

/* Milliseconds that the stop took. */
static uint64_t place_stop(struct place *place)
{
    uint64_t before = uv_hrtime();
    mongo_stop(place->mongo, on_stopped, place);
    uv_run(&place->loop, UV_RUN_DEFAULT);
    assert_true(place->stopped);
    assert_int_equal(uv_loop_close(&place->loop), 0);
    return (uv_hrtime() - before) / 1000000;
}

static void place_close(struct place *place)
{
    place_stop(place);
    fake_mongo_free(place->fake);
}

#define run_until(place, condition)                                                                \
    while (!(condition)) {                                                                         \
        uv_run(&(place)->loop, UV_RUN_ONCE);                                                       \
    }

static struct fake_numbers numbers(struct place *place)
{
    return fake_mongo_numbers(place->fake);
}

static struct mongo_stats stats(struct place *place)
{
    struct mongo_stats stats;
    mongo_stats(place->mongo, &stats);
    return stats;
}

/* A bound against hanging, far above what it takes. */
#define assert_prompt(milliseconds) assert_true((milliseconds) < 2000)

/* ---- commands -------------------------------------------------------------------------------- */

static void on_done(void *data, struct mongo_result *result)
{
    struct outcome *outcome = data;
    outcome->calls++;
    outcome->ok = result->ok;
    outcome->error = result->error;
    outcome->lease = result->lease;
    free(outcome->reply);
    outcome->reply = result->reply;
    outcome->length = result->length;
    result->reply = NULL;
}

static void outcome_clear(struct outcome *outcome)
{
    free(outcome->reply);
    *outcome = (struct outcome){0};
}

static struct mongo_request *start(struct place *place, struct mongo_gate *gate, const bson_t *bson,
                                   struct mongo_command command, struct outcome *outcome)
{
    command.database = "test";
    command.bson = bson_get_data(bson);
    command.length = bson->len;
    return mongo_start(place->mongo, gate, &command, on_done, outcome);
}

/* find with filter { <what>: <value> } */
static struct mongo_request *start_find(struct place *place, struct mongo_gate *gate,
                                        const char *what, int value, struct outcome *outcome)
{
    bson_t bson = BSON_INITIALIZER, filter;
    BSON_APPEND_UTF8(&bson, "find", "things");
    BSON_APPEND_DOCUMENT_BEGIN(&bson, "filter", &filter);
    if (what) {
        BSON_APPEND_INT32(&filter, what, value);
    }
    bson_append_document_end(&bson, &filter);
    struct mongo_request *request =
        start(place, gate, &bson, (struct mongo_command){.kind = MONGO_READ, .keeps_cursor = true},
              outcome);
    bson_destroy(&bson);
    return request;
}

static struct mongo_request *start_insert(struct place *place, struct outcome *outcome)
{
    bson_t bson = BSON_INITIALIZER, documents, one = BSON_INITIALIZER;
    BSON_APPEND_UTF8(&bson, "insert", "things");
    BSON_APPEND_ARRAY_BEGIN(&bson, "documents", &documents);
    BSON_APPEND_INT32(&one, "_id", 1);
    BSON_APPEND_DOCUMENT(&documents, "0", &one);
    bson_append_array_end(&bson, &documents);
    struct mongo_request *request =
        start(place, NULL, &bson, (struct mongo_command){.kind = MONGO_WRITE}, outcome);
    bson_destroy(&bson);
    bson_destroy(&one);
    return request;
}

static struct mongo_request *start_get_more(struct place *place, struct mongo_lease *lease,
                                            int64_t cursor, struct outcome *outcome)
{
    bson_t bson = BSON_INITIALIZER;
    BSON_APPEND_INT64(&bson, "getMore", cursor);
    BSON_APPEND_UTF8(&bson, "collection", "things");
    struct mongo_request *request = start(
        place, NULL, &bson, (struct mongo_command){.kind = MONGO_READ, .lease = lease}, outcome);
    bson_destroy(&bson);
    return request;
}

static void await(struct place *place, struct outcome *outcome)
{
    run_until(place, outcome->calls > 0);
    assert_int_equal(outcome->calls, 1);
}

/* One ordinary find, so that a client stands ready. */
static void warm_up(struct place *place)
{
    struct outcome outcome = {0};
    start_find(place, NULL, NULL, 0, &outcome);
    await(place, &outcome);
    assert_true(outcome.ok);
    outcome_clear(&outcome);
}

/* ---- promises: plain use --------------------------------------------------------------------- */

static void a_command_is_answered_with_the_servers_bytes(void **state)
{
    for (int on_unix_socket = 0; on_unix_socket < 2; on_unix_socket++) {
        struct place place = {.fake = fake_mongo_new(on_unix_socket)};
        place_connect(&place, fake_mongo_uri(place.fake), 2);
        struct outcome outcome = {0};
        start_find(&place, NULL, NULL, 0, &outcome);
        await(&place, &outcome);
        assert_true(outcome.ok);
        bson_t reply;
        assert_true(bson_init_static(&reply, outcome.reply, outcome.length));
        assert_int_equal(number_at(&reply, "cursor.firstBatch.0.n"), 1);
        assert_null(outcome.lease);
        outcome_clear(&outcome);
        place_close(&place);
    }
}

static void a_servers_error_has_code_name_labels_and_reply(void **state)
{
    struct place place;
    place_open(&place, 2);
    struct outcome outcome = {0};
    start_find(&place, NULL, "fail", 1234, &outcome);
    await(&place, &outcome);
    assert_false(outcome.ok);
    assert_int_equal(outcome.error.code, 1234);
    assert_string_equal(outcome.error.code_name, "PlannedError");
    assert_string_equal(outcome.error.message, "a planned error");
    assert_int_equal(outcome.error.label_count, 1);
    assert_string_equal(outcome.error.labels[0], "APlannedLabel");
    assert_non_null(outcome.reply);
    outcome_clear(&outcome);
    place_close(&place);
}

static void max_time_is_added_except_to_get_more(void **state)
{
    struct place place;
    place_open(&place, 2);
    struct outcome outcome = {0};
    bson_t ping = BSON_INITIALIZER, more = BSON_INITIALIZER;
    BSON_APPEND_INT32(&ping, "ping", 1);
    BSON_APPEND_INT64(&more, "getMore", 77);
    BSON_APPEND_UTF8(&more, "collection", "things");
    start(&place, NULL, &more, (struct mongo_command){.max_time_ms = 4321}, &outcome);
    await(&place, &outcome);
    assert_int_equal(numbers(&place).max_time_ms, 0);
    outcome_clear(&outcome);
    start(&place, NULL, &ping, (struct mongo_command){.max_time_ms = 1234}, &outcome);
    await(&place, &outcome);
    assert_int_equal(numbers(&place).max_time_ms, 1234);
    outcome_clear(&outcome);
    bson_destroy(&ping);
    bson_destroy(&more);
    place_close(&place);
}

static void a_callback_may_cancel_another_request_and_start_a_new_one(void **state)
{
    struct place place;
    place_open(&place, 1);
    struct outcome first = {0}, second = {0}, third = {0};
    start_find(&place, NULL, NULL, 0, &first);
    struct mongo_request *waiting = start_find(&place, NULL, NULL, 0, &second);
    run_until(&place, first.calls);
    if (second.calls == 0) {
        assert_true(mongo_cancel(waiting));
    }
    start_find(&place, NULL, NULL, 0, &third);
    await(&place, &third);
    outcome_clear(&first);
    outcome_clear(&second);
    outcome_clear(&third);
    place_close(&place);
}

static void what_is_not_a_command_is_refused_later_and_not_at_once(void **state)
{
    struct place place;
    place_open(&place, 1);
    struct outcome outcome = {0};
    static const uint8_t bytes[] = {5, 0, 0, 0, 0, 9, 9};
    static const size_t lengths[] = {0, 4, 5, 7};
    for (size_t i = 0; i < 4; i++) {
        struct mongo_command command = {.database = "test", .bson = bytes, .length = lengths[i]};
        mongo_start(place.mongo, NULL, &command, on_done, &outcome);
        assert_int_equal(outcome.calls, 0);
        await(&place, &outcome);
        assert_false(outcome.ok);
        assert_non_null(strstr(outcome.error.message, "BSON"));
        outcome_clear(&outcome);
    }
    assert_int_equal(numbers(&place).connections, 0);
    place_close(&place);
}

/* ---- promises: the pool ---------------------------------------------------------------------- */

static void no_more_connections_than_the_pool_is_large(void **state)
{
    struct place place;
    place_open(&place, 3);
    struct outcome outcomes[20] = {0};
    for (int i = 0; i < 20; i++) {
        start_find(&place, NULL, "block", 1, &outcomes[i]);
    }
    run_until(&place, numbers(&place).blocked == 3);
    assert_int_equal(stats(&place).requests_running, 3);
    assert_int_equal(stats(&place).requests_waiting, 17);
    for (int i = 0; i < 20; i++) {
        run_until(&place, outcomes[i].calls || numbers(&place).blocked > 0);
        while (!outcomes[i].calls) {
            fake_mongo_release(place.fake);
            uv_run(&place.loop, UV_RUN_ONCE);
        }
        assert_true(outcomes[i].ok);
        outcome_clear(&outcomes[i]);
    }
    assert_int_equal(numbers(&place).connections, 3);
    assert_int_equal(stats(&place).connections_created, 3);
    assert_int_equal(stats(&place).requests_ok, 20);
    assert_int_equal(stats(&place).clients_idle, 3);
    place_close(&place);
}

static void max_pool_size_of_the_uri_wins(void **state)
{
    struct place place = {.fake = fake_mongo_new(false)};
    char uri[300];
    snprintf(uri, sizeof uri, "%s?maxPoolSize=2", fake_mongo_uri(place.fake));
    place_connect(&place, uri, 50);
    struct outcome outcomes[5] = {0};
    for (int i = 0; i < 5; i++) {
        start_find(&place, NULL, "block", 1, &outcomes[i]);
    }
    run_until(&place, numbers(&place).blocked == 2);
    assert_int_equal(stats(&place).requests_waiting, 3);
    place_close(&place); /* which fails the five */
    for (int i = 0; i < 5; i++) {
        assert_int_equal(outcomes[i].calls, 1);
        assert_false(outcomes[i].ok);
        outcome_clear(&outcomes[i]);
    }
}

static void a_request_that_waits_too_long_for_a_client_fails(void **state)
{
    struct place place = {.fake = fake_mongo_new(false)};
    char uri[300];
    snprintf(uri, sizeof uri, "%s?maxPoolSize=1&waitQueueTimeoutMS=100",
             fake_mongo_uri(place.fake));
    place_connect(&place, uri, 0);
    struct outcome running = {0}, waiting = {0};
    start_find(&place, NULL, "block", 1, &running);
    start_find(&place, NULL, NULL, 0, &waiting);
    await(&place, &waiting);
    assert_false(waiting.ok);
    assert_non_null(strstr(waiting.error.message, "maxPoolSize"));
    assert_int_equal(running.calls, 0);
    assert_int_equal(stats(&place).requests_timed_out, 1);
    run_until(&place, numbers(&place).blocked == 1);
    fake_mongo_release(place.fake);
    await(&place, &running);
    assert_true(running.ok);
    outcome_clear(&running);
    outcome_clear(&waiting);
    place_close(&place);
}

/* ---- promises: cancelling -------------------------------------------------------------------- */

static void a_waiting_request_is_withdrawn(void **state)
{
    struct place place;
    place_open(&place, 1);
    struct outcome running = {0}, waiting = {0};
    start_find(&place, NULL, "block", 1, &running);
    struct mongo_request *request = start_find(&place, NULL, NULL, 0, &waiting);
    run_until(&place, numbers(&place).blocked == 1);
    assert_true(mongo_cancel(request));
    fake_mongo_release(place.fake);
    await(&place, &running);
    warm_up(&place);
    assert_int_equal(waiting.calls, 0);
    assert_int_equal(numbers(&place).kill_commands, 0);
    assert_int_equal(numbers(&place).finds, 2);
    outcome_clear(&running);
    place_close(&place);
}

static void a_running_read_is_ended_at_the_server_and_its_client_comes_back(void **state)
{
    struct place place;
    place_open(&place, 1);
    struct outcome cancelled = {0};
    struct mongo_request *request = start_find(&place, NULL, "block", 1, &cancelled);
    run_until(&place, numbers(&place).blocked == 1);
    assert_true(mongo_cancel(request));
    run_until(&place, numbers(&place).finds_killed == 1);
    run_until(&place, stats(&place).clients_idle == 1);
    warm_up(&place);
    assert_int_equal(cancelled.calls, 0);
    assert_int_equal(numbers(&place).connections, 2); /* the client and the control connection */
    assert_int_equal(stats(&place).cuts, 0);
    assert_int_equal(stats(&place).requests_cancelled, 1);
    place_close(&place);
}

static void two_hundred_cancels_make_no_more_connections_than_pool_and_control(void **state)
{
    struct place place;
    place_open(&place, 4);
    struct outcome outcome = {0};
    for (int i = 0; i < 200; i++) {
        struct mongo_request *request = start_find(&place, NULL, "block", 1, &outcome);
        int before = numbers(&place).finds;
        run_until(&place, numbers(&place).finds > before || numbers(&place).blocked > 0);
        mongo_cancel(request);
    }
    run_until(&place, stats(&place).requests_ending == 0);
    assert_int_equal(outcome.calls, 0);
    assert_int_equal(stats(&place).cuts, 0);
    assert_true(numbers(&place).connections <= 5);
    assert_true(stats(&place).connections_created <= 5);
    warm_up(&place);
    place_close(&place);
}

static void cancelling_at_any_moment_leaves_a_working_pool(void **state)
{
    struct place place;
    place_open(&place, 3);
    struct outcome outcome = {0};
    srand(11);
    for (int i = 0; i < 300; i++) {
        struct mongo_request *requests[4];
        for (int j = 0; j < 4; j++) {
            requests[j] = start_find(&place, NULL, "block", 1, &outcome);
        }
        for (int turns = rand() % 4; turns > 0; turns--) {
            uv_run(&place.loop, UV_RUN_NOWAIT);
        }
        for (int j = 0; j < 4; j++) {
            mongo_cancel(requests[j]);
        }
    }
    run_until(&place, stats(&place).requests_ending == 0);
    assert_int_equal(outcome.calls, 0);
    assert_int_equal(stats(&place).requests_cancelled, 1200);
    assert_true(stats(&place).clients <= 3);
    warm_up(&place);
    place_close(&place);
}

static void kills_that_wait_go_out_together(void **state)
{
    struct place place;
    place_open(&place, 8);
    struct outcome outcomes[6] = {0};
    struct mongo_request *requests[6];
    for (int i = 0; i < 6; i++) {
        requests[i] = start_find(&place, NULL, "block", 1, &outcomes[i]);
    }
    run_until(&place, numbers(&place).blocked == 6);
    fake_mongo_hold_kills(place.fake, true);
    mongo_cancel(requests[0]);
    run_until(&place, numbers(&place).kill_commands == 1);
    for (int i = 1; i < 6; i++) {
        mongo_cancel(requests[i]);
    }
    fake_mongo_hold_kills(place.fake, false);
    run_until(&place, numbers(&place).finds_killed == 6);
    run_until(&place, stats(&place).clients_idle == 6);
    assert_int_equal(numbers(&place).kill_commands, 2);
    assert_int_equal(numbers(&place).most_killed, 5);
    place_close(&place);
}

static void a_gate_holds_new_requests_until_the_kill_is_answered(void **state)
{
    struct place place;
    place_open(&place, 4);
    struct mongo_gate gate;
    mongo_gate_init(&gate);
    struct outcome cancelled = {0}, next = {0}, other = {0}, withdrawn = {0};
    struct mongo_request *request = start_find(&place, &gate, "block", 1, &cancelled);
    run_until(&place, numbers(&place).blocked == 1);
    fake_mongo_hold_kills(place.fake, true);
    mongo_cancel(request);
    start_find(&place, &gate, NULL, 0, &next);
    struct mongo_request *second = start_find(&place, &gate, NULL, 0, &withdrawn);
    run_until(&place, numbers(&place).kill_commands == 1);
    assert_int_equal(numbers(&place).finds, 1);
    start_find(&place, NULL, NULL, 0, &other); /* another session is not held up */
    await(&place, &other);
    assert_int_equal(next.calls, 0);
    assert_true(mongo_cancel(second));
    fake_mongo_hold_kills(place.fake, false);
    await(&place, &next);
    assert_true(next.ok);
    assert_int_equal(numbers(&place).finds_before_kill_answered, 1); /* the other session's */
    mongo_gate_deinit(&gate);
    outcome_clear(&next);
    outcome_clear(&other);
    place_close(&place);
}

static void a_session_may_end_before_its_kill_is_answered(void **state)
{
    struct place place;
    place_open(&place, 2);
    struct mongo_gate *gate = malloc(sizeof *gate);
    mongo_gate_init(gate);
    struct outcome cancelled = {0};
    struct mongo_request *request = start_find(&place, gate, "block", 1, &cancelled);
    run_until(&place, numbers(&place).blocked == 1);
    fake_mongo_hold_kills(place.fake, true);
    mongo_cancel(request);
    mongo_gate_deinit(gate);
    free(gate);
    fake_mongo_hold_kills(place.fake, false);
    run_until(&place, stats(&place).clients_idle == 1);
    place_close(&place);
}

static void a_killed_call_that_does_not_return_is_cut_and_its_client_dropped(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.deaf_to_kill = true});
    struct outcome cancelled = {0};
    struct mongo_request *request = start_find(&place, NULL, "block", 1, &cancelled);
    run_until(&place, numbers(&place).blocked == 1);
    mongo_cancel(request);
    run_until(&place, stats(&place).cuts == 1);
    warm_up(&place); /* in a new client */
    assert_int_equal(numbers(&place).connections, 3);
    assert_int_equal(cancelled.calls, 0);
    place_close(&place);
}

static void a_kill_that_does_not_get_through_cuts_the_call_and_opens_the_gate(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.mute_on_kill = true});
    struct mongo_gate gate;
    mongo_gate_init(&gate);
    struct outcome cancelled = {0}, next = {0};
    struct mongo_request *request = start_find(&place, &gate, "block", 1, &cancelled);
    run_until(&place, numbers(&place).blocked == 1);
    mongo_cancel(request);
    start_find(&place, &gate, NULL, 0, &next);
    await(&place, &next);
    assert_true(next.ok);
    assert_int_equal(stats(&place).cuts, 1);
    mongo_gate_deinit(&gate);
    outcome_clear(&next);
    place_close(&place);
}

static void a_server_without_sessions_has_its_calls_cut(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.no_sessions = true, .standalone = true});
    struct outcome cancelled = {0};
    struct mongo_request *request = start_find(&place, NULL, "block", 1, &cancelled);
    run_until(&place, numbers(&place).blocked == 1);
    mongo_cancel(request);
    assert_int_equal(stats(&place).cuts, 1);
    warm_up(&place);
    assert_int_equal(numbers(&place).kill_commands, 0);
    place_close(&place);
}

static void a_cancelled_write_is_cut_and_said_to_be_unknown(void **state)
{
    struct place place;
    place_open(&place, 1);
    warm_up(&place);
    bson_t bson = BSON_INITIALIZER, filter;
    BSON_APPEND_UTF8(&bson, "find", "things"); /* a command that blocks, started as a write */
    BSON_APPEND_DOCUMENT_BEGIN(&bson, "filter", &filter);
    BSON_APPEND_INT32(&filter, "block", 1);
    bson_append_document_end(&bson, &filter);
    struct outcome cancelled = {0};
    struct mongo_request *request =
        start(&place, NULL, &bson, (struct mongo_command){.kind = MONGO_WRITE}, &cancelled);
    run_until(&place, numbers(&place).blocked == 1);
    assert_false(mongo_cancel(request));
    warm_up(&place);
    assert_int_equal(cancelled.calls, 0);
    assert_int_equal(numbers(&place).kill_commands, 0);
    assert_int_equal(stats(&place).cuts, 1);
    bson_destroy(&bson);
    place_close(&place);
}

struct tracked {
    struct mongo_request *request; /* alive */
    struct mongo_lease *lease;
    int ends;
};

static void on_tracked_done(void *data, struct mongo_result *result)
{
    struct tracked *tracked = data;
    tracked->request = NULL;
    tracked->ends++;
    tracked->lease = result->lease;
}

static struct mongo_request *start_tracked(struct place *place, struct mongo_gate *gate, int kind,
                                           struct tracked *tracked)
{
    static const char *const filters[] = {"block", "batches", "fail", NULL};
    bson_t bson = BSON_INITIALIZER, filter;
    BSON_APPEND_UTF8(&bson, "find", "things");
    BSON_APPEND_DOCUMENT_BEGIN(&bson, "filter", &filter);
    if (filters[kind]) {
        BSON_APPEND_INT32(&filter, filters[kind], 3);
    }
    bson_append_document_end(&bson, &filter);
    struct mongo_command command = {.database = "test",
                                    .bson = bson_get_data(&bson),
                                    .length = bson.len,
                                    .kind = kind == 3 ? MONGO_WRITE : MONGO_READ,
                                    .keeps_cursor = true};
    struct mongo_request *request =
        mongo_start(place->mongo, gate, &command, on_tracked_done, tracked);
    bson_destroy(&bson);
    return request;
}

static void one_random_step(struct place *place, struct mongo_gate *gate, struct tracked *tracked)
{
    if (tracked->lease && rand() % 2) {
        mongo_lease_release(tracked->lease);
        tracked->lease = NULL;
    } else if (tracked->request && rand() % 2) {
        mongo_cancel(tracked->request);
        tracked->request = NULL;
        tracked->ends++;
    } else if (!tracked->request && !tracked->lease && tracked->ends == 0) {
        tracked->request = start_tracked(place, gate, rand() % 4, tracked);
    }
    if (rand() % 16 == 0) {
        fake_mongo_release(place->fake);
    }
    if (rand() % 60 == 0) {
        fake_mongo_disconnect_all(place->fake);
    }
    for (int turns = rand() % 3; turns > 0; turns--) {
        uv_run(&place->loop, rand() % 8 ? UV_RUN_NOWAIT : UV_RUN_ONCE);
    }
}

/* Seeded: requests of all kinds, cancels, releases, cut connections, and the end in the middle. */
static void in_any_mix_each_request_ends_once_and_stopping_ends_the_rest(void **state)
{
    enum { COUNT = 60 };
    for (unsigned seed = 1; seed <= 12; seed++) {
        struct place place;
        struct tracked tracked[COUNT] = {0};
        struct mongo_gate gate;
        place_open(&place, 1 + seed % 5);
        mongo_gate_init(&gate);
        srand(seed);
        for (int step = 0; step < 400; step++) {
            one_random_step(&place, &gate, &tracked[rand() % COUNT]);
        }
        assert_prompt(place_stop(&place));
        for (int i = 0; i < COUNT; i++) {
            assert_true(tracked[i].ends <= 1);
            assert_null(tracked[i].request);
            if (tracked[i].lease) {
                mongo_lease_release(tracked[i].lease);
            }
        }
        mongo_gate_deinit(&gate);
        fake_mongo_free(place.fake);
    }
}

/* ---- promises: cursors ----------------------------------------------------------------------- */

static void a_cursor_is_read_to_its_end_through_its_lease(void **state)
{
    struct place place;
    place_open(&place, 4);
    struct outcome outcome = {0};
    start_find(&place, NULL, "batches", 4, &outcome);
    await(&place, &outcome);
    struct mongo_lease *lease = outcome.lease;
    assert_non_null(lease);
    assert_int_equal(stats(&place).clients_pinned, 1);
    for (int i = 0; i < 3; i++) {
        assert_true(mongo_lease_is_open(lease));
        outcome_clear(&outcome);
        start_get_more(&place, lease, 1, &outcome);
        await(&place, &outcome);
        assert_true(outcome.ok);
    }
    assert_false(mongo_lease_is_open(lease));
    assert_int_equal(stats(&place).clients_pinned, 0);
    outcome_clear(&outcome);
    start_get_more(&place, lease, 1, &outcome);
    await(&place, &outcome);
    assert_false(outcome.ok);
    mongo_lease_release(lease);
    assert_int_equal(numbers(&place).killed_cursors, 0);
    assert_int_equal(numbers(&place).connections, 1);
    outcome_clear(&outcome);
    place_close(&place);
}

static void a_released_lease_kills_its_cursor_and_frees_its_client(void **state)
{
    struct place place;
    place_open(&place, 2);
    struct outcome outcome = {0};
    start_find(&place, NULL, "batches", 4, &outcome);
    await(&place, &outcome);
    mongo_lease_release(outcome.lease);
    assert_int_equal(stats(&place).clients_pinned, 0);
    run_until(&place, stats(&place).clients_idle == 1);
    assert_int_equal(numbers(&place).killed_cursors, 1);
    outcome_clear(&outcome);
    place_close(&place);
}

static void open_cursors_are_bounded_and_others_go_on(void **state)
{
    struct place place;
    place_open(&place, 4);
    struct outcome outcomes[4] = {0};
    for (int i = 0; i < 4; i++) {
        start_find(&place, NULL, "batches", 4, &outcomes[i]);
        await(&place, &outcomes[i]);
        assert_int_equal(outcomes[i].ok, i < 3);
    }
    assert_null(outcomes[3].lease);
    assert_non_null(strstr(outcomes[3].error.message, "cursors"));
    run_until(&place, numbers(&place).killed_cursors == 1);
    warm_up(&place);
    for (int i = 0; i < 4; i++) {
        if (outcomes[i].lease) {
            mongo_lease_release(outcomes[i].lease);
        }
        outcome_clear(&outcomes[i]);
    }
    place_close(&place);
}

static void a_lease_outlives_its_mongo_and_is_dead(void **state)
{
    struct place place;
    place_open(&place, 2);
    struct outcome outcome = {0};
    start_find(&place, NULL, "batches", 4, &outcome);
    await(&place, &outcome);
    struct mongo_lease *lease = outcome.lease;
    place_close(&place);
    assert_false(mongo_lease_is_open(lease));
    mongo_lease_release(lease);
    outcome_clear(&outcome);
}

/* ---- promises: repeating --------------------------------------------------------------------- */

static void a_read_is_repeated_when_the_connection_breaks(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.close_on_find = 1});
    warm_up(&place);
    assert_int_equal(numbers(&place).finds, 2);
    place_close(&place);
}

static void an_answer_cut_in_half_is_a_broken_connection(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.cut_finds = 1});
    warm_up(&place); /* repeated */
    assert_int_equal(numbers(&place).finds, 2);
    fake_mongo_set(place.fake, (struct fake_options){.cut_finds = 3});
    struct outcome outcome = {0};
    start_find(&place, NULL, NULL, 0, &outcome);
    await(&place, &outcome);
    assert_false(outcome.ok);
    assert_non_null(strstr(outcome.error.message, "broke during find"));
    outcome_clear(&outcome);
    warm_up(&place);
    place_close(&place);
}

static void retry_reads_false_is_obeyed(void **state)
{
    struct place place = {.fake = fake_mongo_new(false)};
    char uri[300];
    snprintf(uri, sizeof uri, "%s?retryReads=false", fake_mongo_uri(place.fake));
    place_connect(&place, uri, 1);
    fake_mongo_set(place.fake, (struct fake_options){.close_on_find = 1});
    struct outcome outcome = {0};
    start_find(&place, NULL, NULL, 0, &outcome);
    await(&place, &outcome);
    assert_false(outcome.ok);
    assert_non_null(strstr(outcome.error.message, "broke during find"));
    assert_false(outcome.error.unknown);
    warm_up(&place); /* the broken client is gone */
    outcome_clear(&outcome);
    place_close(&place);
}

static void an_insert_whose_answer_is_lost_happens_once(void **state)
{
    struct place place;
    place_open(&place, 1);
    warm_up(&place);
    fake_mongo_set(place.fake, (struct fake_options){.close_on_insert = 2});
    struct outcome outcome = {0};
    start_insert(&place, &outcome);
    await(&place, &outcome);
    assert_true(outcome.ok);
    assert_int_equal(numbers(&place).insert_commands, 3);
    assert_int_equal(numbers(&place).inserts, 1);
    outcome_clear(&outcome);
    start_insert(&place, &outcome);
    await(&place, &outcome);
    assert_int_equal(numbers(&place).inserts, 2);
    outcome_clear(&outcome);
    place_close(&place);
}

static void an_insert_refused_by_a_stepped_down_server_is_repeated(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.refuse_inserts = 1});
    struct outcome outcome = {0};
    start_insert(&place, &outcome);
    await(&place, &outcome);
    assert_true(outcome.ok);
    assert_int_equal(numbers(&place).inserts, 1);
    outcome_clear(&outcome);
    place_close(&place);
}

static void a_write_without_a_number_is_not_repeated_and_its_outcome_is_unknown(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.standalone = true, .close_on_insert = 1});
    struct outcome outcome = {0};
    start_insert(&place, &outcome);
    await(&place, &outcome);
    assert_false(outcome.ok);
    assert_true(outcome.error.unknown);
    assert_int_equal(numbers(&place).insert_commands, 1);
    assert_int_equal(numbers(&place).numbered_inserts, 0);
    outcome_clear(&outcome);
    place_close(&place);
}

static void an_idle_connection_closed_by_the_server_is_replaced_before_use(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.standalone = true});
    warm_up(&place);
    fake_mongo_disconnect_all(place.fake);
    run_until(&place, numbers(&place).open == 0);
    struct outcome outcome = {0};
    start_insert(&place, &outcome);
    await(&place, &outcome);
    assert_true(outcome.ok);
    assert_int_equal(numbers(&place).insert_commands, 1);
    assert_int_equal(stats(&place).connections_open, 1);
    outcome_clear(&outcome);
    place_close(&place);
}

static void concerns_of_the_uri_go_only_to_commands_that_have_them(void **state)
{
    struct place place = {.fake = fake_mongo_new(false)};
    char uri[300];
    snprintf(uri, sizeof uri, "%s?w=majority&readConcernLevel=local", fake_mongo_uri(place.fake));
    place_connect(&place, uri, 1);
    struct outcome outcome = {0};
    start_find(&place, NULL, "batches", 3, &outcome);
    await(&place, &outcome);
    struct mongo_lease *lease = outcome.lease;
    outcome_clear(&outcome);
    start_get_more(&place, lease, 1, &outcome);
    await(&place, &outcome);
    mongo_lease_release(lease);
    outcome_clear(&outcome);
    struct mongo_request *request = start_find(&place, NULL, "block", 1, &outcome);
    run_until(&place, numbers(&place).blocked == 1);
    mongo_cancel(request);
    run_until(&place, stats(&place).clients_idle == 1);
    assert_int_equal(numbers(&place).killed_cursors, 1);
    assert_int_equal(numbers(&place).finds_killed, 1);
    assert_int_equal(numbers(&place).concerns, 0);
    place_close(&place);
}

static void unacknowledged_writes_of_the_uri_work(void **state)
{
    struct place place = {.fake = fake_mongo_new(false)};
    char uri[300];
    snprintf(uri, sizeof uri, "%s?w=0", fake_mongo_uri(place.fake));
    place_connect(&place, uri, 1);
    struct outcome outcome = {0};
    start_insert(&place, &outcome);
    await(&place, &outcome);
    assert_true(outcome.ok);
    assert_non_null(outcome.reply);
    assert_int_equal(numbers(&place).numbered_inserts, 0);
    outcome_clear(&outcome);
    place_close(&place);
}

/* ---- promises: a database that is away ------------------------------------------------------- */

static void a_database_that_is_away_is_said_to_be(void **state)
{
    struct fake_mongo *fake = fake_mongo_new(false);
    struct place place = {0};
    char uri[300], host[100];
    sscanf(fake_mongo_uri(fake), "mongodb://%99[^/]", host);
    snprintf(uri, sizeof uri, "mongodb://%s/?serverSelectionTimeoutMS=300", host);
    fake_mongo_free(fake); /* nobody listens there now */
    place_connect(&place, uri, 2);
    struct outcome outcome = {0};
    start_find(&place, NULL, NULL, 0, &outcome);
    await(&place, &outcome);
    assert_false(outcome.ok);
    char expected[300];
    snprintf(expected, sizeof expected,
             "The database at %s could not be reached within 0.3 s: Connection refused", host);
    assert_string_equal(outcome.error.message, expected);
    outcome_clear(&outcome);
    place_stop(&place);
}

static void a_host_that_does_not_exist_is_said_to_be(void **state)
{
    struct place place = {0};
    place_connect(&place, "mongodb://no-such-host.invalid/?serverSelectionTimeoutMS=200", 2);
    struct outcome outcome = {0};
    start_find(&place, NULL, NULL, 0, &outcome);
    await(&place, &outcome);
    assert_false(outcome.ok);
    assert_non_null(
        strstr(outcome.error.message, "no-such-host.invalid:27017 could not be reached"));
    outcome_clear(&outcome);
    place_stop(&place);
}

static void a_server_that_never_answers_is_given_up(void **state)
{
    struct place place = {.fake = fake_mongo_new(false)};
    char uri[300];
    snprintf(uri, sizeof uri, "%s?serverSelectionTimeoutMS=300&connectTimeoutMS=200",
             fake_mongo_uri(place.fake));
    place_connect(&place, uri, 2);
    fake_mongo_set(place.fake, (struct fake_options){.silent = true});
    struct outcome outcome = {0};
    start_find(&place, NULL, NULL, 0, &outcome);
    await(&place, &outcome);
    assert_false(outcome.ok);
    assert_non_null(strstr(outcome.error.message, "could not be reached"));
    fake_mongo_set(place.fake, (struct fake_options){0});
    warm_up(&place); /* and is used again when it answers */
    outcome_clear(&outcome);
    place_close(&place);
}

/* libmongoc ends the process on some of these, if it gets to see them. */
static void a_server_that_answers_garbage_ends_nothing_but_the_call(void **state)
{
    struct place place = {.fake = fake_mongo_new(false)};
    char uri[300];
    snprintf(uri, sizeof uri,
             "%s?serverSelectionTimeoutMS=10&connectTimeoutMS=10&socketTimeoutMS=20",
             fake_mongo_uri(place.fake));
    place_connect(&place, uri, 4);
    fake_mongo_set(place.fake, (struct fake_options){.garbled = 2});
    int failed = 0;
    for (int i = 0; i < 300; i++) {
        struct outcome found = {0}, inserted = {0};
        start_find(&place, NULL, NULL, 0, &found);
        start_insert(&place, &inserted);
        await(&place, &found);
        await(&place, &inserted);
        failed += !found.ok;
        assert_true(found.ok || strlen(found.error.message) > 10);
        if (found.lease) {
            mongo_lease_release(found.lease);
        }
        outcome_clear(&found);
        outcome_clear(&inserted);
    }
    assert_in_range(failed, 30, 270);
    place_close(&place);
}

/* ---- promises: stopping ---------------------------------------------------------------------- */

static void stopping_says_goodbye_and_leaves_nothing(void **state)
{
    struct place place;
    place_open(&place, 3);
    warm_up(&place);
    assert_prompt(place_stop(&place));
    assert_true(numbers(&place).end_sessions >= 1);
    while (numbers(&place).open) {
        usleep(1000);
    }
    fake_mongo_free(place.fake);
}

static void stopping_cuts_queries_that_hang(void **state)
{
    struct place place;
    place_open(&place, 3);
    struct outcome outcomes[5] = {0};
    for (int i = 0; i < 5; i++) {
        start_find(&place, NULL, "block", 1, &outcomes[i]);
    }
    run_until(&place, numbers(&place).blocked == 3);
    uint64_t took = place_stop(&place);
    print_message("stopped in %d ms\n", (int)took);
    assert_prompt(took);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(outcomes[i].calls, 1);
        assert_non_null(strstr(outcomes[i].error.message, "ending"));
        outcome_clear(&outcomes[i]);
    }
    fake_mongo_free(place.fake);
}

static void stopping_cuts_handshakes_that_hang(void **state)
{
    static const char *const options[] = {"", "?tls=true"};
    for (size_t i = 0; i < 2; i++) {
        struct place place = {.fake = fake_mongo_new(false)};
        char uri[300];
        snprintf(uri, sizeof uri, "%s%s", fake_mongo_uri(place.fake), options[i]);
        place_connect(&place, uri, 3);
        fake_mongo_set(place.fake, (struct fake_options){.silent = true});
        struct outcome outcome = {0};
        start_find(&place, NULL, NULL, 0, &outcome);
        run_until(&place, numbers(&place).connections == 1);
        uint64_t took = place_stop(&place);
        print_message("stopped in %d ms\n", (int)took);
        assert_prompt(took);
        assert_int_equal(outcome.calls, 1);
        outcome_clear(&outcome);
        fake_mongo_free(place.fake);
    }
}

static void stopping_cuts_goodbyes_and_kills_that_hang(void **state)
{
    struct place place;
    place_open(&place, 3);
    struct outcome cancelled = {0};
    struct mongo_request *request = start_find(&place, NULL, "block", 1, &cancelled);
    run_until(&place, numbers(&place).blocked == 1);
    warm_up(&place); /* a second client, idle at the end */
    fake_mongo_set(place.fake, (struct fake_options){.silent = true, .mute_on_kill = true});
    mongo_cancel(request);
    uint64_t took = place_stop(&place);
    print_message("stopped in %d ms\n", (int)took);
    assert_prompt(took);
    assert_int_equal(cancelled.calls, 0);
    fake_mongo_free(place.fake);
}

static void stopping_an_unused_mongo_works(void **state)
{
    struct place place;
    place_open(&place, 3);
    assert_prompt(place_stop(&place));
    assert_int_equal(numbers(&place).connections, 0);
    fake_mongo_free(place.fake);
}

/* ---- promises: addresses --------------------------------------------------------------------- */

static void a_bad_uri_is_refused_in_a_sentence_without_its_password(void **state)
{
    static const char *const bad[] = {
        "",
        "localhost",
        "http://localhost",
        "postgres://me:geheim@localhost/x",
        "mongodb://",
        "mongodb://me:geheim@",
        "mongodb://me:gehe:im@host:1/x",
        "mongodb://me:geheim@host:99999/x",
        "mongodb://me:geheim@host/x?noSuchOption=1",
        "mongodb://me:geheim@ho st/?w=-7",
        "mongodb+srv://me:geheim@a/x",
        "mongodb://me:geheim/1@host/x",
        "mongodb://me:geheim@host/x?socketTimeoutMS=-5",
        "mongodb://me:geheim@host/x?maxPoolSize=-1",
        "mongodb://me:geheim@host/x?maxPoolSize=many",
        "mongodb://me:geheim@host/x?compressors=zlib,rar",
        "mongodb://me:geheim@host/x?readPreference=none",
        "mongodb://me:geheim@host/x?tls=true&tlsCAFile=/no/such/file",
    };
    uv_loop_t loop;
    uv_loop_init(&loop);
    struct log log = {.sink = drop_line};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct mongo_config config = {.uri = bad[i]};
        struct error error = {0};
        if (mongo_new(&loop, &log, &config, &error)) {
            fail_msg("%s is not refused", bad[i]);
        }
        assert_int_equal(error.kind, ERROR_MISUSE);
        assert_true(strlen(error.message) > 20);
        assert_null(strstr(error.message, "geh"));
        assert_null(strstr(error.message, "gehe"));
    }
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void every_ordinary_option_of_a_uri_is_taken(void **state)
{
    struct place place = {0};
    place_connect(&place,
                  "mongodb://me:geheim@one,two/shop?replicaSet=x&authSource=admin&w=majority"
                  "&readPreference=secondaryPreferred&readPreferenceTags=a:b&readConcernLevel=local"
                  "&appName=mine&compressors=zlib&tls=true&tlsCAFile=/dev/null&tlsInsecure=false"
                  "&authMechanism=SCRAM-SHA-256&journal=true&wTimeoutMS=100&ssl=true"
                  "&heartbeatFrequencyMS=1000&localThresholdMS=20&directConnection=false",
                  1);
    place_stop(&place);
}

static void the_address_and_database_are_told_without_the_user(void **state)
{
    struct place place = {0};
    place_connect(&place, "mongodb://me:geheim@one:1,two:2/shop?replicaSet=x", 1);
    assert_string_equal(mongo_address(place.mongo), "one:1,two:2");
    assert_string_equal(mongo_default_database(place.mongo), "shop");
    place_stop(&place);

    place = (struct place){0};
    place_connect(&place, "mongodb://%2Ftmp%2Fx.sock", 1);
    assert_string_equal(mongo_address(place.mongo), "/tmp/x.sock");
    assert_string_equal(mongo_default_database(place.mongo), "test");
    place_stop(&place);
}

int main(void)
{
    static struct log log = {.sink = drop_line};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_answered_with_the_servers_bytes),
        cmocka_unit_test(a_servers_error_has_code_name_labels_and_reply),
        cmocka_unit_test(max_time_is_added_except_to_get_more),
        cmocka_unit_test(a_callback_may_cancel_another_request_and_start_a_new_one),
        cmocka_unit_test(what_is_not_a_command_is_refused_later_and_not_at_once),
        cmocka_unit_test(no_more_connections_than_the_pool_is_large),
        cmocka_unit_test(max_pool_size_of_the_uri_wins),
        cmocka_unit_test(a_request_that_waits_too_long_for_a_client_fails),
        cmocka_unit_test(a_waiting_request_is_withdrawn),
        cmocka_unit_test(a_running_read_is_ended_at_the_server_and_its_client_comes_back),
        cmocka_unit_test(two_hundred_cancels_make_no_more_connections_than_pool_and_control),
        cmocka_unit_test(cancelling_at_any_moment_leaves_a_working_pool),
        cmocka_unit_test(kills_that_wait_go_out_together),
        cmocka_unit_test(a_gate_holds_new_requests_until_the_kill_is_answered),
        cmocka_unit_test(a_session_may_end_before_its_kill_is_answered),
        cmocka_unit_test(a_killed_call_that_does_not_return_is_cut_and_its_client_dropped),
        cmocka_unit_test(a_kill_that_does_not_get_through_cuts_the_call_and_opens_the_gate),
        cmocka_unit_test(a_server_without_sessions_has_its_calls_cut),
        cmocka_unit_test(a_cancelled_write_is_cut_and_said_to_be_unknown),
        cmocka_unit_test(in_any_mix_each_request_ends_once_and_stopping_ends_the_rest),
        cmocka_unit_test(a_cursor_is_read_to_its_end_through_its_lease),
        cmocka_unit_test(a_released_lease_kills_its_cursor_and_frees_its_client),
        cmocka_unit_test(open_cursors_are_bounded_and_others_go_on),
        cmocka_unit_test(a_lease_outlives_its_mongo_and_is_dead),
        cmocka_unit_test(a_read_is_repeated_when_the_connection_breaks),
        cmocka_unit_test(an_answer_cut_in_half_is_a_broken_connection),
        cmocka_unit_test(retry_reads_false_is_obeyed),
        cmocka_unit_test(an_insert_whose_answer_is_lost_happens_once),
        cmocka_unit_test(an_insert_refused_by_a_stepped_down_server_is_repeated),
        cmocka_unit_test(a_write_without_a_number_is_not_repeated_and_its_outcome_is_unknown),
        cmocka_unit_test(an_idle_connection_closed_by_the_server_is_replaced_before_use),
        cmocka_unit_test(concerns_of_the_uri_go_only_to_commands_that_have_them),
        cmocka_unit_test(unacknowledged_writes_of_the_uri_work),
        cmocka_unit_test(a_database_that_is_away_is_said_to_be),
        cmocka_unit_test(a_host_that_does_not_exist_is_said_to_be),
        cmocka_unit_test(a_server_that_never_answers_is_given_up),
        cmocka_unit_test(a_server_that_answers_garbage_ends_nothing_but_the_call),
        cmocka_unit_test(stopping_says_goodbye_and_leaves_nothing),
        cmocka_unit_test(stopping_cuts_queries_that_hang),
        cmocka_unit_test(stopping_cuts_handshakes_that_hang),
        cmocka_unit_test(stopping_cuts_goodbyes_and_kills_that_hang),
        cmocka_unit_test(stopping_an_unused_mongo_works),
        cmocka_unit_test(a_bad_uri_is_refused_in_a_sentence_without_its_password),
        cmocka_unit_test(every_ordinary_option_of_a_uri_is_taken),
        cmocka_unit_test(the_address_and_database_are_told_without_the_user),
    };
    alarm(240); /* a hang ends the program, and so the test */
    mongo_global_init(&log);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mongo_global_deinit();
    return failed;
}
