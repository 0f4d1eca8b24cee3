/* A database that is away, or answers nonsense, and stopping whatever it does. */
#include "mongo_place.h"

/* ---- promises: a database that is away ------------------------------------------------------- */

static void a_database_that_is_away_is_said_to_be(void **state)
{
    struct place place = {0};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int deaf = socket(AF_INET, SOCK_STREAM, 0); /* holds the port and does not listen */
    assert_int_equal(bind(deaf, (struct sockaddr *)&address, sizeof address), 0);
    getsockname(deaf, (struct sockaddr *)&address, &length);
    char uri[300], host[100];
    snprintf(host, sizeof host, "127.0.0.1:%d", ntohs(address.sin_port));
    snprintf(uri, sizeof uri, "mongodb://%s/?serverSelectionTimeoutMS=300", host);
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
    close(deaf);
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
    snprintf(uri, sizeof uri, "%s?serverSelectionTimeoutMS=2000&connectTimeoutMS=1000",
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
    bool has_said = false;
    for (int i = 0; i < 10 && !has_said; i++) { /* where threads come late, it is cut short */
        struct place place;
        place_open(&place, 3);
        warm_up(&place);
        assert_prompt(place_stop(&place));
        has_said = numbers(&place).end_sessions >= 1;
        while (numbers(&place).open) {
            usleep(1000);
        }
        fake_mongo_free(place.fake);
    }
    assert_true(has_said);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_that_is_away_is_said_to_be),
        cmocka_unit_test(a_host_that_does_not_exist_is_said_to_be),
        cmocka_unit_test(a_server_that_never_answers_is_given_up),
        cmocka_unit_test(a_server_that_answers_garbage_ends_nothing_but_the_call),
        cmocka_unit_test(stopping_says_goodbye_and_leaves_nothing),
        cmocka_unit_test(stopping_cuts_queries_that_hang),
        cmocka_unit_test(stopping_cuts_handshakes_that_hang),
        cmocka_unit_test(stopping_cuts_goodbyes_and_kills_that_hang),
        cmocka_unit_test(stopping_an_unused_mongo_works),
    };
    run_promises(tests, 240);
}
