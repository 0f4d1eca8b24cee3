/* Plain use, the pool, and a URI that is not one. */
#include "mongo_place.h"

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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_answered_with_the_servers_bytes),
        cmocka_unit_test(a_servers_error_has_code_name_labels_and_reply),
        cmocka_unit_test(max_time_is_added_except_to_get_more),
        cmocka_unit_test(a_callback_may_cancel_another_request_and_start_a_new_one),
        cmocka_unit_test(what_is_not_a_command_is_refused_later_and_not_at_once),
        cmocka_unit_test(no_more_connections_than_the_pool_is_large),
        cmocka_unit_test(max_pool_size_of_the_uri_wins),
        cmocka_unit_test(a_request_that_waits_too_long_for_a_client_fails),
        cmocka_unit_test(a_bad_uri_is_refused_in_a_sentence_without_its_password),
        cmocka_unit_test(every_ordinary_option_of_a_uri_is_taken),
        cmocka_unit_test(the_address_and_database_are_told_without_the_user),
    };
    run_promises(tests, 240);
}
