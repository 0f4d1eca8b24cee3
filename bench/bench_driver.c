/*
 * The straight way to the database: what libmongoc alone needs for what the scripts of the measures
 * do. Documents have ten fields, some 190 bytes; _id counts from 1.
 *
 *   bench_driver URI fill COUNT     fill bench.things
 *   bench_driver URI one COUNT      prints microseconds of a find_one by _id
 *   bench_driver URI all ROUNDS     prints milliseconds of reading two fields of all documents
 */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 10000 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void check(bool ok, const bson_error_t *error)
{
    if (!ok) {
        fprintf(stderr, "bench_driver: %s\n", error->message);
        exit(1);
    }
}

static bson_t *new_thing(int number)
{
    return BCON_NEW("_id", BCON_INT32(number), "name", BCON_UTF8("a product's name"), "price",
                    BCON_DOUBLE(number * 0.25), "stock", BCON_INT32(number), "active",
                    BCON_BOOL(true), "created", BCON_DATE_TIME(1700000000000), "category",
                    BCON_UTF8("tools"), "sku", BCON_UTF8("A-1234567"), "rating",
                    BCON_INT32(number % 5), "notes", BCON_NULL);
}

static void fill(mongoc_collection_t *things, int count)
{
    bson_error_t error;
    for (int at = 0; at < count;) {
        mongoc_bulk_operation_t *bulk =
            mongoc_collection_create_bulk_operation_with_opts(things, NULL);
        for (int end = at + BATCH; at < end && at < count; at++) {
            bson_t *thing = new_thing(at + 1);
            mongoc_bulk_operation_insert(bulk, thing);
            bson_destroy(thing);
        }
        check(mongoc_bulk_operation_execute(bulk, NULL, &error) != 0, &error);
        mongoc_bulk_operation_destroy(bulk);
    }
}

/* Go over what a find gives, reading two fields of each. */
static double read_all(mongoc_collection_t *things, const bson_t *filter, const bson_t *options)
{
    bson_error_t error;
    const bson_t *thing;
    bson_iter_t field;
    double sum = 0;
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(things, filter, options, NULL);
    while (mongoc_cursor_next(cursor, &thing)) {
        if (bson_iter_init_find(&field, thing, "price")) {
            sum += bson_iter_double(&field);
        }
        if (bson_iter_init_find(&field, thing, "stock")) {
            sum += bson_iter_int32(&field);
        }
    }
    check(!mongoc_cursor_error(cursor, &error), &error);
    mongoc_cursor_destroy(cursor);
    return sum;
}

static void measure_one(mongoc_collection_t *things, int count)
{
    bson_t *options = BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true));
    double begin = now();
    for (int i = 0; i < count; i++) {
        bson_t *filter = BCON_NEW("_id", BCON_INT32(i % 1000 + 1));
        if (read_all(things, filter, options) == 0) {
            fputs("bench_driver: a document is not there\n", stderr);
            exit(1);
        }
        bson_destroy(filter);
    }
    printf("%.2f\n", (now() - begin) / count);
    bson_destroy(options);
}

static void measure_all(mongoc_collection_t *things, int rounds)
{
    bson_t filter = BSON_INITIALIZER;
    for (int i = 0; i < rounds; i++) {
        double begin = now();
        read_all(things, &filter, NULL);
        printf("%.2f\n", (now() - begin) / 1e3);
    }
}

int main(int count, char **arguments)
{
    static const struct {
        const char *name;
        void (*call)(mongoc_collection_t *, int);
    } tasks[] = {{"fill", fill}, {"one", measure_one}, {"all", measure_all}};
    if (count != 4) {
        fputs("bench_driver URI fill|one|all COUNT\n", stderr);
        return 2;
    }
    mongoc_init();
    mongoc_client_t *client = mongoc_client_new(arguments[1]);
    mongoc_collection_t *things = mongoc_client_get_collection(client, "bench", "things");
    for (size_t i = 0; i < sizeof tasks / sizeof tasks[0]; i++) {
        if (strcmp(tasks[i].name, arguments[2]) == 0) {
            tasks[i].call(things, atoi(arguments[3]));
        }
    }
    mongoc_collection_destroy(things);
    mongoc_client_destroy(client);
    mongoc_cleanup();
    return 0;
}
