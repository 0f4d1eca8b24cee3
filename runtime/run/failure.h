/*
 * A script's error as the person who wrote the script needs it: what happened, at which line of
 * which file, and how it came there. The only traceback of the house.
 */
#ifndef MOONLIT_RUN_FAILURE_H
#define MOONLIT_RUN_FAILURE_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

struct failure;

/* A failure that the host states itself. */
void failure_set(struct failure *failure, const char *kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Read the error value on top of `L`, and the traceback of the coroutine that died of it. Nothing is
 * pushed on that: when it died of its stack there is no room, and an error raised now would end the
 * process. What the failure was before is kept in its traceback when it is the same error, raised
 * again by a branch's parent. */
void failure_read(struct failure *failure, lua_State *L, lua_State *co);

/* The line and traceback of a coroutine that is suspended (never the error value). */
void failure_locate(struct failure *failure, lua_State *co);

/* The place of another failure becomes this one's. */
void failure_put_place(struct failure *failure, const struct failure *place);

/* Line `number` of a file, without its end; false when there is none. */
bool failure_source_line(const char *file, int number, char *out, size_t size);

#endif
