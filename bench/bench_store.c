/*
 * The built-in store through libmongoc over a unix socket: what one call costs, beside a bare reply
 * (ping). Run: bench_store PATH/TO/moonlit [COUNT]
 *
 * Prints a line for each of ping, insert_one, find by _id and update_one, each the mean of COUNT
 * calls (20000) one after another, and one for a million documents, in seconds:
 *   insert_one      80.0 us a call,  3.2 x ping
 *   1000000 documents: insert 4.00 s, scan 0.20 s, group 0.40 s
 * The scan is a count with a filter that no document meets; the group sums a field by another of a
 * hundred values. bench/run.mjs reads these lines.
 */
#include <mongoc/mongoc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct bench {
    mongoc_client_t *client;
    mongoc_collection_t *items;
    int count;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void check(bool ok, const bson_error_t *error)
{
    if (!ok) {
        fprintf(stderr, "bench_store: %s\n", error->message);
        exit(1);
    }
}

static void ping(struct bench *bench, int i)
{
    bson_error_t error;
    bson_t *command = BCON_NEW("ping", BCON_INT32(1));
    check(mongoc_client_command_simple(bench->client, "bench", command, NULL, NULL, &error),
          &error);
    bson_destroy(command);
}

static void insert_one(struct bench *bench, int i)
{
    bson_error_t error;
    bson_t *document = BCON_NEW("_id", BCON_INT32(i), "name", BCON_UTF8("an item of the bench"),
                                "group", BCON_INT32(i % 100), "price", BCON_DOUBLE(i / 4.0));
    check(mongoc_collection_insert_one(bench->items, document, NULL, NULL, &error), &error);
    bson_destroy(document);
}

static void find_by_id(struct bench *bench, int i)
{
    bson_error_t error;
    const bson_t *document;
    bson_t *filter =
        BCON_NEW("_id", BCON_INT32((int)((unsigned)i * 7919u % (unsigned)bench->count)));
    bson_t *options = BCON_NEW("limit", BCON_INT64(1), "singleBatch", BCON_BOOL(true));
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(bench->items, filter, options, NULL);
    if (!mongoc_cursor_next(cursor, &document)) {
        check(!mongoc_cursor_error(cursor, &error), &error);
        fputs("bench_store: a document is not there\n", stderr);
        exit(1);
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(options);
    bson_destroy(filter);
}

static void update_one(struct bench *bench, int i)
{
    bson_error_t error;
    bson_t *filter =
        BCON_NEW("_id", BCON_INT32((int)((unsigned)i * 7919u % (unsigned)bench->count)));
    bson_t *update = BCON_NEW("$inc", "{", "group", BCON_INT32(1), "}");
    check(mongoc_collection_update_one(bench->items, filter, update, NULL, NULL, &error), &error);
    bson_destroy(update);
    bson_destroy(filter);
}

static double measure(struct bench *bench, const char *name, void (*call)(struct bench *, int),
                      double bare)
{
    double begin = now();
    for (int i = 0; i < bench->count; i++) {
        call(bench, i);
    }
    double each = (now() - begin) / bench->count;
    printf("%-12s %7.1f us a call, %4.1f x ping\n", name, each, bare > 0 ? each / bare : 1.0);
    return each;
}

/* Many documents: the scan alone, and a group over all of them. */
static void fill(struct bench *bench, int count)
{
    bson_error_t error;
    for (int i = 0; i < count;) {
        mongoc_bulk_operation_t *bulk =
            mongoc_collection_create_bulk_operation_with_opts(bench->items, NULL);
        for (int end = i + 10000; i < end; i++) {
            bson_t *document = BCON_NEW("group", BCON_INT32(i % 100), "n", BCON_INT32(i));
            mongoc_bulk_operation_insert(bulk, document);
            bson_destroy(document);
        }
        check(mongoc_bulk_operation_execute(bulk, NULL, &error) != 0, &error);
        mongoc_bulk_operation_destroy(bulk);
    }
}

static void group(struct bench *bench)
{
    bson_error_t error;
    const bson_t *document;
    bson_t *pipeline = BCON_NEW("pipeline", "[", "{", "$group", "{", "_id", BCON_UTF8("$group"),
                                "n", "{", "$sum", BCON_UTF8("$n"), "}", "}", "}", "]");
    mongoc_cursor_t *cursor =
        mongoc_collection_aggregate(bench->items, MONGOC_QUERY_NONE, pipeline, NULL, NULL);
    while (mongoc_cursor_next(cursor, &document)) {
    }
    check(!mongoc_cursor_error(cursor, &error), &error);
    mongoc_cursor_destroy(cursor);
    bson_destroy(pipeline);
}

static void scan(struct bench *bench)
{
    bson_error_t error;
    bson_t *filter = BCON_NEW("n", BCON_INT32(-1));
    check(mongoc_collection_count_documents(bench->items, filter, NULL, NULL, NULL, &error) == 0,
          &error);
    bson_destroy(filter);
}

static void measure_many(struct bench *bench, int count)
{
    double begin = now();
    fill(bench, count);
    double filled = now();
    scan(bench);
    double scanned = now();
    group(bench);
    double grouped = now();
    printf("%d documents: insert %.2f s, scan %.2f s, group %.2f s\n", count,
           (filled - begin) / 1e6, (scanned - filled) / 1e6, (grouped - scanned) / 1e6);
}

static pid_t start(const char *program, char folder[], char socket[64])
{
    int ready[2];
    char descriptor[12], byte;
    if (mkdtemp(folder) == NULL || pipe(ready) != 0) {
        perror("bench_store");
        exit(1);
    }
    snprintf(socket, 64, "%s/s.sock", folder);
    snprintf(descriptor, sizeof descriptor, "%d", ready[1]);
    pid_t child = fork();
    if (child == 0) {
        execl(program, "moonlit", "store", folder, "--socket", socket, "--ready-fd", descriptor,
              (char *)NULL);
        perror(program);
        _exit(1);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1) {
        exit(1);
    }
    close(ready[0]);
    return child;
}

static void connect_to(struct bench *bench, const char *socket)
{
    char uri[128] = "mongodb://";
    size_t used = strlen(uri);
    for (const char *at = socket; *at != '\0'; at++) {
        used += (size_t)snprintf(uri + used, sizeof uri - used, *at == '/' ? "%%2F" : "%c", *at);
    }
    bench->client = mongoc_client_new(uri);
    bench->items = mongoc_client_get_collection(bench->client, "bench", "items");
}

int main(int count, char **arguments)
{
    char folder[] = "/tmp/moonlit-bench-XXXXXX", socket[64], command[80];
    struct bench bench = {.count = count > 2 ? atoi(arguments[2]) : 20000};
    if (count < 2) {
        fputs("bench_store PATH/TO/moonlit [COUNT]\n", stderr);
        return 2;
    }
    mongoc_init();
    pid_t child = start(arguments[1], folder, socket);
    connect_to(&bench, socket);
    for (int i = 0; i < 1000; i++) {
        ping(&bench, i);
    }
    double bare = measure(&bench, "ping", ping, 0);
    measure(&bench, "insert_one", insert_one, bare);
    measure(&bench, "find by _id", find_by_id, bare);
    measure(&bench, "update_one", update_one, bare);
    mongoc_collection_destroy(bench.items);
    bench.items = mongoc_client_get_collection(bench.client, "bench", "many");
    measure_many(&bench, 1000000);
    mongoc_collection_destroy(bench.items);
    mongoc_client_destroy(bench.client);
    mongoc_cleanup();
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) == 0 ? 0 : 1;
}
