#include "ui/tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "limits.h"
#include "ui/node.h"

/* ---- life ---- */

struct tree *tree_new(void)
{
    static const enum element_type types[] = {ELEMENT_COUNT, ELEMENT_main, ELEMENT_sidebar,
                                              ELEMENT_event, ELEMENT_bottom};
    struct tree *tree = memory_new(sizeof *tree);
    for (uint64_t id = ROOT_MAIN; id <= ROOT_LAST; id++) {
        tree->roots[id] = (struct node){.id = id, .type = (uint16_t)types[id], .told = true};
    }
    buffer_init(&tree->doomed, (size_t)LIMIT_PAGE_ELEMENTS * 8 * sizeof(uint64_t));
    return tree;
}

static void free_children(struct tree *tree, struct node *node)
{
    while (node->first != NULL) {
        node_free(tree, node->first);
    }
}

void tree_free(struct tree *tree)
{
    for (uint64_t id = ROOT_MAIN; id <= ROOT_LAST; id++) {
        free_children(tree, &tree->roots[id]);
    }
    buffer_deinit(&tree->doomed);
    free(tree->buckets);
    free(tree);
}

bool tree_has(const struct tree *tree, uint64_t id)
{
    return node_find(tree, id) != NULL;
}

size_t tree_count(const struct tree *tree)
{
    return tree->count;
}

size_t tree_bytes(const struct tree *tree)
{
    return tree->size;
}

/* last_drawn of the other containers is reset when they are drawn. */
void tree_begin(struct tree *tree, uint64_t run)
{
    tree->run = run;
    for (uint64_t id = ROOT_MAIN; id <= ROOT_LAST; id++) {
        tree->roots[id].last_drawn = NULL;
    }
}

/* ---- what goes ---- */

static void remove_node(struct tree *tree, struct node *node, struct patch *patch)
{
    if (node->told) {
        patch_remove(patch, node->id);
    }
    if (node->parent != NULL && node->parent->last_drawn == node) {
        node->parent->last_drawn = NULL; /* doom() has looked for another before */
    }
    node_free(tree, node);
}

static void doom_all(struct node *node)
{
    node->doomed = true;
    node->run = 0;
    node->last_drawn = NULL;
    for (struct node *child = node->first; child != NULL; child = child->next) {
        if (!child->pending) { /* else it is about to leave */
            doom_all(child);
        }
    }
}

/* It goes at the end of this flush with all that is in it, except what is drawn again. */
static void doom(struct tree *tree, struct node *node)
{
    struct node *parent = node->parent;
    doom_all(node);
    buffer_append(&tree->doomed, &node->id, sizeof node->id);
    if (parent != NULL && parent->last_drawn == node) {
        struct node *at = node->previous;
        while (at != NULL && at->run != tree->run) {
            at = at->previous;
        }
        parent->last_drawn = at;
    }
}

static void doom_children(struct tree *tree, struct node *parent, const struct node *except)
{
    for (struct node *child = parent->first; child != NULL; child = child->next) {
        if (child != except && !child->doomed && !child->pending) {
            doom(tree, child);
        }
    }
}

static void remove_doomed(struct tree *tree, struct node *node, struct patch *patch)
{
    if (node->doomed) {
        remove_node(tree, node, patch);
        return;
    }
    for (struct node *child = node->first, *next; child != NULL; child = next) {
        next = child->next;
        remove_doomed(tree, child, patch);
    }
}

static void remove_all_doomed(struct tree *tree, struct patch *patch)
{
    for (size_t at = 0; at < tree->doomed.length; at += sizeof(uint64_t)) {
        uint64_t id;
        memcpy(&id, tree->doomed.bytes + at, sizeof id);
        struct node *node = node_find(tree, id);
        if (node != NULL) {
            remove_doomed(tree, node, patch);
        }
    }
    buffer_deinit(&tree->doomed);
}

static void remove_undrawn(struct tree *tree, struct node *parent, struct patch *patch)
{
    for (struct node *child = parent->first, *next; child != NULL; child = next) {
        next = child->next;
        if (child->run != tree->run) {
            remove_node(tree, child, patch);
        } else {
            remove_undrawn(tree, child, patch);
        }
    }
}

static void remove_spinners(struct tree *tree, struct node *parent, struct patch *patch)
{
    for (struct node *child = parent->first, *next; child != NULL; child = next) {
        next = child->next;
        if (child->type == ELEMENT_spinner) {
            remove_node(tree, child, patch);
        } else {
            remove_spinners(tree, child, patch);
        }
    }
}

/* ---- a flush, first pass: who is drawn, in which container ---- */

static void note_work(struct node *parent, struct work *works, uint32_t at)
{
    if (parent->work_first == 0) {
        parent->work_first = at + 1;
    } else {
        works[parent->work_last - 1].next = at + 1;
    }
    parent->work_last = at + 1;
}

static void note_element(struct tree *tree, const struct draw *draw, struct work *works,
                         uint32_t at)
{
    struct work *work = &works[at];
    struct node *parent = node_find(tree, draw->parent);
    struct node *node = node_find(tree, draw->id);
    if (parent == NULL) {
        return;
    }
    if (node == NULL) {
        node = node_new(tree, draw->id, (enum element_type)draw->type);
    }
    work->node = node;
    work->parent = parent;
    work->placed_by = !draw->again || node->run != tree->run;
    if (!work->placed_by) {
        return;
    }
    node->run = tree->run;
    node->doomed = false;
    node->pending = true;
    node->last_drawn = NULL;
    node->scope = draw->scope;
    if (element_get((enum element_type)parent->type)->single) {
        doom_children(tree, parent, node);
    }
    note_work(parent, works, at);
}

static void note_all(struct tree *tree, const struct draft *draft, struct work *works)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct draw *draw = &draft->draws[i];
        struct node *node = draw->act == DRAW_ELEMENT ? NULL : node_find(tree, draw->id);
        switch ((enum draw_act)draw->act) {
        case DRAW_ELEMENT:
            note_element(tree, draw, works, i);
            break;
        case DRAW_CLEAR:
            if (node != NULL) {
                doom_children(tree, node, NULL);
                node->last_drawn = NULL;
            }
            break;
        case DRAW_REMOVE:
            if (node != NULL) {
                doom(tree, node);
            }
            break;
        case DRAW_VALUE:
            works[i].node = node;
            break;
        case DRAW_NOTHING:
            break;
        }
    }
}

/* ---- second pass: who stays ---- */

static void order_all(const struct draft *draft, struct work *works)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        struct node *parent = works[i].parent;
        if (parent != NULL && parent->work_first != 0) {
            order_find_staying(parent, works);
            parent->work_first = parent->work_last = 0;
        }
    }
}

/* ---- third pass: operations ---- */

/* On the page everything in it vanished: what is drawn in this flush will be told anew. */
static void tear(struct tree *tree, struct node *node)
{
    for (struct node *child = node->first, *next; child != NULL; child = next) {
        next = child->next;
        tear(tree, child);
        if (child->pending) {
            child->told = false;
            node_unlink(child);
        } else {
            node_free(tree, child);
        }
    }
}

/* The same identity with another type. */
static void retype(struct tree *tree, struct node *node, const struct draw *draw,
                   struct patch *patch)
{
    if (node->told) {
        patch_remove(patch, node->id);
    }
    node->told = false;
    node->type = draw->type;
    tear(tree, node);
}

static uint64_t told_before(const struct node *node)
{
    const struct node *at = node->previous;
    while (at != NULL && !at->told) {
        at = at->previous;
    }
    return at != NULL ? at->id : 0;
}

static void place(struct node *node, struct work *work, struct patch *patch)
{
    struct node *parent = work->parent;
    if (!work->stays || !node->told) {
        node_unlink(node);
        node_link(node, parent, parent->last_drawn);
        if (node->told) {
            patch_move(patch, node->id, parent->id, told_before(node));
        }
    }
    parent->last_drawn = node;
    node->pending = false;
}

static void tell(struct tree *tree, struct node *node, bool by_script, const uint8_t *props,
                 size_t length, struct patch *patch)
{
    enum element_type type = (enum element_type)node->type;
    if (!node->told) {
        patch_insert(patch, node->id, node->parent->id, told_before(node), type, props, length);
        node->told = true;
    } else if (length == node->length && memcmp(props, node->props, length) == 0) {
        return;
    } else {
        patch_update(patch, node->id, type, by_script, node->props, node->length, props, length);
    }
    node_set_props(tree, node, props, length);
}

static void commit_element(struct tree *tree, const struct draft *draft, const struct draw *draw,
                           struct work *work, struct patch *patch)
{
    struct node *node = work->node;
    if (node->type != draw->type) {
        retype(tree, node, draw, patch);
    }
    if (work->placed_by) {
        place(node, work, patch);
    }
    tell(tree, node, draw->by_script, draft_props(draft, draw), draw->length, patch);
}

static void commit_value(struct tree *tree, const struct draft *draft, const struct draw *draw,
                         struct node *node, struct patch *patch)
{
    struct bson_element value;
    struct buffer buffer;
    if (!bson_find(draft_props(draft, draw), draw->length, "value", 5, &value)) {
        return;
    }
    buffer_init(&buffer, 2 * (size_t)LIMIT_PAGE_BYTES);
    struct bson_out out = {.buffer = &buffer};
    node_write_value(node, (uint8_t)value.kind, value.value, value.length, &out);
    if (!out.full) {
        tell(tree, node, true, buffer.bytes, buffer.length, patch);
    }
    buffer_deinit(&buffer);
}

static void commit_all(struct tree *tree, const struct draft *draft, struct work *works,
                       struct patch *patch)
{
    for (uint32_t i = 0; i < draft->count; i++) {
        const struct draw *draw = &draft->draws[i];
        if (works[i].node == NULL) {
            continue;
        }
        if (draw->act == DRAW_ELEMENT) {
            commit_element(tree, draft, draw, &works[i], patch);
        } else if (works[i].node->told && !works[i].node->doomed) {
            commit_value(tree, draft, draw, works[i].node, patch);
        }
    }
}

void tree_flush(struct tree *tree, struct draft *draft, struct patch *patch)
{
    if (draft->count == 0) {
        return;
    }
    struct work *works = memory_new(draft->count * sizeof *works);
    note_all(tree, draft, works);
    order_all(draft, works);
    commit_all(tree, draft, works, patch);
    remove_all_doomed(tree, patch);
    free(works);
    draft_flushed(draft);
    /* Superseded views may leave more and more behind: then what is old goes now. */
    if (tree->count > 2 * LIMIT_PAGE_ELEMENTS || tree->size > 2 * (size_t)LIMIT_PAGE_BYTES) {
        tree_finish(tree, patch);
    }
}

/* ---- what is old ---- */

static void list_old(const struct tree *tree, const struct node *parent, struct buffer *ids)
{
    for (const struct node *child = parent->first; child != NULL; child = child->next) {
        if (child->run != tree->run) {
            buffer_append(ids, &child->id, sizeof child->id);
        } else {
            list_old(tree, child, ids);
        }
    }
}

void tree_list_old(const struct tree *tree, struct buffer *ids)
{
    for (uint64_t id = ROOT_MAIN; id <= ROOT_LAST; id++) {
        list_old(tree, &tree->roots[id], ids);
    }
}

/* ---- the end of a run ---- */

void tree_finish(struct tree *tree, struct patch *patch)
{
    for (uint64_t id = ROOT_MAIN; id <= ROOT_LAST; id++) {
        remove_undrawn(tree, &tree->roots[id], patch);
    }
    tree_settle(tree, patch);
}

void tree_settle(struct tree *tree, struct patch *patch)
{
    for (uint64_t id = ROOT_MAIN; id <= ROOT_LAST; id++) {
        remove_spinners(tree, &tree->roots[id], patch);
    }
}

void tree_clear(struct tree *tree, struct patch *patch)
{
    for (uint64_t id = ROOT_MAIN; id <= ROOT_LAST; id++) {
        struct node *root = &tree->roots[id];
        while (root->first != NULL) {
            remove_node(tree, root->first, patch);
        }
        root->last_drawn = NULL;
    }
}

/* ---- whole ---- */

static void write_children(const struct node *parent, struct patch *patch)
{
    uint64_t after = 0;
    for (const struct node *child = parent->first; child != NULL; child = child->next) {
        patch_insert(patch, child->id, parent->id, after, (enum element_type)child->type,
                     child->props, child->length);
        write_children(child, patch);
        after = child->id;
    }
}

void tree_whole(const struct tree *tree, struct patch *patch)
{
    for (uint64_t id = ROOT_MAIN; id <= ROOT_LAST; id++) {
        write_children(&tree->roots[id], patch);
    }
}

void tree_set_value(struct tree *tree, uint64_t id, uint8_t kind, const uint8_t *bytes,
                    size_t length, struct patch *patch)
{
    struct node *node = id > ROOT_LAST ? node_find(tree, id) : NULL;
    struct buffer buffer;
    if (node == NULL || !element_has_value((enum element_type)node->type)) {
        return;
    }
    buffer_init(&buffer, 2 * (size_t)LIMIT_PAGE_BYTES);
    struct bson_out out = {.buffer = &buffer};
    node_write_value(node, kind, bytes, length, &out);
    if (!out.full) {
        if (patch != NULL) {
            patch_update(patch, id, (enum element_type)node->type, false, node->props, node->length,
                         buffer.bytes, buffer.length);
        }
        node_set_props(tree, node, buffer.bytes, buffer.length);
    }
    buffer_deinit(&buffer);
}
