#include "store/decimal.h"

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BIAS = 6176, MAX_DIGITS = 34 };

/* `digits` with the point behind the last one, times ten to `exponent`. */
static void set_finite(struct decimal *decimal, bool negative, const char *digits, int exponent)
{
    size_t length = strlen(digits);
    size_t leading = strspn(digits, "0");
    decimal->kind = DECIMAL_FINITE;
    decimal->exponent = exponent + (int)(length - leading);
    while (length > leading && digits[length - 1] == '0') {
        length--;
    }
    memmove(decimal->digits, digits + leading, length - leading);
    decimal->digits[length - leading] = '\0';
    decimal->sign = length == leading ? 0 : (negative ? -1 : 1);
    if (decimal->sign == 0) {
        decimal->exponent = 0;
    }
}

static void set_special(struct decimal *decimal, enum decimal_kind kind, int sign)
{
    *decimal = (struct decimal){.kind = kind, .sign = sign};
}

void decimal_from_int64(struct decimal *decimal, int64_t value)
{
    char digits[24];
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    snprintf(digits, sizeof digits, "%" PRIu64, magnitude);
    set_finite(decimal, value < 0, digits, 0);
}

void decimal_from_double(struct decimal *decimal, double value)
{
    char text[DECIMAL_DIGITS + 16];
    if (isnan(value)) {
        set_special(decimal, DECIMAL_NAN, 0);
        return;
    }
    if (isinf(value)) {
        set_special(decimal, DECIMAL_INFINITE, value < 0 ? -1 : 1);
        return;
    }
    /* d.ddd...e+xx, exact: no double has more digits. */
    snprintf(text, sizeof text, "%.*e", DECIMAL_DIGITS - 2, fabs(value));
    char *mark = strchr(text, 'e');
    int exponent = atoi(mark + 1);
    *mark = '\0';
    text[1] = text[0]; /* over the point */
    set_finite(decimal, value < 0, text + 1, exponent - (DECIMAL_DIGITS - 2));
}

static uint64_t load(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static void print_coefficient(uint64_t high, uint64_t low, char digits[48])
{
    unsigned __int128 rest = (unsigned __int128)high << 64 | low;
    char *at = digits + 47;
    *at = '\0';
    do {
        *--at = (char)('0' + (int)(rest % 10));
        rest /= 10;
    } while (rest != 0);
    memmove(digits, at, strlen(at) + 1);
    if (strlen(digits) > MAX_DIGITS) {
        strcpy(digits, "0"); /* not canonical: the standard reads it as zero */
    }
}

void decimal_from_bytes(struct decimal *decimal, const uint8_t bytes[16])
{
    uint64_t low = load(bytes), high = load(bytes + 8);
    bool negative = high >> 63;
    unsigned combination = (unsigned)(high >> 58) & 0x1f;
    char digits[48];
    if (combination == 0x1f) {
        set_special(decimal, DECIMAL_NAN, 0);
        return;
    }
    if (combination == 0x1e) {
        set_special(decimal, DECIMAL_INFINITE, negative ? -1 : 1);
        return;
    }
    if (combination >> 3 == 3) { /* a coefficient beyond 34 digits: zero */
        set_finite(decimal, negative, "0", 0);
        return;
    }
    print_coefficient(high & 0x1ffffffffffffULL, low, digits);
    set_finite(decimal, negative, digits, (int)((high >> 49) & 0x3fff) - BIAS);
}

double decimal_to_double(const struct decimal *decimal)
{
    char text[DECIMAL_DIGITS + 24];
    if (decimal->kind == DECIMAL_NAN) {
        return NAN;
    }
    if (decimal->kind == DECIMAL_INFINITE) {
        return decimal->sign < 0 ? -INFINITY : INFINITY;
    }
    snprintf(text, sizeof text, "%s0.%se%d", decimal->sign < 0 ? "-" : "",
             decimal->sign == 0 ? "0" : decimal->digits, decimal->exponent);
    return strtod(text, NULL);
}

/* NaN, -infinity, finite, +infinity. */
static int class_of(const struct decimal *decimal)
{
    if (decimal->kind == DECIMAL_NAN) {
        return 0;
    }
    return decimal->kind == DECIMAL_FINITE ? 2 : 2 + decimal->sign;
}

static int compare_magnitudes(const struct decimal *a, const struct decimal *b)
{
    if (a->exponent != b->exponent) {
        return a->exponent < b->exponent ? -1 : 1;
    }
    return strcmp(a->digits, b->digits);
}

int decimal_compare(const struct decimal *a, const struct decimal *b)
{
    int difference = class_of(a) - class_of(b);
    if (difference != 0 || a->kind != DECIMAL_FINITE) {
        return difference;
    }
    if (a->sign != b->sign) {
        return a->sign - b->sign;
    }
    return a->sign == 0 ? 0 : a->sign * compare_magnitudes(a, b);
}
