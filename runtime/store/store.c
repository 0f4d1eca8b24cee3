#include "store/store.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "limits.h"
#include "store/inside.h"

/* ---- going on ---- */

static void on_idle(uv_idle_t *idle)
{
    struct store *store = idle->data;
    if (!store_lua_turn(store)) {
        uv_idle_stop(idle);
    }
    store_continue(store);
}

void store_wake(struct store *store)
{
    if (!store->is_stopping) {
        uv_idle_start(&store->idle, on_idle);
    }
}

static void on_alarm(uv_timer_t *timer)
{
    store_wake(timer->data);
}

void store_set_alarm(struct store *store, uint64_t milliseconds)
{
    if (!store->is_stopping) {
        uv_timer_start(&store->alarm, on_alarm, milliseconds, 0);
    }
}

static void on_checkpoint(uv_timer_t *timer)
{
    struct store *store = timer->data;
    file_checkpoint(store->file);
}

void store_continue(struct store *store)
{
    if (store->is_stopping) {
        return;
    }
    connection_process_all(store);
    if (file_wal_bytes(store->file) > LIMIT_STORE_WAL) {
        file_checkpoint(store->file);
    } else if (file_wal_bytes(store->file) > 0 &&
               !uv_is_active((uv_handle_t *)&store->checkpoint)) {
        uv_timer_start(&store->checkpoint, on_checkpoint, LIMIT_STORE_WAL_TIME, 0);
    }
}

/* ---- the end ---- */

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

static void stop(struct store *store)
{
    if (store->is_stopping) {
        return;
    }
    store->is_stopping = true;
    connection_close_all(store);
    for (size_t i = 0; i < store->listener_count; i++) {
        close_handle((uv_handle_t *)&store->listeners[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        close_handle((uv_handle_t *)&store->signals[i]);
    }
    close_handle((uv_handle_t *)&store->parent);
    close_handle((uv_handle_t *)&store->idle);
    close_handle((uv_handle_t *)&store->alarm);
    close_handle((uv_handle_t *)&store->checkpoint);
}

static void on_signal(uv_signal_t *signal, int number)
{
    stop(signal->data);
}

static void on_parent_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct store *store = handle->data; /* nothing is ever sent: the end alone matters */
    *buffer = uv_buf_init(store->unused, sizeof store->unused);
}

static void on_parent_read(uv_stream_t *stream, ssize_t length, const uv_buf_t *buffer)
{
    if (length < 0) {
        stop(stream->data);
    }
}

/* ---- listening ---- */

static void on_connection(uv_stream_t *listener, int status)
{
    struct store *store = listener->data;
    if (status == 0 && !store->is_stopping) {
        store_accept(store, listener);
    }
}

static bool start_listening(struct store *store, const char *where, struct error *error)
{
    uv_stream_t *stream = &store->listeners[store->listener_count - 1].stream;
    stream->data = store;
    int code = uv_listen(stream, 128, on_connection);
    return code == 0 || error_set(error, ERROR_SYSTEM, -code, "The store cannot listen on %s: %s.",
                                  where, uv_strerror(code));
}

static bool listen_inherited(struct store *store, struct error *error)
{
    uv_pipe_t *pipe = &store->listeners[store->listener_count++].pipe;
    size_t length = sizeof store->address;
    uv_pipe_init(&store->loop, pipe, 0);
    int code = uv_pipe_open(pipe, store->options.listen_fd);
    if (code != 0) {
        return error_set(error, ERROR_SYSTEM, -code, "The inherited socket cannot be used: %s.",
                         uv_strerror(code));
    }
    uv_pipe_getsockname(pipe, store->address, &length);
    return start_listening(store, "the inherited socket", error);
}

static bool listen_at_path(struct store *store, struct error *error)
{
    uv_pipe_t *pipe = &store->listeners[store->listener_count++].pipe;
    const char *path = store->options.socket;
    uv_pipe_init(&store->loop, pipe, 0);
    unlink(path); /* the folder's lock is ours, so what lies there is left over */
    int code = uv_pipe_bind(pipe, path);
    if (code != 0) {
        return error_set(error, ERROR_SYSTEM, -code, "The store cannot listen on %s: %s.", path,
                         uv_strerror(code));
    }
    chmod(path, 0600);
    snprintf(store->address, sizeof store->address, "%s", path);
    return start_listening(store, path, error);
}

static bool read_address(const char *text, struct sockaddr_in *address, struct error *error)
{
    char host[64];
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    long port = colon == NULL ? -1 : strtol(colon + 1, &end, 10);
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);
    if (port < 0 || port > 65535 || end == colon + 1 || *end != '\0' || length == 0 ||
        length >= sizeof host) {
        return error_set(error, ERROR_MISUSE, 0,
                         "--listen wants HOST:PORT, as 127.0.0.1:27017, not \"%.60s\".", text);
    }
    snprintf(host, sizeof host, "%.*s", (int)length, text);
    const char *number = strcmp(host, "localhost") == 0 ? "127.0.0.1" : host;
    if (uv_ip4_addr(number, (int)port, address) != 0 || strncmp(number, "127.", 4) != 0) {
        return error_set(error, ERROR_MISUSE, 0,
                         "The store listens on this machine only: write --listen 127.0.0.1:%ld. "
                         "For other machines use a MongoDB.",
                         port);
    }
    return true;
}

static bool listen_on_tcp(struct store *store, struct error *error)
{
    struct sockaddr_in address;
    if (!read_address(store->options.listen, &address, error)) {
        return false;
    }
    uv_tcp_t *tcp = &store->listeners[store->listener_count++].tcp;
    int length = sizeof address;
    uv_tcp_init(&store->loop, tcp);
    tcp->data = store;
    int code = uv_tcp_bind(tcp, (const struct sockaddr *)&address, 0);
    if (code != 0) {
        return error_set(error, ERROR_SYSTEM, -code, "The store cannot listen on %s: %s.",
                         store->options.listen, uv_strerror(code));
    }
    if (!start_listening(store, store->options.listen, error)) {
        return false;
    }
    uv_tcp_getsockname(tcp, (struct sockaddr *)&address, &length);
    snprintf(store->address, sizeof store->address, "127.0.0.1:%d", ntohs(address.sin_port));
    return true;
}

static bool start_listeners(struct store *store, struct error *error)
{
    return (store->options.listen_fd < 0 || listen_inherited(store, error)) &&
           (store->options.socket == NULL || listen_at_path(store, error)) &&
           (store->options.listen == NULL || listen_on_tcp(store, error));
}

/* ---- beginning ---- */

static void init_handles(struct store *store)
{
    static const int numbers[2] = {SIGTERM, SIGINT};
    uv_loop_init(&store->loop);
    uv_idle_init(&store->loop, &store->idle);
    uv_timer_init(&store->loop, &store->alarm);
    uv_timer_init(&store->loop, &store->checkpoint);
    uv_pipe_init(&store->loop, &store->parent, 0);
    store->idle.data = store->alarm.data = store->checkpoint.data = store->parent.data = store;
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&store->loop, &store->signals[i]);
        store->signals[i].data = store;
        uv_signal_start(&store->signals[i], on_signal, numbers[i]);
    }
}

/* The parent holds the other end of a pipe and writes nothing; the kernel tells of its end too. */
static void watch_parent(struct store *store)
{
    if (store->options.parent_fd >= 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        uv_pipe_open(&store->parent, store->options.parent_fd);
        uv_read_start((uv_stream_t *)&store->parent, on_parent_alloc, on_parent_read);
    }
}

static void tell_ready(struct store *store)
{
    if (store->options.ready_fd >= 0) {
        ssize_t written = write(store->options.ready_fd, "R", 1);
        (void)written; /* a parent that is gone shows otherwise */
        close(store->options.ready_fd);
    } else if (store->address[0] == '/') {
        printf("The store is ready: %s\n", store->address);
    } else {
        printf("The store is ready: mongodb://%s/?directConnection=true\n", store->address);
    }
    fflush(stdout);
}

static bool start(struct store *store, struct error *error)
{
    store->file = file_open(store->options.folder, error);
    if (store->file == NULL || !start_listeners(store, error) || !store_lua_open(store, error)) {
        return false;
    }
    watch_parent(store);
    tell_ready(store);
    return true;
}

int store_main(const struct store_options *options)
{
    struct store *store = memory_new(sizeof *store);
    struct error error = {0};
    store->options = *options;
    list_init(&store->connections);
    buffer_init(&store->key, LIMIT_DOCUMENT);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a file that must not grow is an error of a write */
    init_handles(store);
    bool ok = start(store, &error);
    if (!ok) {
        fprintf(stderr, "moonlit: %s\n", error.message);
        stop(store);
    }
    uv_run(&store->loop, UV_RUN_DEFAULT);
    store_lua_close(store);
    buffer_deinit(&store->key);
    if (store->file != NULL) {
        file_close(store->file);
    }
    uv_loop_close(&store->loop);
    if (ok && store->options.socket != NULL) {
        unlink(store->options.socket);
    }
    free(store);
    return ok ? 0 : 1;
}
