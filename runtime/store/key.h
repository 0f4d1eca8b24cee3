/*
 * Keys whose bytes compare as the values do, so that an ordered file of bytes is an index.
 *
 * A value is one rank byte for its class of types, then its payload in order:
 *   numbers      the double at or below the value, 8 bytes in order; then 0, or 1 and the exact
 *                decimal where the double does not say it all (beyond 2^53, Decimal128), so 1, 1.0
 *                and NumberDecimal("1") have one key
 *   texts        their bytes, a zero byte written as 00 FF, the end as 00 00
 *   binary       length first, then the bytes
 *   documents    for each element its rank, its name as a text, its payload; then 00
 *   arrays       the same without names
 * Missing, null and undefined have a rank and no payload. A descending part has its bytes inverted.
 * Each value ends itself, so a compound key is the values behind one another, and all keys that
 * begin with certain values lie between that prefix and key_successor of it.
 *
 * Pure. The payload must have been validated (bson_check): its bounds are taken from its own bytes.
 */
#ifndef MOONLIT_STORE_KEY_H
#define MOONLIT_STORE_KEY_H

#include "base/buffer.h"

/* Append the value of BSON type `type` (0: missing) whose payload begins at `payload`; false when
 * the buffer's maximum is met. */
bool key_append(struct buffer *key, uint8_t type, const uint8_t *payload, bool descending);

/* Make of a prefix the first key behind all keys that begin with it. */
bool key_successor(struct buffer *key);

/* The rank of a type; types of one rank are compared by value, others by rank. */
uint8_t key_rank(uint8_t type);

#endif
