/*
 * A connection as libmongoc reads and writes it: a socket whose every wait also ends when its wire
 * is cut.
 */
#ifndef MOONLIT_MONGO_STREAM_H
#define MOONLIT_MONGO_STREAM_H

#include "mongo/wire.h"

struct stream {
    mongoc_stream_t base;
    struct list link; /* in the wire's streams */
    struct wire *wire;
    int fd;
    int error; /* errno of the last call */
};

/* Owns `fd`, a socket that does not block. */
mongoc_stream_t *stream_new(struct wire *wire, int fd);

/* Has the far end closed it? */
bool stream_is_closed(const struct stream *stream);

/* 0 when the socket is ready, else an errno: ETIMEDOUT, ECANCELED, or poll's own. */
int stream_wait(struct wire *wire, int fd, short events, int64_t deadline);

#endif
