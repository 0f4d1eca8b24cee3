/*
 * Any bytes as a message of a page, all the way into a session's queue: what is decoded keeps the
 * promises of message.h, a value that passes the widget's check is one that can be set and drawn
 * from, and the queue never holds more than its limit.
 */
#include <stdlib.h>
#include <string.h>

#include "limits.h"
#include "protocol/message.h"
#include "session/event.h"
#include "ui/widgets.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

static void check_text(const char *text)
{
    insist(text == NULL || (strlen(text) <= LIMIT_EVENT_TEXT && bson_is_utf8(text, strlen(text))));
}

static void check_number(int64_t number)
{
    insist(number >= 0 && number < (int64_t)1 << 53);
}

static void check_fields(const struct message *message)
{
    const char *const texts[] = {message->session, message->load, message->locale, message->zone,
                                 message->theme,   message->path, message->query};
    const int64_t numbers[] = {message->seq, message->event, message->n, message->seen,
                               message->press};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_text(texts[i]);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        check_number(numbers[i]);
    }
    insist(message->kind != MESSAGE_HELLO || message->load != NULL);
    insist((message->kind != MESSAGE_EVENT && message->kind != MESSAGE_STOP) || message->n > 0);
}

/* One widget of each type, its id the type's number and one more. */
static struct widgets *draw_widgets(void)
{
    struct widgets *widgets = widgets_new();
    for (int type = 0; type < ELEMENT_COUNT; type++) {
        insist(widgets_draw(widgets, (uint64_t)type + 1, type, NULL, 0, NULL) != NULL);
    }
    return widgets;
}

static void take_values(struct widgets *widgets, const struct message *message, struct event *event)
{
    struct bson_walk walk = message_values(message);
    for (struct message_value value; message_next_value(&walk, &value);) {
        insist(value.bytes >= message->values &&
               value.bytes + value.length < message->values + message->values_length);
        if (widgets_check(widgets, value.id, value.kind, value.bytes, value.length, NULL)) {
            event_set_value(event, value.id, value.kind, value.bytes, value.length);
            widgets_set(widgets, value.id, value.kind, value.bytes, value.length);
        }
    }
}

static void queue_twice(struct event *event, const struct message *message)
{
    struct event_queue queue;
    event_queue_init(&queue);
    insist(event_queue_push(&queue, event));
    insist(event_queue_push(&queue, event_new(2, message->n + 1, message->seen, 0)));
    insist(queue.count == 2);
    event_free(event_queue_take(&queue));
    event_queue_deinit(&queue);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message message;
    if (!message_decode(data, size, &message, NULL)) {
        return 0;
    }
    check_fields(&message);
    struct widgets *widgets = draw_widgets();
    struct event *event = event_new(1, message.n, message.seen, (uint64_t)message.press);
    take_values(widgets, &message, event);
    queue_twice(event, &message);
    widgets_free(widgets);
    return 0;
}
