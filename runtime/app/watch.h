/*
 * Files that are watched for changes, without polling, whether they are there yet or not: one
 * uv_fs_event a folder, since editors that save by rename put a new file in the old one's place.
 * Links on the way are watched too, and the folders below `base`, so that a file is found again
 * when they are replaced.
 *
 * Changes that come close together are told once, when it has been quiet for
 * LIMIT_WATCH_QUIET_TIME, but at the latest LIMIT_WATCH_TIME after the first. What is told is that
 * some watched file may have changed: whoever is told compares the contents.
 *
 * Thread: loop.
 */
#ifndef MOONLIT_APP_WATCH_H
#define MOONLIT_APP_WATCH_H

#include <uv.h>

#include "base/log.h"
#include "run/clock.h"

struct watch;

/* `base` is the app's folder. */
struct watch *watch_new(uv_loop_t *loop, struct clock *clock, struct log *log, const char *base,
                        void (*on_change)(void *data), void *data);

/* Watch a file from now on; twice is once. The log says which folder cannot be watched. */
void watch_add(struct watch *watch, const char *path);

/* The memory goes when the loop has closed the handles. */
void watch_free(struct watch *watch);

#endif
