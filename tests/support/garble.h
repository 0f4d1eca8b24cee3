/*
 * Spoil a server's reply, in a way that a seed decides: as bytes (bits flipped, lengths that lie,
 * messages cut in half, noise), or as a document (sound BSON in which a field is missing or is not
 * what it should be).
 */
#ifndef GARBLE_H
#define GARBLE_H

#include <bson/bson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static uint32_t garble_random(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return (uint32_t)(*seed >> 16);
}

static void garble_number(uint8_t *bytes, size_t length, size_t at, uint64_t *seed)
{
    static const int32_t numbers[] = {
        0,   1,   -1,    4,       5,        15,       16,        17,        20,
        127, 128, 65535, 1 << 20, 47999999, 48000001, INT32_MAX, INT32_MIN, INT32_MAX - 16};
    int32_t number = numbers[garble_random(seed) % (sizeof numbers / sizeof *numbers)];
    if (at + 4 <= length) {
        memcpy(bytes + at, &number, 4);
    }
}

/* Change `bytes` in place; returns how many of them to send before the connection is closed, or
 * `length` when it stays open. */
static size_t garble(uint8_t *bytes, size_t length, uint64_t *seed)
{
    static const uint8_t kinds[] = {0,  1,  2,  3,  4,  5,  6,  7,  8,   9,   10, 11,
                                    12, 13, 14, 15, 16, 17, 18, 19, 127, 255, 20, 100};
    static const int32_t opcodes[] = {1, 2004, 2010, 2011, 2012, 2013, 0, -1};
    size_t at = garble_random(seed) % length;
    switch (garble_random(seed) % 8) {
    case 0:
        return at;
    case 1:
        garble_number(bytes, length, 0, seed);
        return length;
    case 2:
        memcpy(bytes + 12, &opcodes[garble_random(seed) % 8], 4);
        return length;
    case 3:
        garble_number(bytes, length, at, seed);
        return length;
    case 4:
        bytes[at] = kinds[garble_random(seed) % sizeof kinds];
        return length;
    case 5:
        for (size_t i = 16; i < length; i++) {
            bytes[i] = (uint8_t)garble_random(seed);
        }
        return length;
    case 6:
        memmove(bytes + at, bytes + length / 2, length - (at > length / 2 ? at : length / 2));
        return length;
    default:
        for (int i = 0; i < 3; i++) {
            bytes[garble_random(seed) % length] ^= (uint8_t)(1 << garble_random(seed) % 8);
        }
        return length;
    }
}

/* ---- documents ---- */

static void garble_append(bson_t *to, const char *key, uint64_t *seed)
{
    static const double numbers[] = {0, -1, 1, 1e300, 1.5, 2147483648.0};
    bson_t child = BSON_INITIALIZER;
    bson_oid_t oid = {{0}};
    switch (garble_random(seed) % 14) {
    case 0:
        break; /* left out */
    case 1:
        BSON_APPEND_INT32(to, key, (int32_t)garble_random(seed));
        break;
    case 2:
        BSON_APPEND_INT64(to, key, (int64_t)*seed);
        break;
    case 3:
        BSON_APPEND_DOUBLE(to, key, numbers[garble_random(seed) % 6]);
        break;
    case 4:
        BSON_APPEND_UTF8(to, key, "");
        break;
    case 5:
        BSON_APPEND_UTF8(to, key, "a:b:c%/@ text");
        break;
    case 6:
        BSON_APPEND_NULL(to, key);
        break;
    case 7:
        BSON_APPEND_BOOL(to, key, garble_random(seed) % 2);
        break;
    case 8:
        BSON_APPEND_DOCUMENT(to, key, &child);
        break;
    case 9:
        BSON_APPEND_ARRAY(to, key, &child);
        break;
    case 10:
        BSON_APPEND_OID(to, key, &oid);
        break;
    case 11:
        BSON_APPEND_TIMESTAMP(to, key, 1, 1);
        break;
    case 12:
        BSON_APPEND_BINARY(to, key, BSON_SUBTYPE_UUID, (const uint8_t *)"short", 5);
        break;
    default:
        BSON_APPEND_INT32(&child, "0", 7);
        BSON_APPEND_ARRAY(to, key, &child);
    }
    bson_destroy(&child);
}

static int garble_copy(bson_iter_t *from, bson_t *to, int victim, uint64_t *seed)
{
    int seen = 0;
    while (bson_iter_next(from)) {
        bson_iter_t inner;
        bson_t child;
        const char *key = bson_iter_key(from);
        if (seen++ == victim) {
            garble_append(to, key, seed);
        } else if (BSON_ITER_HOLDS_DOCUMENT(from) && bson_iter_recurse(from, &inner)) {
            BSON_APPEND_DOCUMENT_BEGIN(to, key, &child);
            seen += garble_copy(&inner, &child, victim - seen, seed);
            bson_append_document_end(to, &child);
        } else if (BSON_ITER_HOLDS_ARRAY(from) && bson_iter_recurse(from, &inner)) {
            BSON_APPEND_ARRAY_BEGIN(to, key, &child);
            seen += garble_copy(&inner, &child, victim - seen, seed);
            bson_append_array_end(to, &child);
        } else {
            bson_append_value(to, key, -1, bson_iter_value(from));
        }
    }
    return seen;
}

/* Fields that a server of its own accord adds to any reply, and that the client looks at. */
static void garble_add_fields(bson_t *reply, uint64_t *seed)
{
    static const char *const names[] = {"$clusterTime",
                                        "operationTime",
                                        "recoveryToken",
                                        "errorLabels",
                                        "writeErrors",
                                        "writeConcernError",
                                        "cursor",
                                        "atClusterTime",
                                        "code",
                                        "codeName",
                                        "errmsg",
                                        "$err",
                                        "topologyVersion",
                                        "saslSupportedMechs",
                                        "compression",
                                        "speculativeAuthenticate",
                                        "serviceId",
                                        "tags",
                                        "passives",
                                        "lastWrite",
                                        "electionId",
                                        "setVersion",
                                        "msg",
                                        "hidden",
                                        "arbiters",
                                        "connectionId"};
    for (int i = 0; i < 2; i++) {
        garble_append(reply, names[garble_random(seed) % (sizeof names / sizeof *names)], seed);
    }
}

static void garble_document(bson_t *reply, uint64_t *seed)
{
    bson_t copy = BSON_INITIALIZER;
    bson_iter_t all;
    bson_iter_init(&all, reply);
    if (garble_random(seed) % 3 == 0) {
        garble_add_fields(&copy, seed);
    }
    garble_copy(&all, &copy, (int)(garble_random(seed) % bson_count_keys(reply) * 2), seed);
    if (garble_random(seed) % 3 == 0) {
        garble_add_fields(&copy, seed);
    }
    bson_destroy(reply);
    bson_steal(reply, &copy);
}

#endif
