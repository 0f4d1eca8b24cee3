#include "base/bson.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "BSON is little-endian, and this file copies numbers as they are"
#endif

enum { SMALLEST_DOCUMENT = 5 };

const char *bson_kind_name(enum bson_kind kind)
{
    static const char *const names[] = {
        "",          "double",     "string",    "object",
        "array",     "binData",    "undefined", "objectId",
        "bool",      "date",       "null",      "regex",
        "dbPointer", "javascript", "symbol",    "javascriptWithScope",
        "int",       "timestamp",  "long",      "decimal",
    };
    if (kind == BSON_KIND_MAXKEY) {
        return "maxKey";
    }
    if (kind == BSON_KIND_MINKEY) {
        return "minKey";
    }
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "";
}

/* ---- writing ---- */

/* Kind, name, and room for a value of `length` bytes: where the value goes, or NULL. */
static uint8_t *write_room(struct bson_out *out, enum bson_kind kind, const char *name,
                           size_t length)
{
    size_t name_size = strlen(name) + 1;
    uint8_t *room = out->full ? NULL : buffer_reserve(out->buffer, 1 + name_size + length);
    if (room == NULL) {
        out->full = true;
        return NULL;
    }
    room[0] = (uint8_t)kind;
    memcpy(room + 1, name, name_size);
    out->buffer->length += 1 + name_size + length;
    return room + 1 + name_size;
}

bool bson_write_head(struct bson_out *out, enum bson_kind kind, const char *name)
{
    return write_room(out, kind, name, 0) != NULL;
}

size_t bson_write_begin(struct bson_out *out)
{
    size_t mark = out->buffer->length;
    if (out->full || !buffer_append(out->buffer, "\0\0\0\0", 4)) {
        out->full = true;
    }
    return mark;
}

size_t bson_write_begin_document(struct bson_out *out, const char *name)
{
    bson_write_head(out, BSON_KIND_DOCUMENT, name);
    return bson_write_begin(out);
}

size_t bson_write_begin_array(struct bson_out *out, const char *name)
{
    bson_write_head(out, BSON_KIND_ARRAY, name);
    return bson_write_begin(out);
}

void bson_write_end(struct bson_out *out, size_t mark)
{
    if (out->full || !buffer_append(out->buffer, "", 1) || out->buffer->length - mark > INT32_MAX) {
        out->full = true;
        return;
    }
    int32_t length = (int32_t)(out->buffer->length - mark);
    memcpy(out->buffer->bytes + mark, &length, sizeof length);
}

void bson_write_raw(struct bson_out *out, enum bson_kind kind, const char *name, const void *value,
                    size_t length)
{
    uint8_t *room = write_room(out, kind, name, length);
    if (room != NULL && length > 0) {
        memcpy(room, value, length);
    }
}

void bson_write_double(struct bson_out *out, const char *name, double value)
{
    bson_write_raw(out, BSON_KIND_DOUBLE, name, &value, sizeof value);
}

void bson_write_int32(struct bson_out *out, const char *name, int32_t value)
{
    bson_write_raw(out, BSON_KIND_INT32, name, &value, sizeof value);
}

void bson_write_int64(struct bson_out *out, const char *name, int64_t value)
{
    bson_write_raw(out, BSON_KIND_INT64, name, &value, sizeof value);
}

void bson_write_bool(struct bson_out *out, const char *name, bool value)
{
    uint8_t byte = value ? 1 : 0;
    bson_write_raw(out, BSON_KIND_BOOL, name, &byte, 1);
}

void bson_write_null(struct bson_out *out, const char *name)
{
    bson_write_head(out, BSON_KIND_NULL, name);
}

void bson_write_date(struct bson_out *out, const char *name, int64_t milliseconds)
{
    bson_write_raw(out, BSON_KIND_DATE, name, &milliseconds, sizeof milliseconds);
}

void bson_write_oid(struct bson_out *out, const char *name, const uint8_t oid[12])
{
    bson_write_raw(out, BSON_KIND_OID, name, oid, 12);
}

void bson_write_binary(struct bson_out *out, const char *name, uint8_t subtype, const void *bytes,
                       size_t length)
{
    uint8_t *room = length > INT32_MAX ? NULL : write_room(out, BSON_KIND_BINARY, name, 5 + length);
    if (room == NULL) {
        out->full = true;
        return;
    }
    int32_t size = (int32_t)length;
    memcpy(room, &size, sizeof size);
    room[4] = subtype;
    if (length > 0) {
        memcpy(room + 5, bytes, length);
    }
}

void bson_write_text(struct bson_out *out, const char *name, const char *text, size_t length)
{
    uint8_t *room =
        length >= INT32_MAX ? NULL : write_room(out, BSON_KIND_TEXT, name, 4 + length + 1);
    if (room == NULL) {
        out->full = true;
        return;
    }
    int32_t size = (int32_t)length + 1;
    memcpy(room, &size, sizeof size);
    if (length > 0) {
        memcpy(room + 4, text, length);
    }
    room[4 + length] = '\0';
}

void bson_write_number(struct bson_out *out, const char *name, double value)
{
    if (value >= INT32_MIN && value <= INT32_MAX && value == (double)(int32_t)value) {
        bson_write_int32(out, name, (int32_t)value);
    } else if (fabs(value) <= 9007199254740992.0 && value == (double)(int64_t)value) {
        bson_write_int64(out, name, (int64_t)value);
    } else {
        bson_write_double(out, name, value);
    }
}

const char *bson_index_name(unsigned index, char text[12])
{
    char digits[12];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    for (size_t i = 0; i < count; i++) {
        text[i] = digits[count - 1 - i];
    }
    text[count] = '\0';
    return text;
}

/* ---- reading ---- */

bool bson_walk_begin(struct bson_walk *walk, const uint8_t *bytes, size_t length)
{
    *walk = (struct bson_walk){.broken = true};
    if (length < SMALLEST_DOCUMENT || length > INT32_MAX ||
        bson_load_int32(bytes) != (int32_t)length || bytes[length - 1] != 0) {
        return false;
    }
    *walk = (struct bson_walk){.at = bytes + 4, .end = bytes + length - 1};
    return true;
}

/* The length of a value that begins with its length, `extra` bytes of which are not counted in it,
 * at least `least`; -1 when it does not fit. */
static int64_t counted(const uint8_t *value, size_t room, int32_t least, int32_t extra)
{
    if (room < 4) {
        return -1;
    }
    int32_t length = bson_load_int32(value);
    if (length < least || (size_t)length + (size_t)extra > room) {
        return -1;
    }
    return (int64_t)length + extra;
}

static int64_t text_size(const uint8_t *value, size_t room)
{
    int64_t size = counted(value, room, 1, 4);
    return size > 0 && value[size - 1] == 0 ? size : -1;
}

static int64_t document_size(const uint8_t *value, size_t room)
{
    int64_t size = counted(value, room, SMALLEST_DOCUMENT, 0);
    return size > 0 && value[size - 1] == 0 ? size : -1;
}

static int64_t regex_size(const uint8_t *value, size_t room)
{
    const uint8_t *pattern = memchr(value, 0, room);
    if (pattern == NULL) {
        return -1;
    }
    size_t used = (size_t)(pattern - value) + 1;
    const uint8_t *options = memchr(value + used, 0, room - used);
    return options == NULL ? -1 : options - value + 1;
}

static int64_t scoped_code_size(const uint8_t *value, size_t room)
{
    int64_t size = counted(value, room, 4 + 5 + SMALLEST_DOCUMENT, 0);
    int64_t text = size < 0 ? -1 : text_size(value + 4, (size_t)size - 4);
    if (text < 0) {
        return -1;
    }
    int64_t scope = document_size(value + 4 + text, (size_t)(size - 4 - text));
    return 4 + text + scope == size ? size : -1;
}

static int64_t dbpointer_size(const uint8_t *value, size_t room)
{
    int64_t text = text_size(value, room);
    return text < 0 ? -1 : text + 12;
}

/* How many bytes the value takes of the `room` there is; -1 when it is not one. The caller looks
 * whether they fit. */
static int64_t value_size(uint8_t kind, const uint8_t *value, size_t room)
{
    switch (kind) {
    case BSON_KIND_DOUBLE:
    case BSON_KIND_DATE:
    case BSON_KIND_TIMESTAMP:
    case BSON_KIND_INT64:
        return 8;
    case BSON_KIND_INT32:
        return 4;
    case BSON_KIND_TEXT:
    case BSON_KIND_CODE:
    case BSON_KIND_SYMBOL:
        return text_size(value, room);
    case BSON_KIND_DOCUMENT:
    case BSON_KIND_ARRAY:
        return document_size(value, room);
    case BSON_KIND_BINARY:
        return counted(value, room, 0, 5);
    case BSON_KIND_OID:
        return 12;
    case BSON_KIND_BOOL:
        return room > 0 && value[0] <= 1 ? 1 : -1;
    case BSON_KIND_UNDEFINED:
    case BSON_KIND_NULL:
    case BSON_KIND_MAXKEY:
    case BSON_KIND_MINKEY:
        return 0;
    case BSON_KIND_REGEX:
        return regex_size(value, room);
    case BSON_KIND_DBPOINTER:
        return dbpointer_size(value, room);
    case BSON_KIND_CODE_WITH_SCOPE:
        return scoped_code_size(value, room);
    case BSON_KIND_DECIMAL128:
        return 16;
    default:
        return -1;
    }
}

bool bson_walk_next(struct bson_walk *walk, struct bson_element *element)
{
    if (walk->broken || walk->at >= walk->end) {
        return false;
    }
    const uint8_t *name = walk->at + 1;
    /* There is a NUL at walk->end, so the search ends there at the latest. */
    size_t name_length = strlen((const char *)name);
    const uint8_t *value = name + name_length + 1;
    if (value > walk->end) {
        walk->broken = true;
        return false;
    }
    size_t room = (size_t)(walk->end - value);
    int64_t size = value_size(walk->at[0], value, room);
    if (size < 0 || (size_t)size > room) {
        walk->broken = true;
        return false;
    }
    *element = (struct bson_element){.kind = walk->at[0],
                                     .name = (const char *)name,
                                     .name_length = name_length,
                                     .value = value,
                                     .length = (size_t)size};
    walk->at = value + size;
    return true;
}

bool bson_find(const uint8_t *bytes, size_t length, const char *name, size_t name_length,
               struct bson_element *element)
{
    struct bson_walk walk;
    if (!bson_walk_begin(&walk, bytes, length)) {
        return false;
    }
    while (bson_walk_next(&walk, element)) {
        if (element->name_length == name_length && memcmp(element->name, name, name_length) == 0) {
            return true;
        }
    }
    return false;
}

/* The document inside an element: itself, or a code's scope; NULL when there is none. */
static const uint8_t *inner_document(const struct bson_element *element, size_t *length)
{
    const uint8_t *inner = NULL;
    if (element->kind == BSON_KIND_DOCUMENT || element->kind == BSON_KIND_ARRAY) {
        inner = element->value;
    } else if (element->kind == BSON_KIND_CODE_WITH_SCOPE) {
        inner = element->value + 8 + bson_load_int32(element->value + 4);
    }
    *length = inner == NULL ? 0 : (size_t)bson_load_int32(inner);
    return inner;
}

bool bson_check(const uint8_t *bytes, size_t length, unsigned depth, struct error *error)
{
    if (depth == 0) {
        return error_set(error, ERROR_LIMIT, 0, "The document is nested too deep.");
    }
    struct bson_walk walk;
    struct bson_element element = {0};
    bson_walk_begin(&walk, bytes, length);
    while (bson_walk_next(&walk, &element)) {
        size_t inner_length;
        const uint8_t *inner = inner_document(&element, &inner_length);
        if (inner != NULL && !bson_check(inner, inner_length, depth - 1, error)) {
            return false;
        }
    }
    if (walk.broken) {
        return error_set(error, ERROR_PROTOCOL, 0, "The bytes are not a BSON document.");
    }
    return true;
}

size_t bson_count(const uint8_t *bytes, size_t length)
{
    struct bson_walk walk;
    struct bson_element element;
    size_t count = 0;
    for (bson_walk_begin(&walk, bytes, length); bson_walk_next(&walk, &element); count++) {
    }
    return walk.broken ? 0 : count;
}

int32_t bson_element_int32(const struct bson_element *element)
{
    return bson_load_int32(element->value);
}

int64_t bson_element_int64(const struct bson_element *element)
{
    return bson_load_int64(element->value);
}

double bson_element_double(const struct bson_element *element)
{
    double value;
    memcpy(&value, element->value, sizeof value);
    return value;
}

bool bson_element_bool(const struct bson_element *element)
{
    return element->value[0] != 0;
}

const char *bson_element_text(const struct bson_element *element, size_t *length)
{
    if (length != NULL) {
        *length = element->length - 5;
    }
    return (const char *)element->value + 4;
}

const uint8_t *bson_element_binary(const struct bson_element *element, uint8_t *subtype,
                                   size_t *length)
{
    if (subtype != NULL) {
        *subtype = element->value[4];
    }
    *length = element->length - 5;
    return element->value + 5;
}

bool bson_element_number(const struct bson_element *element, double *number)
{
    switch (element->kind) {
    case BSON_KIND_DOUBLE:
        *number = bson_element_double(element);
        return true;
    case BSON_KIND_INT32:
        *number = bson_element_int32(element);
        return true;
    case BSON_KIND_INT64:
        *number = (double)bson_element_int64(element);
        return true;
    default:
        return false;
    }
}

/* ---- texts ---- */

/* The length of the sequence at `at`, 0 when it is not one. */
static size_t utf8_sequence(const uint8_t *at, size_t room)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = at[0];
    size_t length = first < 0x80   ? 1
                    : first < 0xc2 ? 0
                    : first < 0xe0 ? 2
                    : first < 0xf0 ? 3
                    : first < 0xf5 ? 4
                                   : 0;
    if (length < 2 || length > room) {
        return length == 1 ? 1 : 0;
    }
    uint32_t point = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (at[i] & 0x3fu);
    }
    bool bad = point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);
    return bad ? 0 : length;
}

bool bson_is_utf8(const void *text, size_t length)
{
    const uint8_t *at = text;
    const uint8_t *end = at + length;
    while (at < end) {
        uint64_t eight;
        if (end - at >= 8 && (memcpy(&eight, at, 8), (eight & 0x8080808080808080u) == 0)) {
            at += 8;
            continue;
        }
        size_t sequence = utf8_sequence(at, (size_t)(end - at));
        if (sequence == 0) {
            return false;
        }
        at += sequence;
    }
    return true;
}
