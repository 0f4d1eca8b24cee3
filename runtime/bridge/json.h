/*
 * MongoDB's extended JSON, through libbson. No Lua in here.
 */
#ifndef MOONLIT_BRIDGE_JSON_H
#define MOONLIT_BRIDGE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bson.h"

/* Append an element's value as JSON: relaxed (numbers as numbers), or canonical, which says every
 * type. False for texts that are not UTF-8 and when `out` is full. */
bool json_write(const struct bson_element *element, bool canonical, struct buffer *out);

/* Append the document { "": value } for a text that holds one JSON value. */
bool json_read(const char *text, size_t length, struct buffer *out, struct error *error);

#endif
