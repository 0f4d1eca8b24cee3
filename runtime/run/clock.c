#include "run/clock.h"

#include <stdlib.h>

#include "base/memory.h"

static void place(struct clock *clock, size_t index, struct alarm *alarm)
{
    clock->heap[index] = alarm;
    alarm->place = index + 1;
}

static void sift_up(struct clock *clock, size_t index)
{
    struct alarm *alarm = clock->heap[index];
    while (index > 0 && clock->heap[(index - 1) / 2]->due > alarm->due) {
        place(clock, index, clock->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(clock, index, alarm);
}

static void sift_down(struct clock *clock, size_t index)
{
    struct alarm *alarm = clock->heap[index];
    for (;;) {
        size_t child = 2 * index + 1;
        if (child >= clock->count) {
            break;
        }
        if (child + 1 < clock->count && clock->heap[child + 1]->due < clock->heap[child]->due) {
            child++;
        }
        if (clock->heap[child]->due >= alarm->due) {
            break;
        }
        place(clock, index, clock->heap[child]);
        index = child;
    }
    place(clock, index, alarm);
}

static void take(struct clock *clock, struct alarm *alarm)
{
    size_t index = alarm->place - 1;
    alarm->place = 0;
    struct alarm *last = clock->heap[--clock->count];
    if (last == alarm) {
        return;
    }
    place(clock, index, last);
    sift_up(clock, index);
    sift_down(clock, last->place - 1);
}

static void on_timer(uv_timer_t *timer);

static void wind(struct clock *clock)
{
    if (clock->count == 0) {
        uv_timer_stop(&clock->timer);
        return;
    }
    uint64_t now = uv_now(clock->timer.loop);
    uint64_t due = clock->heap[0]->due;
    uv_timer_start(&clock->timer, on_timer, due > now ? due - now : 0, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct clock *clock = timer->data;
    uint64_t now = uv_now(timer->loop);
    clock->is_ringing = true;
    while (clock->count > 0 && clock->heap[0]->due <= now) {
        struct alarm *alarm = clock->heap[0];
        take(clock, alarm);
        alarm->call(alarm);
    }
    clock->is_ringing = false;
    if (!uv_is_closing((uv_handle_t *)timer)) {
        wind(clock);
    }
}

void clock_init(struct clock *clock, uv_loop_t *loop)
{
    *clock = (struct clock){0};
    uv_timer_init(loop, &clock->timer);
    clock->timer.data = clock;
}

static void on_closed(uv_handle_t *handle)
{
    struct clock *clock = handle->data;
    free(clock->heap);
    clock->heap = NULL;
    clock->count = clock->capacity = 0;
}

void clock_close(struct clock *clock)
{
    uv_close((uv_handle_t *)&clock->timer, on_closed);
}

void alarm_set(struct clock *clock, struct alarm *alarm, uint64_t milliseconds,
               void (*call)(struct alarm *alarm))
{
    alarm_clear(clock, alarm);
    /* One that is set by another which rings waits for the loop's next turn. */
    uint64_t least = clock->is_ringing ? 1 : 0;
    alarm->due = uv_now(clock->timer.loop) + (milliseconds > least ? milliseconds : least);
    alarm->call = call;
    if (clock->count == clock->capacity) {
        clock->capacity = clock->capacity > 0 ? clock->capacity * 2 : 64;
        clock->heap = memory_resize(clock->heap, clock->capacity * sizeof *clock->heap);
    }
    clock->heap[clock->count++] = alarm;
    alarm->place = clock->count;
    sift_up(clock, clock->count - 1);
    if (alarm->place == 1 && !uv_is_closing((uv_handle_t *)&clock->timer)) {
        wind(clock);
    }
}

void alarm_clear(struct clock *clock, struct alarm *alarm)
{
    if (alarm->place > 0) {
        take(clock, alarm);
    }
}
