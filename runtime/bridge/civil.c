#include "bridge/civil.h"

/* Days since 1970 to a date of the Gregorian calendar, by eras of 400 years. */
static void civil_from_days(int64_t days, struct civil *civil)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153;
    civil->day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
    civil->month = (int)(month < 10 ? month + 3 : month - 9);
    civil->year = year_of_era + era * 400 + (civil->month <= 2 ? 1 : 0);
}

void civil_from_ms(int64_t ms, struct civil *civil)
{
    int64_t days = ms / 86400000;
    int64_t rest = ms % 86400000;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    civil_from_days(days, civil);
    civil->hour = (int)(rest / 3600000);
    civil->minute = (int)(rest / 60000 % 60);
    civil->second = (int)(rest / 1000 % 60);
    civil->millisecond = (int)(rest % 1000);
}
