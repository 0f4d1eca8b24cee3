#include "net/frame.h"

#include <string.h>

enum { CODE_NONE = 1005, CODE_PROTOCOL = 1002, CODE_BAD_TEXT = 1007, CODE_TOO_LONG = 1009 };

static bool is_control(enum frame_kind kind)
{
    return kind >= FRAME_CLOSE;
}

static enum frame_result broken(struct frame_event *event, int code, const char *words)
{
    event->code = code;
    event->words = words;
    return FRAME_BROKEN;
}

void frame_reader_init(struct frame_reader *reader, size_t maximum)
{
    *reader = (struct frame_reader){0};
    buffer_init(&reader->message, maximum);
}

void frame_reader_deinit(struct frame_reader *reader)
{
    buffer_deinit(&reader->message);
}

/* ---- mask and text ------------------------------------------------------------------------- */

void frame_mask(uint8_t *bytes, size_t length, const uint8_t mask[4])
{
    uint8_t twice[8];
    memcpy(twice, mask, 4);
    memcpy(twice + 4, mask, 4);
    uint64_t wide;
    memcpy(&wide, twice, 8);
    size_t i = 0;
    for (; i + 8 <= length; i += 8) {
        uint64_t word;
        memcpy(&word, bytes + i, 8);
        word ^= wide;
        memcpy(bytes + i, &word, 8);
    }
    for (; i < length; i++) {
        bytes[i] ^= mask[i & 3];
    }
}

/* Length of the character that starts at bytes[0], 0 if it is not well-formed (Unicode, 3.9). */
static size_t character_length(const uint8_t *bytes, size_t left)
{
    uint8_t first = bytes[0];
    if (first < 0x80) {
        return 1;
    }
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > left) {
        return 0;
    }
    uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (bytes[1] < low || bytes[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool frame_text_is_valid(const uint8_t *bytes, size_t length)
{
    size_t i = 0;
    while (i < length) {
        uint64_t word;
        if (i + 8 <= length && (memcpy(&word, bytes + i, 8), (word & 0x8080808080808080u) == 0)) {
            i += 8;
            continue;
        }
        size_t step = character_length(bytes + i, length - i);
        if (step == 0) {
            return false;
        }
        i += step;
    }
    return true;
}

/* ---- the head ------------------------------------------------------------------------------ */

static bool kind_is_known(unsigned kind)
{
    return kind <= FRAME_BINARY || (kind >= FRAME_CLOSE && kind <= FRAME_PONG);
}

/* What the first two bytes alone can tell; NULL when all is well. */
static const char *check_start(const struct frame_reader *reader)
{
    unsigned kind = reader->head[0] & 0x0f;
    bool is_last = (reader->head[0] & 0x80) != 0;
    if ((reader->head[0] & 0x70) != 0) {
        return "reserved bits are set";
    }
    if (!kind_is_known(kind)) {
        return "unknown kind of frame";
    }
    if ((reader->head[1] & 0x80) == 0) {
        return "a frame of the client is not masked";
    }
    if (is_control(kind)) {
        bool fits = (reader->head[1] & 0x7f) <= FRAME_CONTROL_MOST;
        return !is_last ? "a control frame is fragmented" : fits ? NULL : "a control frame is long";
    }
    bool under_way = reader->message_kind != FRAME_CONTINUATION;
    if (under_way != (kind == FRAME_CONTINUATION)) {
        return under_way ? "a message begins inside another" : "a continuation of nothing";
    }
    return NULL;
}

static size_t head_size(const struct frame_reader *reader)
{
    unsigned length = reader->head[1] & 0x7f;
    return length == 127 ? 14 : length == 126 ? 8 : 6;
}

static uint64_t big_endian(const uint8_t *bytes, size_t count)
{
    uint64_t number = 0;
    for (size_t i = 0; i < count; i++) {
        number = number << 8 | bytes[i];
    }
    return number;
}

/* The head is whole: take kind, length and mask from it. */
static enum frame_result begin_payload(struct frame_reader *reader, struct frame_event *event)
{
    size_t size = head_size(reader);
    uint64_t length = size == 6 ? reader->head[1] & 0x7f : big_endian(reader->head + 2, size - 6);
    if ((size == 8 && length < 126) || (size == 14 && (length < 65536 || length >> 63 != 0))) {
        return broken(event, CODE_PROTOCOL, "the length of a frame is not the shortest form");
    }
    reader->kind = reader->head[0] & 0x0f;
    reader->is_last = (reader->head[0] & 0x80) != 0;
    if (!is_control(reader->kind)) {
        if (length > reader->message.maximum - reader->message.length) {
            return broken(event, CODE_TOO_LONG, "a message is too long");
        }
        if (reader->kind != FRAME_CONTINUATION) {
            reader->message_kind = reader->kind;
        }
    }
    memcpy(reader->mask, reader->head + size - 4, 4);
    reader->left = length;
    reader->control_length = 0;
    reader->in_payload = true;
    return FRAME_READY;
}

static enum frame_result read_head(struct frame_reader *reader, const uint8_t *bytes, size_t length,
                                   size_t *used, struct frame_event *event)
{
    while (*used < length) {
        reader->head[reader->head_length++] = bytes[(*used)++];
        if (reader->head_length == 2) {
            const char *wrong = check_start(reader);
            if (wrong != NULL) {
                return broken(event, CODE_PROTOCOL, wrong);
            }
        }
        if (reader->head_length >= 2 && reader->head_length == head_size(reader)) {
            return begin_payload(reader, event);
        }
    }
    return FRAME_MORE;
}

/* ---- the payload --------------------------------------------------------------------------- */

static bool close_code_is_valid(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
           (code >= 3000 && code <= 4999);
}

static enum frame_result finish_close(struct frame_event *event)
{
    if (event->length == 0) {
        event->code = CODE_NONE;
        return FRAME_READY;
    }
    if (event->length == 1) {
        return broken(event, CODE_PROTOCOL, "half a close code");
    }
    event->code = event->bytes[0] << 8 | event->bytes[1];
    event->bytes += 2;
    event->length -= 2;
    if (!close_code_is_valid(event->code)) {
        return broken(event, CODE_PROTOCOL, "a close code that may not be sent");
    }
    if (!frame_text_is_valid(event->bytes, event->length)) {
        return broken(event, CODE_BAD_TEXT, "the reason of a close is not UTF-8");
    }
    return FRAME_READY;
}

static enum frame_result finish_message(struct frame_reader *reader, struct frame_event *event)
{
    event->kind = reader->message_kind;
    reader->message_kind = FRAME_CONTINUATION;
    if (event->kind == FRAME_TEXT && !frame_text_is_valid(event->bytes, event->length)) {
        return broken(event, CODE_BAD_TEXT, "a text message is not UTF-8");
    }
    return FRAME_READY;
}

/* Unmask `length` bytes and turn the mask to the byte behind them. */
static void unmask(struct frame_reader *reader, uint8_t *bytes, size_t length)
{
    frame_mask(bytes, length, reader->mask);
    uint8_t turned[4];
    for (size_t i = 0; i < 4; i++) {
        turned[i] = reader->mask[(i + length) & 3];
    }
    memcpy(reader->mask, turned, 4);
}

static enum frame_result read_control(struct frame_reader *reader, uint8_t *bytes, size_t take,
                                      struct frame_event *event)
{
    unmask(reader, bytes, take);
    if (take > 0) {
        memcpy(reader->control + reader->control_length, bytes, take);
    }
    reader->control_length += take;
    reader->left -= take;
    if (reader->left > 0) {
        return FRAME_MORE;
    }
    reader->in_payload = false;
    reader->head_length = 0;
    event->kind = reader->kind;
    event->bytes = reader->control;
    event->length = reader->control_length;
    return event->kind == FRAME_CLOSE ? finish_close(event) : FRAME_READY;
}

static enum frame_result read_data(struct frame_reader *reader, uint8_t *bytes, size_t take,
                                   struct frame_event *event)
{
    unmask(reader, bytes, take);
    reader->left -= take;
    bool ends = reader->left == 0 && reader->is_last;
    bool whole = ends && reader->message.length == 0;
    if (!whole && !buffer_append(&reader->message, bytes, take)) {
        return broken(event, CODE_TOO_LONG, "a message is too long");
    }
    if (reader->left > 0) {
        return FRAME_MORE;
    }
    reader->in_payload = false;
    reader->head_length = 0;
    if (!ends) {
        return FRAME_MORE;
    }
    event->bytes = whole ? bytes : reader->message.bytes;
    event->length = whole ? take : reader->message.length;
    reader->handed_out = !whole;
    return finish_message(reader, event);
}

enum frame_result frame_read(struct frame_reader *reader, uint8_t *bytes, size_t length,
                             size_t *used, struct frame_event *event)
{
    *event = (struct frame_event){0};
    *used = 0;
    if (reader->handed_out) {
        buffer_deinit(&reader->message);
        reader->handed_out = false;
    }
    for (;;) {
        if (!reader->in_payload) {
            enum frame_result result = read_head(reader, bytes, length, used, event);
            if (result != FRAME_READY) {
                return result;
            }
        }
        size_t there = length - *used;
        size_t take = reader->left < there ? (size_t)reader->left : there;
        uint8_t *from = bytes + *used;
        *used += take;
        enum frame_result result = is_control(reader->kind)
                                       ? read_control(reader, from, take, event)
                                       : read_data(reader, from, take, event);
        if (result != FRAME_MORE || *used == length) {
            return result;
        }
    }
}

/* ---- what we send -------------------------------------------------------------------------- */

size_t frame_write_head(uint8_t head[FRAME_HEAD_MOST], enum frame_kind kind, size_t length)
{
    head[0] = 0x80 | (uint8_t)kind;
    size_t wide = length < 126 ? 0 : length < 65536 ? 2 : 8;
    head[1] = wide == 0 ? (uint8_t)length : wide == 2 ? 126 : 127;
    for (size_t i = 0; i < wide; i++) {
        head[2 + i] = (uint8_t)((uint64_t)length >> (8 * (wide - 1 - i)));
    }
    return 2 + wide;
}

size_t frame_write_close(uint8_t payload[FRAME_CONTROL_MOST], int code, const char *reason)
{
    payload[0] = (uint8_t)(code >> 8);
    payload[1] = (uint8_t)code;
    size_t length = reason != NULL ? strlen(reason) : 0;
    if (length > FRAME_CONTROL_MOST - 2) {
        length = FRAME_CONTROL_MOST - 2;
        while (length > 0 && ((uint8_t)reason[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    if (length > 0) {
        memcpy(payload + 2, reason, length);
    }
    return 2 + length;
}
