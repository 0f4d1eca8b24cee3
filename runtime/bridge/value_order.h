/*
 * The order of a table's fields. A Lua table has none, and the one in which it is gone over differs
 * from process to process; so its fields are written in the order of their names. Then the same
 * table is the same bytes today and tomorrow: as a compound _id, as an embedded document that is
 * compared, and as the columns of what is shown.
 *
 * Inside the bridge.
 */
#ifndef MOONLIT_BRIDGE_VALUE_ORDER_H
#define MOONLIT_BRIDGE_VALUE_ORDER_H

#include <stddef.h>

#include "base/bson.h"

/* Put the fields of a document that has just been written in the order of their names' bytes.
 * `mark` is that of bson_write_begin. Without memory for it `out` is full. */
void value_order(struct bson_out *out, size_t mark);

#endif
