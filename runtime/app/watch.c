#include "app/watch.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/memory.h"
#include "limits.h"

struct folder {
    uv_fs_event_t handle;
    struct list link;
    struct watch *watch;
    char *path;
};

struct file {
    struct list link;
    char *path;
    const char *name; /* in `path`, behind the folder */
    struct folder *folder;
};

struct watch {
    uv_loop_t *loop;
    struct clock *clock;
    struct alarm quiet;
    void (*on_change)(void *data);
    void *data;
    struct list folders;
    struct list files;
};

struct watch *watch_new(uv_loop_t *loop, struct clock *clock, void (*on_change)(void *data),
                        void *data)
{
    struct watch *watch = memory_new(sizeof *watch);
    watch->loop = loop;
    watch->clock = clock;
    watch->on_change = on_change;
    watch->data = data;
    list_init(&watch->folders);
    list_init(&watch->files);
    return watch;
}

static void on_quiet(struct alarm *alarm)
{
    struct watch *watch = list_item(alarm, struct watch, quiet);
    watch->on_change(watch->data);
}

static void on_event(uv_fs_event_t *handle, const char *name, int events, int status)
{
    (void)events;
    struct folder *folder = handle->data;
    struct watch *watch = folder->watch;
    if (status < 0) {
        return;
    }
    list_each (link, &watch->files) {
        struct file *file = list_item(link, struct file, link);
        if (file->folder == folder && (name == NULL || strcmp(name, file->name) == 0)) {
            alarm_set(watch->clock, &watch->quiet, LIMIT_WATCH_QUIET_TIME, on_quiet);
            return;
        }
    }
}

static void free_folder(uv_handle_t *handle)
{
    struct folder *folder = handle->data;
    free(folder->path);
    free(folder);
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
    if (uv_fs_event_start(&folder->handle, on_event, path, 0) != 0) {
        uv_close((uv_handle_t *)&folder->handle, free_folder);
        return NULL;
    }
    list_push_last(&watch->folders, &folder->link);
    return folder;
}

void watch_add(struct watch *watch, const char *path)
{
    list_each (link, &watch->files) {
        if (strcmp(list_item(link, struct file, link)->path, path) == 0) {
            return;
        }
    }
    char *copy = memory_copy_text(path);
    struct folder *folder = open_folder(watch, dirname(copy));
    free(copy);
    if (folder == NULL) {
        return;
    }
    struct file *file = memory_new(sizeof *file);
    file->path = memory_copy_text(path);
    const char *slash = strrchr(file->path, '/');
    file->name = slash != NULL ? slash + 1 : file->path;
    file->folder = folder;
    list_push_last(&watch->files, &file->link);
}

void watch_free(struct watch *watch)
{
    alarm_clear(watch->clock, &watch->quiet);
    while (!list_is_empty(&watch->files)) {
        struct file *file = list_item(list_take_first(&watch->files), struct file, link);
        free(file->path);
        free(file);
    }
    while (!list_is_empty(&watch->folders)) {
        struct folder *folder = list_item(list_take_first(&watch->folders), struct folder, link);
        uv_close((uv_handle_t *)&folder->handle, free_folder);
    }
    free(watch);
}
