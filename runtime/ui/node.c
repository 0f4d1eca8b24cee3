#include "ui/node.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "limits.h"

enum { FIRST_BUCKETS = 32 };

/* ---- by id ---- */

static struct node **bucket_of(struct node **buckets, size_t room, uint64_t id)
{
    return &buckets[(id * 0x9e3779b97f4a7c15u >> 32) & (room - 1)];
}

struct node *node_find(const struct tree *tree, uint64_t id)
{
    if (id >= ROOT_MAIN && id <= ROOT_LAST) {
        return (struct node *)&tree->roots[id];
    }
    if (tree->room == 0) {
        return NULL;
    }
    struct node *node = *bucket_of(tree->buckets, tree->room, id);
    while (node != NULL && node->id != id) {
        node = node->next_in_bucket;
    }
    return node;
}

static void grow(struct tree *tree)
{
    size_t room = tree->room > 0 ? 2 * tree->room : FIRST_BUCKETS;
    struct node **buckets = memory_new(room * sizeof(struct node *));
    for (size_t i = 0; i < tree->room; i++) {
        for (struct node *node = tree->buckets[i], *next; node != NULL; node = next) {
            struct node **bucket = bucket_of(buckets, room, node->id);
            next = node->next_in_bucket;
            node->next_in_bucket = *bucket;
            *bucket = node;
        }
    }
    free(tree->buckets);
    tree->buckets = buckets;
    tree->room = room;
}

struct node *node_new(struct tree *tree, uint64_t id, enum element_type type)
{
    if (tree->count >= tree->room) {
        grow(tree);
    }
    struct node *node = memory_new(sizeof *node);
    struct node **bucket = bucket_of(tree->buckets, tree->room, id);
    node->id = id;
    node->type = (uint16_t)type;
    node->next_in_bucket = *bucket;
    *bucket = node;
    tree->count++;
    return node;
}

static void take_from_bucket(struct tree *tree, struct node *node)
{
    struct node **at = bucket_of(tree->buckets, tree->room, node->id);
    while (*at != node) {
        at = &(*at)->next_in_bucket;
    }
    *at = node->next_in_bucket;
    tree->count--;
}

/* ---- among siblings ---- */

void node_unlink(struct node *node)
{
    struct node *parent = node->parent;
    if (parent == NULL) {
        return;
    }
    *(node->previous != NULL ? &node->previous->next : &parent->first) = node->next;
    *(node->next != NULL ? &node->next->previous : &parent->last) = node->previous;
    node->parent = node->previous = node->next = NULL;
}

void node_link(struct node *node, struct node *parent, struct node *after)
{
    node->parent = parent;
    node->previous = after;
    node->next = after != NULL ? after->next : parent->first;
    *(after != NULL ? &after->next : &parent->first) = node;
    *(node->next != NULL ? &node->next->previous : &parent->last) = node;
}

void node_free(struct tree *tree, struct node *node)
{
    while (node->first != NULL) {
        node_free(tree, node->first);
    }
    node_unlink(node);
    take_from_bucket(tree, node);
    tree->size -= node->length;
    free(node->props);
    free(node);
}

/* ---- props ---- */

void node_set_props(struct tree *tree, struct node *node, const uint8_t *bytes, size_t length)
{
    if (length != node->length || node->props == NULL) {
        node->props = memory_resize(node->props, length);
        tree->size += length - node->length;
        node->length = (uint32_t)length;
    }
    memcpy(node->props, bytes, length);
}

void node_write_value(const struct node *node, uint8_t kind, const uint8_t *bytes, size_t length,
                      struct bson_out *out)
{
    struct bson_walk walk;
    struct bson_element field;
    bool written = false;
    size_t mark = bson_write_begin(out);
    for (bool ok = bson_walk_begin(&walk, node->props, node->length);
         ok && bson_walk_next(&walk, &field);) {
        if (strcmp(field.name, "value") != 0) {
            bson_write_raw(out, field.kind, field.name, field.value, field.length);
        } else {
            bson_write_raw(out, (enum bson_kind)kind, "value", bytes, length);
            written = true;
        }
    }
    if (!written) {
        bson_write_raw(out, (enum bson_kind)kind, "value", bytes, length);
    }
    bson_write_end(out, mark);
}
