#include "base/log.h"

#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "limits.h"

static const char *const level_names[] = {"debug", "info", "warning", "error"};

/* The loop never waits for a reader who has stopped reading: the first line waits a little, the
 * following ones are dropped until there is room again. */
static bool is_writable(struct log *log)
{
    struct pollfd error_output = {STDERR_FILENO, POLLOUT, 0};
    if (poll(&error_output, 1, log->dropped > 0 ? 0 : LIMIT_LOG_WAIT) == 1) {
        return true;
    }
    atomic_fetch_add(&log->dropped, 1);
    return false;
}

static void write_to_stderr(struct log *log, enum log_level level, const char *line)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm local;
    localtime_r(&now.tv_sec, &local);
    char clock[16];
    strftime(clock, sizeof clock, "%H:%M:%S", &local);
    if (!is_writable(log)) {
        return;
    }
    char gap[64] = "";
    unsigned long dropped = atomic_exchange(&log->dropped, 0);
    if (dropped > 0) {
        snprintf(gap, sizeof gap, "(%lu lines were not written)\n", dropped);
    }
    char whole[LIMIT_LOG_LINE]; /* a pipe that has any room takes so much */
    int length =
        snprintf(whole, sizeof whole, "%s%s %-7s %s\n", gap, clock, level_names[level], line);
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
    char line[LIMIT_LOG_LINE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (log->sink != NULL) {
        log->sink(log->data, level, line);
    } else {
        write_to_stderr(log, level, line);
    }
}
