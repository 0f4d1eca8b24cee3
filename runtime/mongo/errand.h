/*
 * Calls that can neither be interrupted nor be given a time-out (the look-up of a name) are run
 * as an errand: on a thread of their own that nobody joins, so that the client that waits for it
 * can walk away when its wire is cut. The last of the two to leave drops the errand.
 */
#ifndef MOONLIT_MONGO_ERRAND_H
#define MOONLIT_MONGO_ERRAND_H

#include "mongo/wire.h"

/* Embedded in a heap struct that points to nothing it does not own. */
struct errand {
    void (*run)(struct errand *errand);
    void (*drop)(struct errand *errand); /* frees it, with a result that nobody took */
    atomic_int owners;
    atomic_bool has_run; /* the result may be read */
    int done;            /* eventfd */
};

/* True when it has run within the time and the wire is not cut; then the caller reads the result
 * and calls errand_leave. False: the errand is gone. */
bool errand_run(struct errand *errand, struct wire *wire, unsigned milliseconds);
void errand_leave(struct errand *errand);

#endif
