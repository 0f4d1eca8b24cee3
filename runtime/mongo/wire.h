/*
 * The connections of one client, and the scissors for them.
 *
 * libmongoc opens a connection through wire_open_stream, our stream initiator, and reads and
 * writes it through our own stream (stream.h; behind TLS if asked for, and behind a guard,
 * guard.h), which waits for the socket and for the wire's wake-up at once. So wire_cut ends every
 * wait of the client, from any thread and at any stage: the look-up of a name, connecting, the TLS
 * and MongoDB handshakes, a command. What has been cut stays cut; no new connection is opened.
 *
 * A wire belongs to its client's thread, except wire_cut and wire_is_cut.
 */
#ifndef MOONLIT_MONGO_WIRE_H
#define MOONLIT_MONGO_WIRE_H

#include "base/list.h"
#include "mongo/settings.h"
#include <stdatomic.h>

/* Shared by all wires of a mongo. */
struct wire_counts {
    atomic_uint_fast64_t created;
    atomic_uint_fast64_t open;
};

struct wire {
    const struct settings *settings;
    struct wire_counts *counts;
    unsigned connect_time;
    int wake; /* eventfd, readable once the wire is cut */
    atomic_bool is_cut;
    struct list streams;
    char trouble[512]; /* why the last connection failed or broke, or "" */
};

bool wire_init(struct wire *wire, const struct settings *settings, struct wire_counts *counts);
void wire_deinit(struct wire *wire);

void wire_cut(struct wire *wire);
bool wire_is_cut(const struct wire *wire);

/* Note why a connection failed or broke. */
void wire_set_trouble(struct wire *wire, const char *what);

/* Sleep, unless cut; false when cut. */
bool wire_sleep(struct wire *wire, unsigned milliseconds);

/* True when the far end has closed a connection that lies idle. */
bool wire_is_stale(const struct wire *wire);

/* The initiator; `data` is the wire. */
mongoc_stream_t *wire_open_stream(const mongoc_uri_t *uri, const mongoc_host_list_t *host,
                                  void *data, bson_error_t *error);

#endif
