#include "store/wire.h"

#include <string.h>

#include "base/bson.h"

enum { FLAG_CHECKSUM = 1, FLAG_MORE_TO_COME = 2, FLAGS_REQUIRED = 0xffff };

struct reader {
    const uint8_t *at;
    const uint8_t *end;
    struct error *error;
};

static bool broken(struct reader *reader, const char *words)
{
    return error_set(reader->error, ERROR_PROTOCOL, 0, "%s", words);
}

static size_t room(const struct reader *reader)
{
    return (size_t)(reader->end - reader->at);
}

static bool read_number(struct reader *reader, int32_t *number)
{
    if (room(reader) < 4) {
        return broken(reader, "A message ends too early.");
    }
    *number = bson_load_int32(reader->at);
    reader->at += 4;
    return true;
}

static bool read_text(struct reader *reader, const char **text)
{
    const uint8_t *nul = memchr(reader->at, 0, room(reader));
    if (nul == NULL) {
        return broken(reader, "A name in a message has no end.");
    }
    *text = (const char *)reader->at;
    reader->at = nul + 1;
    return true;
}

static bool read_document(struct reader *reader, const uint8_t **document, size_t *length)
{
    if (room(reader) < 5) {
        return broken(reader, "A message ends within a document.");
    }
    int32_t size = bson_load_int32(reader->at);
    if (size < 5 || (size_t)size > room(reader)) {
        return broken(reader, "A document in a message has a wrong length.");
    }
    *document = reader->at;
    *length = (size_t)size;
    reader->at += size;
    return bson_check(*document, *length, LIMIT_STORE_MESSAGE_DEPTH, reader->error);
}

/* ---- OP_MSG ---- */

static bool read_body(struct reader *reader, struct wire_request *request)
{
    if (request->body != NULL) {
        return broken(reader, "A message has two bodies.");
    }
    return read_document(reader, &request->body, &request->body_length);
}

static bool is_repeated(const struct wire_request *request, const char *name)
{
    for (size_t i = 0; i + 1 < request->section_count; i++) {
        if (strcmp(request->sections[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_sequence(struct reader *reader, struct wire_request *request)
{
    struct wire_section *section = &request->sections[request->section_count];
    const uint8_t *start = reader->at;
    int32_t size = 0;
    if (request->section_count++ == LIMIT_STORE_SECTIONS) {
        return broken(reader, "A message has too many sections.");
    }
    if (!read_number(reader, &size) || size < 4 || (size_t)size - 4 > room(reader)) {
        return broken(reader, "A section of a message has a wrong length.");
    }
    struct reader inner = {reader->at, start + size, reader->error};
    if (!read_text(&inner, &section->name)) {
        return false;
    }
    if (is_repeated(request, section->name)) {
        return broken(reader, "A message has two sections of one name.");
    }
    section->bytes = inner.at;
    section->length = room(&inner);
    while (inner.at < inner.end) {
        const uint8_t *document;
        size_t length;
        if (!read_document(&inner, &document, &length)) {
            return false;
        }
    }
    reader->at = inner.end;
    return true;
}

static bool read_section(struct reader *reader, struct wire_request *request)
{
    switch (*reader->at++) {
    case 0:
        return read_body(reader, request);
    case 1:
        return read_sequence(reader, request);
    default:
        return broken(reader, "A message has a section of an unknown kind.");
    }
}

static uint32_t crc32c(const uint8_t *bytes, size_t length)
{
    uint32_t crc = ~0u;
    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0x82f63b78u & (0 - (crc & 1)));
        }
    }
    return ~crc;
}

static bool check_sum(struct reader *reader, const uint8_t *message)
{
    if (room(reader) < 4) {
        return broken(reader, "A message ends within its checksum.");
    }
    reader->end -= 4;
    if (crc32c(message, (size_t)(reader->end - message)) !=
        (uint32_t)bson_load_int32(reader->end)) {
        return broken(reader, "A message has a wrong checksum.");
    }
    return true;
}

static bool read_message(struct reader *reader, const uint8_t *message,
                         struct wire_request *request)
{
    int32_t flags = 0;
    if (!read_number(reader, &flags)) {
        return false;
    }
    if ((flags & FLAGS_REQUIRED & ~(FLAG_CHECKSUM | FLAG_MORE_TO_COME)) != 0) {
        return broken(reader, "A message has an unknown flag.");
    }
    if ((flags & FLAG_CHECKSUM) != 0 && !check_sum(reader, message)) {
        return false;
    }
    request->wants_reply = (flags & FLAG_MORE_TO_COME) == 0;
    while (reader->at < reader->end) {
        if (!read_section(reader, request)) {
            return false;
        }
    }
    return request->body != NULL || broken(reader, "A message has no body.");
}

/* ---- OP_QUERY ---- */

static bool read_query(struct reader *reader, struct wire_request *request)
{
    int32_t flags, skip, count;
    const uint8_t *fields;
    size_t fields_length;
    request->wants_reply = true;
    if (!read_number(reader, &flags) || !read_text(reader, &request->database) ||
        !read_number(reader, &skip) || !read_number(reader, &count) ||
        !read_document(reader, &request->body, &request->body_length)) {
        return false;
    }
    if (reader->at < reader->end && !read_document(reader, &fields, &fields_length)) {
        return false;
    }
    return reader->at == reader->end || broken(reader, "A message is longer than what it holds.");
}

/* ---- the whole ---- */

static enum wire_result refuse(struct error *error, const char *words)
{
    error_set(error, ERROR_PROTOCOL, 0, "%s", words);
    return WIRE_BROKEN;
}

enum wire_result wire_read(const uint8_t *bytes, size_t length, struct wire_request *request,
                           struct error *error)
{
    if (length < WIRE_HEAD) {
        return WIRE_MORE;
    }
    int32_t size = bson_load_int32(bytes);
    int32_t operation = bson_load_int32(bytes + 12);
    if (size < WIRE_HEAD || size > LIMIT_STORE_MESSAGE) {
        return refuse(error, "A message has an impossible length.");
    }
    if (operation != WIRE_MESSAGE && operation != WIRE_QUERY) {
        return refuse(error, "A message has an operation that the store does not know.");
    }
    if (length < (size_t)size) {
        return WIRE_MORE;
    }
    memset(request, 0, sizeof *request);
    request->size = (size_t)size;
    request->id = bson_load_int32(bytes + 4);
    request->operation = (enum wire_operation)operation;
    struct reader reader = {bytes + WIRE_HEAD, bytes + size, error};
    bool ok = operation == WIRE_MESSAGE ? read_message(&reader, bytes, request)
                                        : read_query(&reader, request);
    return ok ? WIRE_READY : WIRE_BROKEN;
}

static void store_number(uint8_t *at, int32_t number)
{
    memcpy(at, &number, sizeof number);
}

size_t wire_write_head(uint8_t head[WIRE_HEAD_MAX], enum wire_operation operation, int32_t id,
                       int32_t answers, size_t document_length)
{
    size_t length = operation == WIRE_REPLY ? 36 : 21;
    memset(head, 0, WIRE_HEAD_MAX);
    store_number(head, (int32_t)(length + document_length));
    store_number(head + 4, id);
    store_number(head + 8, answers);
    store_number(head + 12, operation);
    if (operation == WIRE_REPLY) {
        store_number(head + 16, 8); /* it knows how to await */
        store_number(head + 32, 1); /* one document */
    }
    return length; /* OP_MSG: no flags, and a section of kind 0 */
}
