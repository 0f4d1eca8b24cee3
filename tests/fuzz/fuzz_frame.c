/* Frames from outside: the first byte says in what pieces the rest comes. Whatever the bytes are,
 * whole and in pieces they must give the same events, and memory is never more than what came. */
#include <stdlib.h>
#include <string.h>

#include "net/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MOST = 4096 };

struct tale {
    size_t events;
    uint64_t sum; /* of kinds, lengths, codes and bytes, in order */
    int broken;
};

static void tell(struct tale *tale, const struct frame_event *event)
{
    tale->events++;
    tale->sum = tale->sum * 31 + (uint64_t)event->kind * 7 + event->length + (uint64_t)event->code;
    for (size_t i = 0; i < event->length; i++) {
        tale->sum = tale->sum * 31 + event->bytes[i];
    }
}

static void read_piece(struct frame_reader *reader, uint8_t *bytes, size_t length,
                       struct tale *tale)
{
    enum frame_result result = FRAME_READY;
    while (result == FRAME_READY && tale->broken == 0) {
        struct frame_event event;
        size_t used;
        result = frame_read(reader, bytes, length, &used, &event);
        if (used > length || reader->message.capacity > MESSAGE_MOST) {
            abort();
        }
        bytes += used;
        length -= used;
        if (result == FRAME_READY) {
            tell(tale, &event);
        } else if (result == FRAME_BROKEN) {
            tale->broken = event.code;
        }
    }
}

static struct tale read_all(const uint8_t *data, size_t size, size_t piece)
{
    struct tale tale = {0};
    struct frame_reader reader;
    frame_reader_init(&reader, MESSAGE_MOST);
    for (size_t at = 0; at < size; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        uint8_t *copy = malloc(length);
        memcpy(copy, data + at, length);
        read_piece(&reader, copy, length, &tale);
        free(copy);
    }
    frame_reader_deinit(&reader);
    return tale;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct tale whole = read_all(data + 1, size - 1, size - 1);
    struct tale pieces = read_all(data + 1, size - 1, 1 + (size_t)data[0] % 16);
    if (whole.events != pieces.events || whole.sum != pieces.sum || whole.broken != pieces.broken) {
        abort();
    }
    return 0;
}
