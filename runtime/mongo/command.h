/*
 * Commands and replies as BSON, read and completed. Pure: bytes in, bytes out.
 */
#ifndef MOONLIT_MONGO_COMMAND_H
#define MOONLIT_MONGO_COMMAND_H

#include "mongo/mongo.h"
#include <mongoc/mongoc.h>

/* The command's name, its first key; NULL for an empty document. Lives as long as the bytes. */
const char *command_name(const bson_t *command);

/* Which of the URI's concerns and preferences a command takes over: those of reads and of writes
 * for what is known to accept them, else none, since a server refuses what it does not know. */
enum command_manner { MANNER_PLAIN, MANNER_READ, MANNER_WRITE };

enum command_manner command_manner(const bson_t *command, enum mongo_kind kind);

/* A write that a server recognizes as a repetition by its number: insert, findAndModify, and
 * update and delete that touch one document each; acknowledged ones only. */
bool command_can_be_numbered(const bson_t *command);

/* A copy with maxTimeMS (0: without; also without for getMore and killCursors) and, when
 * `number` is not 0, txnNumber. */
void command_complete(const bson_t *command, unsigned max_time_ms, int64_t number, bson_t *whole);

struct reply_cursor {
    int64_t id;     /* 0: at its end */
    char name[256]; /* of its database and collection: "shop.products" */
};

/* False when the reply has no cursor. */
bool reply_find_cursor(const bson_t *reply, struct reply_cursor *cursor);

/* { killCursors: collection, cursors: [id] } */
void command_kill_cursor(const struct reply_cursor *cursor, bson_t *command);

/* What a failed call says. `trouble` is what the wire knows of it. */
struct failure_place {
    const char *address;
    const char *command;
    const char *trouble;
    unsigned selection_time;
};

void failure_describe(const bson_error_t *cause, const bson_t *reply,
                      const struct failure_place *place, struct mongo_error *error);

bool failure_is_network(const bson_error_t *cause);
bool failure_is_selection(const bson_error_t *cause);

/* The server says, or its code is known to mean, that a repetition may succeed. */
bool failure_may_repeat(const bson_error_t *cause, const bson_t *reply);

#endif
