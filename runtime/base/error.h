/*
 * One error for the whole house: filled once, where the cause is known, passed as the last
 * argument, and never both logged and returned.
 */
#ifndef MOONLIT_BASE_ERROR_H
#define MOONLIT_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>

enum error_kind {
    ERROR_NONE = 0,
    ERROR_MISUSE,   /* the caller asked for something that makes no sense */
    ERROR_LIMIT,    /* a maximum of limits.h was met */
    ERROR_PROTOCOL, /* bytes from outside that do not follow their format */
    ERROR_SYSTEM,   /* the operating system refused */
    ERROR_DATABASE, /* the database refused or could not be reached */
    ERROR_SCRIPT,   /* a script does not compile or failed */
};

struct error {
    enum error_kind kind;
    int code;           /* errno, the database's code, or 0 */
    char message[1024]; /* one sentence that names the place and the way out */
};

/* Fill `error` (may be NULL) and return false, so that a function can end with it. */
bool error_set(struct error *error, enum error_kind kind, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
