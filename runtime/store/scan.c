#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/file_inside.h"

/* A statement a tree keeps for each direction; a second scan at the same time makes its own. */
static const char *const forward_words[] = {
    [TREE_RECORDS] = "SELECT id, body FROM t%u WHERE id > ?1 AND id < ?2 ORDER BY id",
    [TREE_INDEX] = "SELECT id, key FROM t%u WHERE (key, id) > (?1, ?2) AND key < ?3 "
                   "ORDER BY key, id",
    [TREE_PAIRS] = "SELECT 0, key, body FROM t%u WHERE key >= ?1 AND (?2 = 0 OR key > ?1) "
                   "AND key < ?3 ORDER BY key",
};

static const char *const backward_words[] = {
    [TREE_RECORDS] = "SELECT id, body FROM t%u WHERE id < ?1 AND id > ?2 ORDER BY id DESC",
    [TREE_INDEX] = "SELECT id, key FROM t%u WHERE (key, id) < (?1, ?2) AND key >= ?3 "
                   "ORDER BY key DESC, id DESC",
    [TREE_PAIRS] = "SELECT 0, key, body FROM t%u WHERE key < ?1 AND ?2 = ?2 AND key >= ?3 "
                   "ORDER BY key DESC",
};

static enum tree_statement kept_at(const struct scan_state *state)
{
    return state->backward ? TREE_BACKWARD : TREE_FORWARD;
}

static bool take_statement(struct scan_state *state)
{
    struct tree *tree = state->tree;
    sqlite3_stmt **kept = &tree->statements[kept_at(state)];
    state->statement = *kept;
    *kept = NULL;
    if (state->statement == NULL) {
        const char *const *words = state->backward ? backward_words : forward_words;
        state->statement = tree_prepare(tree, words[tree->kind]);
    }
    return state->statement != NULL;
}

static void give_statement(struct scan_state *state)
{
    sqlite3_stmt **kept = state->tree == NULL ? NULL : &state->tree->statements[kept_at(state)];
    sqlite3_reset(state->statement);
    sqlite3_clear_bindings(state->statement);
    if (kept != NULL && *kept == NULL) {
        *kept = state->statement;
    } else {
        sqlite3_finalize(state->statement);
    }
    state->statement = NULL;
}

/* Remember where the scan stands, so that it can go on from there. */
static void keep_position(struct scan_state *state)
{
    if (state->tree->kind != TREE_RECORDS && state->scan.key != NULL) {
        buffer_clear(&state->key);
        buffer_append(&state->key, state->scan.key, state->scan.key_length);
    }
    state->scan.key = state->scan.bytes = NULL;
}

void scan_rest(struct scan_state *state)
{
    if (state->statement != NULL) {
        keep_position(state);
        give_statement(state);
    }
}

void scan_orphan(struct scan_state *state)
{
    scan_rest(state);
    state->tree = NULL;
}

void file_pause(struct file *file)
{
    list_each (link, &file->scans) {
        scan_rest(list_item(link, struct scan_state, link));
    }
}

static struct scan_state *state_new(struct tree *tree, bool backward)
{
    struct scan_state *state = memory_new(sizeof *state);
    state->file = tree->file;
    state->tree = tree;
    state->backward = backward;
    buffer_init(&state->key, SIZE_MAX / 2);
    buffer_init(&state->end_key, SIZE_MAX / 2);
    list_push_last(&tree->file->scans, &state->link);
    return state;
}

struct scan *scan_records(struct tree *tree, int64_t above, int64_t below, bool backward)
{
    struct scan_state *state = state_new(tree, backward);
    state->id = backward ? below : above;
    state->end_id = backward ? above : below;
    return &state->scan;
}

struct scan *scan_keys(struct tree *tree, const uint8_t *from, size_t from_length,
                       const uint8_t *to, size_t to_length, bool backward)
{
    struct scan_state *state = state_new(tree, backward);
    /* Record ids and the pairs' marks begin at 1. */
    state->id = 0;
    buffer_append(&state->key, backward ? to : from, backward ? to_length : from_length);
    buffer_append(&state->end_key, backward ? from : to, backward ? from_length : to_length);
    return &state->scan;
}

static void bind_key(sqlite3_stmt *statement, int at, const struct buffer *key)
{
    sqlite3_bind_blob64(statement, at, key->length == 0 ? (const void *)"" : key->bytes,
                        key->length, SQLITE_STATIC);
}

static bool begin(struct scan_state *state)
{
    if (state->tree == NULL) {
        strcpy(state->file->problem, "The collection was dropped.");
        return false;
    }
    if (!take_statement(state)) {
        return false;
    }
    if (state->tree->kind == TREE_RECORDS) {
        sqlite3_bind_int64(state->statement, 1, state->id);
        sqlite3_bind_int64(state->statement, 2, state->end_id);
    } else {
        bind_key(state->statement, 1, &state->key);
        sqlite3_bind_int64(state->statement, 2, state->id);
        bind_key(state->statement, 3, &state->end_key);
    }
    return true;
}

static void read_row(struct scan_state *state)
{
    sqlite3_stmt *row = state->statement;
    struct scan *scan = &state->scan;
    bool has_key = state->tree->kind != TREE_RECORDS;
    int body = has_key ? 2 : 1;
    scan->id = sqlite3_column_int64(row, 0);
    state->id = state->tree->kind == TREE_PAIRS ? 1 : scan->id;
    if (has_key) {
        scan->key = sqlite3_column_blob(row, 1);
        scan->key_length = (size_t)sqlite3_column_bytes(row, 1);
    }
    if (state->tree->kind != TREE_INDEX) {
        scan->bytes = sqlite3_column_blob(row, body);
        scan->length = (size_t)sqlite3_column_bytes(row, body);
    }
}

int scan_next(struct scan *scan)
{
    struct scan_state *state = (struct scan_state *)(void *)scan;
    if (state->statement == NULL && !begin(state)) {
        return -1;
    }
    int code = sqlite3_step(state->statement);
    if (code == SQLITE_ROW) {
        read_row(state);
        return 1;
    }
    bool ok = code == SQLITE_DONE || file_fail(state->file, "be read");
    scan->key = scan->bytes = NULL;
    give_statement(state);
    return ok ? 0 : -1;
}

void scan_close(struct scan *scan)
{
    struct scan_state *state = (struct scan_state *)(void *)scan;
    if (state->statement != NULL) {
        give_statement(state);
    }
    list_remove(&state->link);
    buffer_deinit(&state->key);
    buffer_deinit(&state->end_key);
    free(state);
}
