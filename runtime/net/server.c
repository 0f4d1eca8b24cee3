#include "net/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "net/inside.h"

enum { TICK_LONGEST = 1000, TICK_SHORTEST = 10 };

/* ---- the end -------------------------------------------------------------------------------- */

static void free_when_closed(struct server *server)
{
    if (!server->is_freed || server->handles > 0 || server->stats.connections > 0) {
        return;
    }
    if (server->reserve >= 0) {
        close(server->reserve);
    }
    origin_rules_deinit(&server->rules);
    free(server->common_lines);
    free(server);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct server *server = handle->data;
    server->handles--;
    free_when_closed(server);
}

static void on_listener_closed(uv_handle_t *handle)
{
    on_handle_closed(handle);
    free(handle);
}

static void close_listener(struct server *server)
{
    if (server->listener != NULL) {
        uv_close((uv_handle_t *)server->listener, on_listener_closed);
        server->listener = NULL;
    }
    server->is_starved = false;
}

/* The last connection is gone while draining. */
static void finish_drain(struct server *server)
{
    void (*done)(void *) = server->on_done;
    uv_timer_stop(&server->drain_timer);
    server->on_done = NULL;
    if (done != NULL) {
        done(server->done_data);
    }
}

void server_lost(struct server *server)
{
    server->stats.connections--;
    if (server->stats.connections == 0 && !server->is_freed) {
        if (!server->is_starved) {
            uv_timer_stop(&server->tick);
        }
        if (server->is_draining) {
            finish_drain(server);
            return;
        }
    }
    free_when_closed(server);
}

static void cut_all(struct server *server)
{
    list_each (link, &server->connections) {
        connection_cut(list_item(link, struct connection, link));
    }
}

static void on_drain_deadline(uv_timer_t *timer)
{
    struct server *server = timer->data;
    if (server->stats.connections == 0) {
        finish_drain(server);
    } else {
        cut_all(server);
    }
}

void server_drain(struct server *server, unsigned deadline_ms, void (*done)(void *data), void *data)
{
    server->is_draining = true;
    server->on_done = done;
    server->done_data = data;
    close_listener(server);
    list_each (link, &server->connections) {
        struct connection *connection = list_item(link, struct connection, link);
        if (!connection->is_cut && !connection->is_ending) {
            connection->conversation->on_drain(connection);
        }
    }
    uint64_t wait = server->stats.connections == 0 ? 0 : deadline_ms;
    uv_update_time(server->loop);
    uv_timer_start(&server->drain_timer, on_drain_deadline, wait, 0);
}

void server_free(struct server *server)
{
    server->is_freed = true;
    close_listener(server);
    cut_all(server);
    uv_close((uv_handle_t *)&server->tick, on_handle_closed);
    uv_close((uv_handle_t *)&server->drain_timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->idle, on_handle_closed);
}

/* ---- the loop ------------------------------------------------------------------------------- */

static void on_idle(uv_idle_t *idle)
{
    struct server *server = idle->data;
    struct list now;
    list_init(&now);
    for (struct list *link; (link = list_take_first(&server->later)) != NULL;) {
        list_push_last(&now, link);
    }
    for (struct list *link; (link = list_take_first(&now)) != NULL;) {
        struct connection *connection = list_item(link, struct connection, later);
        if (!connection->is_cut && !connection->is_ending) {
            connection->conversation->on_later(connection);
        }
    }
    if (list_is_empty(&server->later) && !server->is_freed) {
        uv_idle_stop(idle);
    }
}

void server_wake(struct server *server)
{
    if (!server->is_freed) {
        uv_idle_start(&server->idle, on_idle);
    }
}

static int listen_again(struct server *server);

static void on_tick(uv_timer_t *timer)
{
    struct server *server = timer->data;
    uint64_t now = uv_now(server->loop);
    if (server->is_starved && listen_again(server) == 0) {
        server->is_starved = false;
        log_write(server->log, LOG_INFO, "connections are taken again");
    }
    list_each_safe (link, after, &server->connections) {
        struct connection *connection = list_item(link, struct connection, link);
        if (!connection->is_cut) {
            connection_tick(connection, now);
        }
    }
}

static unsigned shortest(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Half of the shortest time that is kept, so that none is missed by more than that. */
static unsigned tick_time(const struct server_limits *limits)
{
    unsigned time = shortest(limits->head_time, limits->idle_time);
    time = shortest(shortest(time, limits->stall_time), limits->ping_time);
    time = shortest(shortest(time, limits->dead_time), limits->close_time) / 2;
    return time > TICK_LONGEST ? TICK_LONGEST : time < TICK_SHORTEST ? TICK_SHORTEST : time;
}

static void start_tick(struct server *server)
{
    if (!uv_is_active((uv_handle_t *)&server->tick)) {
        unsigned time = tick_time(&server->limits);
        uv_timer_start(&server->tick, on_tick, time, time);
    }
}

const char *server_date(struct server *server)
{
    time_t now = time(NULL);
    if (server->date[0] == 0 || (uint64_t)now != server->date_second) {
        struct tm utc;
        gmtime_r(&now, &utc);
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", &utc);
        server->date_second = (uint64_t)now;
    }
    return server->date;
}

/* ---- accepting ------------------------------------------------------------------------------ */

static bool take_reserve(struct server *server)
{
    if (server->reserve < 0) {
        server->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
    return server->reserve >= 0;
}

static void turn_away(struct server *server, struct connection *connection)
{
    static const char words[] = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
                                "Content-Length: 0\r\n\r\n";
    uv_buf_t part = uv_buf_init((char *)words, sizeof words - 1);
    uv_try_write((uv_stream_t *)&connection->tcp, &part, 1);
    server->stats.refused++;
    connection_cut(connection);
}

/* No file descriptor is left. libuv has given up its own reserve by now and could not get it back,
 * and would ask again at once and for ever: give up ours, so that its next accept succeeds and the
 * visitor can be turned away. Without ours only closing the listener for a while helps. */
static void give_up_reserve(struct server *server)
{
    log_write(server->log, LOG_WARNING,
              "no file descriptor is left for another connection: raise the limit (ulimit -n)");
    if (server->reserve >= 0) {
        close(server->reserve);
        server->reserve = -1;
        return;
    }
    close_listener(server);
    server->is_starved = true;
    start_tick(server);
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct server *server = listener->data;
    if (status != 0) {
        if (status == UV_EMFILE || status == UV_ENFILE) {
            give_up_reserve(server);
        }
        return;
    }
    struct connection *connection = connection_accept(server, &http_conversation);
    if (connection == NULL) {
        return;
    }
    server->stats.accepted++;
    bool has_room = server->reserve >= 0 || take_reserve(server);
    if (!has_room || server->stats.connections > server->limits.connections) {
        turn_away(server, connection);
        take_reserve(server);
        return;
    }
    start_tick(server);
    connection_start_reading(connection);
}

/* ---- listening ------------------------------------------------------------------------------ */

static bool find_address(struct server *server, const char *host, int port,
                         struct sockaddr_storage *address, struct error *error)
{
    char service[8];
    snprintf(service, sizeof service, "%d", port);
    size_t length = strlen(host);
    bool brackets = length > 2 && host[0] == '[' && host[length - 1] == ']';
    char bare[ORIGIN_NAME_MOST];
    snprintf(bare, sizeof bare, "%.*s", (int)(brackets ? length - 2 : length), host + brackets);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    uv_getaddrinfo_t request;
    int result = uv_getaddrinfo(server->loop, &request, NULL, bare, service, &hints);
    if (result != 0) {
        return error_set(error, ERROR_SYSTEM, result,
                         "\"%s\" is not a host of this machine: give an address like 127.0.0.1 "
                         "with --host.",
                         host);
    }
    memcpy(address, request.addrinfo->ai_addr, request.addrinfo->ai_addrlen);
    uv_freeaddrinfo(request.addrinfo);
    return true;
}

static bool explain(const char *host, int port, int result, struct error *error)
{
    switch (result) {
    case UV_EADDRINUSE:
        return error_set(error, ERROR_SYSTEM, result,
                         "Port %d on %s is already in use: stop the other program or choose "
                         "another with --port.",
                         port, host);
    case UV_EACCES:
        return error_set(error, ERROR_SYSTEM, result,
                         "Port %d on %s needs more rights: choose one above 1023 with --port.",
                         port, host);
    case UV_EADDRNOTAVAIL:
        return error_set(error, ERROR_SYSTEM, result,
                         "%s is not an address of this machine: choose another with --host.", host);
    default:
        return error_set(error, ERROR_SYSTEM, result, "Cannot listen on port %d of %s: %s.", port,
                         host, uv_strerror(result));
    }
}

/* Open the listener at server->address; 0, or why not. */
static int listen_again(struct server *server)
{
    server->listener = memory_new(sizeof *server->listener);
    uv_tcp_init(server->loop, server->listener);
    server->listener->data = server;
    server->handles++;
    int result = uv_tcp_bind(server->listener, (struct sockaddr *)&server->address, 0);
    if (result == 0) {
        uv_stream_t *stream = (uv_stream_t *)server->listener;
        result = uv_listen(stream, LIMIT_HTTP_BACKLOG, on_connection);
    }
    if (result != 0) {
        bool is_starved = server->is_starved;
        close_listener(server);
        server->is_starved = is_starved;
    }
    return result;
}

/* The port that the kernel chose becomes part of the address. */
static void learn_port(struct server *server)
{
    int length = sizeof server->address;
    struct sockaddr *address = (struct sockaddr *)&server->address;
    uv_tcp_getsockname(server->listener, address, &length);
    server->port =
        ntohs(address->sa_family == AF_INET ? ((struct sockaddr_in *)address)->sin_port
                                            : ((struct sockaddr_in6 *)address)->sin6_port);
}

bool server_listen(struct server *server, const char *host, int port, struct error *error)
{
    if (server->listener != NULL) {
        return error_set(error, ERROR_MISUSE, 0, "The server listens already.");
    }
    if (port < 0 || port > 65535) {
        return error_set(error, ERROR_MISUSE, 0, "%d is not a port: choose one from 0 to 65535.",
                         port);
    }
    if (!find_address(server, host, port, &server->address, error)) {
        return false;
    }
    int result = listen_again(server);
    if (result != 0) {
        return explain(host, port, result, error);
    }
    learn_port(server);
    origin_rules_bind(&server->rules, host);
    return true;
}

int server_port(const struct server *server)
{
    return server->port;
}

/* ---- making --------------------------------------------------------------------------------- */

static void default_size(size_t *field, size_t value)
{
    *field = *field != 0 ? *field : value;
}

static void default_time(unsigned *field, unsigned value)
{
    *field = *field != 0 ? *field : value;
}

static void fill_limits(struct server_limits *limits)
{
    default_size(&limits->head, LIMIT_HTTP_HEAD);
    default_time(&limits->head_time, LIMIT_HTTP_HEAD_TIME);
    default_time(&limits->idle_time, LIMIT_HTTP_IDLE_TIME);
    default_time(&limits->stall_time, LIMIT_HTTP_STALL_TIME);
    default_time(&limits->connections, LIMIT_HTTP_CONNECTIONS);
    default_size(&limits->message, LIMIT_SOCKET_MESSAGE);
    default_size(&limits->queue_soft, LIMIT_SOCKET_QUEUE_SOFT);
    default_size(&limits->queue_hard, LIMIT_SOCKET_QUEUE_HARD);
    default_time(&limits->ping_time, LIMIT_SOCKET_PING_TIME);
    default_time(&limits->dead_time, LIMIT_SOCKET_DEAD_TIME);
    default_time(&limits->close_time, LIMIT_SOCKET_CLOSE_TIME);
}

/* The headers that every response carries, behind its own. */
static char *make_common_lines(const char *script_hashes)
{
    static const char format[] =
        "Content-Security-Policy: default-src 'none'; script-src 'self'%s%s; style-src 'self'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; media-src 'self' blob:; "
        "manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
        "X-Content-Type-Options: nosniff\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "Cross-Origin-Opener-Policy: same-origin\r\n"
        "Cross-Origin-Resource-Policy: same-origin\r\n"
        "Permissions-Policy: camera=(), microphone=(), geolocation=(), payment=(), usb=()\r\n"
        "\r\n";
    const char *hashes = script_hashes != NULL ? script_hashes : "";
    size_t size = sizeof format + strlen(hashes);
    char *lines = memory_new(size);
    snprintf(lines, size, format, hashes[0] != 0 ? " " : "", hashes);
    return lines;
}

static void init_handles(struct server *server)
{
    uv_timer_init(server->loop, &server->tick);
    uv_timer_init(server->loop, &server->drain_timer);
    uv_idle_init(server->loop, &server->idle);
    server->tick.data = server->drain_timer.data = server->idle.data = server;
    server->handles = 3;
}

struct server *server_new(uv_loop_t *loop, struct log *log, const struct server_config *config,
                          struct error *error)
{
    struct origin_rules rules;
    const char *wrong;
    if (!origin_rules_init(&rules, config->hosts, &wrong)) {
        error_set(error, ERROR_MISUSE, 0,
                  "\"%s\" is not a host name: write --allow-host NAME or NAME:PORT.", wrong);
        return NULL;
    }
    struct server *server = memory_new(sizeof *server);
    server->loop = loop;
    server->log = log;
    server->limits = config->limits;
    fill_limits(&server->limits);
    server->callbacks = config->callbacks;
    server->data = config->data;
    server->assets = config->assets;
    server->rules = rules;
    server->common_lines = make_common_lines(config->script_hashes);
    list_init(&server->connections);
    list_init(&server->later);
    server->reserve = -1;
    take_reserve(server);
    init_handles(server);
    return server;
}

struct server_stats server_stats(const struct server *server)
{
    struct server_stats stats = server->stats;
    list_each (link, &server->connections) {
        stats.queued += connection_queued(list_item(link, struct connection, link));
    }
    return stats;
}
