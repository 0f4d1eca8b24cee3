/*
 * Memory of small, fixed sizes: it is there, or the process ends through one hook.
 *
 * A size that comes from outside (a message, a document, a file) is checked against
 * limits.h first and held in a `struct buffer`, which has a maximum and may refuse.
 */
#ifndef MOONLIT_BASE_MEMORY_H
#define MOONLIT_BASE_MEMORY_H

#include <stddef.h>

/* Zeroed memory; never NULL. Freed with free(). */
void *memory_new(size_t size);

/* As realloc, never NULL; the new part is not zeroed. */
void *memory_resize(void *memory, size_t size);

/* A copy of `length` bytes, or of a C string with its end; never NULL. */
void *memory_copy(const void *bytes, size_t length);
char *memory_copy_text(const char *text);

#endif
