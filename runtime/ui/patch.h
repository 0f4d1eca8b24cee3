/*
 * A patch under construction: the operations of docs/protocol.md, as the bytes of a BSON array that
 * is whole after each call. Nothing is allocated until the first operation.
 *
 * Life: patch_init, any number of operations, patch_bytes, patch_deinit. A patch that would pass
 * LIMIT_PATCH is `full`: the page is to be sent whole instead. Pure.
 */
#ifndef MOONLIT_UI_PATCH_H
#define MOONLIT_UI_PATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bson.h"
#include "ui/element.h"

struct patch {
    struct buffer buffer;
    struct bson_out out;
    unsigned count;
};

void patch_init(struct patch *patch);
void patch_deinit(struct patch *patch);

static inline unsigned patch_count(const struct patch *patch)
{
    return patch->count;
}

/* It does not hold everything: send the tree. */
bool patch_is_full(const struct patch *patch);

/* The BSON array of the operations; valid until the next call. */
const uint8_t *patch_bytes(const struct patch *patch, size_t *length);

void patch_insert(struct patch *patch, uint64_t id, uint64_t parent, uint64_t after,
                  enum element_type type, const uint8_t *props, size_t length);
void patch_move(struct patch *patch, uint64_t id, uint64_t parent, uint64_t after);
void patch_remove(struct patch *patch, uint64_t id);

/* The fields that differ between two props documents of an element; nothing when none does. True
 * when an operation was written. */
bool patch_update(struct patch *patch, uint64_t id, enum element_type type, bool by_script,
                  const uint8_t *old_bytes, size_t old_length, const uint8_t *new_bytes,
                  size_t new_length);

#endif
