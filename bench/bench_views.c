/*
 * The cost of a find loop's body: two fields read out of each of 100,000 documents, by a script
 * over views, beside the limit, libbson's iterator in C over the same bytes. No server is needed.
 *
 *   bench_views [DOCUMENTS]      prints nanoseconds a document, and the ratio
 */
#include <bson/bson.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bson.h"
#include "bridge/value.h"
#include "bridge/view.h"

enum { DOCUMENTS = 100000, ROUNDS = 7 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Ten flat fields, about 190 bytes, as in a reply's batch. */
static void write_product(struct bson_out *out, const char *name, int number)
{
    uint8_t oid[12] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16)};
    size_t mark = bson_write_begin_document(out, name);
    bson_write_oid(out, "_id", oid);
    bson_write_text(out, "name", "a product's name", 16);
    bson_write_double(out, "price", number * 0.25);
    bson_write_int32(out, "stock", number);
    bson_write_bool(out, "active", true);
    bson_write_date(out, "created", 1700000000000);
    bson_write_text(out, "category", "tools", 5);
    bson_write_text(out, "sku", "A-1234567", 9);
    bson_write_int32(out, "rating", number % 5);
    bson_write_null(out, "notes");
    bson_write_end(out, mark);
}

static void write_batch(struct buffer *buffer, int documents)
{
    struct bson_out out = {buffer, false};
    size_t mark = bson_write_begin(&out);
    size_t list = bson_write_begin_array(&out, "firstBatch");
    char name[12];
    for (int i = 0; i < documents; i++) {
        write_product(&out, bson_index_name((unsigned)i, name), i);
    }
    bson_write_end(&out, list);
    bson_write_end(&out, mark);
}

static double sum_with_libbson(const struct buffer *buffer)
{
    bson_t reply, document;
    bson_iter_t batch, item, field;
    double sum = 0;
    if (!bson_init_static(&reply, buffer->bytes, buffer->length) ||
        !bson_iter_init_find(&batch, &reply, "firstBatch") || !bson_iter_recurse(&batch, &item)) {
        abort();
    }
    while (bson_iter_next(&item)) {
        uint32_t length;
        const uint8_t *bytes;
        bson_iter_document(&item, &length, &bytes);
        bson_init_static(&document, bytes, length);
        if (bson_iter_init_find(&field, &document, "price")) {
            sum += bson_iter_double(&field);
        }
        if (bson_iter_init_find(&field, &document, "stock")) {
            sum += bson_iter_int32(&field);
        }
    }
    return sum;
}

static const char script[] = "local items, batch = ...\n"
                             "local sum = 0\n"
                             "for product in items(batch) do\n"
                             "  sum = sum + product.price + product.stock\n"
                             "end\n"
                             "return sum\n";

static double sum_with_views(lua_State *L, const char *source)
{
    if (luaL_loadstring(L, source) != 0) {
        abort();
    }
    lua_getfield(L, 1, "items");
    lua_pushvalue(L, 2);
    if (lua_pcall(L, 2, 1, 0) != 0) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        exit(1);
    }
    double sum = lua_tonumber(L, -1);
    lua_pop(L, 1);
    return sum;
}

int main(int argc, char **argv)
{
    int documents = argc > 1 ? atoi(argv[1]) : DOCUMENTS;
    struct buffer buffer;
    buffer_init(&buffer, 1u << 30);
    write_batch(&buffer, documents);
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    luaopen_moonlit_core_bson(L); /* 1 */
    value_push_document(L, buffer.bytes, buffer.length);
    lua_getfield(L, -1, "firstBatch");
    lua_remove(L, -2); /* 2 */
    double best_limit = 1e300, best_view = 1e300;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        double left = sum_with_libbson(&buffer);
        double middle = now();
        double right = sum_with_views(L, script);
        double end = now();
        if (left != right) {
            fprintf(stderr, "the sums differ\n");
            return 1;
        }
        best_limit = middle - start < best_limit ? middle - start : best_limit;
        best_view = end - middle < best_view ? end - middle : best_view;
    }
    printf("find loop, 2 fields of %d documents: view %.0f ns, bson_iter %.0f ns, ratio %.2f\n",
           documents, best_view / documents, best_limit / documents, best_view / best_limit);
    lua_close(L);
    buffer_deinit(&buffer);
    return 0;
}
