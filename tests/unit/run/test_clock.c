/* Alarms: they ring once, in order, and not when cleared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <uv.h>

#include "base/list.h"
#include "run/clock.h"

struct bell {
    struct alarm alarm;
    struct clock *clock;
    int *order;
    int rang;
};

static void ring(struct alarm *alarm)
{
    struct bell *bell = list_item(alarm, struct bell, alarm);
    bell->rang = ++*bell->order;
}

static void alarms_ring_in_the_order_of_their_times(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    uv_loop_t loop;
    struct clock clock;
    static struct bell bells[COUNT];
    int order = 0;
    uv_loop_init(&loop);
    clock_init(&clock, &loop);
    srand(7);
    for (int i = 0; i < COUNT; i++) {
        bells[i] = (struct bell){.order = &order};
        alarm_set(&clock, &bells[i].alarm, (uint64_t)(rand() % 40), ring);
    }
    for (int i = 0; i < COUNT; i += 3) {
        alarm_clear(&clock, &bells[i].alarm);
    }
    for (int i = 1; i < COUNT; i += 3) {
        alarm_set(&clock, &bells[i].alarm, (uint64_t)(rand() % 40), ring);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(bells[i].rang != 0, i % 3 != 0);
        for (int j = 0; j < COUNT; j++) {
            if (i % 3 != 0 && j % 3 != 0 && bells[i].alarm.due < bells[j].alarm.due) {
                assert_true(bells[i].rang < bells[j].rang);
            }
        }
    }
    clock_close(&clock);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void ring_again(struct alarm *alarm)
{
    struct bell *bell = list_item(alarm, struct bell, alarm);
    struct clock *clock = bell->clock;
    if (++bell->rang < 1000) {
        alarm_set(clock, alarm, 0, ring_again);
    }
}

static void an_alarm_that_sets_itself_for_at_once_leaves_the_loop_its_turns(void **state)
{
    (void)state;
    uv_loop_t loop;
    struct clock clock;
    uv_loop_init(&loop);
    clock_init(&clock, &loop);
    struct bell bell = {.clock = &clock};
    alarm_set(&clock, &bell.alarm, 0, ring_again);
    while (bell.rang == 0) {
        uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(bell.rang, 1);
    alarm_clear(&clock, &bell.alarm);
    clock_close(&clock);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alarms_ring_in_the_order_of_their_times),
        cmocka_unit_test(an_alarm_that_sets_itself_for_at_once_leaves_the_loop_its_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
