/*
 * Any bytes through the BSON reader: what it accepts must be written back byte for byte, and where
 * libbson accepts it too (it is stricter with old binaries) both see the same number of elements.
 */
#include <bson/bson.h>
#include <stdlib.h>
#include <string.h>

#include "base/bson.h"
#include "limits.h"

static void copy_document(struct bson_out *out, const uint8_t *bytes, size_t length);

static void copy_element(struct bson_out *out, const struct bson_element *element)
{
    if (element->kind == BSON_KIND_DOCUMENT || element->kind == BSON_KIND_ARRAY) {
        bson_write_head(out, element->kind, element->name);
        copy_document(out, element->value, element->length);
    } else {
        bson_write_raw(out, element->kind, element->name, element->value, element->length);
    }
}

static void copy_document(struct bson_out *out, const uint8_t *bytes, size_t length)
{
    struct bson_walk walk;
    struct bson_element element;
    size_t mark = bson_write_begin(out);
    for (bson_walk_begin(&walk, bytes, length); bson_walk_next(&walk, &element);) {
        copy_element(out, &element);
    }
    bson_write_end(out, mark);
}

/* Elements as libbson counts them, or -1. */
static long count_with_libbson(const uint8_t *bytes, size_t length)
{
    bson_t document;
    bson_iter_t iter;
    long count = 0;
    if (!bson_init_static(&document, bytes, length) || !bson_iter_init(&iter, &document)) {
        return -1;
    }
    while (bson_iter_next(&iter)) {
        count++;
    }
    return iter.err_off == 0 ? count : -1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bson_is_utf8(data, size);
    bool whole = bson_check(data, size, LIMIT_DOCUMENT_DEPTH, NULL);
    struct bson_element element;
    bson_find(data, size, "a", 1, &element);
    if (!whole) {
        return 0;
    }
    struct buffer buffer;
    buffer_init(&buffer, size);
    struct bson_out out = {&buffer, false};
    copy_document(&out, data, size);
    long count = count_with_libbson(data, size);
    if (out.full || buffer.length != size || memcmp(buffer.bytes, data, size) != 0 ||
        (count >= 0 && count != (long)bson_count(data, size))) {
        abort();
    }
    buffer_deinit(&buffer);
    return 0;
}
