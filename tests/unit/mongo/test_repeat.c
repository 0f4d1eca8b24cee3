/* Cursors and their leases, and what is sent again when a connection breaks. */
#include "mongo_place.h"

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

static void expect_one_insert(struct place *place)
{
    struct outcome outcome = {0};
    start_insert(place, &outcome);
    await(place, &outcome);
    assert_true(outcome.ok);
    assert_int_equal(numbers(place).inserts, 1);
    outcome_clear(&outcome);
}

static void an_insert_whose_answer_is_lost_happens_once(void **state)
{
    struct place place;
    place_open(&place, 1);
    warm_up(&place);
    fake_mongo_set(place.fake, (struct fake_options){.close_on_insert = 2});
    expect_one_insert(&place);
    assert_int_equal(numbers(&place).insert_commands, 3);
    struct outcome outcome = {0};
    start_insert(&place, &outcome);
    await(&place, &outcome);
    assert_int_equal(numbers(&place).inserts, 2);
    outcome_clear(&outcome);
    place_close(&place);
}

/* libmongoc then looks for no server for five seconds; the built-in store is back after a few ms. */
static void an_insert_lost_with_a_store_that_dies_twice_happens_once(void **state)
{
    struct place place = {.fake = fake_mongo_new(true)};
    place_connect(&place, fake_mongo_uri(place.fake), 1);
    warm_up(&place);
    fake_mongo_set(place.fake, (struct fake_options){.close_on_insert = 1, .close_on_hello = 1});
    expect_one_insert(&place);
    place_close(&place);
}

static void an_insert_refused_by_a_stepped_down_server_is_repeated(void **state)
{
    struct place place;
    place_open(&place, 1);
    fake_mongo_set(place.fake, (struct fake_options){.refuse_inserts = 1});
    expect_one_insert(&place);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cursor_is_read_to_its_end_through_its_lease),
        cmocka_unit_test(a_released_lease_kills_its_cursor_and_frees_its_client),
        cmocka_unit_test(open_cursors_are_bounded_and_others_go_on),
        cmocka_unit_test(a_lease_outlives_its_mongo_and_is_dead),
        cmocka_unit_test(a_read_is_repeated_when_the_connection_breaks),
        cmocka_unit_test(an_answer_cut_in_half_is_a_broken_connection),
        cmocka_unit_test(retry_reads_false_is_obeyed),
        cmocka_unit_test(an_insert_whose_answer_is_lost_happens_once),
        cmocka_unit_test(an_insert_lost_with_a_store_that_dies_twice_happens_once),
        cmocka_unit_test(an_insert_refused_by_a_stepped_down_server_is_repeated),
        cmocka_unit_test(a_write_without_a_number_is_not_repeated_and_its_outcome_is_unknown),
        cmocka_unit_test(an_idle_connection_closed_by_the_server_is_replaced_before_use),
        cmocka_unit_test(concerns_of_the_uri_go_only_to_commands_that_have_them),
        cmocka_unit_test(unacknowledged_writes_of_the_uri_work),
    };
    run_promises(tests, 240);
}
