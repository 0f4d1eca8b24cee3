/*
 * The ordered queue of what the person did: numbered events, each a list of widget values and at
 * most one press.
 *
 * Adjacent value changes merge, newest wins; a press is a barrier, and so is a new page load. What
 * one run takes is all values from the front up to and including the first press.
 *
 * Pure: no loop, no session. The queue owns the bytes of the values.
 */
#ifndef MOONLIT_SESSION_EVENT_H
#define MOONLIT_SESSION_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* One widget's new value: a BSON value of `type`, `length` bytes. */
struct event_value {
    struct list link;
    uint64_t id;
    uint8_t type;
    size_t length;
    uint8_t bytes[];
};

struct event {
    struct list link;
    int64_t n;     /* its number in its page load */
    uint64_t load; /* which page load */
    int64_t seen;  /* the last patch the page had applied */
    uint64_t press;
    struct list values;
    size_t count;
    size_t size; /* bytes that all values take */
};

struct event_queue {
    struct list events;
    size_t count; /* entries after merging */
    size_t presses;
    size_t size; /* bytes that all values take */
};

void event_queue_init(struct event_queue *queue);
void event_queue_deinit(struct event_queue *queue);

struct event *event_new(uint64_t load, int64_t n, int64_t seen, uint64_t press);
void event_free(struct event *event);

/* Add a value to an event; an older value of the same widget goes. */
void event_set_value(struct event *event, uint64_t id, uint8_t type, const uint8_t *bytes,
                     size_t length);

/* Take over the event. False, and nothing changed, when the queue holds LIMIT_EVENTS already (a
 * merge always has room), or would hold more than LIMIT_EVENTS_BYTES of values. */
bool event_queue_push(struct event_queue *queue, struct event *event);

/* What the next run takes, as one event, or NULL when the queue is empty. */
struct event *event_queue_take(struct event_queue *queue);

/* Forget every press and keep every value; returns how many presses there were. */
size_t event_queue_drop_presses(struct event_queue *queue);

/* Number `n` of page load `load` was taken without an event of its own: it is reflected with what
 * waits before it. False when nothing of that load waits. */
bool event_queue_extend(struct event_queue *queue, uint64_t load, int64_t n);

#endif
