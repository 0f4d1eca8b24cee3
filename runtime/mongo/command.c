#include "mongo/command.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- commands -------------------------------------------------------------------------------- */

const char *command_name(const bson_t *command)
{
    bson_iter_t first;
    if (!bson_iter_init(&first, command) || !bson_iter_next(&first)) {
        return NULL;
    }
    return bson_iter_key(&first);
}

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcasecmp(name, *names) != 0) {
        names++;
    }
    return *names != NULL;
}

enum command_manner command_manner(const bson_t *command, enum mongo_kind kind)
{
    static const char *const reads[] = {"find", "aggregate", "count", "distinct", NULL};
    static const char *const writes[] = {
        "insert",  "update",           "delete",      "findAndModify", "aggregate",
        "create",  "createIndexes",    "dropIndexes", "drop",          "dropDatabase",
        "collMod", "renameCollection", NULL};
    const char *name = command_name(command);
    if (kind == MONGO_READ) {
        return is_one_of(name, reads) ? MANNER_READ : MANNER_PLAIN;
    }
    return is_one_of(name, writes) ? MANNER_WRITE : MANNER_PLAIN;
}

/* Does a document of the array under `key` have field `field` with a value that is not zero or
 * false (`wanted` true), or that is zero or absent (`wanted` false)? */
static bool any_has(const bson_t *command, const char *key, const char *field, bool wanted)
{
    bson_iter_t array, each, one;
    if (!bson_iter_init_find(&array, command, key) || !bson_iter_recurse(&array, &each)) {
        return false;
    }
    while (bson_iter_next(&each)) {
        bool has = bson_iter_recurse(&each, &one) && bson_iter_find(&one, field) &&
                   bson_iter_as_bool(&one);
        if (has == wanted) {
            return true;
        }
    }
    return false;
}

static bool is_unacknowledged(const bson_t *command)
{
    bson_iter_t top, w;
    return bson_iter_init(&top, command) && bson_iter_find_descendant(&top, "writeConcern.w", &w) &&
           BSON_ITER_HOLDS_NUMBER(&w) && bson_iter_as_int64(&w) == 0;
}

bool command_can_be_numbered(const bson_t *command)
{
    const char *name = command_name(command);
    if (!name || is_unacknowledged(command) || bson_has_field(command, "txnNumber")) {
        return false;
    }
    if (strcmp(name, "update") == 0) {
        return !any_has(command, "updates", "multi", true);
    }
    if (strcmp(name, "delete") == 0) {
        return !any_has(command, "deletes", "limit", false);
    }
    return strcmp(name, "insert") == 0 || strcmp(name, "findAndModify") == 0 ||
           strcmp(name, "findandmodify") == 0;
}

void command_complete(const bson_t *command, unsigned max_time_ms, int64_t number, bson_t *whole)
{
    const char *name = command_name(command);
    bson_copy_to(command, whole);
    bool timed = max_time_ms && strcmp(name, "getMore") != 0 && strcmp(name, "killCursors") != 0;
    if (timed && !bson_has_field(command, "maxTimeMS")) {
        BSON_APPEND_INT64(whole, "maxTimeMS", max_time_ms);
    }
    if (number) {
        BSON_APPEND_INT64(whole, "txnNumber", number);
    }
}

/* ---- cursors --------------------------------------------------------------------------------- */

bool reply_find_cursor(const bson_t *reply, struct reply_cursor *cursor)
{
    bson_iter_t top, id, name;
    *cursor = (struct reply_cursor){0};
    if (!bson_iter_init(&top, reply) || !bson_iter_find_descendant(&top, "cursor.id", &id)) {
        return false;
    }
    cursor->id = bson_iter_as_int64(&id);
    if (bson_iter_init(&top, reply) && bson_iter_find_descendant(&top, "cursor.ns", &name) &&
        BSON_ITER_HOLDS_UTF8(&name)) {
        snprintf(cursor->name, sizeof cursor->name, "%s", bson_iter_utf8(&name, NULL));
    }
    return true;
}

void command_kill_cursor(const struct reply_cursor *cursor, bson_t *command)
{
    const char *dot = strchr(cursor->name, '.');
    bson_t cursors;
    BSON_APPEND_UTF8(command, "killCursors", dot ? dot + 1 : cursor->name);
    BSON_APPEND_ARRAY_BEGIN(command, "cursors", &cursors);
    BSON_APPEND_INT64(&cursors, "0", cursor->id);
    bson_append_array_end(command, &cursors);
}

/* ---- failures -------------------------------------------------------------------------------- */

bool failure_is_network(const bson_error_t *cause)
{
    return cause->domain == MONGOC_ERROR_STREAM ||
           (cause->domain == MONGOC_ERROR_PROTOCOL &&
            cause->code == MONGOC_ERROR_PROTOCOL_INVALID_REPLY);
}

bool failure_is_selection(const bson_error_t *cause)
{
    return cause->domain == MONGOC_ERROR_SERVER_SELECTION;
}

bool failure_may_repeat(const bson_error_t *cause, const bson_t *reply)
{
    /* retryable errors of the driver specifications: shutdown, step-down, network between nodes */
    static const uint32_t codes[] = {6,    7,     89,    91,    134,   189,  262,
                                     9001, 10107, 11600, 11602, 13435, 13436};
    if (failure_is_network(cause) || mongoc_error_has_label(reply, "RetryableWriteError")) {
        return true;
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (cause->domain == MONGOC_ERROR_SERVER && cause->code == codes[i]) {
            return true;
        }
    }
    return false;
}

static void read_labels(const bson_t *reply, struct mongo_error *error)
{
    bson_iter_t array, each;
    if (!bson_iter_init_find(&array, reply, "errorLabels") || !BSON_ITER_HOLDS_ARRAY(&array) ||
        !bson_iter_recurse(&array, &each)) {
        return;
    }
    while (bson_iter_next(&each) && error->label_count < LIMIT_MONGO_LABELS) {
        if (BSON_ITER_HOLDS_UTF8(&each)) {
            snprintf(error->labels[error->label_count++], sizeof error->labels[0], "%s",
                     bson_iter_utf8(&each, NULL));
        }
    }
}

/* The reason within "No suitable servers found (...): [reason]", or all of it. */
static void find_reason(const char *message, char *reason, size_t size)
{
    const char *open = strchr(message, '[');
    const char *close = open ? strchr(open, ']') : NULL;
    if (close) {
        snprintf(reason, size, "%.*s", (int)(close - open - 1), open + 1);
    } else {
        snprintf(reason, size, "%s", message);
    }
}

static void describe_unreachable(const bson_error_t *cause, const struct failure_place *place,
                                 struct mongo_error *error)
{
    char reason[504];
    find_reason(cause->message, reason, sizeof reason);
    const char *why = *place->trouble ? place->trouble : reason;
    snprintf(error->message, sizeof error->message,
             "The database at %s could not be reached within %g s: %s", place->address,
             place->selection_time / 1000.0, why);
}

void failure_describe(const bson_error_t *cause, const bson_t *reply,
                      const struct failure_place *place, struct mongo_error *error)
{
    *error = (struct mongo_error){0};
    read_labels(reply, error);
    if (failure_is_selection(cause)) {
        describe_unreachable(cause, place, error);
    } else if (failure_is_network(cause)) {
        const char *why = *place->trouble ? place->trouble : cause->message;
        snprintf(error->message, sizeof error->message,
                 "The connection to the database at %s broke during %s: %s", place->address,
                 place->command, why);
    } else if (cause->domain == MONGOC_ERROR_SERVER ||
               cause->domain == MONGOC_ERROR_WRITE_CONCERN) {
        bson_iter_t name;
        error->code = (int)cause->code;
        if (bson_iter_init_find(&name, reply, "codeName") && BSON_ITER_HOLDS_UTF8(&name)) {
            snprintf(error->code_name, sizeof error->code_name, "%s", bson_iter_utf8(&name, NULL));
        }
        snprintf(error->message, sizeof error->message, "%s", cause->message);
    } else {
        snprintf(error->message, sizeof error->message, "The database at %s: %s", place->address,
                 cause->message);
    }
}
