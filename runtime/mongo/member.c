#include "base/memory.h"
#include "mongo/pool.h"
#include <assert.h>
#include <stdlib.h>

static void free_member(struct member *member)
{
    struct mongo *mongo = member->mongo;
    list_remove(&member->link);
    list_remove(&member->idle_link);
    list_remove(&member->kill_link);
    list_remove(&member->gate_link);
    mongo->stats.clients--;
    client_deinit(&member->client);
    free(member);
    requests_pump(mongo);
    mongo_finish_stop(mongo);
}

static void on_left(struct member *member)
{
    member->busy = false;
    free_member(member);
}

/* The member is settled before anybody hears of the answer, since a callback may do anything. */
static void on_called(struct member *member)
{
    struct mongo_request *request = member->request;
    member->busy = false;
    member->cut_at = 0;
    if (request) {
        request_answer(request, member);
    } else {
        member_settle(member);
    }
}

static void done_on_loop(struct job *job)
{
    struct member *member = (struct member *)job;
    if (member->leaving) {
        on_left(member);
    } else {
        on_called(member);
    }
}

static void work_on_worker(struct job *job)
{
    struct member *member = (struct member *)job;
    if (member->leaving) {
        client_disconnect_on_worker(&member->client);
    } else {
        client_call_on_worker(&member->client);
    }
}

static struct member *member_new(struct mongo *mongo)
{
    struct member *member = memory_new(sizeof *member);
    if (!client_init(&member->client, &mongo->settings, mongo->settings.uri, &mongo->counts)) {
        free(member);
        return NULL;
    }
    member->job.work_on_worker = work_on_worker;
    member->job.done_on_loop = done_on_loop;
    member->mongo = mongo;
    list_init(&member->idle_link);
    list_init(&member->kill_link);
    list_init(&member->gate_link);
    list_push_last(&mongo->members, &member->link);
    mongo->stats.clients++;
    return member;
}

/* An idle member, the one used last, so that the others can grow old; or a new one. */
struct member *member_take(struct mongo *mongo)
{
    struct list *first = list_take_first(&mongo->idle);
    if (first) {
        return list_item(first, struct member, idle_link);
    }
    if (mongo->stats.clients >= mongo->settings.pool_size) {
        return NULL;
    }
    return member_new(mongo);
}

bool member_start(struct member *member)
{
    assert(!member->busy && !member->kill_pending);
    atomic_store(&member->client.given_up, false);
    atomic_store(&member->client.returned, false);
    member->busy = worker_submit(member->mongo->worker, &member->job);
    return member->busy;
}

void member_leave(struct member *member)
{
    assert(!member->busy);
    list_remove(&member->idle_link);
    if (!member->client.driver) {
        free_member(member);
        return;
    }
    member->leaving = true;
    member->busy = worker_submit(member->mongo->worker, &member->job);
    if (!member->busy) { /* no thread to be had: cut, so that it cannot block here */
        wire_cut(&member->client.wire);
        client_disconnect_on_worker(&member->client);
        free_member(member);
    }
}

void member_cut(struct member *member)
{
    if (!wire_is_cut(&member->client.wire)) {
        wire_cut(&member->client.wire);
        member->mongo->stats.cuts++;
    }
    member->cut_at = 0;
}

/* A cursor in the reply to a request that was given up. */
static bool kill_stray_cursor(struct member *member)
{
    struct call *call = &member->client.call;
    if (!call->ok || !call->cursor.id) {
        return false;
    }
    bson_t command = BSON_INITIALIZER;
    command_kill_cursor(&call->cursor, &command);
    struct call kill = {.database = call->database,
                        .bson = memory_copy(bson_get_data(&command), command.len),
                        .length = command.len,
                        .kind = MONGO_READ,
                        .server = call->replied};
    call->database = NULL;
    bson_destroy(&command);
    call_clear(call);
    *call = kill;
    return member_start(member);
}

static void become_idle(struct member *member)
{
    struct mongo *mongo = member->mongo;
    call_clear(&member->client.call);
    member->idle_since = uv_now(mongo->loop);
    list_push_first(&mongo->idle, &member->idle_link);
    mongo_need_tick(mongo, false);
    requests_pump(mongo);
}

void member_settle(struct member *member)
{
    if (member->busy || member->kill_pending || member->lease) {
        return;
    }
    bool usable = member->client.driver && !wire_is_cut(&member->client.wire);
    if (!usable || member->mongo->stopping) {
        member_leave(member);
    } else if (!kill_stray_cursor(member)) {
        become_idle(member);
    }
}
