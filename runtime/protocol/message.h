/*
 * Messages from the browser: bytes to a struct, or an error. Pure: no loop, no host, no session.
 * docs/protocol.md describes every message with an example.
 *
 * The struct points into the bytes it was decoded from, which must outlive it.
 */
#ifndef MOONLIT_PROTOCOL_MESSAGE_H
#define MOONLIT_PROTOCOL_MESSAGE_H

#include <bson/bson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "limits.h"

enum { PROTOCOL_VERSION = 1 };

enum message_kind {
    MESSAGE_HELLO,
    MESSAGE_EVENT,
    MESSAGE_STOP,
    MESSAGE_WHOLE,
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
    bson_iter_t values;                /* event: {id as text: value}; has_values says whether */
    bool has_values;
};

bool message_decode(const uint8_t *bytes, size_t length, struct message *message,
                    struct error *error);

#endif
