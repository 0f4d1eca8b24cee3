/*
 * Messages from the browser: bytes to a struct, or an error. Pure: no loop, no host, no session.
 * docs/protocol.md describes every message with an example.
 *
 * The struct points into the bytes it was decoded from, which must outlive it. An event's values
 * are read one by one:
 *
 *   struct bson_walk walk = message_values(&message);
 *   for (struct message_value value; message_next_value(&walk, &value);) ...
 */
#ifndef MOONLIT_PROTOCOL_MESSAGE_H
#define MOONLIT_PROTOCOL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bson.h"
#include "base/error.h"

enum { PROTOCOL_VERSION = 1 };

enum message_kind {
    MESSAGE_HELLO,
    MESSAGE_EVENT,
    MESSAGE_STOP,
    MESSAGE_WHOLE,
    MESSAGE_OLD,
    MESSAGE_CONTEXT,
    MESSAGE_TAKEN,
};

struct message {
    enum message_kind kind;
    const char *session;               /* hello: the secret, or NULL */
    const char *load;                  /* hello */
    int64_t seq;                       /* hello: last patch applied */
    int64_t event;                     /* hello: last event sent in this load */
    const char *locale, *zone, *theme; /* hello, context */
    const char *path, *query;          /* hello, event */
    int64_t n;                         /* event, stop: its number */
    int64_t seen;                      /* event: last patch applied */
    int64_t press;                     /* event: the widget pressed, or 0 */
    const uint8_t *values;             /* event: the document {id as text: value}, or NULL */
    size_t values_length;
};

/* What the page says a widget's value is; not yet compared with the widget. */
struct message_value {
    uint64_t id;  /* of the widget; 0, which no widget has, when the name is no id */
    uint8_t kind; /* enum bson_kind */
    const uint8_t *bytes;
    size_t length;
};

bool message_decode(const uint8_t *bytes, size_t length, struct message *message,
                    struct error *error);

struct bson_walk message_values(const struct message *message);
bool message_next_value(struct bson_walk *walk, struct message_value *value);

#endif
