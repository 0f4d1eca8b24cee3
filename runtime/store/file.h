/*
 * The ordered key-value file: SQLite behind an interface so small that something else could stand
 * in its place. No other file of the house includes sqlite3.h.
 *
 * A file is a folder with a lock file and store.sqlite. file_open takes the lock before SQLite
 * opens anything and holds it until file_close, and it opens exactly one connection: releases of
 * SQLite before 3.51.3 can corrupt a file in which two connections write or checkpoint at one
 * instant. Checkpoints are made by file_checkpoint alone, never by SQLite of itself.
 *
 * A file holds trees, each of one shape and with a number for a name:
 *   TREE_RECORDS  whole number -> bytes      the documents of a collection, by record id
 *   TREE_INDEX    (bytes, whole number)      the keys of an index, each with its record id
 *   TREE_PAIRS    bytes -> bytes             catalog, remembered replies, settings
 * Outside of file_begin .. file_commit each change is a transaction of its own. A committed change
 * survives the death of the process; `durable` ones are on the disk when file_commit returns.
 *
 * A scan goes over a range of a tree. Between two turns of the loop file_pause makes all scans let
 * go of their snapshot; each goes on behind its last position when it is asked for more. A scan of
 * a tree that was closed ends with an error. Bytes in a scan, and those of a get, live until the
 * next call on the same scan or file.
 *
 * Functions return false (or less than 0) on an error, which file_problem tells. One thread.
 */
#ifndef MOONLIT_STORE_FILE_H
#define MOONLIT_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct file;
struct tree;

enum tree_kind { TREE_RECORDS, TREE_INDEX, TREE_PAIRS };

enum { FILE_VERSION = 1, FILE_APPLICATION = 0x4d6f6f6e /* "Moon" */ };

/* Makes a folder with all above it, where they are missing. */
bool file_make_folder(const char *folder, struct error *error);

/* Makes the folder where it is missing. Waits a little for a lock that is held. */
struct file *file_open(const char *folder, struct error *error);
void file_close(struct file *file);

/* The words for what failed last; file_problem_is_full: there was no room on the disk. */
const char *file_problem(const struct file *file);
bool file_problem_is_full(const struct file *file);

bool file_begin(struct file *file, bool durable);
bool file_commit(struct file *file);
void file_rollback(struct file *file);
void file_pause(struct file *file);

/* Move what is in the write-ahead log into the file proper. Cheap when there is nothing. */
bool file_checkpoint(struct file *file);
size_t file_wal_bytes(const struct file *file);

/* The tree `number`, made where it is missing; NULL on an error. */
struct tree *tree_open(struct file *file, int kind, uint32_t number);
void tree_close(struct tree *tree);
/* Remove it from the file, and close it. */
bool tree_drop(struct tree *tree);
/* Forget all it holds. */
bool tree_wipe(struct tree *tree);

bool record_put(struct tree *tree, int64_t id, const uint8_t *bytes, size_t length);
bool record_delete(struct tree *tree, int64_t id);
/* NULL when there is none. */
const uint8_t *record_get(struct tree *tree, int64_t id, size_t *length);
bool record_count(struct tree *tree, int64_t *count);
bool record_last(struct tree *tree, int64_t *id); /* the highest, 0 when there is none */
bool record_bytes(struct tree *tree, int64_t *bytes);

bool index_put(struct tree *tree, const uint8_t *key, size_t length, int64_t id);
bool index_delete(struct tree *tree, const uint8_t *key, size_t length, int64_t id);
/* The first record id of a key, 0 when there is none, -1 on an error. */
int64_t index_find(struct tree *tree, const uint8_t *key, size_t length);

bool pair_put(struct tree *tree, const uint8_t *key, size_t key_length, const uint8_t *bytes,
              size_t length);
bool pair_delete(struct tree *tree, const uint8_t *key, size_t key_length);
const uint8_t *pair_get(struct tree *tree, const uint8_t *key, size_t key_length, size_t *length);

/* What the caller reads of a scan; the rest is the module's own. */
struct scan {
    int64_t id;         /* record id; 0 in pairs */
    const uint8_t *key; /* index and pairs */
    size_t key_length;
    const uint8_t *bytes; /* records and pairs */
    size_t length;
};

/* Records whose ids lie between the two, both left out. */
struct scan *scan_records(struct tree *tree, int64_t above, int64_t below, bool backward);
/* Keys from `from` on, and below `to`; backward begins at the end. */
struct scan *scan_keys(struct tree *tree, const uint8_t *from, size_t from_length,
                       const uint8_t *to, size_t to_length, bool backward);
/* 1: there is one; 0: the end; -1: an error. */
int scan_next(struct scan *scan);
void scan_close(struct scan *scan);

#endif
