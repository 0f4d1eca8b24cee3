#include "base/memory.h"
#include "mongo/pool.h"
#include <stdlib.h>

#define TICK_FAST 50 /* while something waits that has a deadline; else as idle clients need it */

/* ---- what comes with time -------------------------------------------------------------------- */

/* True while a killed call has not returned. */
static bool cut_late_members(struct mongo *mongo, uint64_t now)
{
    bool waiting = false;
    list_each (link, &mongo->members) {
        struct member *member = list_item(link, struct member, link);
        if (member->cut_at && now >= member->cut_at) {
            member_cut(member);
        }
        if (mongo->stopping && now >= mongo->stop_at) {
            wire_cut(&member->client.wire);
        }
        waiting = waiting || member->cut_at;
    }
    return waiting;
}

static void drop_old_members(struct mongo *mongo, uint64_t now)
{
    while (!list_is_empty(&mongo->idle)) {
        struct member *oldest = list_item(mongo->idle.previous, struct member, idle_link);
        if (now - oldest->idle_since < mongo->settings.idle_time) {
            return;
        }
        member_leave(oldest);
    }
}

static void on_tick(uv_timer_t *timer)
{
    struct mongo *mongo = timer->data;
    uint64_t now = uv_now(mongo->loop);
    requests_time_out(mongo, now);
    bool fast =
        cut_late_members(mongo, now) || mongo->stopping || mongo->stats.requests_waiting > 0;
    if (mongo->stopping && now >= mongo->stop_at) {
        wire_cut(&mongo->killer.client.wire);
    }
    drop_old_members(mongo, now);
    killer_tick(mongo, now);
    if (fast) {
        return;
    }
    uv_timer_stop(timer);
    if (!list_is_empty(&mongo->members) || mongo->killer.client.driver) {
        mongo_need_tick(mongo, false);
    }
}

void mongo_need_tick(struct mongo *mongo, bool fast)
{
    bool active = uv_is_active((uv_handle_t *)&mongo->tick);
    uint64_t every = fast ? TICK_FAST : mongo->settings.idle_time / 4 + 1;
    if (mongo->handles && (!active || uv_timer_get_repeat(&mongo->tick) > every)) {
        uv_timer_start(&mongo->tick, on_tick, every, every);
    }
}

static void on_soon(uv_timer_t *timer)
{
    requests_deliver_failed(timer->data);
}

/* ---- life ------------------------------------------------------------------------------------ */

static void init_lists(struct mongo *mongo)
{
    list_init(&mongo->members);
    list_init(&mongo->idle);
    list_init(&mongo->queue);
    list_init(&mongo->failed);
    list_init(&mongo->requests);
    list_init(&mongo->leases);
}

static void init_timer(struct mongo *mongo, uv_timer_t *timer, uv_timer_cb callback)
{
    uv_timer_init(mongo->loop, timer);
    timer->data = mongo;
    timer->timer_cb = callback;
    mongo->handles++;
}

struct mongo *mongo_new(uv_loop_t *loop, struct log *log, const struct mongo_config *config,
                        struct error *error)
{
    struct mongo *mongo = memory_new(sizeof *mongo);
    mongo->loop = loop;
    mongo->log = log;
    init_lists(mongo);
    if (!settings_init(&mongo->settings, config, error)) {
        goto no_settings;
    }
    if (!killer_init(mongo)) {
        error_set(error, ERROR_SYSTEM, 0, "Too many files are open to begin with a database.");
        goto no_killer;
    }
    /* a thread for each client, one for the kills */
    mongo->worker = worker_new(loop, mongo->settings.pool_size + 1, LIMIT_MONGO_QUEUE);
    if (!mongo->worker) {
        error_set(error, ERROR_SYSTEM, 0, "Too many files are open to begin with a database.");
        goto no_worker;
    }
    init_timer(mongo, &mongo->tick, on_tick);
    init_timer(mongo, &mongo->soon, on_soon);
    return mongo;

no_worker:
    client_deinit(&mongo->killer.client);
no_killer:
    settings_deinit(&mongo->settings);
no_settings:
    free(mongo);
    return NULL;
}

const char *mongo_address(const struct mongo *mongo)
{
    return mongo->settings.address;
}

const char *mongo_default_database(const struct mongo *mongo)
{
    return mongo->settings.database;
}

/* ---- stopping -------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct mongo *mongo = handle->data;
    if (--mongo->handles > 0) {
        return;
    }
    void (*stopped)(void *) = mongo->stopped;
    void *data = mongo->stopped_data;
    client_deinit(&mongo->killer.client);
    free(mongo->killer.ids);
    settings_deinit(&mongo->settings);
    free(mongo);
    if (stopped) {
        stopped(data);
    }
}

static void on_worker_stopped(void *data)
{
    struct mongo *mongo = data;
    uv_close((uv_handle_t *)&mongo->tick, on_closed);
    uv_close((uv_handle_t *)&mongo->soon, on_closed);
}

/* Called wherever the last thing might just have ended. */
void mongo_finish_stop(struct mongo *mongo)
{
    bool over = mongo->stopping && mongo->worker && list_is_empty(&mongo->members) &&
                list_is_empty(&mongo->requests) && killer_is_gone(mongo);
    if (over) {
        struct worker *worker = mongo->worker;
        mongo->worker = NULL;
        worker_stop(worker, on_worker_stopped, mongo);
    }
}

static void fail_waiting(struct mongo *mongo)
{
    list_each_safe (link, after, &mongo->requests) {
        struct mongo_request *request = list_item(link, struct mongo_request, all);
        if (request->state == REQUEST_WAITING) {
            list_remove(&request->link);
            mongo->stats.requests_waiting--;
            request_fail(request, "Moonlit is ending; the command did not start.");
        }
    }
}

static void lose_leases(struct mongo *mongo)
{
    struct list *first;
    while ((first = list_take_first(&mongo->leases))) {
        struct mongo_lease *lease = list_item(first, struct mongo_lease, link);
        lease_lose(lease);
        lease->mongo = NULL;
    }
}

static void end_members(struct mongo *mongo)
{
    list_each_safe (link, after, &mongo->members) {
        struct member *member = list_item(link, struct member, link);
        if (!member->busy) {
            member_settle(member);
        } else if (!member->leaving) {
            member_cut(member);
        }
    }
}

void mongo_stop(struct mongo *mongo, void (*done)(void *data), void *data)
{
    mongo->stopping = true;
    mongo->stopped = done;
    mongo->stopped_data = data;
    mongo->stop_at = uv_now(mongo->loop) + LIMIT_MONGO_STOP_TIME;
    fail_waiting(mongo);
    lose_leases(mongo);
    killer_stop(mongo);
    end_members(mongo);
    mongo_need_tick(mongo, true);
    uv_timer_start(&mongo->soon, on_soon, 0, 0); /* also ends a mongo that has nothing to end */
}

/* ---- numbers --------------------------------------------------------------------------------- */

void mongo_stats(const struct mongo *mongo, struct mongo_stats *stats)
{
    *stats = mongo->stats;
    stats->connections_created = atomic_load(&mongo->counts.created);
    stats->connections_open = atomic_load(&mongo->counts.open);
    list_each (link, &mongo->idle) {
        stats->clients_idle++;
    }
    list_each (link, &mongo->members) {
        const struct member *member = list_item(link, struct member, link);
        bool ending =
            (member->busy && !member->request && !member->leaving) || member->kill_pending;
        stats->requests_ending += ending;
    }
}
