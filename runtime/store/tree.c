#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/file_inside.h"

static const char *const make_words[] = {
    [TREE_RECORDS] = "CREATE TABLE IF NOT EXISTS t%u(id INTEGER PRIMARY KEY, body BLOB NOT NULL)",
    [TREE_INDEX] = "CREATE TABLE IF NOT EXISTS t%u(key BLOB NOT NULL, id INTEGER NOT NULL, "
                   "PRIMARY KEY(key, id)) WITHOUT ROWID",
    [TREE_PAIRS] = "CREATE TABLE IF NOT EXISTS t%u(key BLOB PRIMARY KEY, body BLOB NOT NULL) "
                   "WITHOUT ROWID",
};

static const char *const put_words[] = {
    [TREE_RECORDS] = "INSERT OR REPLACE INTO t%u(id, body) VALUES(?1, ?2)",
    [TREE_INDEX] = "INSERT OR IGNORE INTO t%u(key, id) VALUES(?1, ?2)",
    [TREE_PAIRS] = "INSERT OR REPLACE INTO t%u(key, body) VALUES(?1, ?2)",
};

static const char *const delete_words[] = {
    [TREE_RECORDS] = "DELETE FROM t%u WHERE id = ?1",
    [TREE_INDEX] = "DELETE FROM t%u WHERE key = ?1 AND id = ?2",
    [TREE_PAIRS] = "DELETE FROM t%u WHERE key = ?1",
};

static const char *const get_words[] = {
    [TREE_RECORDS] = "SELECT body FROM t%u WHERE id = ?1",
    [TREE_INDEX] = "SELECT id FROM t%u WHERE key = ?1 ORDER BY id LIMIT 1",
    [TREE_PAIRS] = "SELECT body FROM t%u WHERE key = ?1",
};

sqlite3_stmt *tree_prepare(struct tree *tree, const char *format)
{
    char sql[256];
    sqlite3_stmt *statement = NULL;
    snprintf(sql, sizeof sql, format, tree->number);
    if (sqlite3_prepare_v3(tree->file->sqlite, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement,
                           NULL) != SQLITE_OK) {
        file_fail(tree->file, "prepare a statement");
    }
    return statement;
}

static bool run_on(struct tree *tree, const char *format)
{
    char sql[256];
    snprintf(sql, sizeof sql, format, tree->number);
    return file_run(tree->file, sql);
}

static bool prepare_all(struct tree *tree)
{
    tree->statements[TREE_PUT] = tree_prepare(tree, put_words[tree->kind]);
    tree->statements[TREE_DELETE] = tree_prepare(tree, delete_words[tree->kind]);
    tree->statements[TREE_GET] = tree_prepare(tree, get_words[tree->kind]);
    return tree->statements[TREE_PUT] != NULL && tree->statements[TREE_DELETE] != NULL &&
           tree->statements[TREE_GET] != NULL;
}

struct tree *tree_open(struct file *file, int kind, uint32_t number)
{
    struct tree *tree = memory_new(sizeof *tree);
    *tree = (struct tree){.file = file, .kind = (enum tree_kind)kind, .number = number};
    list_push_last(&file->trees, &tree->link);
    if (!run_on(tree, make_words[kind]) || !prepare_all(tree)) {
        tree_close(tree);
        return NULL;
    }
    return tree;
}

static void forget_statements(struct tree *tree)
{
    list_each_safe (link, after, &tree->file->scans) {
        struct scan_state *state = list_item(link, struct scan_state, link);
        if (state->tree == tree) {
            scan_orphan(state);
        }
    }
    for (size_t i = 0; i < TREE_STATEMENTS; i++) {
        sqlite3_finalize(tree->statements[i]);
        tree->statements[i] = NULL;
    }
}

void tree_close(struct tree *tree)
{
    forget_statements(tree);
    list_remove(&tree->link);
    free(tree);
}

bool tree_drop(struct tree *tree)
{
    file_pause(tree->file);
    forget_statements(tree);
    bool ok = run_on(tree, "DROP TABLE IF EXISTS t%u");
    tree_close(tree);
    return ok;
}

bool tree_wipe(struct tree *tree)
{
    file_pause(tree->file);
    return run_on(tree, "DELETE FROM t%u");
}

static sqlite3_stmt *statement_of(struct tree *tree, enum tree_statement which)
{
    return tree->statements[which];
}

static void bind_bytes(sqlite3_stmt *statement, int at, const uint8_t *bytes, size_t length)
{
    sqlite3_bind_blob64(statement, at, length == 0 ? (const void *)"" : bytes, length,
                        SQLITE_STATIC);
}

/* Run a statement that is bound and gives nothing; let go of the caller's bytes. */
static bool change(struct tree *tree, sqlite3_stmt *statement)
{
    bool ok = file_step(tree->file, statement, "take a change");
    sqlite3_clear_bindings(statement);
    return ok;
}

static const uint8_t *copy_out(struct file *file, sqlite3_stmt *statement, size_t *length)
{
    *length = (size_t)sqlite3_column_bytes(statement, 0);
    const void *bytes = sqlite3_column_blob(statement, 0);
    if (*length > file->copy_capacity || file->copy == NULL) {
        file->copy_capacity = *length * 2 + 256;
        file->copy = memory_resize(file->copy, file->copy_capacity);
    }
    if (*length > 0) {
        memcpy(file->copy, bytes, *length);
    }
    return file->copy;
}

/* The one row of a statement that is bound: its bytes, or NULL. */
static const uint8_t *get(struct tree *tree, sqlite3_stmt *statement, size_t *length)
{
    const uint8_t *bytes = NULL;
    int code = sqlite3_step(statement);
    tree->file->problem[0] = '\0';
    if (code == SQLITE_ROW) {
        bytes = copy_out(tree->file, statement, length);
    } else if (code != SQLITE_DONE) {
        file_fail(tree->file, "be read");
    }
    sqlite3_reset(statement);
    return bytes;
}

/* ---- records ---- */

bool record_put(struct tree *tree, int64_t id, const uint8_t *bytes, size_t length)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_PUT);
    sqlite3_bind_int64(statement, 1, id);
    bind_bytes(statement, 2, bytes, length);
    return change(tree, statement);
}

bool record_delete(struct tree *tree, int64_t id)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_DELETE);
    sqlite3_bind_int64(statement, 1, id);
    return change(tree, statement);
}

const uint8_t *record_get(struct tree *tree, int64_t id, size_t *length)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_GET);
    sqlite3_bind_int64(statement, 1, id);
    return get(tree, statement, length);
}

static bool read_number(struct tree *tree, const char *format, int64_t *number)
{
    sqlite3_stmt *statement = tree_prepare(tree, format);
    bool ok = statement != NULL &&
              (sqlite3_step(statement) == SQLITE_ROW || file_fail(tree->file, "be counted"));
    if (ok) {
        *number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return ok;
}

bool record_count(struct tree *tree, int64_t *count)
{
    return read_number(tree, "SELECT count(*) FROM t%u", count);
}

bool record_last(struct tree *tree, int64_t *id)
{
    return read_number(tree, "SELECT coalesce(max(id), 0) FROM t%u", id);
}

bool record_bytes(struct tree *tree, int64_t *bytes)
{
    return read_number(tree, "SELECT coalesce(sum(length(body)), 0) FROM t%u", bytes);
}

/* ---- index ---- */

bool index_put(struct tree *tree, const uint8_t *key, size_t length, int64_t id)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_PUT);
    bind_bytes(statement, 1, key, length);
    sqlite3_bind_int64(statement, 2, id);
    return change(tree, statement);
}

bool index_delete(struct tree *tree, const uint8_t *key, size_t length, int64_t id)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_DELETE);
    bind_bytes(statement, 1, key, length);
    sqlite3_bind_int64(statement, 2, id);
    return change(tree, statement);
}

int64_t index_find(struct tree *tree, const uint8_t *key, size_t length)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_GET);
    bind_bytes(statement, 1, key, length);
    int code = sqlite3_step(statement);
    int64_t id = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        file_fail(tree->file, "be read");
        id = -1;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return id;
}

/* ---- pairs ---- */

bool pair_put(struct tree *tree, const uint8_t *key, size_t key_length, const uint8_t *bytes,
              size_t length)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_PUT);
    bind_bytes(statement, 1, key, key_length);
    bind_bytes(statement, 2, bytes, length);
    return change(tree, statement);
}

bool pair_delete(struct tree *tree, const uint8_t *key, size_t key_length)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_DELETE);
    bind_bytes(statement, 1, key, key_length);
    return change(tree, statement);
}

const uint8_t *pair_get(struct tree *tree, const uint8_t *key, size_t key_length, size_t *length)
{
    sqlite3_stmt *statement = statement_of(tree, TREE_GET);
    bind_bytes(statement, 1, key, key_length);
    const uint8_t *bytes = get(tree, statement, length);
    sqlite3_clear_bindings(statement);
    return bytes;
}
