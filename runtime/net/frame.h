/*
 * The frames of RFC 6455: bytes in, messages out, and the few bytes before what we send. Pure.
 *
 * A reader takes the client's bytes in whatever pieces they come and gives one event at a time: a
 * whole message or a control frame. It unmasks in place, in the caller's buffer; it keeps bytes
 * only of a message that has not ended yet, and memory grows with what arrived, never with what
 * was announced. A message that lies whole in the caller's buffer is not copied.
 *
 * After FRAME_BROKEN the reader is good for nothing but frame_reader_deinit: close with the code.
 */
#ifndef MOONLIT_NET_FRAME_H
#define MOONLIT_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

enum frame_kind {
    FRAME_CONTINUATION = 0,
    FRAME_TEXT = 1,
    FRAME_BINARY = 2,
    FRAME_CLOSE = 8,
    FRAME_PING = 9,
    FRAME_PONG = 10,
};

enum {
    FRAME_HEAD_MOST = 14,    /* of a masked frame */
    FRAME_CONTROL_MOST = 125 /* payload of a control frame */
};

struct frame_reader {
    uint8_t head[FRAME_HEAD_MOST];
    size_t head_length;           /* bytes of the head that have come */
    bool in_payload;              /* the head is whole and understood */
    bool is_last;                 /* FIN of this frame */
    bool handed_out;              /* the last event was a view of `message` */
    enum frame_kind kind;         /* of this frame */
    enum frame_kind message_kind; /* of the message under way; FRAME_CONTINUATION: none is */
    uint64_t left;                /* payload bytes of this frame still to come */
    uint8_t mask[4];              /* turned to the next payload byte */
    struct buffer message;        /* what came so far of an unfinished message */
    uint8_t control[FRAME_CONTROL_MOST];
    size_t control_length;
};

struct frame_event {
    enum frame_kind kind; /* TEXT, BINARY, CLOSE, PING or PONG */
    const uint8_t *bytes; /* payload, a view until the next call; of a CLOSE: the reason */
    size_t length;
    int code; /* of a CLOSE: its code, 1005 if it has none; when broken: the code to send */
    const char *words; /* when broken: what was wrong */
};

enum frame_result {
    FRAME_MORE,  /* all bytes are used up, no event */
    FRAME_READY, /* one event; call again with the rest */
    FRAME_BROKEN,
};

/* `maximum` bounds one message. */
void frame_reader_init(struct frame_reader *reader, size_t maximum);
void frame_reader_deinit(struct frame_reader *reader);

/* Read up to one event; `used` says how many bytes were taken. Changes the bytes. */
enum frame_result frame_read(struct frame_reader *reader, uint8_t *bytes, size_t length,
                             size_t *used, struct frame_event *event);

/* The head of an unmasked, unfragmented frame; returns its 2 to 10 bytes. */
size_t frame_write_head(uint8_t head[FRAME_HEAD_MOST], enum frame_kind kind, size_t length);

/* The payload of a Close frame; the reason (may be NULL) is cut at a character to fit. */
size_t frame_write_close(uint8_t payload[FRAME_CONTROL_MOST], int code, const char *reason);

/* XOR with the mask, the first byte with mask[0]. */
void frame_mask(uint8_t *bytes, size_t length, const uint8_t mask[4]);

/* Whether the bytes are well-formed UTF-8. */
bool frame_text_is_valid(const uint8_t *bytes, size_t length);

#endif
