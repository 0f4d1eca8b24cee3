#include "watchdog.h"

#include <lua.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "bridge/state.h"
#include "limits.h"
#include "run/engine.h"
#include "run/run.h"

struct watchdog {
    uv_timer_t beat;
    pthread_t thread;
    pthread_t loop_thread;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    bool stopping;
    atomic_ulong beats;
    struct state *state;
    unsigned milliseconds;
};

/* A signal handler has no argument, so the one watchdog of the process is found here. */
static struct watchdog *_Atomic the_watchdog;

/* On the loop's thread, in the middle of whatever holds it up. Nothing is safe here and nothing
 * comes after it: say what can be said and end. */
static void on_alarm_signal(int number)
{
    (void)number;
    static const char words[] = "moonlit: the loop has been stuck for too long; ending.\n";
    ssize_t ignored = write(STDERR_FILENO, words, sizeof words - 1);
    struct watchdog *watchdog = the_watchdog;
    struct engine *engine = watchdog != NULL ? watchdog->state->owner : NULL;
    if (engine != NULL && engine->current != NULL) {
        char file[256] = "", line[400];
        int at = run_line(engine->current->co, file, sizeof file);
        int length = snprintf(line, sizeof line, "moonlit: the script stood at %s:%d\n", file, at);
        ignored = write(STDERR_FILENO, line, (size_t)length);
    }
    (void)ignored;
    _exit(70);
}

static void on_beat(uv_timer_t *timer)
{
    struct watchdog *watchdog = timer->data;
    atomic_fetch_add(&watchdog->beats, 1);
}

static void wait_a_while(struct watchdog *watchdog, unsigned milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += milliseconds / 1000;
    until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&watchdog->wake, &watchdog->mutex, &until);
}

static void *watch_on_thread(void *data)
{
    struct watchdog *watchdog = data;
    unsigned long last = atomic_load(&watchdog->beats);
    unsigned silent = 0;
    const unsigned step = 1000;
    pthread_mutex_lock(&watchdog->mutex);
    while (!watchdog->stopping) {
        wait_a_while(watchdog, step);
        unsigned long now = atomic_load(&watchdog->beats);
        silent = now == last ? silent + step : 0;
        last = now;
        if (silent >= watchdog->milliseconds && !watchdog->stopping) {
            pthread_kill(watchdog->loop_thread, SIGUSR2);
            wait_a_while(watchdog, step);
            _exit(70); /* the handler could not even write */
        }
    }
    pthread_mutex_unlock(&watchdog->mutex);
    return NULL;
}

/* MOONLIT_WATCHDOG_MS shortens the wait for tests of the whole binary. */
static unsigned patience(void)
{
    const char *text = getenv("MOONLIT_WATCHDOG_MS");
    int number = text != NULL ? atoi(text) : 0;
    return number > 0 ? (unsigned)number : LIMIT_WATCHDOG_TIME;
}

struct watchdog *watchdog_new(uv_loop_t *loop, struct state *state, struct log *log)
{
    (void)log;
    struct watchdog *watchdog = memory_new(sizeof *watchdog);
    watchdog->state = state;
    watchdog->milliseconds = patience();
    watchdog->loop_thread = pthread_self();
    pthread_mutex_init(&watchdog->mutex, NULL);
    pthread_cond_init(&watchdog->wake, NULL);
    the_watchdog = watchdog;
    struct sigaction action = {.sa_handler = on_alarm_signal};
    sigaction(SIGUSR2, &action, NULL);
    uv_timer_init(loop, &watchdog->beat);
    watchdog->beat.data = watchdog;
    uv_timer_start(&watchdog->beat, on_beat, 500, 500);
    uv_unref((uv_handle_t *)&watchdog->beat);
    pthread_create(&watchdog->thread, NULL, watch_on_thread, watchdog);
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
    pthread_join(watchdog->thread, NULL);
    the_watchdog = NULL;
    pthread_cond_destroy(&watchdog->wake);
    pthread_mutex_destroy(&watchdog->mutex);
    uv_close((uv_handle_t *)&watchdog->beat, on_closed);
}
