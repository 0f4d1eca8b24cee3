/*
 * A loop, a fake server and a mongo, for the tests of this room; each file is one program.
 */
#ifndef MONGO_PLACE_H
#define MONGO_PLACE_H

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

static inline void drop_line(void *data, enum log_level level, const char *line)
{
}

static inline void do_nothing(uv_timer_t *timer)
{
}

static inline void place_connect(struct place *place, const char *uri, unsigned pool_size)
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

static inline void place_open(struct place *place, unsigned pool_size)
{
    *place = (struct place){0};
    place->fake = fake_mongo_new(false);
    place_connect(place, fake_mongo_uri(place->fake), pool_size);
}

static inline void on_stopped(void *data)
{
    struct place *place = data;
    place->stopped = true;
    uv_close((uv_handle_t *)&place->poke, NULL);
}

/* Milliseconds that the stop took. */
static inline uint64_t place_stop(struct place *place)
{
    uint64_t before = uv_hrtime();
    mongo_stop(place->mongo, on_stopped, place);
    uv_run(&place->loop, UV_RUN_DEFAULT);
    assert_true(place->stopped);
    assert_int_equal(uv_loop_close(&place->loop), 0);
    return (uv_hrtime() - before) / 1000000;
}

static inline void place_close(struct place *place)
{
    place_stop(place);
    fake_mongo_free(place->fake);
}

#define run_until(place, condition)                                                                \
    while (!(condition)) {                                                                         \
        uv_run(&(place)->loop, UV_RUN_ONCE);                                                       \
    }

static inline struct fake_numbers numbers(struct place *place)
{
    return fake_mongo_numbers(place->fake);
}

static inline struct mongo_stats stats(struct place *place)
{
    struct mongo_stats stats;
    mongo_stats(place->mongo, &stats);
    return stats;
}

/* Against hanging, far above what it takes; ThreadSanitizer makes OpenSSL 20 times slower. */
#ifdef __SANITIZE_THREAD__
#define PROMPT 20000
#else
#define PROMPT 2000
#endif
#define assert_prompt(milliseconds) assert_true((milliseconds) < PROMPT)

/* ---- commands -------------------------------------------------------------------------------- */

static inline void on_done(void *data, struct mongo_result *result)
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

static inline void outcome_clear(struct outcome *outcome)
{
    free(outcome->reply);
    *outcome = (struct outcome){0};
}

static inline struct mongo_request *start(struct place *place, struct mongo_gate *gate,
                                          const bson_t *bson, struct mongo_command command,
                                          struct outcome *outcome)
{
    command.database = "test";
    command.bson = bson_get_data(bson);
    command.length = bson->len;
    return mongo_start(place->mongo, gate, &command, on_done, outcome);
}

/* find with filter { <what>: <value> } */
static inline struct mongo_request *start_find(struct place *place, struct mongo_gate *gate,
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

static inline struct mongo_request *start_insert(struct place *place, struct outcome *outcome)
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

static inline struct mongo_request *start_get_more(struct place *place, struct mongo_lease *lease,
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

static inline void await(struct place *place, struct outcome *outcome)
{
    run_until(place, outcome->calls > 0);
    assert_int_equal(outcome->calls, 1);
}

/* One ordinary find, so that a client stands ready. */
static inline void warm_up(struct place *place)
{
    struct outcome outcome = {0};
    start_find(place, NULL, NULL, 0, &outcome);
    await(place, &outcome);
    assert_true(outcome.ok);
    outcome_clear(&outcome);
}

/* ---- running the tests ----------------------------------------------------------------------- */

/* A hang ends the program, and so the test. */
#define run_promises(tests, seconds)                                                               \
    do {                                                                                           \
        static struct log log = {.sink = drop_line};                                               \
        alarm(seconds);                                                                            \
        mongo_global_init(&log);                                                                   \
        int failed = cmocka_run_group_tests(tests, NULL, NULL);                                    \
        mongo_global_deinit();                                                                     \
        return failed;                                                                             \
    } while (0)

#endif
