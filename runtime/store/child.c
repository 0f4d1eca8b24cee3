#include "store/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "limits.h"
#include "store/file.h"

struct store_child {
    uv_loop_t *loop;
    struct log *log;
    struct store_child_callbacks callbacks;
    char *program;
    char *directory;
    bool test_commands;
    char path[sizeof((struct sockaddr_un *)0)->sun_path];
    char uri[512];
    int lock; /* file descriptor; held while `owns` */
    bool owns;
    int listener; /* file descriptor */
    int alive[2]; /* the pipe whose end is the end of the host */
    uv_process_t process;
    bool running;
    int ready;         /* read end of the pipe in which the process says that it serves */
    unsigned failures; /* in a row, of processes that never served */
    uv_timer_t timer;  /* try the lock, start again, or kill */
    bool stopping;
    void (*done)(void *data);
    void *data;
};

/* ---- paths ---- */

/* A short folder of the user's own for the socket: a socket's path has 107 bytes at most. */
static bool runtime_folder(char *out, size_t size, struct error *error)
{
    const char *given = getenv("XDG_RUNTIME_DIR");
    struct stat status;
    if (given != NULL && strlen(given) < 60 && stat(given, &status) == 0 &&
        status.st_uid == getuid()) {
        snprintf(out, size, "%s", given);
        return true;
    }
    snprintf(out, size, "/tmp/moonlit-%u", (unsigned)getuid());
    if (mkdir(out, 0700) != 0 && errno != EEXIST) {
        return error_set(error, ERROR_SYSTEM, errno, "%s cannot be made: %s.", out,
                         strerror(errno));
    }
    if (lstat(out, &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != getuid() ||
        (status.st_mode & 077) != 0) {
        return error_set(error, ERROR_SYSTEM, 0,
                         "%s is not a folder of your own with mode 0700: remove it, or set "
                         "XDG_RUNTIME_DIR.",
                         out);
    }
    return true;
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash = 1469598103934665603ull;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 1099511628211ull;
    }
    return hash;
}

static bool find_paths(struct store_child *child, const char *directory, struct error *error)
{
    char folder[80], real[PATH_MAX];
    if (!file_make_folder(directory, error) || !runtime_folder(folder, sizeof folder, error)) {
        return false;
    }
    if (realpath(directory, real) == NULL) {
        return error_set(error, ERROR_SYSTEM, errno, "%s: %s.", directory, strerror(errno));
    }
    child->directory = memory_copy_text(real);
    snprintf(child->path, sizeof child->path, "%.70s/moonlit-%016llx.sock", folder,
             (unsigned long long)hash_of(real));
    return true;
}

static void make_uri(struct store_child *child)
{
    char escaped[3 * sizeof child->path];
    size_t used = 0;
    for (const char *c = child->path; *c != '\0'; c++) {
        used +=
            (size_t)snprintf(escaped + used, sizeof escaped - used, *c == '/' ? "%%2F" : "%c", *c);
    }
    snprintf(child->uri, sizeof child->uri, "mongodb://%s/moonlit", escaped);
}

/* ---- the lock and the socket ---- */

static bool open_lock(struct store_child *child, struct error *error)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/host.lock", child->directory);
    child->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (child->lock < 0) {
        return error_set(error, ERROR_SYSTEM, errno, "The store's folder %s cannot be written: %s.",
                         child->directory, strerror(errno));
    }
    return true;
}

/* The lock file holds the socket's path: a host with another XDG_RUNTIME_DIR would look elsewhere. */
static void tell_path(struct store_child *child)
{
    size_t length = strlen(child->path);
    if (ftruncate(child->lock, 0) != 0 ||
        pwrite(child->lock, child->path, length, 0) != (ssize_t)length) {
        log_write(child->log, LOG_WARNING, "%s/host.lock cannot be written: %s", child->directory,
                  strerror(errno));
    }
}

static void learn_path(struct store_child *child)
{
    char path[sizeof child->path];
    ssize_t length = pread(child->lock, path, sizeof path - 1, 0);
    if (length > 0 && path[0] == '/') {
        memcpy(child->path, path, (size_t)length);
        child->path[length] = '\0';
    }
}

static bool listen_at_path(struct store_child *child, struct error *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, child->path, sizeof address.sun_path);
    unlink(child->path);
    child->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (child->listener < 0 ||
        bind(child->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(child->listener, LIMIT_STORE_BACKLOG) != 0) {
        return error_set(error, ERROR_SYSTEM, errno, "The store cannot listen at %s: %s.",
                         child->path, strerror(errno));
    }
    tell_path(child);
    return true;
}

/* ---- the process ---- */

static void start_process(struct store_child *child);
static void finish_stop(struct store_child *child);

static void on_timer_start(uv_timer_t *timer)
{
    start_process(timer->data);
}

/* Whether the process that has ended had begun to serve. */
static bool has_served(struct store_child *child)
{
    char byte;
    bool served = read(child->ready, &byte, 1) == 1;
    close(child->ready);
    child->ready = -1;
    return served;
}

static void on_process_closed(uv_handle_t *handle)
{
    struct store_child *child = handle->data;
    child->running = false;
    if (child->stopping) {
        finish_stop(child);
        return;
    }
    child->failures = has_served(child) ? 0 : child->failures + 1;
    if (child->failures == LIMIT_STORE_FAILURES) {
        struct error error;
        error_set(&error, ERROR_SYSTEM, 0,
                  "The built-in store in %s ends right after its start, again and again; see the "
                  "lines above. It is tried further.",
                  child->directory);
        child->callbacks.on_failed(child->callbacks.data, &error);
    }
    uint64_t pause = LIMIT_STORE_RESTART_TIME;
    for (unsigned i = 1; i < child->failures && pause < LIMIT_STORE_RESTART_TIME_MAX; i++) {
        pause *= 2;
    }
    uv_timer_start(&child->timer, on_timer_start, pause, 0);
}

static void on_process_exit(uv_process_t *process, int64_t status, int signal)
{
    struct store_child *child = process->data;
    if (!child->stopping) {
        log_write(child->log, LOG_WARNING, "the built-in store ended (%s %d); starting it again",
                  signal != 0 ? "signal" : "exit code", signal != 0 ? signal : (int)status);
    }
    uv_close((uv_handle_t *)process, on_process_closed);
}

static void start_process(struct store_child *child)
{
    enum { LISTEN_FD = 3, PARENT_FD = 4, READY_FD = 5, COUNT = 6 };
    int ready[2] = {-1, -1};
    if (pipe2(ready, O_CLOEXEC | O_NONBLOCK) != 0) {
        log_write(child->log, LOG_ERROR, "no pipe for the built-in store: %s", strerror(errno));
    }
    uv_stdio_container_t stdio[COUNT] = {
        {.flags = UV_IGNORE},
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = STDERR_FILENO},
        {.flags = UV_INHERIT_FD, .data.fd = child->listener},
        {.flags = UV_INHERIT_FD, .data.fd = child->alive[0]},
        {.flags = UV_INHERIT_FD, .data.fd = ready[1]},
    };
    char *arguments[] = {"moonlit",
                         "store",
                         child->directory,
                         "--listen-fd",
                         "3",
                         "--parent-fd",
                         "4",
                         "--ready-fd",
                         "5",
                         child->test_commands ? "--test-commands" : NULL,
                         NULL};
    uv_process_options_t options = {
        .exit_cb = on_process_exit,
        .file = child->program,
        .args = arguments,
        .flags = UV_PROCESS_DETACHED,
        .stdio_count = COUNT,
        .stdio = stdio,
    };
    child->process.data = child;
    int code = uv_spawn(child->loop, &child->process, &options);
    child->running = true;
    close(ready[1]);
    child->ready = ready[0];
    if (code != 0) {
        log_write(child->log, LOG_ERROR, "the built-in store cannot be started: %s",
                  uv_strerror(code));
        uv_close((uv_handle_t *)&child->process, on_process_closed);
    }
}

static bool take_over(struct store_child *child, struct error *error)
{
    child->owns = true;
    if (!listen_at_path(child, error)) {
        return false;
    }
    start_process(child);
    return true;
}

/* Joined: is the owner gone? Nothing tells when a lock becomes free, so it is tried. */
static void on_timer_lock(uv_timer_t *timer)
{
    struct store_child *child = timer->data;
    if (flock(child->lock, LOCK_EX | LOCK_NB) != 0) {
        return;
    }
    uv_timer_stop(timer);
    struct error error;
    log_write(child->log, LOG_INFO, "the built-in store's owner has ended; taking it over");
    if (!take_over(child, &error)) {
        child->callbacks.on_failed(child->callbacks.data, &error);
    }
}

/* ---- life ---- */

static void free_child(struct store_child *child)
{
    int descriptors[] = {child->lock, child->listener, child->alive[0], child->alive[1],
                         child->ready};
    for (size_t i = 0; i < sizeof descriptors / sizeof *descriptors; i++) {
        if (descriptors[i] >= 0) {
            close(descriptors[i]);
        }
    }
    free(child->directory);
    free(child->program);
    free(child);
}

struct store_child *store_child_start(uv_loop_t *loop, struct log *log,
                                      const struct store_child_options *options,
                                      const struct store_child_callbacks *callbacks,
                                      struct error *error)
{
    struct store_child *child = memory_new(sizeof *child);
    child->loop = loop;
    child->log = log;
    child->callbacks = *callbacks;
    child->test_commands = options->test_commands;
    child->program =
        memory_copy_text(options->program != NULL ? options->program : "/proc/self/exe");
    child->lock = child->listener = child->alive[0] = child->alive[1] = child->ready = -1;
    if (!find_paths(child, options->directory, error) || !open_lock(child, error)) {
        free_child(child);
        return NULL;
    }
    if (pipe2(child->alive, O_CLOEXEC) != 0) {
        error_set(error, ERROR_SYSTEM, errno, "No pipe for the built-in store: %s.",
                  strerror(errno));
        free_child(child);
        return NULL;
    }
    bool is_free = flock(child->lock, LOCK_EX | LOCK_NB) == 0;
    if (is_free && !listen_at_path(child, error)) {
        free_child(child);
        return NULL;
    }
    if (!is_free) {
        learn_path(child);
    }
    make_uri(child);
    uv_timer_init(loop, &child->timer);
    child->timer.data = child;
    if (is_free) {
        child->owns = true;
        start_process(child);
    } else {
        log_write(log, LOG_INFO, "joining the built-in store that another Moonlit runs in %s",
                  child->directory);
        uv_timer_start(&child->timer, on_timer_lock, LIMIT_STORE_OWNER_STEP,
                       LIMIT_STORE_OWNER_STEP);
    }
    return child;
}

const char *store_child_uri(const struct store_child *child)
{
    return child->uri;
}

int store_child_process(const struct store_child *child)
{
    return child->running ? uv_process_get_pid(&child->process) : 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct store_child *child = handle->data;
    void (*done)(void *data) = child->done;
    void *data = child->data;
    free_child(child);
    done(data);
}

void store_child_abandon(const struct store_child *child)
{
    if (child->owns) {
        unlink(child->path);
    }
}

static void finish_stop(struct store_child *child)
{
    uv_close((uv_handle_t *)&child->timer, on_timer_closed);
}

static void on_timer_kill(uv_timer_t *timer)
{
    struct store_child *child = timer->data;
    uv_process_kill(&child->process, SIGKILL);
}

/* Before the process ends: whoever has joined finds no socket now, and tries until it is back. */
static void stop_listening(struct store_child *child)
{
    store_child_abandon(child);
    if (child->owns) {
        close(child->listener);
        child->listener = -1;
    }
}

void store_child_stop(struct store_child *child, void (*done)(void *data), void *data)
{
    child->stopping = true;
    child->done = done;
    child->data = data;
    uv_timer_stop(&child->timer);
    stop_listening(child);
    if (!child->running) {
        finish_stop(child);
        return;
    }
    if (!uv_is_closing((uv_handle_t *)&child->process)) {
        uv_process_kill(&child->process, SIGTERM);
        uv_timer_start(&child->timer, on_timer_kill, LIMIT_STORE_STOP_TIME, 0);
    }
}
