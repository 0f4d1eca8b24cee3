/* What the files of the ordered key-value file share: file.c, tree.c, scan.c. For no one else. */
#ifndef MOONLIT_STORE_FILE_INSIDE_H
#define MOONLIT_STORE_FILE_INSIDE_H

#include <sqlite3.h>

#include "base/buffer.h"
#include "base/list.h"
#include "store/file.h"

enum { PREPARED_BEGIN, PREPARED_COMMIT, PREPARED_ROLLBACK, PREPARED_COUNT };

struct file {
    sqlite3 *sqlite;
    int lock; /* the lock file, held */
    sqlite3_stmt *prepared[PREPARED_COUNT];
    struct list trees;
    struct list scans;
    uint8_t *copy; /* what the last get returned */
    size_t copy_capacity;
    size_t wal_pages;
    bool is_durable; /* the transaction under way waits for the disk */
    bool is_full;    /* the last problem: no room */
    char problem[512];
};

enum tree_statement {
    TREE_PUT,
    TREE_DELETE,
    TREE_GET,
    TREE_FORWARD,
    TREE_BACKWARD,
    TREE_STATEMENTS
};

struct tree {
    struct file *file;
    struct list link;
    enum tree_kind kind;
    uint32_t number;
    sqlite3_stmt *statements[TREE_STATEMENTS];
};

/* A scan, and what it needs to go on behind a pause. */
struct scan_state {
    struct scan scan; /* first: the caller holds this one */
    struct file *file;
    struct tree *tree; /* NULL once it was closed */
    struct list link;
    sqlite3_stmt *statement; /* NULL while it rests */
    bool backward;
    int64_t id; /* the position, or where to begin */
    int64_t end_id;
    struct buffer key; /* the same for keys */
    struct buffer end_key;
};

/* Forget the tree: it is about to be closed. */
void scan_orphan(struct scan_state *state);
void scan_rest(struct scan_state *state);

/* Remember what SQLite said; false. */
bool file_fail(struct file *file, const char *what);
bool file_run(struct file *file, const char *sql);

/* A statement of one result or none: step, reset; SQLITE_DONE is fine. */
bool file_step(struct file *file, sqlite3_stmt *statement, const char *what);

/* `format` with the tree's number in place of %u. */
sqlite3_stmt *tree_prepare(struct tree *tree, const char *format);

#endif
