#include "mongo/wire.h"
#include "base/memory.h"
#include "mongo/errand.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define STREAM_TYPE 1701 /* any number that the library does not use for its own */

struct stream {
    mongoc_stream_t base;
    struct list link; /* in the wire's streams */
    struct wire *wire;
    int fd;
    int error; /* errno of the last call */
};

/* ---- waiting --------------------------------------------------------------------------------- */

static int64_t now_in_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int time_left(int64_t deadline)
{
    int64_t left = deadline - now_in_ms();
    return left > 0 ? (int)left : 0;
}

/* 0 when the socket is ready, else an errno: ETIMEDOUT, ECANCELED, or poll's own. */
static int wait_for_socket(struct wire *wire, int fd, short events, int64_t deadline)
{
    struct pollfd waits[] = {{.fd = fd, .events = events}, {.fd = wire->wake, .events = POLLIN}};
    for (;;) {
        int ready = poll(waits, 2, time_left(deadline));
        if (wire_is_cut(wire)) {
            return ECANCELED;
        }
        if (ready == 0) {
            return ETIMEDOUT;
        }
        if (ready > 0 && waits[0].revents) {
            return 0;
        }
        if (ready < 0 && errno != EINTR) {
            return errno;
        }
    }
}

static void set_trouble(struct wire *wire, const char *what)
{
    snprintf(wire->trouble, sizeof wire->trouble, "%s", what);
}

/* ---- the stream ------------------------------------------------------------------------------ */

static ssize_t fail(struct stream *stream, int error, const char *what)
{
    stream->error = error;
    if (error != EAGAIN) {
        set_trouble(stream->wire, what ? what : strerror(error));
    }
    errno = error;
    return -1;
}

static int stream_close(mongoc_stream_t *base)
{
    struct stream *stream = (struct stream *)base;
    if (stream->fd >= 0) {
        close(stream->fd);
        stream->fd = -1;
        list_remove(&stream->link);
        atomic_fetch_sub(&stream->wire->counts->open, 1);
    }
    return 0;
}

static void stream_destroy(mongoc_stream_t *base)
{
    stream_close(base);
    free(base);
}

static int stream_flush(mongoc_stream_t *base)
{
    return 0;
}

/* Drop `count` bytes from the front of the vector. */
static void advance(mongoc_iovec_t **iov, size_t *iovcnt, size_t count)
{
    while (*iovcnt && count >= (*iov)->iov_len) {
        count -= (*iov)->iov_len;
        (*iov)++;
        (*iovcnt)--;
    }
    if (*iovcnt && count) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + count;
        (*iov)->iov_len -= count;
    }
}

/* After EAGAIN: 0 when the socket is ready for another try, else the errno to end with. */
static int wait_or_give_up(struct stream *stream, short events, int32_t timeout, int64_t deadline)
{
    if (timeout == 0) {
        return EAGAIN;
    }
    return wait_for_socket(stream->wire, stream->fd, events, deadline);
}

static ssize_t send_some(struct stream *stream, mongoc_iovec_t *iov, size_t iovcnt)
{
    struct msghdr message = {.msg_iov = (struct iovec *)iov,
                             .msg_iovlen = iovcnt < 64 ? iovcnt : 64};
    return sendmsg(stream->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* All of it, or what could be sent in the time, or -1. */
static ssize_t stream_writev(mongoc_stream_t *base, mongoc_iovec_t *vector, size_t iovcnt,
                             int32_t timeout)
{
    struct stream *stream = (struct stream *)base;
    if (wire_is_cut(stream->wire) || stream->fd < 0) {
        return fail(stream, ECANCELED, NULL);
    }
    mongoc_iovec_t *const copy = memory_copy(vector, iovcnt * sizeof *vector);
    mongoc_iovec_t *iov = copy;
    int64_t deadline = now_in_ms() + timeout;
    ssize_t total = 0;
    stream->error = 0;
    while (iovcnt) {
        ssize_t sent = send_some(stream, iov, iovcnt);
        if (sent >= 0) {
            total += sent;
            advance(&iov, &iovcnt, (size_t)sent);
            continue;
        }
        int error = errno == EINTR ? 0 : errno;
        if (error == EAGAIN) {
            error = wait_or_give_up(stream, POLLOUT, timeout, deadline);
        }
        if (error) {
            bool some = total && (error == EAGAIN || error == ETIMEDOUT);
            fail(stream, error, error == ETIMEDOUT ? "it takes no more data" : NULL);
            total = some ? total : -1;
            break;
        }
    }
    free(copy);
    return total;
}

/* At least `least` bytes, or -1; 0 only at the end of the connection or when nothing is asked. */
static ssize_t stream_readv(mongoc_stream_t *base, mongoc_iovec_t *iov, size_t iovcnt, size_t least,
                            int32_t timeout)
{
    struct stream *stream = (struct stream *)base;
    if (wire_is_cut(stream->wire) || stream->fd < 0) {
        return fail(stream, ECANCELED, NULL);
    }
    int64_t deadline = now_in_ms() + timeout;
    size_t total = 0;
    stream->error = 0;
    while (iovcnt) {
        ssize_t got = recv(stream->fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT);
        if (got > 0) {
            total += (size_t)got;
            advance(&iov, &iovcnt, (size_t)got);
            if (least && total >= least) {
                break;
            }
            continue;
        }
        if (total && total >= least) {
            break;
        }
        if (got == 0) {
            set_trouble(stream->wire, "the server closed the connection");
            return least ? fail(stream, ECONNRESET, "the server closed the connection") : 0;
        }
        int error = errno == EINTR ? 0 : errno;
        if (error == EAGAIN) {
            error = wait_or_give_up(stream, POLLIN, timeout, deadline);
        }
        if (error) {
            return fail(stream, error, error == ETIMEDOUT ? "no answer came in time" : NULL);
        }
    }
    return (ssize_t)total;
}

static int stream_setsockopt(mongoc_stream_t *base, int level, int name, void *value,
                             mongoc_socklen_t length)
{
    return setsockopt(((struct stream *)base)->fd, level, name, value, length);
}

static bool is_closed(const struct stream *stream)
{
    char byte;
    ssize_t got = recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static bool stream_check_closed(mongoc_stream_t *base)
{
    return is_closed((struct stream *)base);
}

/* All are ours, and all of one wire. */
static ssize_t stream_poll(mongoc_stream_poll_t *streams, size_t count, int32_t timeout)
{
    struct wire *wire = ((struct stream *)streams[0].stream)->wire;
    struct pollfd *waits = memory_new((count + 1) * sizeof *waits);
    for (size_t i = 0; i < count; i++) {
        waits[i].fd = ((struct stream *)streams[i].stream)->fd;
        waits[i].events = (short)streams[i].events;
    }
    waits[count] = (struct pollfd){.fd = wire->wake, .events = POLLIN};
    ssize_t ready = poll(waits, count + 1, timeout);
    bool cut = wire_is_cut(wire);
    for (size_t i = 0; i < count && ready >= 0; i++) {
        streams[i].revents = cut ? POLLERR | POLLHUP : waits[i].revents;
    }
    free(waits);
    return cut ? (ssize_t)count : ready;
}

static bool stream_timed_out(mongoc_stream_t *base)
{
    return ((struct stream *)base)->error == ETIMEDOUT;
}

static bool stream_should_retry(mongoc_stream_t *base)
{
    return ((struct stream *)base)->error == EAGAIN;
}

static mongoc_stream_t *stream_new(struct wire *wire, int fd)
{
    struct stream *stream = memory_new(sizeof *stream);
    stream->base = (mongoc_stream_t){
        .type = STREAM_TYPE,
        .destroy = stream_destroy,
        .close = stream_close,
        .flush = stream_flush,
        .writev = stream_writev,
        .readv = stream_readv,
        .setsockopt = stream_setsockopt,
        .check_closed = stream_check_closed,
        .poll = stream_poll,
        .failed = stream_destroy,
        .timed_out = stream_timed_out,
        .should_retry = stream_should_retry,
    };
    stream->wire = wire;
    stream->fd = fd;
    list_push_last(&wire->streams, &stream->link);
    atomic_fetch_add(&wire->counts->created, 1);
    atomic_fetch_add(&wire->counts->open, 1);
    return &stream->base;
}

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
    if (error == EAGAIN) { /* a unix socket whose queue is full: it cannot be waited for */
        error = wire_sleep(wire, 20) && time_left(deadline) ? EAGAIN : ETIMEDOUT;
    }
    if (error == EINPROGRESS) {
        error = wait_for_socket(wire, fd, POLLOUT, deadline);
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

static int connect_unix(struct wire *wire, const char *path, int64_t deadline)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd;
    do {
        fd = connect_to(wire, AF_UNIX, (struct sockaddr *)&address, sizeof address, deadline);
    } while (fd < 0 && errno == EAGAIN);
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
        set_trouble(wire, "its name could not be looked up in time");
        return NULL;
    }
    if (lookup->failure) {
        snprintf(wire->trouble, sizeof wire->trouble, "%s", gai_strerror(lookup->failure));
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
        set_trouble(wire, strerror(error));
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
        set_trouble(wire, "TLS could not be set up; check the certificate files");
        mongoc_stream_destroy(stream);
        return NULL;
    }
    bson_error_t cause = {0};
    if (!mongoc_stream_tls_handshake_block(tls, host, time_left(deadline), &cause)) {
        set_trouble(wire, cause.message);
        mongoc_stream_destroy(tls);
        return NULL;
    }
    return tls;
}

mongoc_stream_t *wire_open_stream(const mongoc_uri_t *uri, const mongoc_host_list_t *host,
                                  void *data, bson_error_t *error)
{
    struct wire *wire = data;
    int64_t deadline = now_in_ms() + wire->connect_time;
    mongoc_stream_t *stream = NULL;
    wire->trouble[0] = '\0';
    if (!wire_is_cut(wire)) {
        bool local = host->family == AF_UNIX;
        int fd =
            local ? connect_unix(wire, host->host, deadline) : connect_tcp(wire, host, deadline);
        if (fd < 0 && local) {
            set_trouble(wire, strerror(errno));
        }
        stream = fd < 0 ? NULL : wrap(wire, stream_new(wire, fd), host->host, deadline);
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

bool wire_sleep(struct wire *wire, unsigned milliseconds)
{
    struct pollfd wait = {.fd = wire->wake, .events = POLLIN};
    poll(&wait, 1, (int)milliseconds);
    return !wire_is_cut(wire);
}

bool wire_is_stale(const struct wire *wire)
{
    list_each (link, &wire->streams) {
        if (is_closed(list_item(link, struct stream, link))) {
            return true;
        }
    }
    return false;
}
