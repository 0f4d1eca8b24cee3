/*
 * The nodes of a session's tree (tree.h) and their table by id. Inside the room: tree.c commits
 * drafts into them, order.c finds who may stay where it is.
 */
#ifndef MOONLIT_UI_NODE_H
#define MOONLIT_UI_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ui/draft.h"
#include "ui/tree.h"

struct node {
    uint64_t id;
    uint64_t run; /* that drew it last */
    struct node *next_in_bucket;
    struct node *parent;
    struct node *previous, *next;
    struct node *first, *last;
    struct node *last_drawn; /* child drawn last in this run */
    uint8_t *props;
    uint32_t length;
    uint32_t scope;
    uint32_t ordinal;    /* among its siblings, in one flush: 0 for not found */
    uint32_t work_first; /* of a container in one flush: its first and last drawn child, plus 1 */
    uint32_t work_last;
    uint16_t type;
    bool told;    /* the page has it */
    bool pending; /* drawn in this flush, not placed yet */
    bool doomed;  /* goes at the end of this flush unless it is drawn again */
};

/* One draw of a flush. */
struct work {
    struct node *node;
    struct node *parent;
    uint32_t next;  /* drawn in the same container, plus 1 */
    bool stays;     /* keeps its place */
    bool placed_by; /* a first draw of this run: it has a place to be given */
};

struct tree {
    struct node roots[ROOT_LAST + 1];
    struct node **buckets;
    size_t room, count, size;
    uint64_t run;
    struct buffer doomed; /* ids of what was doomed in this flush */
};

struct node *node_find(const struct tree *tree, uint64_t id);
struct node *node_new(struct tree *tree, uint64_t id, enum element_type type);

/* Take it out of its siblings; put it behind one (NULL: first) of a parent. */
void node_unlink(struct node *node);
void node_link(struct node *node, struct node *parent, struct node *after);

/* Free it and everything in it. */
void node_free(struct tree *tree, struct node *node);

void node_set_props(struct tree *tree, struct node *node, const uint8_t *bytes, size_t length);

/* Its props with another value, appended to `out`. */
void node_write_value(const struct node *node, uint8_t kind, const uint8_t *bytes, size_t length,
                      struct bson_out *out);

/* Mark in the works of one container which nodes keep their place (order.c). */
void order_find_staying(struct node *parent, struct work *works);

#endif
