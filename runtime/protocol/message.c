#include "protocol/message.h"

#include <string.h>

#define MAXIMUM_NUMBER ((int64_t)1 << 53)

static bool refuse(struct error *error, const char *what)
{
    return error_set(error, ERROR_PROTOCOL, 0,
                     "The page sent a message that is not understood: %s.", what);
}

static bool read_number(const bson_iter_t *field, int64_t *out)
{
    if (!BSON_ITER_HOLDS_NUMBER(field)) {
        return false;
    }
    double number = bson_iter_as_double(field);
    if (!(number >= 0 && number < (double)MAXIMUM_NUMBER)) {
        return false;
    }
    *out = bson_iter_as_int64(field);
    return true;
}

static bool read_text(const bson_iter_t *field, const char **out)
{
    uint32_t length;
    if (!BSON_ITER_HOLDS_UTF8(field)) {
        return false;
    }
    *out = bson_iter_utf8(field, &length);
    return length <= LIMIT_EVENT_TEXT && strlen(*out) == length;
}

struct field {
    const char *name;
    size_t offset;
    bool is_text;
};

#define TEXT(name)                                                                                 \
    {                                                                                              \
#name, offsetof(struct message, name), true                                                \
    }
#define NUMBER(name)                                                                               \
    {                                                                                              \
#name, offsetof(struct message, name), false                                               \
    }

static const struct field fields[] = {TEXT(session), TEXT(load), TEXT(locale), TEXT(zone),
                                      TEXT(theme),   TEXT(path), TEXT(query),  NUMBER(seq),
                                      NUMBER(event), NUMBER(n),  NUMBER(seen), NUMBER(press)};

static bool read_field(struct message *message, const bson_iter_t *iter, struct error *error)
{
    const char *name = bson_iter_key(iter);
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(name, fields[i].name) != 0) {
            continue;
        }
        void *out = (char *)message + fields[i].offset;
        bool ok = fields[i].is_text ? read_text(iter, out) : read_number(iter, out);
        return ok || refuse(error, "a field has the wrong type");
    }
    if (strcmp(name, "values") == 0) {
        if (!BSON_ITER_HOLDS_DOCUMENT(iter) || !bson_iter_recurse(iter, &message->values)) {
            return refuse(error, "values is not a document");
        }
        message->has_values = true;
    }
    return true;
}

static bool read_kind(const char *name, enum message_kind *kind)
{
    static const char *const names[] = {"hello", "event", "stop", "whole", "context", "taken"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *kind = (enum message_kind)i;
            return true;
        }
    }
    return false;
}

static bool is_complete(const struct message *message, int64_t version, struct error *error)
{
    switch (message->kind) {
    case MESSAGE_HELLO:
        if (version != PROTOCOL_VERSION) {
            return error_set(error, ERROR_PROTOCOL, 0,
                             "The page speaks version %d of the protocol, this host speaks %d: "
                             "reload the page.",
                             (int)version, PROTOCOL_VERSION);
        }
        return message->load != NULL || refuse(error, "hello without load");
    case MESSAGE_EVENT:
    case MESSAGE_STOP:
        return message->n > 0 || refuse(error, "an event without a number");
    default:
        return true;
    }
}

bool message_decode(const uint8_t *bytes, size_t length, struct message *message,
                    struct error *error)
{
    *message = (struct message){0};
    bson_t document;
    size_t offset;
    if (length > LIMIT_SOCKET_MESSAGE || !bson_init_static(&document, bytes, length) ||
        !bson_validate(&document, BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL, &offset)) {
        return refuse(error, "it is not BSON");
    }
    bson_iter_t iter;
    bson_iter_init(&iter, &document);
    bool known = false;
    int64_t version = 0;
    while (bson_iter_next(&iter)) {
        const char *name = bson_iter_key(&iter);
        if (strcmp(name, "t") == 0) {
            if (!BSON_ITER_HOLDS_UTF8(&iter) ||
                !read_kind(bson_iter_utf8(&iter, NULL), &message->kind)) {
                return refuse(error, "its kind is unknown");
            }
            known = true;
        } else if (strcmp(name, "v") == 0) {
            if (!read_number(&iter, &version)) {
                return refuse(error, "its version is not a number");
            }
        } else if (!read_field(message, &iter, error)) {
            return false;
        }
    }
    if (!known) {
        return refuse(error, "it has no kind");
    }
    return is_complete(message, version, error);
}
