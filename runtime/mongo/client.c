#include "mongo/client.h"
#include "base/bson.h"
#include "base/memory.h"
#include "mongo/deadline.h"
#include "mongo/errand.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PAUSE_BETWEEN_TRIES 200  /* while a server cannot be found */
#define COOLDOWN            5000 /* libmongoc lets a server alone for so long after a failure */

/* ---- connecting ------------------------------------------------------------------------------ */

static void note_server(const mongoc_apm_command_succeeded_t *event)
{
    struct client *client = mongoc_apm_command_succeeded_get_context(event);
    client->server = mongoc_apm_command_succeeded_get_server_id(event);
}

static void configure(struct client *client)
{
    mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();
    mongoc_apm_set_command_succeeded_cb(callbacks, note_server);
    mongoc_client_set_error_api(client->driver, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_apm_callbacks(client->driver, callbacks, client);
    mongoc_client_set_stream_initiator(client->driver, wire_open_stream, &client->wire);
    mongoc_apm_callbacks_destroy(callbacks);
}

/* Making a client of a mongodb+srv URI looks up its name, without end if the name server wants. */
struct making {
    struct errand errand;
    mongoc_uri_t *uri;
    mongoc_client_t *driver;
    bson_error_t cause;
};

static void run_making(struct errand *errand)
{
    struct making *making = (struct making *)errand;
    making->driver = mongoc_client_new_from_uri_with_error(making->uri, &making->cause);
}

static void drop_making(struct errand *errand)
{
    struct making *making = (struct making *)errand;
    if (making->driver) {
        mongoc_client_destroy(making->driver);
    }
    mongoc_uri_destroy(making->uri);
    free(making);
}

static mongoc_client_t *make_driver_by_errand(struct client *client, bson_error_t *cause)
{
    struct making *making = memory_new(sizeof *making);
    making->errand.run = run_making;
    making->errand.drop = drop_making;
    making->uri = mongoc_uri_copy(client->uri);
    if (!errand_run(&making->errand, &client->wire, client->patience)) {
        bson_set_error(cause, MONGOC_ERROR_SERVER_SELECTION, MONGOC_ERROR_SERVER_SELECTION_FAILURE,
                       "the look-up of its SRV record took too long");
        return NULL;
    }
    mongoc_client_t *driver = making->driver;
    *cause = making->cause;
    making->driver = NULL;
    errand_leave(&making->errand);
    return driver;
}

static void start_session(struct client *client)
{
    mongoc_session_opt_t *options = mongoc_session_opts_new();
    mongoc_session_opts_set_causal_consistency(options, false);
    bson_error_t cause;
    client->session = mongoc_client_start_session(client->driver, options, &cause);
    mongoc_session_opts_destroy(options);
    bson_iter_t top, id;
    bson_subtype_t subtype;
    const uint8_t *bytes;
    uint32_t length = 0;
    if (client->session &&
        bson_iter_init_find(&top, mongoc_client_session_get_lsid(client->session), "id")) {
        id = top;
        bson_iter_binary(&id, &subtype, &length, &bytes);
    }
    pthread_mutex_lock(&client->lock);
    client->session_state = length == sizeof client->lsid ? SESSION_OPEN : SESSION_NEVER;
    if (client->session_state == SESSION_OPEN) {
        memcpy(client->lsid, bytes, sizeof client->lsid);
    }
    pthread_mutex_unlock(&client->lock);
}

/* Whatever went wrong, nothing has been sent yet. */
static bool connect_failed(bson_error_t *cause)
{
    if (failure_is_network(cause)) {
        cause->domain = MONGOC_ERROR_SERVER_SELECTION;
    }
    return false;
}

static bool connect_on_worker(struct client *client, bson_error_t *cause)
{
    bool srv = mongoc_uri_get_srv_hostname(client->uri) != NULL;
    client->driver = srv ? make_driver_by_errand(client, cause)
                         : mongoc_client_new_from_uri_with_error(client->uri, cause);
    if (!client->driver) {
        return connect_failed(cause);
    }
    configure(client);
    mongoc_server_description_t *server =
        mongoc_client_select_server(client->driver, true, NULL, cause);
    if (!server && !client->settings->reads_from_primary) { /* reads may do without a primary */
        server = mongoc_client_select_server(client->driver, false, NULL, cause);
    }
    if (!server) {
        client_disconnect_on_worker(client);
        return connect_failed(cause);
    }
    bool alone = strcmp(mongoc_server_description_type(server), "Standalone") == 0;
    mongoc_server_description_destroy(server);
    start_session(client);
    client->number = 0;
    client->numbers = client->settings->retry_writes && client->settings->acknowledged &&
                      client->session && !alone;
    return true;
}

void client_disconnect_on_worker(struct client *client)
{
    pthread_mutex_lock(&client->lock);
    client->session_state = SESSION_LATER;
    pthread_mutex_unlock(&client->lock);
    if (client->session) {
        mongoc_client_session_destroy(client->session);
        client->session = NULL;
    }
    if (client->driver) {
        mongoc_client_destroy(client->driver);
        client->driver = NULL;
    }
}

/* ---- one try --------------------------------------------------------------------------------- */

static bool append_options(struct client *client, enum command_manner manner, bson_t *options,
                           bson_error_t *cause)
{
    bool answered = manner != MANNER_WRITE || client->settings->acknowledged;
    if (client->call.server) {
        BSON_APPEND_INT64(options, "serverId", client->call.server);
    }
    return !client->session || !answered ||
           mongoc_client_session_append(client->session, options, cause);
}

static bool send_on_worker(struct client *client, const bson_t *command, bson_t *reply,
                           bson_error_t *cause)
{
    const char *database = client->call.database;
    enum command_manner manner = command_manner(command, client->call.kind);
    bson_t options = BSON_INITIALIZER;
    bool ok = append_options(client, manner, &options, cause);
    if (!ok) {
        bson_init(reply);
    } else if (manner == MANNER_READ) {
        ok = mongoc_client_read_command_with_opts(client->driver, database, command, NULL, &options,
                                                  reply, cause);
    } else if (manner == MANNER_WRITE) {
        ok = mongoc_client_write_command_with_opts(client->driver, database, command, &options,
                                                   reply, cause);
    } else {
        ok = mongoc_client_command_with_opts(client->driver, database, command, NULL, &options,
                                             reply, cause);
    }
    bson_destroy(&options);
    return ok;
}

/* Is the next try allowed after this one's failure? Makes the client ready for it. */
static bool may_try_again(struct client *client, const bson_error_t *cause, const bson_t *reply,
                          bool numbered, unsigned *tries, int64_t deadline)
{
    const struct call *call = &client->call;
    if (atomic_load(&client->given_up) || wire_is_cut(&client->wire) || call->server) {
        return false;
    }
    bool time = deadline_in(PAUSE_BETWEEN_TRIES) < deadline;
    if (failure_is_selection(cause)) { /* it was never sent, or is numbered */
        if (!numbered) {
            client_disconnect_on_worker(client);
        }
        return time && wire_sleep(&client->wire, PAUSE_BETWEEN_TRIES);
    }
    bool reads = call->kind == MONGO_READ && client->settings->retry_reads;
    if (!(reads || numbered || call->repeats) || !failure_may_repeat(cause, reply)) {
        return false;
    }
    if (reads && failure_is_network(cause)) {
        client_disconnect_on_worker(client); /* a new one need not wait for its next scan */
    }
    return time && ++*tries <= LIMIT_MONGO_REPETITIONS;
}

/* What came compressed has not been looked at yet. */
static bool is_sound(const struct client *client, const bson_t *reply, bson_error_t *cause)
{
    if (!client->settings->compresses ||
        bson_check(bson_get_data(reply), reply->len, LIMIT_REPLY_DEPTH, NULL)) {
        return true;
    }
    bson_set_error(cause, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, "a malformed reply");
    return false;
}

static void keep_result(struct client *client, bool ok, const bson_t *reply,
                        const bson_error_t *cause)
{
    struct call *call = &client->call;
    bson_iter_t field;
    /* a writeConcernError is inside an answer, and the caller's to look at */
    call->ok = ok || (bson_iter_init_find(&field, reply, "ok") && bson_iter_as_bool(&field));
    if (ok || !bson_empty(reply)) {
        call->reply_length = reply->len;
        call->reply = memory_copy(bson_get_data(reply), reply->len);
    }
    call->replied = client->server;
    if (call->ok) {
        reply_find_cursor(reply, &call->cursor);
        return;
    }
    bson_t command;
    struct failure_place place = {.address = client->settings->address,
                                  .trouble = client->wire.trouble,
                                  .selection_time = client->patience};
    bson_init_static(&command, call->bson, call->length);
    place.command = command_name(&command);
    failure_describe(cause, reply, &place, &call->error);
    bool refused = cause->domain == MONGOC_ERROR_SERVER && !failure_may_repeat(cause, reply);
    call->error.unknown = call->kind == MONGO_WRITE && call->was_lost && !refused;
}

/* ---- the call -------------------------------------------------------------------------------- */

/* `keep` the session, for which a cursor or a number stands. */
static bool get_ready(struct client *client, bool keep, bson_error_t *cause)
{
    if (client->driver && !keep && wire_is_stale(&client->wire)) {
        client_disconnect_on_worker(client);
    }
    if (!client->driver) {
        return connect_on_worker(client, cause);
    }
    return true;
}

static bool should_stop(struct client *client)
{
    return atomic_load(&client->given_up) || wire_is_cut(&client->wire);
}

/* Behind a unix socket is the built-in store, which is started again when it dies: worth waiting
 * for, also when it dies again in the handshake. */
static bool is_local(const struct client *client)
{
    const mongoc_host_list_t *hosts = mongoc_uri_get_hosts(client->uri);
    return hosts != NULL && hosts->family == AF_UNIX;
}

/* Number, send, and send again where that is safe. A number holds for all tries of a call, so
 * the client, whose session it belongs to, is kept for them. */
static bool try_on_worker(struct client *client, const bson_t *command, bson_t *reply,
                          bson_error_t *cause)
{
    struct call *call = &client->call;
    int64_t deadline = deadline_in(client->patience);
    bool numberable = call->kind == MONGO_WRITE && command_can_be_numbered(command);
    int64_t number = 0;
    unsigned tries = 0;
    bson_init(reply);
    for (;;) {
        bool ok = get_ready(client, number || call->server, cause);
        if (ok && should_stop(client)) { /* the connection is sound, and kept */
            bson_set_error(cause, MONGOC_ERROR_COMMAND, MONGOC_ERROR_COMMAND_INVALID_ARG, "ended");
            return false;
        }
        if (ok) {
            bson_t whole;
            number = number == 0 && numberable && client->numbers ? ++client->number : number;
            command_complete(command, call->max_time_ms, number, &whole);
            bson_destroy(reply);
            ok = send_on_worker(client, &whole, reply, cause);
            bson_destroy(&whole);
            if (!ok && failure_is_network(cause)) {
                call->was_lost = true;
                deadline = number != 0 && is_local(client)
                               ? deadline_in(COOLDOWN + client->patience)
                               : deadline;
            }
        }
        if (ok || !may_try_again(client, cause, reply, number != 0, &tries, deadline)) {
            return ok;
        }
    }
}

void client_call_on_worker(struct client *client)
{
    bson_t command, reply;
    bson_error_t cause = {0};
    client->wire.trouble[0] = '\0';
    bson_init_static(&command, client->call.bson, client->call.length);
    bool ok = try_on_worker(client, &command, &reply, &cause);
    if (!is_sound(client, &reply, &cause)) {
        ok = false;
        bson_reinit(&reply);
    }
    keep_result(client, ok, &reply, &cause);
    bool broken = !ok && (failure_is_network(&cause) || failure_is_selection(&cause) ||
                          cause.domain == MONGOC_ERROR_CLIENT);
    bson_destroy(&reply);
    atomic_store(&client->returned, true);
    if (broken || wire_is_cut(&client->wire)) {
        client_disconnect_on_worker(client);
    }
}

/* ---- killing --------------------------------------------------------------------------------- */

static void write_kill(const uint8_t *ids, size_t count, bson_t *command)
{
    bson_t sessions, session;
    BSON_APPEND_ARRAY_BEGIN(command, "killSessions", &sessions);
    for (size_t i = 0; i < count; i++) {
        char key[24];
        snprintf(key, sizeof key, "%zu", i);
        BSON_APPEND_DOCUMENT_BEGIN(&sessions, key, &session);
        BSON_APPEND_BINARY(&session, "id", BSON_SUBTYPE_UUID, ids + 16 * i, 16);
        bson_append_document_end(&sessions, &session);
    }
    bson_append_array_end(command, &sessions);
}

/* The other members run reads too; what they answer is not waited for beyond the time-outs. */
static void kill_at_other_members(struct client *client)
{
    size_t count;
    mongoc_server_description_t **members =
        mongoc_client_get_server_descriptions(client->driver, &count);
    bson_t command;
    bson_init_static(&command, client->call.bson, client->call.length);
    for (size_t i = 0; i < count; i++) {
        bson_t options = BSON_INITIALIZER;
        BSON_APPEND_INT64(&options, "serverId", mongoc_server_description_id(members[i]));
        if (strcmp(mongoc_server_description_type(members[i]), "RSSecondary") == 0) {
            mongoc_client_command_with_opts(client->driver, "admin", &command, NULL, &options, NULL,
                                            NULL);
        }
        bson_destroy(&options);
    }
    mongoc_server_descriptions_destroy_all(members, count);
}

void client_kill_sessions_on_worker(struct client *client, const uint8_t *ids, size_t count)
{
    bson_t command = BSON_INITIALIZER;
    struct call *call = &client->call;
    call_clear(call);
    write_kill(ids, count, &command);
    call->database = memory_copy_text("admin");
    call->bson = memory_copy(bson_get_data(&command), command.len);
    call->length = command.len;
    call->kind = MONGO_WRITE;
    call->repeats = true;
    bson_destroy(&command);
    client_call_on_worker(client);
    if (client->driver && !client->settings->reads_from_primary) {
        kill_at_other_members(client);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

bool client_init(struct client *client, const struct settings *settings, const mongoc_uri_t *uri,
                 struct wire_counts *counts)
{
    *client = (struct client){.settings = settings, .uri = uri};
    client->patience = settings->selection_time;
    pthread_mutex_init(&client->lock, NULL);
    if (!wire_init(&client->wire, settings, counts)) {
        pthread_mutex_destroy(&client->lock);
        return false;
    }
    return true;
}

void client_deinit(struct client *client)
{
    call_clear(&client->call);
    wire_deinit(&client->wire);
    pthread_mutex_destroy(&client->lock);
}

void call_clear(struct call *call)
{
    free(call->database);
    free(call->bson);
    free(call->reply);
    *call = (struct call){0};
}

void client_give_up(struct client *client)
{
    atomic_store(&client->given_up, true);
}

enum client_session client_copy_lsid(struct client *client, uint8_t lsid[16])
{
    pthread_mutex_lock(&client->lock);
    enum client_session state = client->session_state;
    if (state == SESSION_OPEN) {
        memcpy(lsid, client->lsid, sizeof client->lsid);
    }
    pthread_mutex_unlock(&client->lock);
    return state;
}
