/*
 * How long there is still to wait, on the clock that only goes forward.
 */
#ifndef MOONLIT_MONGO_DEADLINE_H
#define MOONLIT_MONGO_DEADLINE_H

#include <stdint.h>
#include <uv.h>

/* Milliseconds. */
static inline int64_t deadline_in(int64_t milliseconds)
{
    return (int64_t)(uv_hrtime() / 1000000) + milliseconds;
}

static inline int time_left(int64_t deadline)
{
    int64_t left = deadline - deadline_in(0);
    return left > 0 ? (int)left : 0;
}

#endif
