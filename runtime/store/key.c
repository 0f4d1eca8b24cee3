#include "store/key.h"

#include <float.h>
#include <math.h>

#include "base/bson.h"
#include "store/decimal.h"

uint8_t key_rank(uint8_t type)
{
    static const uint8_t ranks[256] = {
        [0xff] = 1,  [0x00] = 2,  [0x06] = 2,  [0x0a] = 3,  [0x01] = 4,  [0x10] = 4,
        [0x12] = 4,  [0x13] = 4,  [0x02] = 5,  [0x0e] = 5,  [0x03] = 6,  [0x04] = 7,
        [0x05] = 8,  [0x07] = 9,  [0x08] = 10, [0x09] = 11, [0x11] = 12, [0x0b] = 13,
        [0x0c] = 14, [0x0d] = 15, [0x0f] = 16, [0x7f] = 17,
    };
    return ranks[type];
}

static bool put_byte(struct buffer *key, uint8_t byte)
{
    return buffer_append(key, &byte, 1);
}

static bool put_ordered(struct buffer *key, uint64_t bits)
{
    bits = __builtin_bswap64(bits);
    return buffer_append(key, &bits, sizeof bits);
}

/* ---- texts and sized bytes ---- */

static bool put_text(struct buffer *key, const uint8_t *text, size_t length)
{
    static const uint8_t end[2] = {0, 0}, zero[2] = {0, 0xff};
    const uint8_t *stop = text + length;
    while (text < stop) {
        const uint8_t *nul = memchr(text, 0, (size_t)(stop - text));
        size_t part = (size_t)((nul == NULL ? stop : nul) - text);
        if (!buffer_append(key, text, part) || (nul != NULL && !buffer_append(key, zero, 2))) {
            return false;
        }
        text += part + (nul != NULL);
    }
    return buffer_append(key, end, 2);
}

static bool put_string(struct buffer *key, const uint8_t *payload)
{
    return put_text(key, payload + 4, (size_t)bson_load_int32(payload) - 1);
}

static bool put_sized(struct buffer *key, const uint8_t *payload, size_t besides)
{
    size_t length = (size_t)bson_load_int32(payload) + besides;
    return put_ordered(key, length) && buffer_append(key, payload, length);
}

static bool put_regex(struct buffer *key, const uint8_t *payload)
{
    size_t pattern = strlen((const char *)payload) + 1;
    size_t options = strlen((const char *)payload + pattern) + 1;
    return put_text(key, payload, pattern + options);
}

/* ---- numbers ---- */

static bool put_double(struct buffer *key, double number)
{
    uint64_t bits = 0; /* NaN stands below all */
    if (number == 0) {
        number = 0; /* not minus zero */
    }
    if (!isnan(number)) {
        memcpy(&bits, &number, sizeof bits);
        bits = number < 0 ? ~bits : bits | 1ULL << 63;
    }
    return put_ordered(key, bits);
}

static bool put_plain(struct buffer *key, double number)
{
    return put_double(key, number) && put_byte(key, 0);
}

/* Values with one floor that are not equal to it have one sign; their exact decimals order them. */
static bool put_exact(struct buffer *key, const struct decimal *decimal)
{
    int exponent = decimal->exponent + 16384;
    uint8_t head[2] = {(uint8_t)(exponent >> 8), (uint8_t)exponent};
    if (!put_byte(key, 1)) {
        return false;
    }
    size_t start = key->length;
    if (!buffer_append(key, head, 2) ||
        !buffer_append(key, decimal->digits, strlen(decimal->digits) + 1)) {
        return false;
    }
    for (size_t i = start; decimal->sign < 0 && i < key->length; i++) {
        key->bytes[i] = (uint8_t)~key->bytes[i];
    }
    return true;
}

static bool put_decimal(struct buffer *key, const struct decimal *decimal)
{
    struct decimal nearest;
    double floor = decimal_to_double(decimal);
    decimal_from_double(&nearest, floor);
    int order = decimal_compare(&nearest, decimal);
    if (order > 0) {
        floor = nextafter(floor, -INFINITY);
    }
    return put_double(key, floor) && (order == 0 ? put_byte(key, 0) : put_exact(key, decimal));
}

static bool put_int64(struct buffer *key, int64_t value)
{
    const int64_t exact = 1LL << 53;
    if (value > -exact && value < exact) {
        return put_plain(key, (double)value);
    }
    struct decimal decimal;
    decimal_from_int64(&decimal, value);
    return put_decimal(key, &decimal);
}

static bool put_number(struct buffer *key, uint8_t type, const uint8_t *payload)
{
    struct decimal decimal;
    double number;
    switch (type) {
    case BSON_KIND_INT32:
        return put_plain(key, bson_load_int32(payload));
    case BSON_KIND_INT64:
        return put_int64(key, bson_load_int64(payload));
    case BSON_KIND_DECIMAL128:
        decimal_from_bytes(&decimal, payload);
        return put_decimal(key, &decimal);
    default:
        memcpy(&number, payload, sizeof number);
        return put_plain(key, number);
    }
}

/* ---- values ---- */

static bool put_payload(struct buffer *key, uint8_t type, const uint8_t *payload);

static bool put_elements(struct buffer *key, const uint8_t *document, bool named)
{
    struct bson_walk walk;
    struct bson_element element;
    bson_walk_begin(&walk, document, (size_t)bson_load_int32(document));
    while (bson_walk_next(&walk, &element)) {
        if (!put_byte(key, key_rank((uint8_t)element.kind)) ||
            (named && !put_text(key, (const uint8_t *)element.name, element.name_length)) ||
            !put_payload(key, (uint8_t)element.kind, element.value)) {
            return false;
        }
    }
    return put_byte(key, 0);
}

static bool put_scoped(struct buffer *key, const uint8_t *payload)
{
    return put_string(key, payload + 4) &&
           put_elements(key, payload + 8 + bson_load_int32(payload + 4), true);
}

static bool put_payload(struct buffer *key, uint8_t type, const uint8_t *payload)
{
    switch (type) {
    case BSON_KIND_DOUBLE:
    case BSON_KIND_INT32:
    case BSON_KIND_INT64:
    case BSON_KIND_DECIMAL128:
        return put_number(key, type, payload);
    case BSON_KIND_TEXT:
    case BSON_KIND_SYMBOL:
    case BSON_KIND_CODE:
        return put_string(key, payload);
    case BSON_KIND_DOCUMENT:
    case BSON_KIND_ARRAY:
        return put_elements(key, payload, type == BSON_KIND_DOCUMENT);
    case BSON_KIND_BINARY:
        return put_sized(key, payload, 5);
    case BSON_KIND_DBPOINTER:
        return put_sized(key, payload, 16);
    case BSON_KIND_OID:
        return buffer_append(key, payload, 12);
    case BSON_KIND_BOOL:
        return put_byte(key, payload[0] != 0);
    case BSON_KIND_DATE:
        return put_ordered(key, (uint64_t)bson_load_int64(payload) ^ 1ULL << 63);
    case BSON_KIND_TIMESTAMP:
        return put_ordered(key, (uint64_t)bson_load_int64(payload));
    case BSON_KIND_REGEX:
        return put_regex(key, payload);
    case BSON_KIND_CODE_WITH_SCOPE:
        return put_scoped(key, payload);
    default:
        return true;
    }
}

bool key_append(struct buffer *key, uint8_t type, const uint8_t *payload, bool descending)
{
    size_t start = key->length;
    if (!put_byte(key, key_rank(type)) || !put_payload(key, type, payload)) {
        return false;
    }
    for (size_t i = start; descending && i < key->length; i++) {
        key->bytes[i] = (uint8_t)~key->bytes[i];
    }
    return true;
}

bool key_successor(struct buffer *key)
{
    while (key->length > 0 && key->bytes[key->length - 1] == 0xff) {
        key->length--;
    }
    if (key->length == 0) {
        return put_byte(key, 0xff); /* no rank, inverted or not, is 0xff */
    }
    key->bytes[key->length - 1]++;
    return true;
}
