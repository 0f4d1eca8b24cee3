#include "base/memory.h"
#include "mongo/pool.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- gates ----------------------------------------------------------------------------------- */

void mongo_gate_init(struct mongo_gate *gate)
{
    list_init(&gate->kills);
    list_init(&gate->waiting);
}

void mongo_gate_deinit(struct mongo_gate *gate)
{
    assert(list_is_empty(&gate->waiting));
    list_each_safe (link, after, &gate->kills) {
        list_item(link, struct member, gate_link)->gate = NULL;
        list_remove(link);
    }
}

/* ---- making, failing ------------------------------------------------------------------------- */

static struct mongo_request *request_new(struct mongo *mongo, struct mongo_gate *gate,
                                         const struct mongo_command *command)
{
    struct mongo_request *request = memory_new(sizeof *request);
    request->mongo = mongo;
    request->gate = gate;
    request->lease = command->lease;
    request->keeps_cursor = command->keeps_cursor;
    request->deadline = uv_now(mongo->loop) + mongo->settings.queue_time;
    list_init(&request->link);
    list_push_last(&mongo->requests, &request->all);
    return request;
}

static void request_free(struct mongo_request *request)
{
    list_remove(&request->link);
    list_remove(&request->all);
    call_clear(&request->call);
    free(request);
}

static void leave_waiting(struct mongo_request *request)
{
    list_remove(&request->link);
    request->mongo->stats.requests_waiting--;
}

static void add_waiting(struct mongo_request *request, struct list *where)
{
    request->state = REQUEST_WAITING;
    list_push_last(where, &request->link);
    request->mongo->stats.requests_waiting++;
    mongo_need_tick(request->mongo, true);
}

/* Its callback runs in the loop's next round. The request waits nowhere. */
void request_fail(struct mongo_request *request, const char *format, ...)
{
    struct mongo *mongo = request->mongo;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(request->error.message, sizeof request->error.message, format, arguments);
    va_end(arguments);
    request->state = REQUEST_FAILED;
    list_push_last(&mongo->failed, &request->link);
    uv_timer_start(&mongo->soon, mongo->soon.timer_cb, 0, 0);
}

/* ---- delivering ------------------------------------------------------------------------------ */

static void deliver(struct mongo_request *request, struct mongo_result *result)
{
    struct mongo *mongo = request->mongo;
    mongo_done *done = request->done;
    void *data = request->data;
    mongo->stats.requests_ok += result->ok;
    mongo->stats.requests_failed += !result->ok;
    request_free(request);
    done(data, result);
    free(result->reply);
}

/* Those that are there now: a callback may start what fails in the next round. */
void requests_deliver_failed(struct mongo *mongo)
{
    struct list now, *first;
    list_init(&now);
    list_insert_after(&mongo->failed, &now); /* `now` becomes the head of them all ... */
    list_remove(&mongo->failed);             /* ... and failed is empty */
    while ((first = list_take_first(&now))) {
        struct mongo_request *request = list_item(first, struct mongo_request, link);
        struct mongo_result result = {.error = request->error};
        deliver(request, &result);
    }
    mongo_finish_stop(mongo);
}

static void say_ending(struct mongo_error *error)
{
    snprintf(error->message, sizeof error->message,
             "Moonlit is ending, and with it the commands to the database.");
}

/* The answer of a member's call: the result is complete and the member settled before the
 * callback runs. */
void request_answer(struct mongo_request *request, struct member *member)
{
    struct mongo *mongo = member->mongo;
    struct call *call = &member->client.call;
    struct mongo_result result = {.ok = call->ok, .error = call->error};
    result.reply = call->reply;
    result.length = call->reply_length;
    call->reply = NULL;
    member->request = NULL;
    mongo->stats.requests_running--;
    if (!call->ok && mongo->stopping) {
        say_ending(&result.error);
    } else if (request->lease) {
        lease_after_call(request->lease, member);
    } else if (call->ok && request->keeps_cursor && call->cursor.id) {
        result.lease = lease_of_reply(member);
        if (!result.lease) {
            result.ok = false;
            snprintf(result.error.message, sizeof result.error.message,
                     "Too many cursors are open at the same time; read them to their end with "
                     ":list(), or raise maxPoolSize, now %u, in the database URI",
                     mongo->settings.pool_size);
        }
    }
    member_settle(member);
    deliver(request, &result);
    mongo_finish_stop(mongo);
}

/* ---- running --------------------------------------------------------------------------------- */

static void run_on(struct mongo_request *request, struct member *member)
{
    call_clear(&member->client.call);
    member->client.call = request->call;
    request->call = (struct call){0};
    if (request->lease) {
        member->client.call.server = request->lease->server;
    }
    if (!member_start(member)) {
        request_fail(request, "No thread could be started for a command to the database.");
        member_settle(member);
        return;
    }
    request->state = REQUEST_RUNNING;
    request->member = member;
    member->request = request;
    request->mongo->stats.requests_running++;
}

void requests_pump(struct mongo *mongo)
{
    while (!mongo->stopping && !list_is_empty(&mongo->queue)) {
        struct member *member = member_take(mongo);
        if (!member) {
            return;
        }
        struct mongo_request *request = list_item(mongo->queue.next, struct mongo_request, link);
        leave_waiting(request);
        run_on(request, member);
    }
}

static void run_on_lease(struct mongo_request *request)
{
    struct member *member = request->lease->member;
    if (!member) {
        request_fail(request, "The cursor is closed; run the query again.");
    } else if (member->busy) {
        request_fail(request, "The cursor is already fetching; one fetch at a time.");
    } else {
        run_on(request, member);
    }
}

/* The request waits nowhere and its gate is open. */
void request_dispatch(struct mongo_request *request)
{
    if (request->lease) {
        run_on_lease(request);
    } else {
        add_waiting(request, &request->mongo->queue);
        requests_pump(request->mongo);
    }
}

void requests_time_out(struct mongo *mongo, uint64_t now)
{
    list_each_safe (link, after, &mongo->requests) {
        struct mongo_request *request = list_item(link, struct mongo_request, all);
        if (request->state == REQUEST_WAITING && now >= request->deadline) {
            leave_waiting(request);
            mongo->stats.requests_timed_out++;
            request_fail(request,
                         "No connection to the database became free within %g s; all %u are in "
                         "use. Make queries shorter, or raise maxPoolSize in the database URI",
                         mongo->settings.queue_time / 1000.0, mongo->settings.pool_size);
        }
    }
}

/* ---- from outside ---------------------------------------------------------------------------- */

/* A sentence about what is wrong with the command, or NULL. */
static const char *find_fault(const struct mongo *mongo, const struct mongo_command *command)
{
    bson_t bson;
    if (mongo->stopping) {
        return "Moonlit is ending; no new commands go to the database.";
    }
    if (!command->database || !*command->database) {
        return "The name of the database is empty.";
    }
    if (command->length > LIMIT_DOCUMENT + 16 * 1024) {
        return "The command is larger than 16 MiB; send it in parts.";
    }
    if (!bson_init_static(&bson, command->bson, command->length) ||
        !bson_validate(&bson, BSON_VALIDATE_NONE, NULL) || !command_name(&bson)) {
        return "The command is not a BSON document with a name.";
    }
    if (mongo->stats.requests_waiting >= LIMIT_MONGO_QUEUE) {
        return "Too many commands wait for the database.";
    }
    return NULL;
}

struct mongo_request *mongo_start(struct mongo *mongo, struct mongo_gate *gate,
                                  const struct mongo_command *command, mongo_done *done, void *data)
{
    struct mongo_request *request = request_new(mongo, gate, command);
    request->done = done;
    request->data = data;
    const char *fault = find_fault(mongo, command);
    if (fault) {
        request_fail(request, "%s", fault);
        return request;
    }
    request->call = (struct call){
        .database = memory_copy_text(command->database),
        .bson = memory_copy(command->bson, command->length),
        .length = command->length,
        .kind = command->kind,
        .max_time_ms = command->max_time_ms,
    };
    if (gate && !list_is_empty(&gate->kills)) {
        add_waiting(request, &gate->waiting);
    } else {
        request_dispatch(request);
    }
    return request;
}

/* A read that still connects sends nothing more, one at the server is killed there, so that its
 * client can be used again. A write, and where there are no sessions any call, is cut. */
static void end_call(struct mongo_request *request, struct member *member)
{
    bool read = member->client.call.kind == MONGO_READ && !request->mongo->stopping;
    enum client_session session = client_copy_lsid(&member->client, member->kill_id);
    if (!read || session == SESSION_NEVER) {
        member_cut(member);
    } else if (session == SESSION_OPEN) {
        killer_add(member, request->gate);
    }
}

/* The call goes on without us. */
static bool abandon(struct mongo_request *request)
{
    struct member *member = request->member;
    bool read = member->client.call.kind == MONGO_READ;
    bool withdrawn = worker_withdraw(request->mongo->worker, &member->job);
    member->request = NULL;
    request->mongo->stats.requests_running--;
    if (withdrawn) {
        member->busy = false;
        member_settle(member);
        return true;
    }
    client_give_up(&member->client);
    if (request->lease) {
        lease_lose(request->lease);
    }
    if (!atomic_load(&member->client.returned)) {
        end_call(request, member);
    }
    return read;
}

bool mongo_cancel(struct mongo_request *request)
{
    struct mongo *mongo = request->mongo;
    bool harmless = true;
    mongo->stats.requests_cancelled++;
    if (request->state == REQUEST_WAITING) {
        leave_waiting(request);
    } else if (request->state == REQUEST_RUNNING) {
        harmless = abandon(request);
    }
    request_free(request);
    mongo_finish_stop(mongo);
    return harmless;
}
