#include "worker/worker.h"
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- a loop, a worker, and jobs that wait until they are let go ------------------------------ */

struct place {
    uv_loop_t loop;
    struct worker *worker;
    sem_t started; /* posted by each gated job when it runs */
    sem_t let_go;  /* one post lets one gated job end */
    unsigned done;
    bool stopped;
};

struct task {
    struct job job;
    struct place *place;
    int number;
    int answer;
    int done_count;
    bool submit_again;
};

static void double_number(struct job *job)
{
    struct task *task = (struct task *)job;
    task->answer = task->number * 2;
}

static void wait_to_be_let_go(struct job *job)
{
    struct task *task = (struct task *)job;
    sem_post(&task->place->started);
    sem_wait(&task->place->let_go);
    task->answer = task->number * 2;
}

static void count_done(struct job *job)
{
    struct task *task = (struct task *)job;
    task->done_count++;
    task->place->done++;
    if (task->submit_again) {
        task->submit_again = false;
        assert_true(worker_submit(task->place->worker, job));
    }
}

static struct task task_of(struct place *place, void (*work)(struct job *), int number)
{
    return (struct task){
        .job = {.work_on_worker = work, .done_on_loop = count_done},
        .place = place,
        .number = number,
    };
}

static void place_open(struct place *place, unsigned threads, unsigned queue)
{
    *place = (struct place){0};
    assert_int_equal(uv_loop_init(&place->loop), 0);
    sem_init(&place->started, 0, 0);
    sem_init(&place->let_go, 0, 0);
    place->worker = worker_new(&place->loop, threads, queue);
    assert_non_null(place->worker);
}

static void run_until_done(struct place *place, unsigned count)
{
    while (place->done < count) {
        uv_run(&place->loop, UV_RUN_ONCE);
    }
}

static void on_stopped(void *data)
{
    ((struct place *)data)->stopped = true;
}

static void place_close(struct place *place)
{
    worker_stop(place->worker, on_stopped, place);
    uv_run(&place->loop, UV_RUN_DEFAULT);
    assert_true(place->stopped);
    assert_int_equal(uv_loop_close(&place->loop), 0);
    sem_destroy(&place->started);
    sem_destroy(&place->let_go);
}

/* ---- promises -------------------------------------------------------------------------------- */

static void every_job_is_worked_and_delivered_once(void **state)
{
    struct place place;
    place_open(&place, 4, 1000);
    static struct task tasks[500];
    for (int i = 0; i < 500; i++) {
        tasks[i] = task_of(&place, double_number, i);
        assert_true(worker_submit(place.worker, &tasks[i].job));
    }
    run_until_done(&place, 500);
    for (int i = 0; i < 500; i++) {
        assert_int_equal(tasks[i].answer, 2 * i);
        assert_int_equal(tasks[i].done_count, 1);
    }
    assert_true(worker_threads(place.worker) <= 4);
    place_close(&place);
}

static void threads_are_made_on_demand_up_to_the_limit(void **state)
{
    struct place place;
    place_open(&place, 3, 10);
    assert_int_equal(worker_threads(place.worker), 0);
    struct task tasks[5];
    for (int i = 0; i < 5; i++) {
        tasks[i] = task_of(&place, wait_to_be_let_go, i);
        assert_true(worker_submit(place.worker, &tasks[i].job));
        assert_int_equal(worker_threads(place.worker), i < 3 ? i + 1 : 3);
    }
    for (int i = 0; i < 5; i++) {
        sem_post(&place.let_go);
    }
    run_until_done(&place, 5);
    place_close(&place);
}

static void an_idle_thread_is_used_again(void **state)
{
    struct place place;
    place_open(&place, 8, 10);
    struct task task = task_of(&place, double_number, 1);
    for (unsigned i = 1; i <= 50; i++) {
        assert_true(worker_submit(place.worker, &task.job));
        run_until_done(&place, i);
    }
    assert_true(worker_threads(place.worker) <= 1); /* none when it has waited for too long */
    place_close(&place);
}

static void a_full_queue_refuses(void **state)
{
    struct place place;
    place_open(&place, 1, 2);
    struct task tasks[4];
    for (int i = 0; i < 4; i++) {
        tasks[i] = task_of(&place, wait_to_be_let_go, i);
        assert_int_equal(worker_submit(place.worker, &tasks[i].job), i < 3);
    }
    for (int i = 0; i < 3; i++) {
        sem_post(&place.let_go);
    }
    run_until_done(&place, 3);
    assert_int_equal(tasks[3].done_count, 0);
    place_close(&place);
}

static void a_queued_job_can_be_withdrawn_and_a_running_one_cannot(void **state)
{
    struct place place;
    place_open(&place, 1, 2);
    struct task running = task_of(&place, wait_to_be_let_go, 1);
    struct task queued = task_of(&place, wait_to_be_let_go, 2);
    assert_true(worker_submit(place.worker, &running.job));
    sem_wait(&place.started);
    assert_true(worker_submit(place.worker, &queued.job));

    assert_false(worker_withdraw(place.worker, &running.job));
    assert_true(worker_withdraw(place.worker, &queued.job));
    assert_false(worker_withdraw(place.worker, &queued.job));

    sem_post(&place.let_go);
    run_until_done(&place, 1);
    assert_int_equal(running.done_count, 1);
    assert_false(worker_withdraw(place.worker, &running.job));
    place_close(&place);
    assert_int_equal(queued.done_count, 0);
    assert_int_equal(queued.answer, 0);
}

static void a_job_may_be_submitted_again_when_it_is_done(void **state)
{
    struct place place;
    place_open(&place, 1, 1);
    struct task task = task_of(&place, double_number, 1);
    task.submit_again = true;
    assert_true(worker_submit(place.worker, &task.job));
    run_until_done(&place, 2);
    assert_int_equal(task.done_count, 2);
    place_close(&place);
}

static void stopping_delivers_what_was_submitted_and_takes_nothing_new(void **state)
{
    struct place place;
    place_open(&place, 1, 5);
    struct task tasks[3], late = task_of(&place, double_number, 9);
    for (int i = 0; i < 3; i++) {
        tasks[i] = task_of(&place, wait_to_be_let_go, i);
        assert_true(worker_submit(place.worker, &tasks[i].job));
    }
    worker_stop(place.worker, on_stopped, &place);
    assert_false(worker_submit(place.worker, &late.job));
    for (int i = 0; i < 3; i++) {
        sem_post(&place.let_go);
    }
    uv_run(&place.loop, UV_RUN_DEFAULT);
    assert_true(place.stopped);
    assert_int_equal(place.done, 3);
    assert_int_equal(uv_loop_close(&place.loop), 0);
}

static void stop_in_done(struct job *job)
{
    count_done(job);
    worker_stop(((struct task *)job)->place->worker, on_stopped, ((struct task *)job)->place);
}

static void stopping_inside_a_delivery_works(void **state)
{
    struct place place;
    place_open(&place, 2, 5);
    struct task task = task_of(&place, double_number, 1);
    task.job.done_on_loop = stop_in_done;
    assert_true(worker_submit(place.worker, &task.job));
    uv_run(&place.loop, UV_RUN_DEFAULT);
    assert_true(place.stopped);
    assert_int_equal(uv_loop_close(&place.loop), 0);
}

static void read_signal_mask(struct job *job)
{
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    ((struct task *)job)->answer = sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM) &&
                                   sigismember(&mask, SIGCHLD) && sigismember(&mask, SIGHUP);
}

static void signals_are_blocked_in_worker_threads_only(void **state)
{
    struct place place;
    place_open(&place, 1, 1);
    struct task task = task_of(&place, read_signal_mask, 0);
    assert_true(worker_submit(place.worker, &task.job));
    run_until_done(&place, 1);
    assert_true(task.answer);
    sigset_t mask;
    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    assert_false(sigismember(&mask, SIGINT));
    place_close(&place);
}

/* Seeded: submits, withdrawals and deliveries in any order; each job ends in exactly one way. */
static void no_job_is_lost_or_done_twice_in_a_random_mix(void **state)
{
    enum { COUNT = 2000 };
    struct place place;
    place_open(&place, 4, COUNT);
    struct task *tasks = calloc(COUNT, sizeof *tasks);
    bool *withdrawn = calloc(COUNT, sizeof *withdrawn);
    unsigned expected = 0;
    srand(7);
    for (int i = 0; i < COUNT; i++) {
        tasks[i] = task_of(&place, double_number, i);
        assert_true(worker_submit(place.worker, &tasks[i].job));
        expected++;
        int victim = rand() % (i + 1);
        if (rand() % 2 && worker_withdraw(place.worker, &tasks[victim].job)) {
            withdrawn[victim] = true;
            expected--;
        }
        if (rand() % 8 == 0) {
            uv_run(&place.loop, UV_RUN_NOWAIT);
        }
    }
    run_until_done(&place, expected);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(tasks[i].done_count, withdrawn[i] ? 0 : 1);
    }
    place_close(&place);
    free(tasks);
    free(withdrawn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_is_worked_and_delivered_once),
        cmocka_unit_test(threads_are_made_on_demand_up_to_the_limit),
        cmocka_unit_test(an_idle_thread_is_used_again),
        cmocka_unit_test(a_full_queue_refuses),
        cmocka_unit_test(a_queued_job_can_be_withdrawn_and_a_running_one_cannot),
        cmocka_unit_test(a_job_may_be_submitted_again_when_it_is_done),
        cmocka_unit_test(stopping_delivers_what_was_submitted_and_takes_nothing_new),
        cmocka_unit_test(stopping_inside_a_delivery_works),
        cmocka_unit_test(signals_are_blocked_in_worker_threads_only),
        cmocka_unit_test(no_job_is_lost_or_done_twice_in_a_random_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
