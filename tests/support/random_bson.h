/* Random BSON documents of every kind, made with the writer; the seed makes them again. */
#ifndef TESTS_RANDOM_BSON_H
#define TESTS_RANDOM_BSON_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/bson.h"

struct random {
    uint64_t state;
};

static inline uint32_t random_next(struct random *random)
{
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random->state >> 33);
}

static inline uint32_t random_below(struct random *random, uint32_t limit)
{
    return random_next(random) % limit;
}

static inline void random_text(struct random *random, char *text, size_t most)
{
    static const char *const parts[] = {
        "a", "bc", "name", "_", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", " ", "$", "."};
    size_t used = 0;
    for (uint32_t n = random_below(random, 5) + 1; n > 0; n--) {
        const char *part = parts[random_below(random, sizeof parts / sizeof *parts)];
        if (used + strlen(part) + 1 > most) {
            break;
        }
        memcpy(text + used, part, strlen(part));
        used += strlen(part);
    }
    text[used] = '\0';
}

static inline double random_number(struct random *random)
{
    static const double some[] = {0,
                                  1,
                                  -1,
                                  0.5,
                                  2147483647,
                                  -2147483648,
                                  2147483648,
                                  1e300,
                                  9007199254740992,
                                  -9007199254740994,
                                  3.25,
                                  1e-9};
    return some[random_below(random, sizeof some / sizeof *some)];
}

static inline int64_t random_int64(struct random *random)
{
    static const int64_t some[] = {0,
                                   1,
                                   -1,
                                   INT32_MAX,
                                   INT64_MAX,
                                   INT64_MIN,
                                   9007199254740992,
                                   9007199254740993,
                                   -9007199254740993,
                                   4294967296,
                                   -4294967297};
    return some[random_below(random, sizeof some / sizeof *some)];
}

static inline void random_fields(struct random *random, struct bson_out *out, int depth,
                                 bool is_array);

static inline void random_bytes(struct random *random, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)random_next(random);
    }
}

static inline void random_scoped_code(struct bson_out *out, const char *name)
{
    static const uint8_t value[] = {22, 0, 0, 0,  2,   0, 0, 0, 'f', 0, 12,
                                    0,  0, 0, 16, 'a', 0, 1, 0, 0,   0, 0};
    bson_write_raw(out, BSON_KIND_CODE_WITH_SCOPE, name, value, sizeof value);
}

static inline void random_rest(struct random *random, struct bson_out *out, const char *name)
{
    uint8_t bytes[40];
    char text[32];
    random_bytes(random, bytes, sizeof bytes);
    random_text(random, text, sizeof text);
    switch (random_below(random, 14)) {
    case 0:
        bson_write_oid(out, name, bytes);
        break;
    case 1:
        bson_write_date(out, name, random_int64(random));
        break;
    case 2:
        bson_write_binary(out, name, bytes[39], bytes, random_below(random, 30));
        break;
    case 3:
        bson_write_null(out, name);
        break;
    case 4:
        bson_write_raw(out, BSON_KIND_UNDEFINED, name, NULL, 0);
        break;
    case 5:
        bson_write_raw(out, BSON_KIND_REGEX, name, "^a\0i", 5);
        break;
    case 6:
        bson_write_raw(out, BSON_KIND_TIMESTAMP, name, bytes, 8);
        break;
    case 7:
        bson_write_raw(out, BSON_KIND_DECIMAL128, name, bytes, 16);
        break;
    case 8:
        bson_write_raw(out, BSON_KIND_MINKEY, name, NULL, 0);
        break;
    case 9:
        bson_write_raw(out, BSON_KIND_MAXKEY, name, NULL, 0);
        break;
    case 10:
        random_scoped_code(out, name);
        break;
    case 11:
        bson_write_raw(out, BSON_KIND_CODE, name, "\x02\0\0\0f", 6);
        break;
    case 12:
        bson_write_raw(out, BSON_KIND_SYMBOL, name, "\x02\0\0\0s", 6);
        break;
    default:
        bson_write_raw(out, BSON_KIND_DBPOINTER, name, "\x02\0\0\0c\0abcdefghijkl", 18);
        break;
    }
}

static inline void random_value(struct random *random, struct bson_out *out, const char *name,
                                int depth)
{
    char text[32];
    size_t mark;
    switch (random_below(random, depth > 0 ? 8 : 6)) {
    case 0:
        bson_write_double(out, name, random_number(random));
        break;
    case 1:
        random_text(random, text, sizeof text);
        bson_write_text(out, name, text, strlen(text));
        break;
    case 2:
        bson_write_int32(out, name, (int32_t)random_int64(random));
        break;
    case 3:
        bson_write_int64(out, name, random_int64(random));
        break;
    case 4:
        bson_write_bool(out, name, random_below(random, 2) == 1);
        break;
    case 5:
        random_rest(random, out, name);
        break;
    case 6:
        mark = bson_write_begin_document(out, name);
        random_fields(random, out, depth - 1, false);
        bson_write_end(out, mark);
        break;
    default:
        mark = bson_write_begin_array(out, name);
        random_fields(random, out, depth - 1, true);
        bson_write_end(out, mark);
        break;
    }
}

static inline void random_fields(struct random *random, struct bson_out *out, int depth,
                                 bool is_array)
{
    uint32_t count = random_below(random, 8);
    for (uint32_t i = 0; i < count; i++) {
        char name[48];
        char text[32];
        random_text(random, text, sizeof text);
        if (is_array) {
            snprintf(name, sizeof name, "%u", i);
        } else {
            snprintf(name, sizeof name, "%u%s", i, text); /* no name twice */
        }
        random_value(random, out, name, depth);
    }
}

static inline void random_document(struct random *random, struct buffer *buffer)
{
    struct bson_out out = {buffer, false};
    size_t mark = bson_write_begin(&out);
    random_fields(random, &out, 4, false);
    bson_write_end(&out, mark);
}

#endif
