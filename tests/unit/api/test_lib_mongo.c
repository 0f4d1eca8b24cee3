/*
 * Scripts against a small server: the whole way from collection:find to the socket and back, in
 * runs of their own without a session.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "../../support/fake_mongo.c"
#include "api/api.h"
#include "bridge/state.h"
#include "bridge/value.h"
#include "mongo/mongo.h"
#include "run/engine.h"
#include "run/run.h"

struct place {
    uv_loop_t loop;
    uv_timer_t poke; /* lets the loop look again at what the server's threads did */
    struct log log;
    struct fake_mongo *fake;
    struct mongo *mongo;
    struct state *state;
    struct engine engine;
    bool stopped;
    bool ended;
    struct run *run;
    enum run_state outcome;
    struct failure failure;
};

/* ---- the owner of the runs ---- */

static void nothing(struct run *run)
{
}

static bool never(struct run *run)
{
    return false;
}

static void on_end(struct run *run)
{
    struct place *place = run->data;
    place->ended = true;
    place->run = NULL;
    place->outcome = run->state;
    if (run->failure != NULL) {
        place->failure = *run->failure;
    }
}

static const struct run_owner owner = {nothing, nothing, never, on_end};

/* ---- the place ---- */

static void drop_line(void *data, enum log_level level, const char *line)
{
}

static void do_nothing(uv_timer_t *timer)
{
}

static int set_up(void **test)
{
    struct place *place = calloc(1, sizeof *place);
    struct error error = {0};
    *test = place;
    place->log.sink = drop_line;
    place->fake = fake_mongo_new(false);
    uv_loop_init(&place->loop);
    uv_timer_init(&place->loop, &place->poke);
    uv_timer_start(&place->poke, do_nothing, 2, 2);
    struct mongo_config config = {.uri = fake_mongo_uri(place->fake), .pool_size = 2};
    place->mongo = mongo_new(&place->loop, &place->log, &config, &error);
    place->state = state_new(&place->engine, &error);
    struct engine_limits limits = {.cpu_ms = 10000, .wall_ms = 120000, .memory_bytes = 128 << 20};
    engine_init(&place->engine, &place->loop, &place->log, place->state, &limits, NULL);
    place->engine.mongo = place->mongo;
    state_add_library(place->state, "moonlit.core.bson", luaopen_moonlit_core_bson);
    state_add_library(place->state, "moonlit.core.mongo", luaopen_moonlit_core_mongo);
    if (!state_require(place->state, "moonlit.mongo", &error)) {
        fail_msg("%s", error.message);
    }
    lua_setglobal(place->state->L, "mongo");
    return 0;
}

static void on_stopped(void *data)
{
    struct place *place = data;
    place->stopped = true;
    engine_close(&place->engine);
    uv_close((uv_handle_t *)&place->poke, NULL);
}

static int tear_down(void **test)
{
    struct place *place = *test;
    mongo_stop(place->mongo, on_stopped, place);
    uv_run(&place->loop, UV_RUN_DEFAULT);
    assert_true(place->stopped);
    assert_int_equal(uv_loop_close(&place->loop), 0);
    state_free(place->state);
    fake_mongo_free(place->fake);
    free(place);
    return 0;
}

static void start(struct place *place, const char *source)
{
    lua_State *L = place->state->L;
    if (luaL_loadbuffer(L, source, strlen(source), "@test.lua") != 0) {
        fail_msg("%s", lua_tostring(L, -1));
    }
    place->ended = false;
    place->run = run_new(&place->engine, L, 0, NULL, &owner, place);
    run_start(place->run);
}

#define run_until(place, condition)                                                                \
    while (!(condition)) {                                                                         \
        uv_run(&(place)->loop, UV_RUN_ONCE);                                                       \
    }

static void run_to_end(struct place *place, const char *source)
{
    start(place, source);
    run_until(place, place->ended);
}

static void run_well(struct place *place, const char *source)
{
    run_to_end(place, source);
    if (place->outcome != RUN_FINISHED) {
        fail_msg("%s:%d: %s", place->failure.file, place->failure.line, place->failure.message);
    }
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

/* ---- the promises ---- */

static void a_cursor_reads_all_its_batches(void **test)
{
    struct place *place = *test;
    run_well(place, "local count = 0\n"
                    "for document in mongo.database().products:find{ batches = 3 } do\n"
                    "  count = count + 1\n"
                    "end\n"
                    "assert(count > 0)\n");
    assert_int_equal(numbers(place).get_mores, 2);
    assert_int_equal(stats(place).clients_pinned, 0);
}

static void a_cursor_left_open_ends_with_its_run(void **test)
{
    struct place *place = *test;
    run_well(place, "cursor = mongo.database().products:find{ batches = 3 }\n"
                    "assert(cursor:next())\n");
    run_until(place, stats(place).clients_pinned == 0 && numbers(place).killed_cursors == 1);
    run_well(place, "local ok, err\n"
                    "repeat ok, err = pcall(cursor.next, cursor) until not ok\n"
                    "assert(err.message:find('closed', 1, true), err.message)\n");
}

static void a_cursor_that_is_closed_gives_its_client_back(void **test)
{
    struct place *place = *test;
    run_well(place, "local products = mongo.database().products\n"
                    "for i = 1, 5 do\n" /* more than the pool holds */
                    "  local cursor = products:find{ batches = 3 }\n"
                    "  assert(cursor:next())\n"
                    "  cursor:close()\n"
                    "  assert(cursor:next() == nil)\n"
                    "end\n");
    run_until(place, numbers(place).killed_cursors == 5);
}

static void a_cursor_nobody_holds_is_collected(void **test)
{
    struct place *place = *test;
    start(place, "local products = mongo.database().products\n"
                 "for i = 1, 4 do\n"
                 "  assert(products:find{ batches = 3 }:next())\n"
                 "  collectgarbage() collectgarbage()\n"
                 "end\n");
    run_until(place, place->ended);
    assert_int_equal(place->outcome, RUN_FINISHED);
}

static void the_server_is_given_what_the_run_has_left_of_its_time(void **test)
{
    struct place *place = *test; /* whose runs may last 120 s */
    run_well(place, "mongo.database().products:find_one{}\n");
    assert_in_range(numbers(place).max_time_ms, 110000, 120000);
    run_well(place, "mongo.database().products:find_one({}, { max_time = 1.5 })\n");
    assert_int_equal(numbers(place).max_time_ms, 1500);
    run_well(place, "mongo.database().products:find_one({}, { max_time = 500 })\n");
    assert_in_range(numbers(place).max_time_ms, 110000, 120000);
}

static void an_error_has_the_servers_code_and_the_scripts_line(void **test)
{
    struct place *place = *test;
    run_well(place, "local ok, err = pcall(function()\n"
                    "  mongo.database().products:find_one{ fail = 13 }\n"
                    "end)\n"
                    "assert(not ok and err.code == 13, tostring(err))\n"
                    "assert(err.line == 2 and err.file == 'test.lua')\n"
                    "assert(tostring(err):find('test.lua:2: ', 1, true) == 1)\n");
    run_to_end(place, "local products = mongo.database().products\n"
                      "\n"
                      "products:find{ fail = 13 }:list()\n");
    assert_int_equal(place->outcome, RUN_FAILED);
    assert_int_equal(place->failure.line, 3);
    assert_string_equal(place->failure.file, "test.lua");
}

static void misuse_is_raised_at_the_scripts_line(void **test)
{
    struct place *place = *test;
    run_to_end(place, "local products = mongo.database().products\n"
                      "products:find({}, { sort = { a = 1, b = 1 } })\n");
    assert_int_equal(place->outcome, RUN_FAILED);
    assert_int_equal(place->failure.line, 2);
    assert_non_null(strstr(place->failure.message, "write sort = "));
}

static void an_insert_is_done_once(void **test)
{
    struct place *place = *test;
    run_well(place, "local result = mongo.database().products:insert_one{ name = 'x' }\n"
                    "assert(#tostring(result.inserted_id) == 24)\n");
    assert_int_equal(numbers(place).inserts, 1);
}

static void a_superseded_read_ends_at_the_server(void **test)
{
    struct place *place = *test;
    start(place, "mongo.database().products:find_one{ block = true }\n");
    run_until(place, numbers(place).blocked == 1);
    run_leave(place->run, LEAVE_SUPERSEDED);
    assert_true(place->ended);
    run_until(place, numbers(place).finds_killed == 1 && stats(place).requests_ending == 0);
    run_well(place, "mongo.database():command{ ping = 1 }\n");
}

static void a_cancelled_read_of_a_batch_releases_its_lease(void **test)
{
    struct place *place = *test;
    start(place, "local cursor = mongo.database().products:find{ batches = 3 }\n"
                 "cursor:next()\n"
                 "mongo.database().products:find_one{ block = true }\n");
    run_until(place, numbers(place).blocked == 1);
    run_leave(place->run, LEAVE_SHUTDOWN);
    run_until(place, stats(place).clients_pinned == 0);
}

static void outside_of_a_run_there_is_no_database(void **test)
{
    struct place *place = *test;
    lua_State *L = place->state->L;
    assert_int_equal(luaL_dostring(L, "local ok, err = pcall(function()\n"
                                      "  return mongo.database().products:find_one()\n"
                                      "end)\n"
                                      "return tostring(err)"),
                     0);
    assert_non_null(strstr(lua_tostring(L, -1), "while a script runs"));
    lua_settop(L, 0);
}

int main(void)
{
    struct log log = {.sink = drop_line};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_cursor_reads_all_its_batches, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cursor_left_open_ends_with_its_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cursor_that_is_closed_gives_its_client_back, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_cursor_nobody_holds_is_collected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_server_is_given_what_the_run_has_left_of_its_time,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_error_has_the_servers_code_and_the_scripts_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(misuse_is_raised_at_the_scripts_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_insert_is_done_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_superseded_read_ends_at_the_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_cancelled_read_of_a_batch_releases_its_lease, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(outside_of_a_run_there_is_no_database, set_up, tear_down),
    };
    mongo_global_init(&log);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    mongo_global_deinit();
    return failed;
}
