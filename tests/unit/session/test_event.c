/* The queue of events: what merges, what is a barrier, what one run takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "limits.h"
#include "session/event.h"

static void push(struct event_queue *queue, int64_t n, uint64_t press, uint64_t id, uint8_t value)
{
    struct event *event = event_new(1, n, 0, press);
    if (id != 0) {
        event_set_value(event, id, 0x10, &value, 1);
    }
    assert_true(event_queue_push(queue, event));
}

static int value_of(const struct event *event, uint64_t id)
{
    list_each (link, &event->values) {
        const struct event_value *value = list_item(link, struct event_value, link);
        if (value->id == id) {
            return value->bytes[0];
        }
    }
    return -1;
}

static void values_before_a_press_merge_newest_wins(void **state)
{
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    push(&queue, 1, 0, 7, 1);
    push(&queue, 2, 0, 8, 5);
    push(&queue, 3, 0, 7, 2);
    push(&queue, 4, 99, 0, 0);
    struct event *event = event_queue_take(&queue);
    assert_int_equal(event->n, 4);
    assert_int_equal(event->press, 99);
    assert_int_equal(value_of(event, 7), 2);
    assert_int_equal(value_of(event, 8), 5);
    event_free(event);
    assert_null(event_queue_take(&queue));
}

static void a_press_is_a_barrier_for_later_values(void **state)
{
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    push(&queue, 1, 99, 7, 1);
    push(&queue, 2, 0, 7, 2);
    push(&queue, 3, 98, 0, 0);
    struct event *first = event_queue_take(&queue);
    assert_int_equal(first->press, 99);
    assert_int_equal(value_of(first, 7), 1);
    struct event *second = event_queue_take(&queue);
    assert_int_equal(second->press, 98);
    assert_int_equal(value_of(second, 7), 2);
    event_free(first);
    event_free(second);
}

static void a_full_queue_refuses_and_loses_nothing(void **state)
{
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    for (int i = 1; i <= LIMIT_EVENTS; i++) {
        push(&queue, i, 5, 0, 0);
    }
    struct event *extra = event_new(1, LIMIT_EVENTS + 1, 0, 5);
    assert_false(event_queue_push(&queue, extra));
    event_free(extra);
    for (int i = 1; i <= LIMIT_EVENTS; i++) {
        struct event *event = event_queue_take(&queue);
        assert_int_equal(event->n, i);
        event_free(event);
    }
    assert_null(event_queue_take(&queue));
}

static void a_merge_always_has_room(void **state)
{
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    for (int i = 1; i < LIMIT_EVENTS; i++) {
        push(&queue, i, 5, 0, 0);
    }
    push(&queue, LIMIT_EVENTS, 0, 7, 1);
    push(&queue, LIMIT_EVENTS + 1, 0, 7, 2);
    push(&queue, LIMIT_EVENTS + 2, 5, 0, 0);
    assert_int_equal(queue.count, LIMIT_EVENTS);
    event_queue_deinit(&queue);
}

static void the_values_that_wait_have_a_maximum(void **state)
{
    (void)state;
    enum { SIZE = 1024 * 1024 }; /* of a value with what it costs */
    struct event_queue queue;
    event_queue_init(&queue);
    uint8_t *text = calloc(1, SIZE);
    int64_t n = 0;
    bool has_room = true;
    while (has_room) {
        struct event *event = event_new(1, ++n, 0, 5);
        event_set_value(event, 7, 2, text, SIZE - sizeof(struct event_value));
        has_room = event_queue_push(&queue, event);
        if (!has_room) {
            event_free(event);
        }
    }
    assert_int_equal(queue.size, LIMIT_EVENTS_BYTES);
    assert_int_equal(n, LIMIT_EVENTS_BYTES / SIZE + 1);
    push(&queue, n, 5, 0, 0); /* a press without values has room still */
    while (queue.count > 0) {
        event_free(event_queue_take(&queue));
    }
    assert_int_equal(queue.size, 0);
    free(text);
}

static void many_small_values_count_with_what_they_cost(void **state)
{
    (void)state;
    enum { VALUES = 600 }; /* two such events do not merge */
    struct event_queue queue;
    event_queue_init(&queue);
    uint8_t yes = 1;
    bool has_room = true;
    for (uint64_t n = 1; has_room; n++) {
        struct event *event = event_new(1, (int64_t)n, 0, 0);
        for (uint64_t i = 0; i < VALUES; i++) {
            event_set_value(event, n * VALUES + i, 8, &yes, 1);
        }
        has_room = event_queue_push(&queue, event);
        if (!has_room) {
            event_free(event);
        }
    }
    assert_true(queue.count * VALUES * sizeof(struct event_value) <= LIMIT_EVENTS_BYTES);
    event_queue_deinit(&queue);
}

static void a_merge_frees_what_it_replaces(void **state)
{
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    for (int i = 1; i <= 100; i++) {
        push(&queue, i, 0, 7, (uint8_t)i);
    }
    assert_int_equal(queue.size, sizeof(struct event_value) + 1);
    event_queue_deinit(&queue);
}

static void dropping_presses_keeps_the_values(void **state)
{
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    push(&queue, 1, 5, 7, 1);
    push(&queue, 2, 6, 8, 2);
    push(&queue, 3, 6, 0, 0);
    assert_int_equal(event_queue_drop_presses(&queue), 3);
    assert_int_equal(queue.count, 2);
    struct event *event = event_queue_take(&queue);
    assert_int_equal(event->press, 0);
    assert_int_equal(event->n, 2);
    assert_int_equal(value_of(event, 7), 1);
    assert_int_equal(value_of(event, 8), 2);
    event_free(event);
}

static void events_of_two_page_loads_do_not_merge(void **state)
{
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    struct event *old = event_new(1, 9, 0, 0);
    struct event *young = event_new(2, 1, 0, 0);
    assert_true(event_queue_push(&queue, old));
    assert_true(event_queue_push(&queue, young));
    assert_int_equal(queue.count, 2);
    struct event *first = event_queue_take(&queue);
    assert_int_equal(first->load, 1);
    assert_int_equal(first->n, 9);
    struct event *second = event_queue_take(&queue);
    assert_int_equal(second->load, 2);
    event_free(first);
    event_free(second);
}

static void a_number_without_an_event_goes_with_what_waits_before_it(void **state)
{
    (void)state;
    struct event_queue queue;
    event_queue_init(&queue);
    assert_false(event_queue_extend(&queue, 1, 3));
    push(&queue, 4, 0, 7, 1);
    assert_false(event_queue_extend(&queue, 2, 1));
    assert_true(event_queue_extend(&queue, 1, 5));
    struct event *event = event_queue_take(&queue);
    assert_int_equal(event->n, 5);
    event_free(event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_before_a_press_merge_newest_wins),
        cmocka_unit_test(a_press_is_a_barrier_for_later_values),
        cmocka_unit_test(a_full_queue_refuses_and_loses_nothing),
        cmocka_unit_test(a_merge_always_has_room),
        cmocka_unit_test(the_values_that_wait_have_a_maximum),
        cmocka_unit_test(many_small_values_count_with_what_they_cost),
        cmocka_unit_test(a_merge_frees_what_it_replaces),
        cmocka_unit_test(dropping_presses_keeps_the_values),
        cmocka_unit_test(events_of_two_page_loads_do_not_merge),
        cmocka_unit_test(a_number_without_an_event_goes_with_what_waits_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
