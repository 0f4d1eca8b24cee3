/*
 * BSON: a writer into a struct buffer and a reader over bytes. Small, pure, and without libbson:
 * nothing here allocates but the buffer, so a Lua error may pass through its callers.
 *
 * Writing. A bson_out is a buffer and whether it ever refused; all functions take it, and one look
 * at `full` in the end is enough. Names are C strings without NUL; the caller has checked texts.
 *
 *   struct bson_out out = {&buffer};
 *   size_t document = bson_write_begin(&out);
 *   bson_write_int32(&out, "n", 5);
 *   size_t list = bson_write_begin_array(&out, "list");
 *   bson_write_text(&out, "0", "first", 5);
 *   bson_write_end(&out, list);
 *   bson_write_end(&out, document);
 *   if (out.full) ...
 *
 * Reading. A bson_walk goes over the elements of one document, checks every length, and never reads
 * outside of it, whatever the bytes are. Elements point into the bytes.
 *
 *   struct bson_walk walk;
 *   struct bson_element element;
 *   for (bool ok = bson_walk_begin(&walk, bytes, length); ok && bson_walk_next(&walk, &element);)
 * ... if (walk.broken) ...
 *
 * The names stay clear of libbson's, so that a file can include both.
 */
#ifndef MOONLIT_BASE_BSON_H
#define MOONLIT_BASE_BSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buffer.h"
#include "base/error.h"

enum bson_kind {
    BSON_KIND_END = 0x00,
    BSON_KIND_DOUBLE = 0x01,
    BSON_KIND_TEXT = 0x02,
    BSON_KIND_DOCUMENT = 0x03,
    BSON_KIND_ARRAY = 0x04,
    BSON_KIND_BINARY = 0x05,
    BSON_KIND_UNDEFINED = 0x06,
    BSON_KIND_OID = 0x07,
    BSON_KIND_BOOL = 0x08,
    BSON_KIND_DATE = 0x09,
    BSON_KIND_NULL = 0x0a,
    BSON_KIND_REGEX = 0x0b,
    BSON_KIND_DBPOINTER = 0x0c,
    BSON_KIND_CODE = 0x0d,
    BSON_KIND_SYMBOL = 0x0e,
    BSON_KIND_CODE_WITH_SCOPE = 0x0f,
    BSON_KIND_INT32 = 0x10,
    BSON_KIND_TIMESTAMP = 0x11,
    BSON_KIND_INT64 = 0x12,
    BSON_KIND_DECIMAL128 = 0x13,
    BSON_KIND_MAXKEY = 0x7f,
    BSON_KIND_MINKEY = 0xff,
};

/* The server's word for it ("int", "objectId", ...: those of $type); "" when there is none. */
const char *bson_kind_name(enum bson_kind kind);

/* ---- writing --------------------------------------------------------------------------------- */

struct bson_out {
    struct buffer *buffer;
    bool full; /* the buffer refused: what follows is dropped, and the document is useless */
};

/* Begin a document (of its own, or as the value behind bson_write_head), a document or an array
 * inside one; returns the mark that bson_write_end wants. */
size_t bson_write_begin(struct bson_out *out);
size_t bson_write_begin_document(struct bson_out *out, const char *name);
size_t bson_write_begin_array(struct bson_out *out, const char *name);
void bson_write_end(struct bson_out *out, size_t mark);

void bson_write_double(struct bson_out *out, const char *name, double value);
void bson_write_int32(struct bson_out *out, const char *name, int32_t value);
void bson_write_int64(struct bson_out *out, const char *name, int64_t value);
void bson_write_bool(struct bson_out *out, const char *name, bool value);
void bson_write_null(struct bson_out *out, const char *name);
void bson_write_date(struct bson_out *out, const char *name, int64_t milliseconds);
void bson_write_oid(struct bson_out *out, const char *name, const uint8_t oid[12]);
void bson_write_binary(struct bson_out *out, const char *name, uint8_t subtype, const void *bytes,
                       size_t length);

/* Valid UTF-8, may hold NUL. */
void bson_write_text(struct bson_out *out, const char *name, const char *text, size_t length);

/* A number of Lua as it is: whole and within int32 an int32, whole and within 2^53 an int64, else
 * a double. */
void bson_write_number(struct bson_out *out, const char *name, double value);

/* A value of which the bytes are known: `value` as it stands in a document, behind the name. */
void bson_write_raw(struct bson_out *out, enum bson_kind kind, const char *name, const void *value,
                    size_t length);

/* Kind and name alone; the value is to follow. False when full. */
bool bson_write_head(struct bson_out *out, enum bson_kind kind, const char *name);

/* The name of an array's item: 0 is "0". Returns `text`. */
const char *bson_index_name(unsigned index, char text[12]);

/* ---- reading --------------------------------------------------------------------------------- */

struct bson_walk {
    const uint8_t *at;
    const uint8_t *end; /* where the document's last NUL stands */
    bool broken;        /* the bytes are not BSON */
};

struct bson_element {
    enum bson_kind kind;
    const char *name; /* ends with NUL */
    size_t name_length;
    const uint8_t *value; /* as it stands in the document */
    size_t length;        /* of the value's bytes */
};

/* False, and broken, when `bytes` cannot be a document of `length` bytes. */
bool bson_walk_begin(struct bson_walk *walk, const uint8_t *bytes, size_t length);

/* False at the end, or when the rest is broken. */
bool bson_walk_next(struct bson_walk *walk, struct bson_element *element);

/* The first element of that name. */
bool bson_find(const uint8_t *bytes, size_t length, const char *name, size_t name_length,
               struct bson_element *element);

/* Is this one whole document, nested at most `depth` deep? Names and texts need not be UTF-8. */
bool bson_check(const uint8_t *bytes, size_t length, unsigned depth, struct error *error);

/* The number of elements; 0 for what is broken. */
size_t bson_count(const uint8_t *bytes, size_t length);

/* What an element holds; only for the kinds named. */
int32_t bson_element_int32(const struct bson_element *element);
int64_t bson_element_int64(const struct bson_element *element); /* INT64, DATE, TIMESTAMP */
double bson_element_double(const struct bson_element *element);
bool bson_element_bool(const struct bson_element *element);
/* TEXT, SYMBOL, CODE */
const char *bson_element_text(const struct bson_element *element, size_t *length);
const uint8_t *bson_element_binary(const struct bson_element *element, uint8_t *subtype,
                                   size_t *length);

/* The number in an INT32, INT64 or DOUBLE; false for other kinds. */
bool bson_element_number(const struct bson_element *element, double *number);

/* ---- texts ----------------------------------------------------------------------------------- */

/* Valid UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is allowed. */
bool bson_is_utf8(const void *text, size_t length);

/* Little-endian numbers at any address. */
static inline int32_t bson_load_int32(const uint8_t *bytes)
{
    int32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline int64_t bson_load_int64(const uint8_t *bytes)
{
    int64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

#endif
