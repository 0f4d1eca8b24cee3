#include "session/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "limits.h"

void event_queue_init(struct event_queue *queue)
{
    *queue = (struct event_queue){0};
    list_init(&queue->events);
}

void event_queue_deinit(struct event_queue *queue)
{
    while (!list_is_empty(&queue->events)) {
        event_free(list_item(list_take_first(&queue->events), struct event, link));
    }
    event_queue_init(queue);
}

struct event *event_new(uint64_t load, int64_t n, int64_t seen, uint64_t press)
{
    struct event *event = memory_new(sizeof *event);
    event->load = load;
    event->n = n;
    event->seen = seen;
    event->press = press;
    list_init(&event->values);
    return event;
}

void event_free(struct event *event)
{
    while (!list_is_empty(&event->values)) {
        free(list_item(list_take_first(&event->values), struct event_value, link));
    }
    free(event);
}

/* What a value takes of the memory. */
static size_t size_of(const struct event_value *value)
{
    return sizeof *value + value->length;
}

static void put_value(struct event *event, struct event_value *value)
{
    list_each_safe (link, after, &event->values) {
        struct event_value *old = list_item(link, struct event_value, link);
        if (old->id == value->id) {
            list_remove(link);
            event->size -= size_of(old);
            free(old);
            event->count--;
            break;
        }
    }
    list_push_last(&event->values, &value->link);
    event->size += size_of(value);
    event->count++;
}

void event_set_value(struct event *event, uint64_t id, uint8_t type, const uint8_t *bytes,
                     size_t length)
{
    struct event_value *value = memory_new(sizeof *value + length);
    value->id = id;
    value->type = type;
    value->length = length;
    if (length > 0) {
        memcpy(value->bytes, bytes, length);
    }
    put_value(event, value);
}

/* Put the newer event's values, number and press into the older one; the newer one goes. */
static void merge(struct event *older, struct event *newer)
{
    while (!list_is_empty(&newer->values)) {
        put_value(older, list_item(list_take_first(&newer->values), struct event_value, link));
    }
    older->n = newer->n;
    older->load = newer->load;
    older->seen = newer->seen;
    older->press = newer->press;
    event_free(newer);
}

bool event_queue_push(struct event_queue *queue, struct event *event)
{
    struct event *last = list_is_empty(&queue->events)
                             ? NULL
                             : list_item(queue->events.previous, struct event, link);
    bool merges = last != NULL && last->press == 0 && last->load == event->load &&
                  last->count + event->count <= LIMIT_EVENT_VALUES;
    bool is_full = !merges && queue->count >= LIMIT_EVENTS;
    if (is_full || (last != NULL && queue->size + event->size > LIMIT_EVENTS_BYTES)) {
        return false;
    }
    queue->presses += event->press != 0;
    if (merges) {
        queue->size -= last->size;
        merge(last, event);
        queue->size += last->size;
        return true;
    }
    list_push_last(&queue->events, &event->link);
    queue->count++;
    queue->size += event->size;
    return true;
}

struct event *event_queue_take(struct event_queue *queue)
{
    struct event *taken = NULL;
    while (!list_is_empty(&queue->events) && (taken == NULL || taken->press == 0)) {
        struct event *first = list_item(queue->events.next, struct event, link);
        if (taken != NULL && taken->load != first->load) {
            break;
        }
        list_remove(&first->link);
        queue->count--;
        queue->size -= first->size;
        queue->presses -= first->press != 0;
        if (taken == NULL) {
            taken = first;
        } else {
            merge(taken, first);
        }
    }
    return taken;
}

size_t event_queue_drop_presses(struct event_queue *queue)
{
    size_t dropped = queue->presses;
    list_each_safe (link, after, &queue->events) {
        struct event *event = list_item(link, struct event, link);
        event->press = 0;
        if (event->count == 0) {
            list_remove(link);
            event_free(event);
            queue->count--;
        }
    }
    queue->presses = 0;
    return dropped;
}

bool event_queue_extend(struct event_queue *queue, uint64_t load, int64_t n)
{
    struct event *last = list_is_empty(&queue->events)
                             ? NULL
                             : list_item(queue->events.previous, struct event, link);
    if (last == NULL || last->load != load) {
        return false;
    }
    last->n = n;
    return true;
}
