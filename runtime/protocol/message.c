#include "protocol/message.h"

#include <string.h>

#include "limits.h"

static const double HIGHEST_NUMBER = 9007199254740992.0; /* 2^53 */

static bool refuse(struct error *error, const char *what)
{
    return error_set(error, ERROR_PROTOCOL, 0,
                     "The page sent a message that is not understood: %s.", what);
}

static bool read_number(const struct bson_element *field, int64_t *out)
{
    double number;
    if (!bson_element_number(field, &number) || !(number >= 0 && number < HIGHEST_NUMBER)) {
        return false;
    }
    *out = (int64_t)number;
    return true;
}

static bool read_text(const struct bson_element *field, const char **out)
{
    size_t length;
    if (field->kind != BSON_KIND_TEXT) {
        return false;
    }
    *out = bson_element_text(field, &length);
    return length <= LIMIT_EVENT_TEXT && strlen(*out) == length && bson_is_utf8(*out, length);
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

static bool read_field(struct message *message, const struct bson_element *element,
                       struct error *error)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (strcmp(element->name, fields[i].name) != 0) {
            continue;
        }
        void *out = (char *)message + fields[i].offset;
        bool ok = fields[i].is_text ? read_text(element, out) : read_number(element, out);
        return ok || refuse(error, "a field has the wrong type");
    }
    if (strcmp(element->name, "values") == 0) {
        if (element->kind != BSON_KIND_DOCUMENT) {
            return refuse(error, "values is not a document");
        }
        message->values = element->value;
        message->values_length = element->length;
    }
    return true;
}

static bool read_kind(const struct bson_element *element, enum message_kind *kind)
{
    static const char *const names[] = {"hello", "event",   "stop", "whole",
                                        "old",   "context", "taken"};
    const char *name;
    if (!read_text(element, &name)) {
        return false;
    }
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
    if (length > LIMIT_SOCKET_MESSAGE || !bson_check(bytes, length, LIMIT_MESSAGE_DEPTH, NULL)) {
        return refuse(error, "it is not BSON, or nested too deep");
    }
    bool known = false;
    int64_t version = 0;
    struct bson_walk walk;
    bson_walk_begin(&walk, bytes, length);
    for (struct bson_element element; bson_walk_next(&walk, &element);) {
        if (strcmp(element.name, "t") == 0) {
            if (!read_kind(&element, &message->kind)) {
                return refuse(error, "its kind is unknown");
            }
            known = true;
        } else if (strcmp(element.name, "v") == 0) {
            if (!read_number(&element, &version)) {
                return refuse(error, "its version is not a number");
            }
        } else if (!read_field(message, &element, error)) {
            return false;
        }
    }
    if (!known) {
        return refuse(error, "it has no kind");
    }
    return is_complete(message, version, error);
}

/* ---- an event's values ---- */

struct bson_walk message_values(const struct message *message)
{
    struct bson_walk walk = {0};
    if (message->values != NULL) {
        bson_walk_begin(&walk, message->values, message->values_length);
    }
    return walk;
}

static uint64_t read_id(const struct bson_element *element)
{
    uint64_t id = 0;
    for (const char *digit = element->name; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9' || id >= (uint64_t)HIGHEST_NUMBER) {
            return 0;
        }
        id = id * 10 + (uint64_t)(*digit - '0');
    }
    return id;
}

bool message_next_value(struct bson_walk *walk, struct message_value *value)
{
    struct bson_element element;
    if (!bson_walk_next(walk, &element)) {
        return false;
    }
    *value = (struct message_value){read_id(&element), (uint8_t)element.kind, element.value,
                                    element.length};
    return true;
}
