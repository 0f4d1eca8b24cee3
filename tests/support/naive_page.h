/*
 * A page without a browser: applies the operations of docs/protocol.md one by one to plain arrays,
 * and fails where a browser would be lost (an unknown parent, an id twice, ...). It shares no code
 * with runtime/ui.
 */
#ifndef NAIVE_PAGE_H
#define NAIVE_PAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bson.h"

enum { NAIVE_MAX = 4096 };

struct naive_element {
    uint64_t id, parent;
    char type[32];
    uint8_t *props;
    size_t length;
};

/* Elements in an order in which siblings stand as on the page. */
struct naive_page {
    struct naive_element elements[NAIVE_MAX];
    unsigned count;
    unsigned inserts, updates, moves, removes; /* operations seen */
};

static inline struct naive_element *naive_find(struct naive_page *page, uint64_t id)
{
    for (unsigned i = 0; i < page->count; i++) {
        if (page->elements[i].id == id) {
            return &page->elements[i];
        }
    }
    return NULL;
}

static inline void naive_take_out(struct naive_page *page, unsigned at)
{
    memmove(&page->elements[at], &page->elements[at + 1],
            (page->count - at - 1) * sizeof page->elements[0]);
    page->count--;
}

static inline void naive_put(struct naive_page *page, struct naive_element element, uint64_t after)
{
    unsigned at = 0;
    assert_true(element.parent <= 4 || naive_find(page, element.parent) != NULL);
    assert_null(naive_find(page, element.id));
    assert_true(page->count < NAIVE_MAX);
    if (after != 0) {
        struct naive_element *before = naive_find(page, after);
        assert_non_null(before);
        assert_true(before->parent == element.parent);
        at = (unsigned)(before - page->elements) + 1;
    }
    memmove(&page->elements[at + 1], &page->elements[at],
            (page->count - at) * sizeof page->elements[0]);
    page->elements[at] = element;
    page->count++;
}

static inline void naive_remove(struct naive_page *page, uint64_t id)
{
    struct naive_element *element = naive_find(page, id);
    assert_non_null(element);
    free(element->props);
    naive_take_out(page, (unsigned)(element - page->elements));
    for (unsigned i = 0; i < page->count;) {
        if (page->elements[i].parent == id) {
            naive_remove(page, page->elements[i].id);
            i = 0;
        } else {
            i++;
        }
    }
}

static inline struct bson_element naive_field(const struct bson_element *op, const char *name)
{
    struct bson_element field = {0};
    bson_find(op->value, op->length, name, strlen(name), &field);
    return field;
}

static inline uint64_t naive_id(const struct bson_element *op, const char *name)
{
    struct bson_element field = naive_field(op, name);
    double number = -1;
    assert_true(bson_element_number(&field, &number));
    return (uint64_t)number;
}

/* Fields in the order of the set: what is compared later is compared by name. */
static inline void naive_update(struct naive_element *element, const struct bson_element *op)
{
    struct bson_element set = naive_field(op, "set"), unset = naive_field(op, "unset");
    struct bson_element field, other;
    struct bson_walk walk;
    struct buffer buffer;
    buffer_init(&buffer, 16 << 20);
    struct bson_out out = {.buffer = &buffer};
    size_t mark = bson_write_begin(&out);
    for (bool ok = bson_walk_begin(&walk, element->props, element->length);
         ok && bson_walk_next(&walk, &field);) {
        bool gone = false;
        struct bson_walk names;
        if (unset.kind == BSON_KIND_ARRAY) {
            for (bool more = bson_walk_begin(&names, unset.value, unset.length);
                 more && bson_walk_next(&names, &other);) {
                size_t length;
                const char *name = bson_element_text(&other, &length);
                gone =
                    gone || (length == field.name_length && memcmp(name, field.name, length) == 0);
            }
        }
        if (!gone && !bson_find(set.value, set.length, field.name, field.name_length, &other)) {
            bson_write_raw(&out, field.kind, field.name, field.value, field.length);
        }
    }
    for (bool ok = bson_walk_begin(&walk, set.value, set.length);
         ok && bson_walk_next(&walk, &field);) {
        bson_write_raw(&out, field.kind, field.name, field.value, field.length);
    }
    bson_write_end(&out, mark);
    free(element->props);
    element->props = buffer_take(&buffer, &element->length);
}

static inline void naive_apply_one(struct naive_page *page, const struct bson_element *op)
{
    struct bson_element word = naive_field(op, "op");
    size_t length;
    const char *name = bson_element_text(&word, &length);
    uint64_t id = naive_id(op, "id");
    if (strcmp(name, "insert") == 0) {
        struct bson_element type = naive_field(op, "type"), props = naive_field(op, "props");
        struct naive_element element = {.id = id, .parent = naive_id(op, "in")};
        strncpy(element.type, bson_element_text(&type, &length), sizeof element.type - 1);
        element.props = malloc(props.length);
        element.length = props.length;
        memcpy(element.props, props.value, props.length);
        naive_put(page, element, naive_id(op, "after"));
        page->inserts++;
    } else if (strcmp(name, "update") == 0) {
        assert_non_null(naive_find(page, id));
        naive_update(naive_find(page, id), op);
        page->updates++;
    } else if (strcmp(name, "move") == 0) {
        struct naive_element *found = naive_find(page, id);
        assert_non_null(found);
        struct naive_element element = *found;
        naive_take_out(page, (unsigned)(found - page->elements));
        element.parent = naive_id(op, "in");
        naive_put(page, element, naive_id(op, "after"));
        for (uint64_t at = element.parent; at > 4; at = naive_find(page, at)->parent) {
            assert_true(at != id); /* never into itself */
        }
        page->moves++;
    } else {
        assert_string_equal(name, "remove");
        naive_remove(page, id);
        page->removes++;
    }
}

static inline void naive_apply(struct naive_page *page, const uint8_t *bytes, size_t length)
{
    struct bson_walk walk;
    struct bson_element op;
    for (bool ok = bson_walk_begin(&walk, bytes, length); ok && bson_walk_next(&walk, &op);) {
        naive_apply_one(page, &op);
    }
    assert_false(walk.broken);
}

/* The children of a container, in order; their number. */
static inline unsigned naive_children(const struct naive_page *page, uint64_t parent, uint64_t *ids)
{
    unsigned count = 0;
    for (unsigned i = 0; i < page->count; i++) {
        if (page->elements[i].parent == parent) {
            ids[count++] = page->elements[i].id;
        }
    }
    return count;
}

static inline void naive_clear(struct naive_page *page)
{
    for (unsigned i = 0; i < page->count; i++) {
        free(page->elements[i].props);
    }
    memset(page, 0, sizeof *page);
}

#endif
