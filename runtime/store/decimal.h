/*
 * Decimal128, and any other number of BSON, as an exact decimal that can be compared. Pure; no
 * arithmetic. The value is 0.DIGITS times ten to the exponent.
 */
#ifndef MOONLIT_STORE_DECIMAL_H
#define MOONLIT_STORE_DECIMAL_H

#include <stdint.h>

/* A double has at most 767 significant digits, a Decimal128 34. */
enum { DECIMAL_DIGITS = 800 };

enum decimal_kind { DECIMAL_FINITE, DECIMAL_INFINITE, DECIMAL_NAN };

struct decimal {
    enum decimal_kind kind;
    int sign;                        /* -1, 0, 1 */
    int exponent;                    /* where the point stands before the first digit */
    char digits[DECIMAL_DIGITS + 1]; /* without zeros at either end */
};

void decimal_from_int64(struct decimal *decimal, int64_t value);
void decimal_from_double(struct decimal *decimal, double value);
void decimal_from_bytes(struct decimal *decimal, const uint8_t bytes[16]);

/* The nearest double. */
double decimal_to_double(const struct decimal *decimal);

/* Below 0, 0, above 0; NaN equals NaN and stands below all others. */
int decimal_compare(const struct decimal *a, const struct decimal *b);

#endif
