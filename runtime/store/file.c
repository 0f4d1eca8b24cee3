#include "store/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "limits.h"
#include "store/file_inside.h"

enum { PATH_LENGTH = 4096 };

bool file_fail(struct file *file, const char *what)
{
    /* SQLite calls only ENOSPC full; quotas and limits on files are writes that fail. */
    int code = sqlite3_extended_errcode(file->sqlite);
    file->is_full = (code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_WRITE;
    snprintf(file->problem, sizeof file->problem, "The store's file could not %s: %s%s.", what,
             sqlite3_errmsg(file->sqlite),
             file->is_full ? "; is the disk full? Make room and try again" : "");
    return false;
}

const char *file_problem(const struct file *file)
{
    return file->problem;
}

bool file_problem_is_full(const struct file *file)
{
    return file->is_full;
}

bool file_run(struct file *file, const char *sql)
{
    return sqlite3_exec(file->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK || file_fail(file, sql);
}

bool file_step(struct file *file, sqlite3_stmt *statement, const char *what)
{
    int code = sqlite3_step(statement);
    bool ok = code == SQLITE_DONE || code == SQLITE_ROW || file_fail(file, what);
    sqlite3_reset(statement);
    return ok;
}

/* ---- opening ---- */

bool file_make_folder(const char *folder, struct error *error)
{
    char path[PATH_LENGTH];
    if ((size_t)snprintf(path, sizeof path, "%s", folder) >= sizeof path) {
        return error_set(error, ERROR_LIMIT, 0, "The store's folder has too long a path.");
    }
    for (char *at = path + 1;; at++) {
        char kept = *at;
        if (kept != '/' && kept != '\0') {
            continue;
        }
        *at = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST) {
            return error_set(error, ERROR_SYSTEM, errno,
                             "The store's folder %s cannot be made: %s; name another with --store.",
                             path, strerror(errno));
        }
        *at = kept;
        if (kept == '\0') {
            return true;
        }
    }
}

static void sleep_a_little(void)
{
    struct timespec time = {.tv_nsec = LIMIT_STORE_LOCK_STEP * 1000000L};
    nanosleep(&time, NULL);
}

/* A store whose host was killed needs a moment to end, hence the patience. */
static bool take_lock(struct file *file, const char *folder, struct error *error)
{
    char path[PATH_LENGTH];
    snprintf(path, sizeof path, "%s/store.lock", folder);
    file->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file->lock < 0) {
        return error_set(
            error, ERROR_SYSTEM, errno,
            "The store's lock %s cannot be opened: %s; name another folder with --store.", path,
            strerror(errno));
    }
    for (int waited = 0; flock(file->lock, LOCK_EX | LOCK_NB) != 0;
         waited += LIMIT_STORE_LOCK_STEP) {
        if (waited >= LIMIT_STORE_LOCK_TIME) {
            return error_set(error, ERROR_SYSTEM, errno,
                             "Another store is using %s; stop it, or name another folder.", folder);
        }
        sleep_a_little();
    }
    return true;
}

static int on_wal(void *data, sqlite3 *sqlite, const char *name, int pages)
{
    struct file *file = data;
    file->wal_pages = (size_t)pages;
    return SQLITE_OK;
}

static int64_t read_number(struct file *file, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number = -1;
    if (sqlite3_prepare_v2(file->sqlite, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        number = sqlite3_column_int64(statement, 0);
    }
    sqlite3_finalize(statement);
    return number;
}

/* A file of ours, of a version that we know, or a new one. */
static bool check_version(struct file *file, const char *path, struct error *error)
{
    char sql[96];
    int64_t version = read_number(file, "PRAGMA user_version");
    int64_t application = read_number(file, "PRAGMA application_id");
    if (version == 0 && application == 0 &&
        read_number(file, "SELECT count(*) FROM sqlite_schema") == 0) {
        snprintf(sql, sizeof sql, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                 FILE_APPLICATION, FILE_VERSION);
        return file_run(file, sql) || error_set(error, ERROR_SYSTEM, 0, "%s", file->problem);
    }
    if (application != FILE_APPLICATION) {
        return error_set(error, ERROR_MISUSE, 0,
                         "%s is not a store of Moonlit; name another folder with --store.", path);
    }
    if (version != FILE_VERSION) {
        return error_set(error, ERROR_MISUSE, 0,
                         "%s has format %d, this Moonlit reads %d; use the Moonlit that wrote it.",
                         path, (int)version, FILE_VERSION);
    }
    return true;
}

static bool prepare(struct file *file)
{
    static const char *const words[PREPARED_COUNT] = {"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"};
    for (size_t i = 0; i < PREPARED_COUNT; i++) {
        if (sqlite3_prepare_v3(file->sqlite, words[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &file->prepared[i], NULL) != SQLITE_OK) {
            return file_fail(file, "be opened");
        }
    }
    return true;
}

static bool open_sqlite(struct file *file, const char *folder, struct error *error)
{
    char path[PATH_LENGTH];
    snprintf(path, sizeof path, "%s/store.sqlite", folder);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &file->sqlite, flags, NULL) != SQLITE_OK ||
        !file_run(file, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=4096;"
                        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                        "PRAGMA wal_autocheckpoint=0; PRAGMA secure_delete=OFF;"
                        "PRAGMA cache_size=-65536; PRAGMA temp_store=MEMORY")) {
        file_fail(file, "be opened");
        return error_set(error, ERROR_SYSTEM, 0, "%s: %s", path, file->problem);
    }
    sqlite3_wal_hook(file->sqlite, on_wal, file);
    return check_version(file, path, error) &&
           (prepare(file) || error_set(error, ERROR_SYSTEM, 0, "%s: %s", path, file->problem));
}

struct file *file_open(const char *folder, struct error *error)
{
    struct file *file = memory_new(sizeof *file);
    file->lock = -1;
    list_init(&file->trees);
    list_init(&file->scans);
    if (file_make_folder(folder, error) && take_lock(file, folder, error) &&
        open_sqlite(file, folder, error)) {
        return file;
    }
    file_close(file);
    return NULL;
}

void file_close(struct file *file)
{
    list_each_safe (link, after, &file->scans) {
        scan_close(&list_item(link, struct scan_state, link)->scan);
    }
    list_each_safe (link, after, &file->trees) {
        tree_close(list_item(link, struct tree, link));
    }
    for (size_t i = 0; i < PREPARED_COUNT; i++) {
        sqlite3_finalize(file->prepared[i]);
    }
    sqlite3_close(file->sqlite);
    if (file->lock >= 0) {
        close(file->lock);
    }
    free(file->copy);
    free(file);
}

/* ---- transactions ---- */

bool file_begin(struct file *file, bool durable)
{
    file_pause(file);
    if (durable && !file_run(file, "PRAGMA synchronous=FULL")) {
        return false;
    }
    file->is_durable = durable;
    return file_step(file, file->prepared[PREPARED_BEGIN], "begin a change");
}

static void end_durable(struct file *file)
{
    if (file->is_durable) {
        file->is_durable = false;
        file_run(file, "PRAGMA synchronous=NORMAL");
    }
}

bool file_commit(struct file *file)
{
    file_pause(file);
    bool ok = file_step(file, file->prepared[PREPARED_COMMIT], "keep a change");
    if (!ok) {
        file_rollback(file);
    }
    end_durable(file);
    return ok;
}

void file_rollback(struct file *file)
{
    file_pause(file);
    if (sqlite3_get_autocommit(file->sqlite) == 0) {
        sqlite3_step(file->prepared[PREPARED_ROLLBACK]);
        sqlite3_reset(file->prepared[PREPARED_ROLLBACK]);
    }
    end_durable(file);
}

bool file_checkpoint(struct file *file)
{
    int left = 0, moved = 0;
    if (file->wal_pages == 0) {
        return true;
    }
    file_pause(file);
    if (sqlite3_wal_checkpoint_v2(file->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, &left, &moved) !=
        SQLITE_OK) {
        return file_fail(file, "move its log");
    }
    file->wal_pages = 0;
    return true;
}

size_t file_wal_bytes(const struct file *file)
{
    return file->wal_pages * 4096;
}
