/* Keys order as the values do: random values against a comparison that knows nothing of keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bson.h"
#include "store/decimal.h"
#include "store/key.h"

struct random {
    uint64_t state;
};

static uint64_t next(struct random *random)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return random->state;
}

static uint64_t below(struct random *random, uint64_t limit)
{
    return next(random) % limit;
}

struct value {
    uint8_t type;
    uint8_t bytes[64];
};

/* ---- an order of its own ---- */

static void decimal_of(struct decimal *decimal, const struct value *value)
{
    double number;
    int64_t whole;
    int32_t small;
    switch (value->type) {
    case BSON_KIND_DOUBLE:
        memcpy(&number, value->bytes, sizeof number);
        decimal_from_double(decimal, number);
        break;
    case BSON_KIND_INT32:
        memcpy(&small, value->bytes, sizeof small);
        decimal_from_int64(decimal, small);
        break;
    case BSON_KIND_INT64:
        memcpy(&whole, value->bytes, sizeof whole);
        decimal_from_int64(decimal, whole);
        break;
    default:
        decimal_from_bytes(decimal, value->bytes);
    }
}

static int sign(int64_t number)
{
    return number < 0 ? -1 : number > 0;
}

static int compare_texts(const struct value *a, const struct value *b)
{
    int32_t x = bson_load_int32(a->bytes) - 1, y = bson_load_int32(b->bytes) - 1;
    int result = memcmp(a->bytes + 4, b->bytes + 4, (size_t)(x < y ? x : y));
    return result != 0 ? sign(result) : sign(x - y);
}

static int compare_values(const struct value *a, const struct value *b)
{
    struct decimal x, y;
    int ranks = key_rank(a->type) - key_rank(b->type);
    if (ranks != 0) {
        return sign(ranks);
    }
    switch (a->type) {
    case BSON_KIND_DOUBLE:
    case BSON_KIND_INT32:
    case BSON_KIND_INT64:
    case BSON_KIND_DECIMAL128:
        decimal_of(&x, a);
        decimal_of(&y, b);
        return sign(decimal_compare(&x, &y));
    case BSON_KIND_TEXT:
        return compare_texts(a, b);
    case BSON_KIND_DATE: {
        int64_t p = bson_load_int64(a->bytes), q = bson_load_int64(b->bytes);
        return p < q ? -1 : p > q;
    }
    case BSON_KIND_BOOL:
        return sign(a->bytes[0] - b->bytes[0]);
    case BSON_KIND_OID:
        return sign(memcmp(a->bytes, b->bytes, 12));
    default:
        return 0;
    }
}

/* ---- random values, many of them close to one another ---- */

static void set(struct value *value, uint8_t type, const void *bytes, size_t length)
{
    value->type = type;
    memcpy(value->bytes, bytes, length);
}

static int64_t random_whole(struct random *random)
{
    static const int64_t centres[] = {0, 1LL << 53, -(1LL << 53), INT64_MAX, INT64_MIN, 1LL << 62};
    int64_t centre = centres[below(random, 6)], step = (int64_t)below(random, 5);
    if (below(random, 3) == 0) {
        return (int64_t)next(random) >> below(random, 64);
    }
    return centre > 0 ? centre - step : centre + step;
}

static void random_double(struct random *random, struct value *value)
{
    static const double special[] = {0.0, -0.0, INFINITY, -INFINITY, NAN, 5e-324, -5e-324, 1e308};
    uint64_t bits = next(random);
    double number;
    memcpy(&number, &bits, sizeof number);
    switch (below(random, 4)) {
    case 0:
        number = special[below(random, 8)];
        break;
    case 1:
        number = (double)random_whole(random);
        break;
    case 2:
        number = (double)(int64_t)below(random, 100) / 8;
        break;
    }
    set(value, BSON_KIND_DOUBLE, &number, sizeof number);
}

/* A coefficient and an exponent; some special ones. */
static void random_decimal(struct random *random, struct value *value)
{
    uint64_t exponent = 6176 + below(random, 7) - 3, low, high = 0;
    static const uint64_t special[] = {0x7c00000000000000ULL, 0x7800000000000000ULL,
                                       0xf800000000000000ULL};
    low = (uint64_t)llabs(random_whole(random) / 2);
    if (below(random, 4) == 0) {
        high = below(random, 1ULL << 40);
        exponent = below(random, 12288);
    }
    high |= exponent << 49 | below(random, 2) << 63;
    if (below(random, 20) == 0) {
        low = 0;
        high = special[below(random, 3)];
    }
    memcpy(value->bytes, &low, 8);
    memcpy(value->bytes + 8, &high, 8);
    value->type = BSON_KIND_DECIMAL128;
}

static void random_text(struct random *random, struct value *value)
{
    int32_t length = (int32_t)below(random, 6);
    int32_t counted = length + 1;
    value->type = BSON_KIND_TEXT;
    memcpy(value->bytes, &counted, 4);
    for (int32_t i = 0; i < length; i++) {
        static const uint8_t letters[] = {0, 1, 'a', 'b', 0xff};
        value->bytes[4 + i] = letters[below(random, 5)];
    }
    value->bytes[4 + length] = 0;
}

static void random_value(struct random *random, struct value *value)
{
    int64_t whole = random_whole(random);
    int32_t small = (int32_t)below(random, 7) - 3;
    uint64_t word = next(random) & 0x0101010101010101ULL;
    memset(value, 0, sizeof *value);
    switch (below(random, 9)) {
    case 0:
    case 1:
        random_double(random, value);
        break;
    case 2:
        set(value, BSON_KIND_INT32, &small, sizeof small);
        break;
    case 3:
        set(value, BSON_KIND_INT64, &whole, sizeof whole);
        break;
    case 4:
    case 5:
        random_decimal(random, value);
        break;
    case 6:
        random_text(random, value);
        break;
    case 7:
        set(value, below(random, 2) ? BSON_KIND_DATE : BSON_KIND_OID, &word, sizeof word);
        break;
    default:
        value->bytes[0] = (uint8_t)below(random, 2);
        value->type = below(random, 2) ? BSON_KIND_BOOL : BSON_KIND_NULL;
    }
}

/* ---- promises ---- */

static int compare_keys(const struct buffer *a, const struct buffer *b)
{
    size_t shorter = a->length < b->length ? a->length : b->length;
    int result = memcmp(a->bytes, b->bytes, shorter);
    return result != 0 ? sign(result) : sign((int64_t)a->length - (int64_t)b->length);
}

static void print_value(const struct value *value)
{
    print_error("type %u:", value->type);
    for (size_t i = 0; i < 16; i++) {
        print_error(" %02x", value->bytes[i]);
    }
    print_error("\n");
}

static void keys_order_as_values_do(void **state)
{
    struct random random = {0x9e3779b97f4a7c15ULL};
    struct buffer a, b;
    buffer_init(&a, 4096);
    buffer_init(&b, 4096);
    for (int i = 0; i < 100000; i++) {
        struct value x, y;
        random_value(&random, &x);
        random_value(&random, &y);
        bool descending = below(&random, 2);
        buffer_clear(&a);
        buffer_clear(&b);
        assert_true(key_append(&a, x.type, x.bytes, descending));
        assert_true(key_append(&b, y.type, y.bytes, descending));
        int expected = compare_values(&x, &y) * (descending ? -1 : 1);
        if (compare_keys(&a, &b) != expected) {
            print_value(&x);
            print_value(&y);
            fail_msg("round %d: expected %d", i, expected);
        }
    }
    buffer_deinit(&a);
    buffer_deinit(&b);
}

static void compound_keys_order_by_their_first_difference(void **state)
{
    struct random random = {42};
    struct buffer a, b;
    buffer_init(&a, 4096);
    buffer_init(&b, 4096);
    for (int i = 0; i < 30000; i++) {
        struct value x[2], y[2];
        buffer_clear(&a);
        buffer_clear(&b);
        for (int part = 0; part < 2; part++) {
            random_value(&random, &x[part]);
            random_value(&random, &y[part]);
            if (part == 0 && below(&random, 2)) {
                y[0] = x[0];
            }
            assert_true(key_append(&a, x[part].type, x[part].bytes, part == 1));
            assert_true(key_append(&b, y[part].type, y[part].bytes, part == 1));
        }
        int first = compare_values(&x[0], &y[0]);
        assert_int_equal(compare_keys(&a, &b), first != 0 ? first : -compare_values(&x[1], &y[1]));
    }
    buffer_deinit(&a);
    buffer_deinit(&b);
}

static void key_of(struct buffer *key, uint8_t type, const void *payload)
{
    buffer_clear(key);
    assert_true(key_append(key, type, payload, false));
}

static void one_has_one_key_in_all_number_types(void **state)
{
    struct buffer a, b;
    int32_t small = 1;
    int64_t whole = 1;
    double number = 1;
    uint64_t decimal[2] = {100, (6176ULL - 2) << 49}; /* 1.00 */
    buffer_init(&a, 4096);
    buffer_init(&b, 4096);
    key_of(&a, BSON_KIND_INT32, &small);
    key_of(&b, BSON_KIND_INT64, &whole);
    assert_int_equal(compare_keys(&a, &b), 0);
    key_of(&b, BSON_KIND_DOUBLE, &number);
    assert_int_equal(compare_keys(&a, &b), 0);
    key_of(&b, BSON_KIND_DECIMAL128, decimal);
    assert_int_equal(compare_keys(&a, &b), 0);
    buffer_deinit(&a);
    buffer_deinit(&b);
}

static void document(struct buffer *bytes, const char *names, const int32_t *values, size_t count)
{
    struct bson_out out = {bytes, false};
    buffer_clear(bytes);
    size_t mark = bson_write_begin(&out);
    for (size_t i = 0; i < count; i++) {
        char name[2] = {names[i], 0};
        bson_write_int32(&out, name, values[i]);
    }
    bson_write_end(&out, mark);
}

static void documents_order_by_element_and_the_shorter_is_first(void **state)
{
    struct buffer bytes, a, b;
    buffer_init(&bytes, 4096);
    buffer_init(&a, 4096);
    buffer_init(&b, 4096);
    document(&bytes, "", NULL, 0);
    key_of(&a, BSON_KIND_DOCUMENT, bytes.bytes);
    document(&bytes, "a", (int32_t[]){1}, 1);
    key_of(&b, BSON_KIND_DOCUMENT, bytes.bytes);
    assert_true(compare_keys(&a, &b) < 0);
    document(&bytes, "ab", (int32_t[]){1, 0}, 2);
    key_of(&a, BSON_KIND_DOCUMENT, bytes.bytes);
    assert_true(compare_keys(&b, &a) < 0);
    document(&bytes, "ac", (int32_t[]){1, 0}, 2);
    key_of(&b, BSON_KIND_DOCUMENT, bytes.bytes);
    assert_true(compare_keys(&a, &b) < 0);
    document(&bytes, "a", (int32_t[]){2}, 1);
    key_of(&a, BSON_KIND_DOCUMENT, bytes.bytes);
    assert_true(compare_keys(&b, &a) < 0);
    key_of(&b, BSON_KIND_ARRAY, bytes.bytes);
    assert_true(compare_keys(&a, &b) < 0);
    buffer_deinit(&bytes);
    buffer_deinit(&a);
    buffer_deinit(&b);
}

static void all_that_begins_with_a_prefix_is_below_its_successor(void **state)
{
    struct buffer prefix, longer;
    buffer_init(&prefix, 64);
    buffer_init(&longer, 64);
    buffer_append(&prefix, "a\xff\xff", 3);
    buffer_append(&longer, "a\xff\xff\xff\xff", 5);
    assert_true(key_successor(&prefix));
    assert_true(compare_keys(&longer, &prefix) < 0);
    assert_int_equal(prefix.length, 1);
    buffer_clear(&prefix);
    assert_true(key_successor(&prefix));
    assert_true(compare_keys(&longer, &prefix) < 0);
    buffer_deinit(&prefix);
    buffer_deinit(&longer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_order_as_values_do),
        cmocka_unit_test(compound_keys_order_by_their_first_difference),
        cmocka_unit_test(one_has_one_key_in_all_number_types),
        cmocka_unit_test(documents_order_by_element_and_the_shorter_is_first),
        cmocka_unit_test(all_that_begins_with_a_prefix_is_below_its_successor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
