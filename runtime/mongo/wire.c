#include "mongo/wire.h"
#include "base/memory.h"
#include "mongo/deadline.h"
#include "mongo/errand.h"
#include "mongo/guard.h"
#include "mongo/stream.h"
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- connecting ------------------------------------------------------------------------------ */

/* The socket, or -1 with errno. */
static int connect_to(struct wire *wire, int family, const struct sockaddr *address,
                      socklen_t length, int64_t deadline)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) {
        return -1;
    }
    int error = connect(fd, address, length) ? errno : 0;
    if (error == EINPROGRESS) {
        error = stream_wait(wire, fd, POLLOUT, deadline);
        socklen_t size = sizeof error;
        if (!error) {
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
    }
    if (error) {
        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

/* A unix socket whose queue is full cannot be waited for, nor one that is just being taken over by
 * another host: it is tried again. A failure would keep libmongoc from trying for five seconds. */
static bool may_pass(int error)
{
    return error == EAGAIN || error == ENOENT || error == ECONNREFUSED;
}

static int connect_unix(struct wire *wire, const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd, error;
    do {
        fd = connect_to(wire, AF_UNIX, (struct sockaddr *)&address, sizeof address, deadline);
        error = errno;
    } while (fd < 0 && may_pass(error) && time_left(deadline) && wire_sleep(wire, 20));
    errno = error;
    return fd;
}

struct lookup {
    struct errand errand;
    char host[256];
    char port[8];
    int family;
    int failure; /* of getaddrinfo */
    struct addrinfo *found;
};

static void run_lookup(struct errand *errand)
{
    struct lookup *lookup = (struct lookup *)errand;
    struct addrinfo hints = {.ai_family = lookup->family, .ai_socktype = SOCK_STREAM};
    lookup->failure = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
}

static void drop_lookup(struct errand *errand)
{
    struct lookup *lookup = (struct lookup *)errand;
    if (lookup->found) {
        freeaddrinfo(lookup->found);
    }
    free(lookup);
}

static struct lookup *look_up(struct wire *wire, const mongoc_host_list_t *host, int64_t deadline)
{
    struct lookup *lookup = memory_new(sizeof *lookup);
    lookup->errand.run = run_lookup;
    lookup->errand.drop = drop_lookup;
    lookup->family = host->family == AF_INET6 || host->family == AF_INET ? host->family : AF_UNSPEC;
    snprintf(lookup->host, sizeof lookup->host, "%s", host->host);
    snprintf(lookup->port, sizeof lookup->port, "%u", (unsigned)host->port);
    if (!errand_run(&lookup->errand, wire, (unsigned)time_left(deadline))) {
        wire_set_trouble(wire, "its name could not be looked up in time");
        return NULL;
    }
    if (lookup->failure) {
        wire_set_trouble(wire, gai_strerror(lookup->failure));
        errand_leave(&lookup->errand);
        return NULL;
    }
    return lookup;
}

static int connect_tcp(struct wire *wire, const mongoc_host_list_t *host, int64_t deadline)
{
    struct lookup *lookup = look_up(wire, host, deadline);
    if (!lookup) {
        return -1;
    }
    int fd = -1;
    for (struct addrinfo *one = lookup->found; one && fd < 0 && !wire_is_cut(wire);
         one = one->ai_next) {
        fd = connect_to(wire, one->ai_family, one->ai_addr, one->ai_addrlen, deadline);
    }
    int error = errno;
    errand_leave(&lookup->errand);
    int yes = 1;
    if (fd >= 0) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    } else {
        wire_set_trouble(wire, strerror(error));
    }
    return fd;
}

/* TLS goes over our stream, so that its handshake, with the check of the name, can be cut too. */
static mongoc_stream_t *wrap(struct wire *wire, mongoc_stream_t *stream, const char *host,
                             int64_t deadline)
{
    if (!wire->settings->tls) {
        return stream;
    }
    mongoc_ssl_opt_t options = wire->settings->tls_options;
    mongoc_stream_t *tls = mongoc_stream_tls_new_with_hostname(stream, host, &options, 1);
    if (!tls) {
        wire_set_trouble(wire, "TLS could not be set up; check the certificate files");
        mongoc_stream_destroy(stream);
        return NULL;
    }
    bson_error_t cause = {0};
    if (!mongoc_stream_tls_handshake_block(tls, host, time_left(deadline), &cause)) {
        wire_set_trouble(wire, cause.message);
        mongoc_stream_destroy(tls);
        return NULL;
    }
    return tls;
}

/* Trying a unix socket again takes no longer than the looking for a server may take. */
static unsigned time_to_connect(const struct wire *wire, bool local)
{
    unsigned selection = wire->settings->selection_time;
    return local && selection < wire->connect_time ? selection : wire->connect_time;
}

mongoc_stream_t *wire_open_stream(const mongoc_uri_t *uri, const mongoc_host_list_t *host,
                                  void *data, bson_error_t *error)
{
    struct wire *wire = data;
    bool local = host->family == AF_UNIX;
    int64_t deadline = deadline_in(time_to_connect(wire, local));
    mongoc_stream_t *stream = NULL;
    wire->trouble[0] = '\0';
    if (!wire_is_cut(wire)) {
        int fd =
            local ? connect_unix(wire, host->host, deadline) : connect_tcp(wire, host, deadline);
        if (fd < 0 && local) {
            wire_set_trouble(wire, strerror(errno));
        }
        stream = fd < 0 ? NULL : wrap(wire, stream_new(wire, fd), host->host, deadline);
        stream = stream ? guard_new(wire, stream) : NULL;
    }
    if (!stream) {
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "%s",
                       wire->trouble);
    }
    return stream;
}

/* ---- the wire -------------------------------------------------------------------------------- */

bool wire_init(struct wire *wire, const struct settings *settings, struct wire_counts *counts)
{
    *wire = (struct wire){.settings = settings, .counts = counts};
    wire->connect_time = settings->connect_time;
    atomic_init(&wire->is_cut, false);
    list_init(&wire->streams);
    wire->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return wire->wake >= 0;
}

void wire_deinit(struct wire *wire)
{
    assert(list_is_empty(&wire->streams));
    if (wire->wake >= 0) {
        close(wire->wake);
    }
}

void wire_cut(struct wire *wire)
{
    if (!atomic_exchange(&wire->is_cut, true)) {
        eventfd_write(wire->wake, 1);
    }
}

bool wire_is_cut(const struct wire *wire)
{
    return atomic_load(&wire->is_cut);
}

void wire_set_trouble(struct wire *wire, const char *what)
{
    snprintf(wire->trouble, sizeof wire->trouble, "%s", what);
}

bool wire_sleep(struct wire *wire, unsigned milliseconds)
{
    struct pollfd wait = {.fd = wire->wake, .events = POLLIN};
    poll(&wait, 1, (int)milliseconds);
    return !wire_is_cut(wire);
}

bool wire_is_stale(const struct wire *wire)
{
    list_each (link, &wire->streams) {
        if (stream_is_closed(list_item(link, struct stream, link))) {
            return true;
        }
    }
    return false;
}
