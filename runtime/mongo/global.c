#include "mongo/mongo.h"
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The library's log handler is called by worker threads; our sink is safe for that. */

static enum log_level level_of(mongoc_log_level_t level)
{
    switch (level) {
    case MONGOC_LOG_LEVEL_ERROR:
    case MONGOC_LOG_LEVEL_CRITICAL:
        return LOG_ERROR;
    case MONGOC_LOG_LEVEL_WARNING:
        return LOG_WARNING;
    case MONGOC_LOG_LEVEL_MESSAGE:
    case MONGOC_LOG_LEVEL_INFO:
        return LOG_INFO;
    default:
        return LOG_DEBUG;
    }
}

/* What looks like an address with a password is left out, up to the next space. */
static void hide_addresses(const char *message, char *line, size_t size)
{
    size_t length = 0;
    while (*message && length + 1 < size) {
        const char *scheme = strstr(message, "mongodb");
        if (scheme == message && (strncmp(scheme, "mongodb://", 10) == 0 ||
                                  strncmp(scheme, "mongodb+srv://", 14) == 0)) {
            length += (size_t)snprintf(line + length, size - length, "(address)");
            message += strcspn(message, " \t\n");
        } else {
            line[length++] = *message++;
        }
    }
    line[length < size ? length : size - 1] = '\0';
}

/* What the library says of a URI while it reads it: settings.c makes one sentence of that. */
static bool is_about_uri(const char *message)
{
    static const char *const beginnings[] = {"Unsupported ", "Invalid ", "Port ",
                                             "Failed to parse"};
    for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++) {
        if (strncmp(message, beginnings[i], strlen(beginnings[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void on_message(mongoc_log_level_t level, const char *domain, const char *message,
                       void *data)
{
    enum log_level ours = level_of(level);
    bool goodbye = strstr(message, "endSessions"); /* to a server that is away, or at the end */
    char line[512];
    if (ours > LOG_DEBUG && !goodbye && !is_about_uri(message)) {
        hide_addresses(message, line, sizeof line);
        log_write(data, ours, "database driver, %s: %s", domain, line);
    }
}

void mongo_global_hide(void)
{
    char name[32];
    snprintf(name, sizeof name, "/mongoc-%u", (unsigned)getpid());
    shm_unlink(name);
}

/* The library makes that memory when it is loaded, before main, and warns on standard error when
 * there is some already: that of a killed process which had the same number. It goes before. */
#define BEFORE_LIBRARIES __attribute__((section(".preinit_array"), used))
static void (*const hide_old)(void) BEFORE_LIBRARIES = mongo_global_hide;

void mongo_global_init(struct log *log)
{
    mongoc_log_set_handler(on_message, log);
    mongoc_init();
}

void mongo_global_deinit(void)
{
    mongoc_cleanup();
    mongoc_log_set_handler(NULL, NULL);
}
