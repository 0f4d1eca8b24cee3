/* Cancelling: down to the server, and without losing a client. */
#include "mongo_place.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    run_promises(tests, 240);
}
