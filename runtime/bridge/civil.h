/*
 * Dates of the Gregorian calendar, for what a BSON date says in milliseconds. Pure.
 */
#ifndef MOONLIT_BRIDGE_CIVIL_H
#define MOONLIT_BRIDGE_CIVIL_H

#include <stdint.h>

struct civil {
    int64_t year;
    int month, day, hour, minute, second, millisecond;
};

/* UTC, from milliseconds since 1970; any year. */
void civil_from_ms(int64_t ms, struct civil *civil);

#endif
