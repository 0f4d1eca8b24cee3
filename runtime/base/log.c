#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warning", "error"};

static void write_to_stderr(enum log_level level, const char *line)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm local;
    localtime_r(&now.tv_sec, &local);
    char clock[16];
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
    char whole[4352];
    int length = snprintf(whole, sizeof whole, "%s %-7s %s\n", clock, level_names[level], line);
    if (length >= (int)sizeof whole) {
        length = (int)sizeof whole - 1;
        whole[length - 1] = '\n';
    }
    ssize_t ignored = write(STDERR_FILENO, whole, (size_t)length);
    (void)ignored;
}

void log_write(struct log *log, enum log_level level, const char *format, ...)
{
    if (log == NULL || level < log->level) {
        return;
    }
    char line[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (log->sink != NULL) {
        log->sink(log->data, level, line);
    } else {
        write_to_stderr(level, line);
    }
}
