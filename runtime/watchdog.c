#include "watchdog.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "limits.h"
#include "run/engine.h"
#include "run/run.h"

enum { EXIT_STUCK = 70, STEPS = 4 }; /* it looks so often in its time */

struct watchdog {
    uv_timer_t beat;
    atomic_ulong beats;
    struct engine *engine;
    unsigned step; /* milliseconds */
    pthread_t thread;
    bool watches; /* the thread could be started */
    pthread_t loop_thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping;
};

/* ---- on the loop's thread, in the middle of whatever holds it up ---- */

static void say(const char *words)
{
    ssize_t ignored = write(STDERR_FILENO, words, strlen(words));
    (void)ignored;
}

static void on_fault(int number)
{
    (void)number;
    _exit(EXIT_STUCK);
}

/* Nothing is safe here and nothing comes after it: say what can be said and end. Where a compiled
 * trace is held up, Lua's stack may not be readable. */
static void on_alarm_signal(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    if (info->si_code != SI_QUEUE || info->si_pid != getpid()) {
        return; /* somebody else's signal */
    }
    say("moonlit: the loop has been stuck for too long; ending.\n");
    const struct watchdog *watchdog = info->si_value.sival_ptr;
    const struct branch *branch = watchdog->engine->current;
    if (branch != NULL) {
        signal(SIGSEGV, on_fault);
        signal(SIGBUS, on_fault);
        char file[256] = "", words[400];
        int line = run_line(branch->co, file, sizeof file);
        snprintf(words, sizeof words, "moonlit: the script stood at %s:%d\n", file, line);
        say(words);
    }
    _exit(EXIT_STUCK);
}

/* ---- the watching thread ---- */

static void wait_a_step(struct watchdog *watchdog)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += watchdog->step / 1000;
    until.tv_nsec += (long)(watchdog->step % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&watchdog->wake, &watchdog->mutex, &until);
}

static void sound_alarm(struct watchdog *watchdog)
{
    union sigval self = {.sival_ptr = watchdog};
    pthread_sigqueue(watchdog->loop_thread, SIGUSR2, self);
    wait_a_step(watchdog);
    _exit(EXIT_STUCK); /* the handler could not even write */
}

static void *watch_on_thread(void *data)
{
    struct watchdog *watchdog = data;
    unsigned long last = atomic_load(&watchdog->beats);
    unsigned silent = 0;
    pthread_mutex_lock(&watchdog->mutex);
    while (!watchdog->stopping) {
        wait_a_step(watchdog);
        unsigned long now = atomic_load(&watchdog->beats);
        silent = now == last ? silent + 1 : 0;
        last = now;
        if (silent >= STEPS && !watchdog->stopping) {
            sound_alarm(watchdog);
        }
    }
    pthread_mutex_unlock(&watchdog->mutex);
    return NULL;
}

/* ---- life ---- */

static void on_beat(uv_timer_t *timer)
{
    struct watchdog *watchdog = timer->data;
    atomic_fetch_add(&watchdog->beats, 1);
}

static unsigned patience(void)
{
    const char *text = getenv("MOONLIT_WATCHDOG_MS");
    int number = text != NULL ? atoi(text) : 0;
    return number >= STEPS ? (unsigned)number : LIMIT_WATCHDOG_TIME;
}

static void start_beat(struct watchdog *watchdog, uv_loop_t *loop)
{
    unsigned often = watchdog->step / 2;
    uv_timer_init(loop, &watchdog->beat);
    watchdog->beat.data = watchdog;
    uv_timer_start(&watchdog->beat, on_beat, often, often);
    uv_unref((uv_handle_t *)&watchdog->beat);
}

static void start_thread(struct watchdog *watchdog)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&watchdog->mutex, NULL);
    pthread_cond_init(&watchdog->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    watchdog->watches = pthread_create(&watchdog->thread, NULL, watch_on_thread, watchdog) == 0;
}

struct watchdog *watchdog_new(uv_loop_t *loop, struct engine *engine)
{
    struct watchdog *watchdog = memory_new(sizeof *watchdog);
    struct sigaction action = {.sa_sigaction = on_alarm_signal, .sa_flags = SA_SIGINFO};
    watchdog->engine = engine;
    watchdog->step = patience() / STEPS;
    watchdog->loop_thread = pthread_self();
    sigaction(SIGUSR2, &action, NULL);
    start_beat(watchdog, loop);
    start_thread(watchdog);
    return watchdog;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void watchdog_free(struct watchdog *watchdog)
{
    if (watchdog == NULL) {
        return;
    }
    pthread_mutex_lock(&watchdog->mutex);
    watchdog->stopping = true;
    pthread_cond_signal(&watchdog->wake);
    pthread_mutex_unlock(&watchdog->mutex);
    if (watchdog->watches) {
        pthread_join(watchdog->thread, NULL);
    }
    pthread_cond_destroy(&watchdog->wake);
    pthread_mutex_destroy(&watchdog->mutex);
    uv_close((uv_handle_t *)&watchdog->beat, on_closed);
}
