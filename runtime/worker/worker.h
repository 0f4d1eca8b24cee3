/*
 * The only thread boundary of the house: jobs go to threads, their answers come back to the loop.
 *
 * A job is embedded in a struct of the caller, holds plain data, and never sees Lua or a session.
 * `work_on_worker` may block; `done_on_loop` runs later on the loop thread and may free the job's
 * struct or submit it again. Between worker_submit and done_on_loop the struct belongs to the
 * worker, unless worker_withdraw took it back.
 *
 * Life: worker_new, any number of submits, worker_stop. Threads are made on demand up to the
 * limit and end after LIMIT_WORKER_IDLE_TIME without work; every signal is blocked in them. All
 * functions below are for the loop thread.
 */
#ifndef MOONLIT_WORKER_WORKER_H
#define MOONLIT_WORKER_WORKER_H

#include "base/list.h"
#include <stdbool.h>
#include <uv.h>

enum job_state { JOB_IDLE = 0, JOB_QUEUED, JOB_RUNNING, JOB_FINISHED };

/* Zero it, fill the two functions; the rest is the worker's. */
struct job {
    void (*work_on_worker)(struct job *job);
    void (*done_on_loop)(struct job *job);
    struct list link;     /* in the queue or among the finished */
    enum job_state state; /* guarded by the worker's lock */
};

struct worker;

/* At most `max_threads` jobs run and `max_queue` more wait. */
struct worker *worker_new(uv_loop_t *loop, unsigned max_threads, unsigned max_queue);

/* False, and nothing happens, when the queue is full, no thread can be made, or after
 * worker_stop. */
bool worker_submit(struct worker *worker, struct job *job);

/* True when the job had not started: neither of its functions will run and it is the caller's
 * again. False when it runs or has run: done_on_loop is still to come. */
bool worker_withdraw(struct worker *worker, struct job *job);

/* Threads alive now. */
unsigned worker_threads(struct worker *worker);

/* No new jobs. What was submitted is still done and delivered (so the caller cancels first what
 * could take long), every thread is joined, the handles are closed, the worker is freed; then
 * `stopped` runs on the loop. Never blocks; may be called from a done_on_loop. */
void worker_stop(struct worker *worker, void (*stopped)(void *data), void *data);

#endif
