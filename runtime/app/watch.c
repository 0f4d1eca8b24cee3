#include "app/watch.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/list.h"
#include "base/memory.h"
#include "limits.h"

/* One handle; it hears of every entry of the folder. */
struct folder {
    uv_fs_event_t handle;
    struct list link;
    struct watch *watch;
    char *path;
};

/* An entry of a folder on which a file depends: itself, a link, or what is missing on the way. */
struct spot {
    struct list link;
    struct folder *folder;
    char *name;
};

struct file {
    struct list link;
    char *path;
};

struct watch {
    uv_loop_t *loop;
    struct clock *clock;
    struct log *log;
    struct alarm quiet;
    uint64_t first; /* uv_now of the first change that was not told yet, 0 for none */
    void (*on_change)(void *data);
    void *data;
    size_t base; /* length of the path below which folders are watched as well */
    struct list folders;
    struct list spots;
    struct list files;
};

struct watch *watch_new(uv_loop_t *loop, struct clock *clock, struct log *log, const char *base,
                        void (*on_change)(void *data), void *data)
{
    struct watch *watch = memory_new(sizeof *watch);
    watch->loop = loop;
    watch->clock = clock;
    watch->log = log;
    watch->base = strlen(base);
    watch->on_change = on_change;
    watch->data = data;
    list_init(&watch->folders);
    list_init(&watch->spots);
    list_init(&watch->files);
    return watch;
}

/* ---- what is heard ---- */

static void renew(struct watch *watch);

static void on_quiet(struct alarm *alarm)
{
    struct watch *watch = list_item(alarm, struct watch, quiet);
    watch->first = 0;
    renew(watch); /* folders and links may be others now; what comes from here on is heard */
    watch->on_change(watch->data);
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* An event of the folder itself, which was moved or deleted, comes with its own name. */
static bool concerns(const struct folder *folder, const char *name)
{
    if (name == NULL || strcmp(name, last_name(folder->path)) == 0) {
        return true;
    }
    list_each (link, &folder->watch->spots) {
        const struct spot *spot = list_item(link, struct spot, link);
        if (spot->folder == folder && strcmp(name, spot->name) == 0) {
            return true;
        }
    }
    return false;
}

/* Where there is no quiet, because something writes on and on, it is told all the same. */
static void note_change(struct watch *watch)
{
    uint64_t now = uv_now(watch->loop);
    watch->first = watch->first > 0 ? watch->first : now;
    uint64_t left =
        watch->first + LIMIT_WATCH_TIME > now ? watch->first + LIMIT_WATCH_TIME - now : 0;
    alarm_set(watch->clock, &watch->quiet,
              left < LIMIT_WATCH_QUIET_TIME ? left : LIMIT_WATCH_QUIET_TIME, on_quiet);
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    (void)events;
    struct folder *folder = handle->data;
    struct watch *watch = folder->watch;
    if (status >= 0 && concerns(folder, name)) {
        note_change(watch);
    }
}

/* ---- folders ---- */

static void free_folder(uv_handle_t *handle)
{
    struct folder *folder = handle->data;
    free(folder->path);
    free(folder);
}

static void close_folders(struct list *folders)
{
    while (!list_is_empty(folders)) {
        struct folder *folder = list_item(list_take_first(folders), struct folder, link);
        uv_close((uv_handle_t *)&folder->handle, free_folder);
    }
}

static struct folder *open_folder(struct watch *watch, const char *path)
{
    list_each (link, &watch->folders) {
        struct folder *folder = list_item(link, struct folder, link);
        if (strcmp(folder->path, path) == 0) {
            return folder;
        }
    }
    struct folder *folder = memory_new(sizeof *folder);
    folder->watch = watch;
    folder->path = memory_copy_text(path);
    folder->handle.data = folder;
    uv_fs_event_init(watch->loop, &folder->handle);
    uv_unref((uv_handle_t *)&folder->handle);
    int problem = uv_fs_event_start(&folder->handle, on_event, path, 0);
    if (problem != 0) {
        log_write(watch->log, LOG_WARNING, "changes in the folder %s are not noticed: %s", path,
                  uv_strerror(problem));
        uv_close((uv_handle_t *)&folder->handle, free_folder);
        return NULL;
    }
    list_push_last(&watch->folders, &folder->link);
    return folder;
}

/* ---- the way to a file ---- */

static void add_spot(struct watch *watch, const char *path)
{
    char folder_path[PATH_MAX];
    const char *name = last_name(path);
    size_t length = (size_t)(name - path);
    snprintf(folder_path, sizeof folder_path, "%.*s", (int)(length > 1 ? length - 1 : length),
             path);
    struct folder *folder = open_folder(watch, length > 0 ? folder_path : ".");
    if (folder == NULL) {
        return;
    }
    struct spot *spot = memory_new(sizeof *spot);
    spot->folder = folder;
    spot->name = memory_copy_text(name);
    list_push_last(&watch->spots, &spot->link);
}

/* Where a link leads, with the rest of the path behind it. */
static bool follow(const char *link, const char *rest, char out[PATH_MAX])
{
    char target[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length < 0) {
        return false;
    }
    target[length] = '\0';
    int before = target[0] == '/' ? 0 : (int)(last_name(link) - link);
    int whole = snprintf(out, PATH_MAX, "%.*s%s%s", before, link, target, rest);
    return whole > 0 && whole < PATH_MAX;
}

/* Watch each step of the way that may become another: links, folders of the app, and the first
 * that is not there. */
static void watch_path(struct watch *watch, const char *path, unsigned links)
{
    char step[PATH_MAX], behind[PATH_MAX];
    struct stat status;
    for (const char *end = path; *end != '\0' && links > 0;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        snprintf(step, sizeof step, "%.*s", (int)(end - path), path);
        bool is_ours = *end == '\0' || (size_t)(end - path) > watch->base;
        if (is_ours) { /* first, so that nothing comes unheard after the look */
            add_spot(watch, step);
        }
        bool is_missing = lstat(step, &status) != 0;
        bool is_link = !is_missing && S_ISLNK(status.st_mode);
        if (!is_ours && (is_missing || is_link)) {
            add_spot(watch, step);
        }
        if (is_link && follow(step, end, behind)) {
            watch_path(watch, behind, links - 1);
            return;
        }
        if (is_missing) {
            return;
        }
    }
}

static void clear_spots(struct watch *watch)
{
    while (!list_is_empty(&watch->spots)) {
        struct spot *spot = list_item(list_take_first(&watch->spots), struct spot, link);
        free(spot->name);
        free(spot);
    }
}

/* Everything anew: a folder that was deleted and made again is another one to the kernel. */
static void renew(struct watch *watch)
{
    struct list old;
    list_init(&old);
    while (!list_is_empty(&watch->folders)) {
        list_push_last(&old, list_take_first(&watch->folders));
    }
    clear_spots(watch);
    list_each (link, &watch->files) {
        watch_path(watch, list_item(link, struct file, link)->path, LIMIT_WATCH_LINKS);
    }
    close_folders(&old);
}

void watch_add(struct watch *watch, const char *path)
{
    list_each (link, &watch->files) {
        if (strcmp(list_item(link, struct file, link)->path, path) == 0) {
            return;
        }
    }
    struct file *file = memory_new(sizeof *file);
    file->path = memory_copy_text(path);
    list_push_last(&watch->files, &file->link);
    watch_path(watch, file->path, LIMIT_WATCH_LINKS);
}

void watch_free(struct watch *watch)
{
    alarm_clear(watch->clock, &watch->quiet);
    while (!list_is_empty(&watch->files)) {
        struct file *file = list_item(list_take_first(&watch->files), struct file, link);
        free(file->path);
        free(file);
    }
    clear_spots(watch);
    close_folders(&watch->folders);
    free(watch);
}
