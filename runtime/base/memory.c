#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *or_abort(void *memory)
{
    if (memory == NULL) {
        fputs("moonlit: out of memory\n", stderr);
        abort();
    }
    return memory;
}

void *memory_new(size_t size)
{
    return or_abort(calloc(1, size > 0 ? size : 1));
}

void *memory_resize(void *memory, size_t size)
{
    return or_abort(realloc(memory, size > 0 ? size : 1));
}

void *memory_copy(const void *bytes, size_t length)
{
    void *copy = memory_new(length);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

char *memory_copy_text(const char *text)
{
    return memory_copy(text, strlen(text) + 1);
}
