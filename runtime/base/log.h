/*
 * The log: levels and one sink, which an embedder may replace. A log belongs to a host; there is
 * no global one. Lines are written by the loop thread only, except by log_write_on_worker's users,
 * whose sink must be safe for that (the default one, one write(2) a line, is).
 */
#ifndef MOONLIT_BASE_LOG_H
#define MOONLIT_BASE_LOG_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERROR };

struct log {
    enum log_level level;                                             /* below this: dropped */
    void (*sink)(void *data, enum log_level level, const char *line); /* NULL: standard error */
    void *data;
    _Atomic unsigned long dropped; /* lines, since nobody reads standard error */
};

void log_write(struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
