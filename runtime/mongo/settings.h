/*
 * What a URI and a mongo_config come to: parsed once, read by all threads, never changed.
 */
#ifndef MOONLIT_MONGO_SETTINGS_H
#define MOONLIT_MONGO_SETTINGS_H

#include "mongo/mongo.h"
#include <mongoc/mongoc.h>

struct settings {
    mongoc_uri_t *uri;         /* for the clients of the pool */
    mongoc_uri_t *control_uri; /* for the control connection: the same, in a hurry */
    char *address;             /* for people */
    char *database;
    unsigned pool_size;
    unsigned queue_time;     /* waitQueueTimeoutMS */
    unsigned selection_time; /* serverSelectionTimeoutMS */
    unsigned connect_time;   /* connectTimeoutMS */
    unsigned idle_time;      /* maxIdleTimeMS */
    bool retry_reads;
    bool retry_writes;
    bool acknowledged;       /* false for w=0: writes are not answered, and run without session */
    bool reads_from_primary; /* so a kill need not go to the other members */
    bool compresses;         /* so that the guard does not see what is inside the replies */
    bool tls;
    mongoc_ssl_opt_t tls_options; /* points into uri */
};

bool settings_init(struct settings *settings, const struct mongo_config *config,
                   struct error *error);
void settings_deinit(struct settings *settings);

#endif
