#include "bridge/value_order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct field {
    const char *name;
    const uint8_t *bytes; /* kind, name and value */
    size_t length;
};

enum { HEAD = 4, FRAME = HEAD + 1 }; /* of a document: its length; that and the NUL behind it */

static struct field read_field(const struct bson_element *element)
{
    const uint8_t *bytes = (const uint8_t *)element->name - 1;
    return (struct field){element->name, bytes, (size_t)(element->value - bytes) + element->length};
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static bool is_ordered(const uint8_t *document, size_t length)
{
    struct bson_walk walk;
    struct bson_element element;
    const char *last = "";
    for (bool ok = bson_walk_begin(&walk, document, length);
         ok && bson_walk_next(&walk, &element);) {
        if (strcmp(last, element.name) > 0) {
            return false;
        }
        last = element.name;
    }
    return true;
}

/* How many; 0 when there is no memory. */
static size_t list_fields(const uint8_t *document, size_t length, struct buffer *list)
{
    struct bson_walk walk;
    struct bson_element element;
    for (bool ok = bson_walk_begin(&walk, document, length);
         ok && bson_walk_next(&walk, &element);) {
        struct field field = read_field(&element);
        if (!buffer_append(list, &field, sizeof field)) {
            return 0;
        }
    }
    return list->length / sizeof(struct field);
}

static bool place_fields(uint8_t *document, size_t length, const struct field *fields, size_t count)
{
    struct buffer placed;
    buffer_init(&placed, length);
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++) {
        ok = buffer_append(&placed, fields[i].bytes, fields[i].length);
    }
    if (ok) {
        memcpy(document + HEAD, placed.bytes, length - FRAME);
    }
    buffer_deinit(&placed);
    return ok;
}

static bool order(uint8_t *document, size_t length)
{
    struct buffer list;
    buffer_init(&list, bson_count(document, length) * sizeof(struct field));
    size_t count = list_fields(document, length, &list);
    bool ok = count > 0;
    if (ok) {
        qsort(list.bytes, count, sizeof(struct field), compare);
        ok = place_fields(document, length, (const struct field *)(const void *)list.bytes, count);
    }
    buffer_deinit(&list);
    return ok;
}

void value_order(struct bson_out *out, size_t mark)
{
    if (!out->full) {
        uint8_t *document = out->buffer->bytes + mark;
        size_t length = out->buffer->length - mark;
        out->full = !is_ordered(document, length) && !order(document, length);
    }
}
