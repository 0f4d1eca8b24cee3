#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_CAPACITY = 256 };

void buffer_init(struct buffer *buffer, size_t maximum)
{
    *buffer = (struct buffer){.maximum = maximum};
}

void buffer_deinit(struct buffer *buffer)
{
    free(buffer->bytes);
    buffer->bytes = NULL;
    buffer->length = buffer->capacity = 0;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t length)
{
    if (length > buffer->maximum - buffer->length) {
        return NULL;
    }
    size_t needed = buffer->length + length;
    if (needed > buffer->capacity) {
        size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
        while (capacity < needed) {
            capacity *= 2;
        }
        if (capacity > buffer->maximum) {
            capacity = buffer->maximum;
        }
        buffer->bytes = memory_resize(buffer->bytes, capacity);
        buffer->capacity = capacity;
    }
    return buffer->bytes + buffer->length;
}

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
    if (length == 0) {
        return true;
    }
    uint8_t *room = buffer_reserve(buffer, length);
    if (room == NULL) {
        return false;
    }
    memcpy(room, bytes, length);
    buffer->length += length;
    return true;
}

bool buffer_append_text(struct buffer *buffer, const char *text)
{
    return buffer_append(buffer, text, strlen(text));
}

bool buffer_append_format(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    uint8_t *room = length < 0 ? NULL : buffer_reserve(buffer, (size_t)length + 1);
    if (room != NULL) {
        vsnprintf((char *)room, (size_t)length + 1, format, again);
        buffer->length += (size_t)length;
    }
    va_end(again);
    return room != NULL;
}

void buffer_consume(struct buffer *buffer, size_t length)
{
    if (length >= buffer->length) {
        buffer->length = 0;
        return;
    }
    memmove(buffer->bytes, buffer->bytes + length, buffer->length - length);
    buffer->length -= length;
}

uint8_t *buffer_take(struct buffer *buffer, size_t *length)
{
    uint8_t *bytes = buffer->bytes;
    if (length != NULL) {
        *length = buffer->length;
    }
    buffer->bytes = NULL;
    buffer->length = buffer->capacity = 0;
    return bytes;
}
