#include <bson/bson.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "bridge/civil.h"
#include "bridge/scalar.h"

static void write_date(int64_t ms, struct buffer *out)
{
    struct civil civil;
    civil_from_ms(ms, &civil);
    buffer_append_format(out, "%04" PRId64 "-%02d-%02dT%02d:%02d:%02d", civil.year, civil.month,
                         civil.day, civil.hour, civil.minute, civil.second);
    if (civil.millisecond != 0) {
        buffer_append_format(out, ".%03d", civil.millisecond);
    }
    buffer_append_text(out, "Z");
}

static void write_hex(const uint8_t *bytes, size_t length, struct buffer *out)
{
    for (size_t i = 0; i < length; i++) {
        buffer_append_format(out, "%02x", bytes[i]);
    }
}

static void write_uuid(const uint8_t bytes[16], struct buffer *out)
{
    static const uint8_t parts[] = {4, 2, 2, 2, 6};
    for (size_t i = 0; i < sizeof parts; i++) {
        if (i > 0) {
            buffer_append_text(out, "-");
        }
        write_hex(bytes, parts[i], out);
        bytes += parts[i];
    }
}

static void write_binary(const struct bson_element *element, struct buffer *out)
{
    uint8_t subtype;
    size_t length;
    const uint8_t *bytes = bson_element_binary(element, &subtype, &length);
    if (subtype == 4 && length == 16) {
        write_uuid(bytes, out);
    } else {
        buffer_append_format(out, "Binary(%zu bytes, subtype %u)", length, subtype);
    }
}

static void write_decimal(const uint8_t bytes[16], struct buffer *out)
{
    bson_decimal128_t decimal;
    memcpy(&decimal.low, bytes, 8);
    memcpy(&decimal.high, bytes + 8, 8);
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(&decimal, text);
    buffer_append_text(out, text);
}

static void write_double(double value, struct buffer *out)
{
    char text[40];
    snprintf(text, sizeof text, "%.14g", value);
    double again = 0;
    if (sscanf(text, "%lf", &again) != 1 || again != value) {
        snprintf(text, sizeof text, "%.17g", value);
    }
    bool looks_whole = strspn(text, "-0123456789") == strlen(text);
    buffer_append_format(out, "%s%s", text, looks_whole ? ".0" : "");
}

static void write_regex(const struct scalar *scalar, struct buffer *out)
{
    const char *pattern = (const char *)scalar->bytes;
    buffer_append_format(out, "/%s/%s", pattern, pattern + strlen(pattern) + 1);
}

static void write_dbpointer(const struct scalar *scalar, struct buffer *out)
{
    buffer_append_format(out, "DBPointer(%s, ", (const char *)scalar->bytes + 4);
    write_hex(scalar->bytes + scalar->length - 12, 12, out);
    buffer_append_text(out, ")");
}

static void write_timestamp(uint64_t value, struct buffer *out)
{
    buffer_append_format(out, "Timestamp(%" PRIu64 ", %" PRIu64 ")", value >> 32,
                         value & 0xffffffffu);
}

void scalar_write_text(const struct scalar *scalar, struct buffer *out)
{
    struct bson_element element = scalar_element(scalar);
    size_t length;
    switch (scalar->kind) {
    case BSON_KIND_OID:
        write_hex(scalar->bytes, 12, out);
        return;
    case BSON_KIND_DATE:
        write_date(bson_element_int64(&element), out);
        return;
    case BSON_KIND_BINARY:
        write_binary(&element, out);
        return;
    case BSON_KIND_DECIMAL128:
        write_decimal(scalar->bytes, out);
        return;
    case BSON_KIND_INT64:
        buffer_append_format(out, "%" PRId64, bson_element_int64(&element));
        return;
    case BSON_KIND_DOUBLE:
        write_double(bson_element_double(&element), out);
        return;
    case BSON_KIND_TIMESTAMP:
        write_timestamp((uint64_t)bson_element_int64(&element), out);
        return;
    case BSON_KIND_REGEX:
        write_regex(scalar, out);
        return;
    case BSON_KIND_SYMBOL:
    case BSON_KIND_CODE: {
        const char *text = bson_element_text(&element, &length);
        buffer_append(out, text, length);
        return;
    }
    case BSON_KIND_CODE_WITH_SCOPE:
        buffer_append(out, scalar->bytes + 8, (size_t)bson_load_int32(scalar->bytes + 4) - 1);
        return;
    case BSON_KIND_DBPOINTER:
        write_dbpointer(scalar, out);
        return;
    default:
        buffer_append_text(out, bson_kind_name(scalar->kind));
        return;
    }
}
