#include "ui/patch.h"

#include <string.h>

#include "limits.h"

enum { EMPTY_ARRAY_LENGTH = 5 };

void patch_init(struct patch *patch)
{
    buffer_init(&patch->buffer, LIMIT_PATCH);
    patch->out = (struct bson_out){.buffer = &patch->buffer};
    patch->count = 0;
}

void patch_deinit(struct patch *patch)
{
    buffer_deinit(&patch->buffer);
}

bool patch_is_full(const struct patch *patch)
{
    return patch->out.full;
}

const uint8_t *patch_bytes(const struct patch *patch, size_t *length)
{
    static const uint8_t empty[EMPTY_ARRAY_LENGTH] = {EMPTY_ARRAY_LENGTH};
    if (patch->count == 0 || patch->out.full) {
        *length = EMPTY_ARRAY_LENGTH;
        return empty;
    }
    *length = patch->buffer.length;
    return patch->buffer.bytes;
}

/* ---- one operation ---- */

static size_t begin(struct patch *patch, const char *op, uint64_t id)
{
    char name[12];
    struct bson_out *out = &patch->out;
    if (patch->count == 0) {
        bson_write_begin(out);
    } else if (!out->full) {
        patch->buffer.length--; /* the array's end */
    }
    size_t mark = bson_write_begin_document(out, bson_index_name(patch->count, name));
    bson_write_text(out, "op", op, strlen(op));
    bson_write_int64(out, "id", (int64_t)id);
    return mark;
}

static void end(struct patch *patch, size_t mark)
{
    bson_write_end(&patch->out, mark);
    bson_write_end(&patch->out, 0);
    patch->count++;
}

void patch_insert(struct patch *patch, uint64_t id, uint64_t parent, uint64_t after,
                  enum element_type type, const uint8_t *props, size_t length)
{
    const char *name = element_get(type)->name;
    size_t mark = begin(patch, "insert", id);
    bson_write_int64(&patch->out, "in", (int64_t)parent);
    bson_write_int64(&patch->out, "after", (int64_t)after);
    bson_write_text(&patch->out, "type", name, strlen(name));
    bson_write_raw(&patch->out, BSON_KIND_DOCUMENT, "props", props, length);
    end(patch, mark);
}

void patch_move(struct patch *patch, uint64_t id, uint64_t parent, uint64_t after)
{
    size_t mark = begin(patch, "move", id);
    bson_write_int64(&patch->out, "in", (int64_t)parent);
    bson_write_int64(&patch->out, "after", (int64_t)after);
    end(patch, mark);
}

void patch_remove(struct patch *patch, uint64_t id)
{
    end(patch, begin(patch, "remove", id));
}

/* ---- what differs ---- */

struct props {
    const uint8_t *bytes;
    size_t length;
};

/* The page says its numbers as it likes: a widget's value is the same when its numbers are. */
static bool is_same_value(const struct bson_element *a, const struct bson_element *b)
{
    double x, y;
    if (bson_element_number(a, &x) && bson_element_number(b, &y)) {
        return x == y;
    }
    if (a->kind != b->kind || a->kind != BSON_KIND_ARRAY) {
        return a->kind == b->kind && a->length == b->length &&
               memcmp(a->value, b->value, a->length) == 0;
    }
    struct bson_walk in_a, in_b;
    struct bson_element item_a, item_b;
    bool more_a = bson_walk_begin(&in_a, a->value, a->length);
    bool more_b = bson_walk_begin(&in_b, b->value, b->length);
    for (;;) {
        more_a = more_a && bson_walk_next(&in_a, &item_a);
        more_b = more_b && bson_walk_next(&in_b, &item_b);
        if (!more_a || !more_b) {
            return more_a == more_b;
        }
        if (item_a.kind == BSON_KIND_ARRAY || !is_same_value(&item_a, &item_b)) {
            return false;
        }
    }
}

static bool is_value_of_widget(enum element_type type, const struct bson_element *field)
{
    return element_has_value(type) && strcmp(field->name, "value") == 0;
}

/* Does `props` hold the same field? */
static bool has_same(const struct props *props, const struct bson_element *field,
                     enum element_type type)
{
    struct bson_element other;
    if (!bson_find(props->bytes, props->length, field->name, field->name_length, &other)) {
        return false;
    }
    if (is_value_of_widget(type, field)) {
        return is_same_value(field, &other);
    }
    return other.kind == field->kind && other.length == field->length &&
           memcmp(other.value, field->value, field->length) == 0;
}

static bool next_changed(struct bson_walk *walk, struct bson_element *field,
                         const struct props *old_props, enum element_type type)
{
    while (bson_walk_next(walk, field)) {
        if (!has_same(old_props, field, type)) {
            return true;
        }
    }
    return false;
}

static bool next_gone(struct bson_walk *walk, struct bson_element *field,
                      const struct props *new_props)
{
    struct bson_element other;
    while (bson_walk_next(walk, field)) {
        if (!bson_find(new_props->bytes, new_props->length, field->name, field->name_length,
                       &other)) {
            return true;
        }
    }
    return false;
}

/* The changed fields; true when the widget's value is among them. */
static bool write_set(struct patch *patch, const struct props *old_props,
                      const struct props *new_props, enum element_type type)
{
    struct bson_walk walk;
    struct bson_element field;
    bool has_value = false;
    size_t set = bson_write_begin_document(&patch->out, "set");
    bson_walk_begin(&walk, new_props->bytes, new_props->length);
    while (next_changed(&walk, &field, old_props, type)) {
        bson_write_raw(&patch->out, field.kind, field.name, field.value, field.length);
        has_value = has_value || is_value_of_widget(type, &field);
    }
    bson_write_end(&patch->out, set);
    return has_value;
}

static void write_unset(struct patch *patch, const struct props *old_props,
                        const struct props *new_props)
{
    struct bson_walk walk;
    struct bson_element field;
    unsigned count = 0;
    size_t list = 0;
    bson_walk_begin(&walk, old_props->bytes, old_props->length);
    while (next_gone(&walk, &field, new_props)) {
        char name[12];
        if (count == 0) {
            list = bson_write_begin_array(&patch->out, "unset");
        }
        bson_write_text(&patch->out, bson_index_name(count++, name), field.name, field.name_length);
    }
    if (count > 0) {
        bson_write_end(&patch->out, list);
    }
}

static bool is_different(const struct props *old_props, const struct props *new_props,
                         enum element_type type)
{
    struct bson_walk walk;
    struct bson_element field;
    bson_walk_begin(&walk, new_props->bytes, new_props->length);
    if (next_changed(&walk, &field, old_props, type)) {
        return true;
    }
    bson_walk_begin(&walk, old_props->bytes, old_props->length);
    return next_gone(&walk, &field, new_props);
}

bool patch_update(struct patch *patch, uint64_t id, enum element_type type, bool by_script,
                  const uint8_t *old_bytes, size_t old_length, const uint8_t *new_bytes,
                  size_t new_length)
{
    struct props old_props = {old_bytes, old_length}, new_props = {new_bytes, new_length};
    if (!is_different(&old_props, &new_props, type)) {
        return false;
    }
    size_t mark = begin(patch, "update", id);
    bool has_value = write_set(patch, &old_props, &new_props, type);
    write_unset(patch, &old_props, &new_props);
    if (has_value && by_script) {
        bson_write_text(&patch->out, "by", "script", 6);
    }
    end(patch, mark);
    return true;
}
