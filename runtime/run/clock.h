/*
 * Alarms: one uv timer for all of them, kept in a heap. An alarm is embedded in what it belongs to
 * and costs nothing while it is off.
 */
#ifndef MOONLIT_RUN_CLOCK_H
#define MOONLIT_RUN_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct alarm {
    uint64_t due; /* uv_now of the loop, milliseconds */
    size_t place; /* in the heap, from 1; 0 while off */
    void (*call)(struct alarm *alarm);
};

struct clock {
    uv_timer_t timer;
    struct alarm **heap;
    size_t count;
    size_t capacity;
    bool is_ringing; /* inside of the timer's callback */
};

void clock_init(struct clock *clock, uv_loop_t *loop);

/* Close the timer; the struct must live until the loop has run once more. */
void clock_close(struct clock *clock);

/* Ring once, `milliseconds` from now; an alarm that is on is set anew. */
void alarm_set(struct clock *clock, struct alarm *alarm, uint64_t milliseconds,
               void (*call)(struct alarm *alarm));
void alarm_clear(struct clock *clock, struct alarm *alarm);

#endif
