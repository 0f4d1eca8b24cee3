/*
 * Replies are looked at before libmongoc reads them, since some malformed ones make it end the
 * process.
 *
 * A guard is a stream around another. It receives whole messages and lets through those whose
 * head, lengths and BSON are in order; at the first one that is not, the connection counts as
 * broken. Of a compressed message (only where the URI asks for compressors) it sees the head.
 */
#ifndef MOONLIT_MONGO_GUARD_H
#define MOONLIT_MONGO_GUARD_H

#include "mongo/wire.h"

/* Owns `inner`. What it refuses stands in the wire's trouble. */
mongoc_stream_t *guard_new(struct wire *wire, mongoc_stream_t *inner);

/* What is wrong with the head of a message (its first GUARD_HEAD bytes), or with all of it, an
 * answer to a hello or to another command; in words, or NULL. Pure. */
enum { GUARD_HEAD = 16 };
const char *guard_find_fault_of_head(const uint8_t *bytes);
const char *guard_find_fault(const uint8_t *bytes, size_t length, bool to_hello);

#endif
