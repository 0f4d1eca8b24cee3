/* Frames as a browser writes them: masked. */
#ifndef TESTS_CLIENT_FRAME_H
#define TESTS_CLIENT_FRAME_H

#include <string.h>

#include "net/frame.h"

static inline void client_frame(struct buffer *out, enum frame_kind kind, bool is_last,
                                const void *payload, size_t length)
{
    static const uint8_t mask[4] = {0xa1, 0x02, 0xf3, 0x44};
    uint8_t head[FRAME_HEAD_MOST];
    size_t size = frame_write_head(head, kind, length);
    head[0] = (uint8_t)((is_last ? 0x80 : 0) | kind);
    head[1] |= 0x80;
    buffer_append(out, head, size);
    buffer_append(out, mask, 4);
    uint8_t *room = buffer_reserve(out, length);
    if (length > 0) {
        memcpy(room, payload, length);
        frame_mask(room, length, mask);
        out->length += length;
    }
}

#endif
