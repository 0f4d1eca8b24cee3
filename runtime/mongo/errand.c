#include "mongo/errand.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

void errand_leave(struct errand *errand)
{
    if (atomic_fetch_sub(&errand->owners, 1) == 1) {
        close(errand->done);
        errand->drop(errand);
    }
}

static void *run_errand(void *data)
{
    struct errand *errand = data;
    errand->run(errand);
    atomic_store(&errand->has_run, true);
    eventfd_write(errand->done, 1);
    errand_leave(errand);
    return NULL;
}

static bool start_thread(struct errand *errand)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, LIMIT_WORKER_STACK);
    pthread_t thread;
    int failed = pthread_create(&thread, &attributes, run_errand, errand);
    pthread_attr_destroy(&attributes);
    return !failed;
}

static bool wait_for_errand(struct errand *errand, struct wire *wire, unsigned milliseconds)
{
    struct pollfd waits[] = {{.fd = errand->done, .events = POLLIN},
                             {.fd = wire->wake, .events = POLLIN}};
    while (poll(waits, 2, (int)milliseconds) < 0 && errno == EINTR) {
    }
    return atomic_load(&errand->has_run) && !wire_is_cut(wire);
}

bool errand_run(struct errand *errand, struct wire *wire, unsigned milliseconds)
{
    atomic_init(&errand->owners, 2);
    atomic_init(&errand->has_run, false);
    errand->done = eventfd(0, EFD_CLOEXEC);
    if (errand->done < 0 || !start_thread(errand)) {
        atomic_store(&errand->owners, 1);
        errand_leave(errand);
        return false;
    }
    if (!wait_for_errand(errand, wire, milliseconds)) {
        errand_leave(errand);
        return false;
    }
    return true;
}
