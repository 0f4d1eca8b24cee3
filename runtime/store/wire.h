/*
 * The framing of MongoDB's wire protocol: pure, from bytes to a request and back.
 *
 * Read: OP_MSG with its body and document sequences, a checksum when there is one, and OP_QUERY,
 * with which old drivers say hello. All documents of a request have been validated to the nesting
 * of limits.h when wire_read returns, and point into the bytes. Anything else is WIRE_BROKEN: the
 * connection is to be closed, because nobody can tell where the next message begins.
 *
 * Written: a head in front of a reply's document.
 */
#ifndef MOONLIT_STORE_WIRE_H
#define MOONLIT_STORE_WIRE_H

#include "base/buffer.h"
#include "base/error.h"
#include "limits.h"

enum wire_operation { WIRE_REPLY = 1, WIRE_QUERY = 2004, WIRE_MESSAGE = 2013 };

enum wire_result {
    WIRE_MORE,   /* the message is not there as a whole */
    WIRE_READY,  /* one request, `size` bytes of it */
    WIRE_BROKEN, /* `error` tells */
};

struct wire_section {
    const char *name;     /* "documents" */
    const uint8_t *bytes; /* documents behind one another */
    size_t length;
};

struct wire_request {
    size_t size; /* the whole message */
    int32_t id;
    enum wire_operation operation;
    bool wants_reply;     /* false: moreToCome, an unacknowledged write */
    const char *database; /* WIRE_QUERY: "admin.$cmd"; else NULL, and the body's $db says it */
    const uint8_t *body;
    size_t body_length;
    struct wire_section sections[LIMIT_STORE_SECTIONS];
    size_t section_count;
};

enum { WIRE_HEAD = 16, WIRE_HEAD_MAX = 36 };

enum wire_result wire_read(const uint8_t *bytes, size_t length, struct wire_request *request,
                           struct error *error);

/* The bytes in front of a reply's document; returns their number. */
size_t wire_write_head(uint8_t head[WIRE_HEAD_MAX], enum wire_operation operation, int32_t id,
                       int32_t answers, size_t document_length);

#endif
