#include "mongo/guard.h"
#include "base/bson.h"
#include "base/buffer.h"
#include "base/memory.h"
#include "mongo/deadline.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define GUARD_TYPE 1702 /* any number that the library does not use for its own */

enum { OP_REPLY = 1, OP_COMPRESSED = 2012, OP_MSG = 2013 };

/* ---- messages -------------------------------------------------------------------------------- */

const char *guard_find_fault_of_head(const uint8_t *bytes)
{
    int32_t length = bson_load_int32(bytes), kind = bson_load_int32(bytes + 12);
    if (kind != OP_REPLY && kind != OP_COMPRESSED && kind != OP_MSG) {
        return "what it sends is no reply of a MongoDB server";
    }
    if (length < GUARD_HEAD || length > LIMIT_MONGO_MESSAGE) {
        return "its reply has a length that cannot be";
    }
    return NULL;
}

/* What the library takes for granted of fields that are there: of any reply, and of the answer to
 * a hello. */
enum shape { ANYTHING, TEXTS, DOCUMENT, NOT_ZERO };

struct expected {
    const char *name;
    enum shape shape;
};

static const struct expected of_any[] = {
    {"code", NOT_ZERO}, {"errorLabels", TEXTS}, {"writeConcernError", DOCUMENT}, {NULL, ANYTHING}};

static const struct expected of_hello[] = {
    {"hosts", TEXTS},       {"passives", TEXTS},
    {"arbiters", TEXTS},    {"speculativeAuthenticate", DOCUMENT},
    {"compression", TEXTS}, {NULL, ANYTHING}};

static bool holds_texts(const struct bson_element *array)
{
    struct bson_walk walk;
    struct bson_element item;
    bson_walk_begin(&walk, array->value, array->length);
    while (bson_walk_next(&walk, &item)) {
        if (item.kind != BSON_KIND_TEXT) {
            return false;
        }
    }
    return true;
}

/* An error's number is cut to 32 bits, which must not be 0. */
static bool is_zero(const struct bson_element *field)
{
    double number;
    return bson_element_number(field, &number) && !(fabs(number) >= 1 && fabs(number) <= INT32_MAX);
}

static bool has_shapes(const uint8_t *document, size_t length, const struct expected *expected);

static bool has_shape(const struct bson_element *field, enum shape shape)
{
    switch (shape) {
    case TEXTS:
        return field->kind == BSON_KIND_ARRAY && holds_texts(field);
    case DOCUMENT:
        return field->kind == BSON_KIND_DOCUMENT && has_shapes(field->value, field->length, of_any);
    case NOT_ZERO:
        return !is_zero(field);
    default:
        return true;
    }
}

static bool has_shapes(const uint8_t *document, size_t length, const struct expected *expected)
{
    struct bson_walk walk;
    struct bson_element field;
    bson_walk_begin(&walk, document, length);
    while (bson_walk_next(&walk, &field)) {
        const struct expected *one = expected;
        while (one->name && strcmp(one->name, field.name) != 0) {
            one++;
        }
        if (!has_shape(&field, one->shape)) {
            return false;
        }
    }
    return true;
}

static bool is_reply(const uint8_t *reply, size_t length, bool to_hello)
{
    return bson_check(reply, length, LIMIT_REPLY_DEPTH, NULL) &&
           has_shapes(reply, length, of_any) && (!to_hello || has_shapes(reply, length, of_hello));
}

/* Flags that must be understood, one section of kind 0, one document. */
static bool is_msg(const uint8_t *body, size_t length, bool to_hello)
{
    return length > 5 && (bson_load_int32(body) & 0xffff) == 0 && body[4] == 0 &&
           is_reply(body + 5, length - 5, to_hello);
}

/* Flags, cursor id and start, the number of documents, which is one. */
static bool is_old_reply(const uint8_t *body, size_t length, bool to_hello)
{
    return length > 20 && bson_load_int32(body + 16) == 1 &&
           is_reply(body + 20, length - 20, to_hello);
}

/* The kind and length of what is inside, and how it was compressed. */
static bool is_compressed(const uint8_t *body, size_t length)
{
    if (length < 9) {
        return false;
    }
    int32_t kind = bson_load_int32(body), inside = bson_load_int32(body + 4);
    return (kind == OP_REPLY || kind == OP_MSG) && inside > 0 && inside <= LIMIT_MONGO_MESSAGE;
}

const char *guard_find_fault(const uint8_t *bytes, size_t length, bool to_hello)
{
    const uint8_t *body = bytes + GUARD_HEAD;
    length -= GUARD_HEAD;
    int32_t kind = bson_load_int32(bytes + 12);
    bool good = kind == OP_MSG     ? is_msg(body, length, to_hello)
                : kind == OP_REPLY ? is_old_reply(body, length, to_hello)
                                   : is_compressed(body, length);
    return good ? NULL : "its reply is malformed";
}

/* ---- the stream ------------------------------------------------------------------------------ */

enum { KEPT_CAPACITY = 64 * 1024 };

struct guard {
    mongoc_stream_t base;
    mongoc_stream_t *inner;
    struct wire *wire;
    struct buffer message; /* as far as it has come */
    bool is_whole;         /* and looked at ... */
    size_t taken;          /* ... and read up to here */
    bool asked_hello;      /* by what was written last */
};

static bool refuse(struct guard *guard, const char *fault)
{
    wire_set_trouble(guard->wire, fault);
    errno = EPROTO;
    return false;
}

static bool receive_up_to(struct guard *guard, size_t length, int64_t deadline)
{
    struct buffer *message = &guard->message;
    while (message->length < length) {
        size_t missing = length - message->length;
        uint8_t *space = buffer_reserve(message, missing);
        ssize_t got = mongoc_stream_read(guard->inner, space, missing, 1, time_left(deadline));
        if (got <= 0) {
            errno = got == 0 ? ECONNRESET : errno;
            return false;
        }
        message->length += (size_t)got;
    }
    return true;
}

/* What has come of a message that is not whole in time stays for the next call. */
static bool receive(struct guard *guard, int32_t timeout)
{
    int64_t deadline = deadline_in(timeout);
    if (!receive_up_to(guard, GUARD_HEAD, deadline)) {
        return false;
    }
    const char *fault = guard_find_fault_of_head(guard->message.bytes);
    if (fault) {
        return refuse(guard, fault);
    }
    size_t length = (size_t)bson_load_int32(guard->message.bytes);
    if (!receive_up_to(guard, length, deadline)) {
        return false;
    }
    fault = guard_find_fault(guard->message.bytes, length, guard->asked_hello);
    guard->is_whole = !fault;
    return fault ? refuse(guard, fault) : true;
}

static size_t take(struct guard *guard, void *to, size_t most)
{
    struct buffer *message = &guard->message;
    size_t left = message->length - guard->taken;
    size_t count = left < most ? left : most;
    memcpy(to, message->bytes + guard->taken, count);
    guard->taken += count;
    if (guard->taken == message->length) {
        guard->is_whole = false;
        guard->taken = 0;
        buffer_clear(message);
        if (message->capacity > KEPT_CAPACITY) {
            buffer_deinit(message);
        }
    }
    return count;
}

/* At least `least` bytes, or -1. */
static ssize_t guard_readv(mongoc_stream_t *base, mongoc_iovec_t *iov, size_t iovcnt, size_t least,
                           int32_t timeout)
{
    struct guard *guard = (struct guard *)base;
    size_t total = 0;
    for (size_t i = 0; i < iovcnt; i++) {
        for (size_t filled = 0; filled < iov[i].iov_len;) {
            if (!guard->is_whole && total && total >= least) {
                return (ssize_t)total;
            }
            if (!guard->is_whole && !receive(guard, timeout)) {
                return -1;
            }
            size_t count = take(guard, (char *)iov[i].iov_base + filled, iov[i].iov_len - filled);
            filled += count;
            total += count;
        }
    }
    return (ssize_t)total;
}

/* ---- writing, and what goes straight through ------------------------------------------------- */

/* Does a command begin in `bytes`, behind its length and the kind of its first field? */
static bool is_hello(const char *bytes)
{
    return strcasecmp(bytes + 5, "hello") == 0 || strcasecmp(bytes + 5, "ismaster") == 0;
}

/* Is the message a hello, as OP_MSG or as the OP_QUERY of a handshake? */
static bool asks_hello(const mongoc_iovec_t *iov, size_t iovcnt)
{
    char head[GUARD_HEAD + 48] = {0};
    size_t length = 0;
    for (size_t i = 0; i < iovcnt && length + 1 < sizeof head; i++) {
        size_t room = sizeof head - 1 - length;
        size_t count = iov[i].iov_len < room ? iov[i].iov_len : room;
        memcpy(head + length, iov[i].iov_base, count);
        length += count;
    }
    static const size_t of_query = GUARD_HEAD + 4 + sizeof "admin.$cmd" + 8;
    return is_hello(head + GUARD_HEAD + 5) || is_hello(head + of_query);
}

static mongoc_stream_t *inner_of(mongoc_stream_t *base)
{
    return ((struct guard *)base)->inner;
}

static void guard_destroy(mongoc_stream_t *base)
{
    struct guard *guard = (struct guard *)base;
    mongoc_stream_destroy(guard->inner);
    buffer_deinit(&guard->message);
    free(guard);
}

static int guard_close(mongoc_stream_t *base)
{
    return mongoc_stream_close(inner_of(base));
}

static int guard_flush(mongoc_stream_t *base)
{
    return mongoc_stream_flush(inner_of(base));
}

static ssize_t guard_writev(mongoc_stream_t *base, mongoc_iovec_t *iov, size_t iovcnt,
                            int32_t timeout)
{
    ((struct guard *)base)->asked_hello = asks_hello(iov, iovcnt);
    return mongoc_stream_writev(inner_of(base), iov, iovcnt, timeout);
}

static int guard_setsockopt(mongoc_stream_t *base, int level, int name, void *value,
                            mongoc_socklen_t length)
{
    return mongoc_stream_setsockopt(inner_of(base), level, name, value, length);
}

static bool guard_check_closed(mongoc_stream_t *base)
{
    return mongoc_stream_check_closed(inner_of(base));
}

static bool guard_timed_out(mongoc_stream_t *base)
{
    return mongoc_stream_timed_out(inner_of(base));
}

static bool guard_should_retry(mongoc_stream_t *base)
{
    return mongoc_stream_should_retry(inner_of(base));
}

mongoc_stream_t *guard_new(struct wire *wire, mongoc_stream_t *inner)
{
    struct guard *guard = memory_new(sizeof *guard);
    guard->base = (mongoc_stream_t){
        .type = GUARD_TYPE,
        .destroy = guard_destroy,
        .close = guard_close,
        .flush = guard_flush,
        .writev = guard_writev,
        .readv = guard_readv,
        .setsockopt = guard_setsockopt,
        .get_base_stream = inner_of,
        .check_closed = guard_check_closed,
        .failed = guard_destroy,
        .timed_out = guard_timed_out,
        .should_retry = guard_should_retry,
    };
    guard->inner = inner;
    guard->wire = wire;
    buffer_init(&guard->message, LIMIT_MONGO_MESSAGE);
    return &guard->base;
}
