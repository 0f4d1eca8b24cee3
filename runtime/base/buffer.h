/*
 * Growing bytes, born with a maximum.
 *
 * Life: buffer_init with the most it may ever hold; append or reserve while there is room;
 * buffer_take hands the bytes to the caller and leaves it empty; buffer_deinit frees what is left.
 * A buffer that would pass its maximum refuses and stays as it was.
 */
#ifndef MOONLIT_BASE_BUFFER_H
#define MOONLIT_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *bytes;
    size_t length;
    size_t capacity;
    size_t maximum;
};

void buffer_init(struct buffer *buffer, size_t maximum);
void buffer_deinit(struct buffer *buffer);

/* Forget the content, keep the memory. */
void buffer_clear(struct buffer *buffer);

/* Room for `length` more bytes behind the content, or NULL when the maximum would be passed.
 * The caller writes there and then adds to `length` itself. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t length);

bool buffer_append(struct buffer *buffer, const void *bytes, size_t length);
bool buffer_append_text(struct buffer *buffer, const char *text);
bool buffer_append_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Drop `length` bytes from the front. */
void buffer_consume(struct buffer *buffer, size_t length);

/* Hand the bytes (from malloc) to the caller; the buffer is empty and usable afterwards. */
uint8_t *buffer_take(struct buffer *buffer, size_t *length);

#endif
