#include "mongo/stream.h"
#include "base/memory.h"
#include "mongo/deadline.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAM_TYPE 1701 /* any number that the library does not use for its own */

int stream_wait(struct wire *wire, int fd, short events, int64_t deadline)
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

static ssize_t fail(struct stream *stream, int error, const char *what)
{
    stream->error = error;
    if (error != EAGAIN) {
        wire_set_trouble(stream->wire, what ? what : strerror(error));
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
    return stream_wait(stream->wire, stream->fd, events, deadline);
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
    int64_t deadline = deadline_in(timeout);
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
    int64_t deadline = deadline_in(timeout);
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
            wire_set_trouble(stream->wire, "the server closed the connection");
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

bool stream_is_closed(const struct stream *stream)
{
    char byte;
    ssize_t got = recv(stream->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

static bool stream_check_closed(mongoc_stream_t *base)
{
    return stream_is_closed((struct stream *)base);
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

mongoc_stream_t *stream_new(struct wire *wire, int fd)
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
