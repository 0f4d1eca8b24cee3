#include "bridge/value_order.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct field {
    const char *name;
    const uint8_t *bytes; /* kind, name and value */
    size_t length;
};

enum { HEAD = 4 }; /* of a document: its length */

/* Ordinary documents are ordered on the stack. */
enum { FEW = 32, SMALL = 1024 };

static struct field read_field(const struct bson_element *element)
{
    const uint8_t *bytes = (const uint8_t *)element->name - 1;
    return (struct field){element->name, bytes, (size_t)(element->value - bytes) + element->length};
}

static int compare(const void *a, const void *b)
{
    return strcmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

/* False when there is no memory. */
static bool place_fields(uint8_t *document, size_t length, const struct field *fields, size_t count)
{
    uint8_t small[SMALL];
    struct buffer large;
    buffer_init(&large, length);
    uint8_t *room = length <= SMALL ? small : buffer_reserve(&large, length);
    size_t used = 0;
    for (size_t i = 0; room != NULL && i < count; i++) {
        memcpy(room + used, fields[i].bytes, fields[i].length);
        used += fields[i].length;
    }
    if (room != NULL) {
        memcpy(document + HEAD, room, used);
    }
    buffer_deinit(&large);
    return room != NULL;
}

static bool order_many(uint8_t *document, size_t length)
{
    struct bson_walk walk;
    struct bson_element element;
    struct buffer list;
    size_t count = 0, size = bson_count(document, length) * sizeof(struct field);
    buffer_init(&list, size);
    struct field *fields = (struct field *)(void *)buffer_reserve(&list, size);
    for (bool ok = fields != NULL && bson_walk_begin(&walk, document, length);
         ok && bson_walk_next(&walk, &element);) {
        fields[count++] = read_field(&element);
    }
    if (count > 0) {
        qsort(fields, count, sizeof *fields, compare);
    }
    bool ok = fields != NULL && place_fields(document, length, fields, count);
    buffer_deinit(&list);
    return ok;
}

/* Each field goes in among those before it. */
static bool order(uint8_t *document, size_t length)
{
    struct field fields[FEW];
    struct bson_walk walk;
    struct bson_element element;
    size_t count = 0;
    bool is_ordered = true;
    for (bool ok = bson_walk_begin(&walk, document, length); ok && bson_walk_next(&walk, &element);
         count++) {
        if (count == FEW) {
            return order_many(document, length);
        }
        size_t at = count;
        for (; at > 0 && strcmp(fields[at - 1].name, element.name) > 0; at--) {
            fields[at] = fields[at - 1];
            is_ordered = false;
        }
        fields[at] = read_field(&element);
    }
    return is_ordered || place_fields(document, length, fields, count);
}

void value_order(struct bson_out *out, size_t mark)
{
    out->full = out->full || !order(out->buffer->bytes + mark, out->buffer->length - mark);
}
