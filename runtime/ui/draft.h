/*
 * A draft: what a run has drawn and the page has not been told yet, and who was drawn in this run.
 *
 * Life: draft_new for a run (or draft_clear to use one again: it keeps its memory, so that in the
 * steady state drawing allocates nothing); each drawing call is draft_begin, the writing of its
 * props into `draft->out`, draft_end; tree_flush commits what is there and calls draft_flushed;
 * draft_free. A caller that gives up between begin and end (a Lua error) needs no clean-up: the
 * next begin drops the half-written bytes.
 *
 * An element may be drawn again in the same run through its handle: that replaces its props. A
 * widget drawn twice is an error that names both lines. A container that holds one element forgets
 * what it held when the next is drawn in it.
 *
 * Bounded by LIMIT_PAGE_ELEMENTS and LIMIT_PAGE_BYTES. Pure; owned by the run.
 */
#ifndef MOONLIT_UI_DRAFT_H
#define MOONLIT_UI_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bson.h"
#include "base/error.h"
#include "ui/element.h"

/* What tree_flush is to do, in this order. */
enum draw_act {
    DRAW_NOTHING, /* forgotten before it was told */
    DRAW_ELEMENT,
    DRAW_CLEAR,  /* what is in it goes, unless it is drawn again below */
    DRAW_REMOVE, /* the element itself goes */
    DRAW_VALUE,  /* a widget's value alone; the bytes are a document {value: ...} */
};

struct draw {
    uint64_t id;
    uint64_t parent;
    uint32_t offset; /* of its props, a BSON document, in the buffer */
    uint32_t length;
    uint32_t scope; /* the run's, later a fragment's */
    uint16_t type;  /* enum element_type */
    uint8_t act;    /* enum draw_act */
    bool again;     /* through its handle: it keeps its place */
    bool by_script; /* the script set the widget's value */
};

/* An element of this run. */
struct drawn {
    uint64_t id; /* 0: a free place */
    uint64_t parent;
    uint64_t content; /* what a single container holds, 0 for nothing drawn in this run */
    uint32_t draw;    /* its draw, when `batch` is the draft's */
    uint32_t batch;   /* in which batch that draw stands */
    uint32_t serial;  /* which drawing of the container this is: its children count anew */
    uint32_t cleared; /* batch in which a DRAW_CLEAR of it stands */
    uint32_t length;  /* of its props */
    int32_t line;     /* the script's, if the caller said it */
    uint16_t type;
    uint8_t depth;
    bool alive;
};

struct draft_count;

struct draft {
    struct buffer buffer;
    struct bson_out out; /* where the props of the element being drawn are written */
    struct draw *draws;
    uint32_t count, room;
    uint32_t batch; /* number of the flush to come, from 1 */
    uint32_t scope; /* given to what is drawn now */
    uint32_t serial;
    struct drawn *set; /* open addressing, as is the next */
    uint32_t set_count, set_room;
    struct draft_count *counts; /* how many of a type a container has */
    uint32_t counts_count, counts_room;
    uint32_t alive;    /* elements of the page as this run has drawn it ... */
    size_t alive_size; /* ... and the bytes of their props */
    size_t committed;  /* bytes of the buffer that belong to draws */
    size_t tidy_at;    /* at so many bytes, or draws, what was replaced untold is dropped */
    uint32_t tidy_count;
    struct draw pending; /* between begin and end */
    size_t document;     /* where the pending props begin */
};

/* Why an element cannot be drawn. */
enum draft_answer {
    DRAFT_YES,
    DRAFT_TWICE, /* drawn in this run already: draft_line says where */
    DRAFT_GONE,  /* its container, or itself, is not of this run */
    DRAFT_DEEP,  /* more than LIMIT_ELEMENT_DEPTH containers in each other */
};

struct draft *draft_new(void);
void draft_free(struct draft *draft);

/* Ready for the next run; keeps its memory. */
void draft_clear(struct draft *draft);

/* Nothing to be told? */
bool draft_is_empty(const struct draft *draft);

/* The number that the next unkeyed element of this type has in the container. */
unsigned draft_next_number(struct draft *draft, enum element_type type, uint64_t container);

/* Has this run drawn it (roots: always)? */
bool draft_has(const struct draft *draft, uint64_t id);
enum element_type draft_type(const struct draft *draft, uint64_t id);

/* The line at which this run has drawn it, 0 when it has not or nobody said. */
int draft_line(const struct draft *draft, uint64_t id);

/* Begin an element in a container. */
enum draft_answer draft_begin(struct draft *draft, enum element_type type, uint64_t id,
                              uint64_t container);

/* Begin to replace an element through its handle. */
enum draft_answer draft_begin_again(struct draft *draft, enum element_type type, uint64_t id);

/* The props are written. False: the page is too large (error filled), and nothing was drawn.
 * Without an error to fill it is what the host itself has to say, and there is always room. */
bool draft_end(struct draft *draft, bool by_script, int line, struct error *error);

/* Empty a container; take an element away. Nothing happens if this run has not drawn it. */
bool draft_empty(struct draft *draft, uint64_t id, struct error *error);
bool draft_remove(struct draft *draft, uint64_t id, struct error *error);

/* A widget drawn in this run shows another value, set by the script. */
bool draft_set_value(struct draft *draft, uint64_t id, uint8_t kind, const uint8_t *bytes,
                     size_t length, struct error *error);

/* The tree has taken what was here. */
void draft_flushed(struct draft *draft);

/* The props of a draw. */
static inline const uint8_t *draft_props(const struct draft *draft, const struct draw *draw)
{
    return draft->buffer.bytes + draw->offset;
}

#endif
