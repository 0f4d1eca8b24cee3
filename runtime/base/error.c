#include "base/error.h"

#include <stdio.h>

bool error_set(struct error *error, enum error_kind kind, int code, const char *format, ...)
{
    if (error != NULL) {
        error->kind = kind;
        error->code = code;
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(error->message, sizeof error->message, format, arguments);
        va_end(arguments);
    }
    return false;
}
