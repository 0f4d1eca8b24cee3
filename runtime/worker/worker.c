#include "worker/worker.h"
#include "base/memory.h"
#include "limits.h"
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

struct thread {
    struct list link; /* in the worker's ended, when the thread has left its loop */
    struct worker *worker;
    pthread_t handle;
};

struct worker {
    uv_async_t wake;
    unsigned max_threads;
    unsigned max_queue;
    void (*stopped)(void *data);
    void *stopped_data;

    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t work;  /* a job came, or stopping */
    struct list queue;
    struct list finished;
    struct list ended;
    unsigned queued;
    unsigned threads; /* alive: not yet in ended */
    unsigned idle;    /* waiting for work, or on the way there */
    bool stopping;
};

/* ---- on a worker thread ---------------------------------------------------------------------- */

static struct timespec idle_deadline(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    time.tv_sec += LIMIT_WORKER_IDLE_TIME / 1000;
    time.tv_nsec += LIMIT_WORKER_IDLE_TIME % 1000 * 1000000L;
    if (time.tv_nsec >= 1000000000L) {
        time.tv_nsec -= 1000000000L;
        time.tv_sec++;
    }
    return time;
}

/* The next job, or NULL when the thread shall end. Called and left with the lock held. */
static struct job *wait_for_job(struct worker *worker)
{
    struct timespec deadline = idle_deadline();
    bool patient = true;
    while (list_is_empty(&worker->queue) && !worker->stopping && patient) {
        worker->idle++;
        patient = pthread_cond_timedwait(&worker->work, &worker->lock, &deadline) != ETIMEDOUT;
        worker->idle--;
    }
    struct list *first = list_take_first(&worker->queue);
    if (!first) {
        return NULL;
    }
    worker->queued--;
    return list_item(first, struct job, link);
}

static void *run_thread(void *data)
{
    struct thread *thread = data;
    struct worker *worker = thread->worker;
    pthread_mutex_lock(&worker->lock);
    worker->idle--;
    struct job *job;
    while ((job = wait_for_job(worker))) {
        job->state = JOB_RUNNING;
        pthread_mutex_unlock(&worker->lock);
        job->work_on_worker(job);
        pthread_mutex_lock(&worker->lock);
        job->state = JOB_FINISHED;
        list_push_last(&worker->finished, &job->link);
        worker->idle++;
        pthread_mutex_unlock(&worker->lock);
        uv_async_send(&worker->wake); /* the handle is open while this thread is counted */
        pthread_mutex_lock(&worker->lock);
        worker->idle--;
    }
    worker->threads--;
    list_push_last(&worker->ended, &thread->link);
    uv_async_send(&worker->wake); /* under the lock: the handle is not closed before we let go */
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

/* ---- on the loop ----------------------------------------------------------------------------- */

static bool make_thread(struct worker *worker)
{
    struct thread *thread = memory_new(sizeof *thread);
    thread->worker = worker;
    list_init(&thread->link);

    sigset_t all, before;
    sigfillset(&all);
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, LIMIT_WORKER_STACK);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&thread->handle, &attributes, run_thread, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (failed) {
        free(thread);
        return false;
    }
    worker->threads++;
    worker->idle++;
    return true;
}

static struct list *take_first(struct worker *worker, struct list *head)
{
    pthread_mutex_lock(&worker->lock);
    struct list *first = list_take_first(head);
    pthread_mutex_unlock(&worker->lock);
    return first;
}

static void join_ended(struct worker *worker)
{
    struct list *first;
    while ((first = take_first(worker, &worker->ended))) {
        struct thread *thread = list_item(first, struct thread, link);
        pthread_join(thread->handle, NULL);
        free(thread);
    }
}

/* The job belongs to its owner again before its done runs. */
static void deliver_finished(struct worker *worker)
{
    for (;;) {
        pthread_mutex_lock(&worker->lock);
        struct list *first = list_take_first(&worker->finished);
        struct job *job = first ? list_item(first, struct job, link) : NULL;
        if (job) {
            job->state = JOB_IDLE;
        }
        pthread_mutex_unlock(&worker->lock);
        if (!job) {
            return;
        }
        job->done_on_loop(job);
    }
}

static void on_closed(uv_handle_t *handle)
{
    struct worker *worker = handle->data;
    void (*stopped)(void *) = worker->stopped;
    void *data = worker->stopped_data;
    pthread_cond_destroy(&worker->work);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
    if (stopped) {
        stopped(data);
    }
}

static void on_wake(uv_async_t *handle)
{
    struct worker *worker = handle->data;
    deliver_finished(worker);
    join_ended(worker);
    pthread_mutex_lock(&worker->lock);
    bool over = worker->stopping && worker->threads == 0 && list_is_empty(&worker->queue) &&
                list_is_empty(&worker->finished) && list_is_empty(&worker->ended);
    pthread_mutex_unlock(&worker->lock);
    if (over && !uv_is_closing((uv_handle_t *)handle)) {
        uv_close((uv_handle_t *)handle, on_closed);
    }
}

struct worker *worker_new(uv_loop_t *loop, unsigned max_threads, unsigned max_queue)
{
    assert(max_threads > 0);
    struct worker *worker = memory_new(sizeof *worker);
    if (uv_async_init(loop, &worker->wake, on_wake)) {
        free(worker);
        return NULL;
    }
    worker->wake.data = worker;
    worker->max_threads = max_threads;
    worker->max_queue = max_queue;
    list_init(&worker->queue);
    list_init(&worker->finished);
    list_init(&worker->ended);

    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&worker->work, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&worker->lock, NULL);
    return worker;
}

/* Room for one more: an idle thread that no queued job will take, a new thread, or the queue. */
static bool has_room(struct worker *worker)
{
    if (worker->queued < worker->idle) {
        return true;
    }
    if (worker->threads < worker->max_threads && make_thread(worker)) {
        return true;
    }
    unsigned waiting = worker->queued - worker->idle;
    return worker->threads > 0 && waiting < worker->max_queue;
}

bool worker_submit(struct worker *worker, struct job *job)
{
    pthread_mutex_lock(&worker->lock);
    assert(job->state == JOB_IDLE);
    bool taken = !worker->stopping && has_room(worker);
    if (taken) {
        job->state = JOB_QUEUED;
        list_push_last(&worker->queue, &job->link);
        worker->queued++;
    }
    pthread_mutex_unlock(&worker->lock);
    if (taken) { /* behind the lock: who wakes up would wait for it again */
        pthread_cond_signal(&worker->work);
    }
    return taken;
}

bool worker_withdraw(struct worker *worker, struct job *job)
{
    pthread_mutex_lock(&worker->lock);
    bool withdrawn = job->state == JOB_QUEUED;
    if (withdrawn) {
        list_remove(&job->link);
        worker->queued--;
        job->state = JOB_IDLE;
    }
    pthread_mutex_unlock(&worker->lock);
    return withdrawn;
}

unsigned worker_threads(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    unsigned threads = worker->threads;
    pthread_mutex_unlock(&worker->lock);
    return threads;
}

void worker_stop(struct worker *worker, void (*stopped)(void *data), void *data)
{
    worker->stopped = stopped;
    worker->stopped_data = data;
    pthread_mutex_lock(&worker->lock);
    worker->stopping = true;
    pthread_cond_broadcast(&worker->work);
    pthread_mutex_unlock(&worker->lock);
    uv_async_send(&worker->wake);
}
