#include "base/memory.h"
#include "mongo/pool.h"
#include <stdlib.h>

static struct mongo *mongo_of(struct killer *killer)
{
    return list_item(killer, struct mongo, killer);
}

static void open_gate(struct mongo_gate *gate)
{
    while (list_is_empty(&gate->kills) && !list_is_empty(&gate->waiting)) {
        struct list *first = list_take_first(&gate->waiting);
        struct mongo_request *request = list_item(first, struct mongo_request, link);
        request->mongo->stats.requests_waiting--;
        request_dispatch(request);
    }
}

/* The kill of this member's call is answered, or will never be. */
static void end_kill(struct member *member, bool through)
{
    struct mongo *mongo = member->mongo;
    struct mongo_gate *gate = member->gate;
    member->kill_pending = false;
    member->gate = NULL;
    list_remove(&member->gate_link);
    if (member->busy && through) {
        member->cut_at = uv_now(mongo->loop) + LIMIT_MONGO_KILLED_TIME;
        mongo_need_tick(mongo, true);
    } else if (!through) { /* its session's work may still run: it must not be used again */
        member_cut(member);
    }
    member_settle(member);
    if (gate) {
        open_gate(gate);
    }
}

static void end_kills(struct list *kills, bool through)
{
    struct list *first;
    while ((first = list_take_first(kills))) {
        end_kill(list_item(first, struct member, kill_link), through);
    }
}

static void work_on_worker(struct job *job)
{
    struct killer *killer = (struct killer *)job;
    if (killer->leaving) {
        client_disconnect_on_worker(&killer->client);
    } else {
        client_kill_sessions_on_worker(&killer->client, killer->ids, killer->count);
    }
}

static void collect(struct killer *killer)
{
    struct list *first;
    free(killer->ids);
    killer->ids = NULL;
    killer->count = 0;
    while ((first = list_take_first(&killer->waiting))) {
        struct member *member = list_item(first, struct member, kill_link);
        killer->ids = memory_resize(killer->ids, (killer->count + 1) * 16);
        memcpy(killer->ids + 16 * killer->count++, member->kill_id, 16);
        list_push_last(&killer->sent, first);
    }
}

/* One command at a time; what comes meanwhile goes out together in the next. */
static void send_kills(struct killer *killer)
{
    struct mongo *mongo = mongo_of(killer);
    if (killer->busy || list_is_empty(&killer->waiting)) {
        return;
    }
    collect(killer);
    mongo->stats.kills += killer->count;
    mongo->stats.kill_commands++;
    killer->busy = worker_submit(mongo->worker, &killer->job);
    if (!killer->busy) {
        end_kills(&killer->sent, false);
    }
}

static void done_on_loop(struct job *job)
{
    struct killer *killer = (struct killer *)job;
    struct mongo *mongo = mongo_of(killer);
    killer->busy = false;
    killer->used_at = uv_now(mongo->loop);
    if (!killer->leaving) {
        end_kills(&killer->sent, killer->client.call.ok);
    }
    killer->leaving = false;
    if (mongo->stopping) {
        killer_stop(mongo);
        mongo_finish_stop(mongo);
    } else {
        send_kills(killer);
    }
}

bool killer_init(struct mongo *mongo)
{
    struct killer *killer = &mongo->killer;
    list_init(&killer->waiting);
    list_init(&killer->sent);
    killer->job.work_on_worker = work_on_worker;
    killer->job.done_on_loop = done_on_loop;
    bool made =
        client_init(&killer->client, &mongo->settings, mongo->settings.control_uri, &mongo->counts);
    killer->client.patience = LIMIT_MONGO_KILL_TIME;
    killer->client.wire.connect_time = LIMIT_MONGO_KILL_TIME;
    return made;
}

void killer_add(struct member *member, struct mongo_gate *gate)
{
    struct killer *killer = &member->mongo->killer;
    member->kill_pending = true;
    list_push_last(&killer->waiting, &member->kill_link);
    if (gate) {
        member->gate = gate;
        list_push_last(&gate->kills, &member->gate_link);
    }
    send_kills(killer);
}

static void leave(struct mongo *mongo)
{
    struct killer *killer = &mongo->killer;
    killer->leaving = true;
    killer->busy = worker_submit(mongo->worker, &killer->job);
    if (!killer->busy) {
        wire_cut(&killer->client.wire);
        client_disconnect_on_worker(&killer->client);
    }
}

/* An idle control connection is closed like those of the pool. */
void killer_tick(struct mongo *mongo, uint64_t now)
{
    struct killer *killer = &mongo->killer;
    if (!killer->busy && killer->client.driver &&
        now - killer->used_at >= mongo->settings.idle_time) {
        leave(mongo);
    }
}

/* Called again when its job is done. */
void killer_stop(struct mongo *mongo)
{
    struct killer *killer = &mongo->killer;
    end_kills(&killer->waiting, false);
    if (killer->busy) {
        wire_cut(&killer->client.wire);
    } else if (killer->client.driver) {
        leave(mongo);
    }
}

bool killer_is_gone(const struct mongo *mongo)
{
    const struct killer *killer = &mongo->killer;
    return !killer->busy && !killer->client.driver && list_is_empty(&killer->sent);
}
