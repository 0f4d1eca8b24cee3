#include "host.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "app/app.h"
#include "base/memory.h"
#include "bridge/state.h"
#include "host_app.h"
#include "limits.h"
#include "metrics.h"
#include "page.h"
#include "run/run.h"
#include "session/registry.h"
#include "store/child.h"

extern const struct asset assets[];
extern const char asset_script_hashes[];

/* ---- what the server asks ---- */

static void on_request(void *data, struct request *request)
{
    struct host *host = data;
    const char *path = request_path(request);
    if (strcmp(path, "/_moonlit/health") == 0) {
        request_respond(request, 200, "text/plain; charset=utf-8", "ok", 2, NULL);
    } else if (strcmp(path, "/_moonlit/metrics") == 0) {
        struct buffer text;
        buffer_init(&text, LIMIT_METRICS);
        metrics_write(host, &text);
        request_respond(request, 200, "text/plain; version=0.0.4; charset=utf-8", text.bytes,
                        text.length, NULL);
        buffer_deinit(&text);
    } else {
        static const char words[] = "Nothing is here.\n";
        request_respond(request, 404, "text/plain; charset=utf-8", words, sizeof words - 1, NULL);
    }
}

static bool open_server(struct host *host, struct error *error)
{
    struct server_config config = {
        .hosts = host->config.allow_hosts,
        .assets = assets,
        .script_hashes = asset_script_hashes,
        .callbacks = {on_request, page_on_open, page_on_message, page_on_drained, page_on_closed},
        .data = host,
    };
    host->server = server_new(host->loop, host->log, &config, error);
    return host->server != NULL;
}

/* ---- the database ---- */

static bool open_mongo(struct host *host, const char *uri, struct error *error)
{
    struct mongo_config config = {
        .uri = uri,
        .app_name = "moonlit",
        .run_time = (unsigned)host->engine.limits.wall_ms,
    };
    host->mongo = mongo_new(host->loop, host->log, &config, error);
    host->engine.mongo = host->mongo;
    return host->mongo != NULL;
}

static char *store_folder(struct host *host)
{
    char path[4096];
    if (host->config.store != NULL) {
        return memory_copy_text(host->config.store);
    }
    snprintf(path, sizeof path, "%s/.moonlit/store", app_folder(host->app));
    return memory_copy_text(path);
}

static void on_store_failed(void *data, const struct error *error)
{
    struct host *host = data;
    log_write(host->log, LOG_ERROR, "%s", error->message);
}

static bool open_store(struct host *host, struct error *error)
{
    char *folder = store_folder(host);
    struct store_child_options options = {.directory = folder,
                                          .test_commands = host->config.test_commands};
    struct store_child_callbacks callbacks = {.on_failed = on_store_failed, .data = host};
    host->store = store_child_start(host->loop, host->log, &options, &callbacks, error);
    bool ok = host->store != NULL && open_mongo(host, store_child_uri(host->store), error);
    if (ok) {
        char words[4200];
        snprintf(words, sizeof words, "Database: the built-in store in %s", folder);
        host->database_words = memory_copy_text(words);
    }
    free(folder);
    return ok;
}

static bool open_database(struct host *host, struct error *error)
{
    if (host->config.database == NULL) {
        return open_store(host, error);
    }
    if (!open_mongo(host, host->config.database, error)) {
        return false;
    }
    char words[512];
    snprintf(words, sizeof words, "Database: %s on %s", mongo_default_database(host->mongo),
             mongo_address(host->mongo));
    host->database_words = memory_copy_text(words);
    return true;
}

/* ---- life ---- */

struct host *host_new(uv_loop_t *loop, struct log *log, const struct config *config,
                      struct error *error)
{
    struct host *host = memory_new(sizeof *host);
    host->loop = loop;
    host->log = log;
    host->config = *config;
    list_init(&host->waiting_pages);
    struct engine_limits limits = {
        .cpu_ms = (uint64_t)(config->cpu_limit * 1e3),
        .wall_ms = (uint64_t)(config->wall_limit * 1e3),
        .press_ms = (uint64_t)(config->press_limit * 1e3),
        .memory_bytes = (size_t)(config->memory_limit * 1024 * 1024),
    };
    host->state = state_new(&host->engine, error);
    if (host->state == NULL) {
        free(host);
        return NULL;
    }
    engine_init(&host->engine, loop, log, host->state, &limits, host);
    return host;
}

bool host_start(struct host *host, struct error *error)
{
    if (!host_app_open(host, error) || !open_server(host, error)) {
        return false;
    }
    struct registry_app app = host_app_for_registry(host);
    host->registry = registry_new(&host->engine, &app, app_name(host->app),
                                  (uint64_t)(host->config.session_timeout * 1e3),
                                  (size_t)host->config.session_limit);
    return server_listen(host->server, host->config.host, host->config.port, error) &&
           open_database(host, error);
}

int host_port(const struct host *host)
{
    return server_port(host->server);
}

const char *host_database(const struct host *host)
{
    return host->database_words;
}

/* ---- the end: runs, then the database's jobs, then the store, then the rest ---- */

static void finish(struct host *host)
{
    if (host->server != NULL) {
        server_free(host->server);
        host->server = NULL;
    }
    if (host->registry != NULL) {
        registry_free(host->registry);
        host->registry = NULL;
    }
    lib_once_close(host->state->L);
    if (host->app != NULL) {
        app_free(host->app);
        host->app = NULL;
    }
    engine_close(&host->engine);
    host->on_stopped(host->data);
}

static void on_store_stopped(void *data)
{
    struct host *host = data;
    host->store = NULL;
    finish(host);
}

static void stop_store(struct host *host)
{
    if (host->store != NULL) {
        store_child_stop(host->store, on_store_stopped, host);
    } else {
        finish(host);
    }
}

static void on_mongo_stopped(void *data)
{
    struct host *host = data;
    host->mongo = host->engine.mongo = NULL;
    stop_store(host);
}

static void stop_database(struct host *host)
{
    if (host->mongo != NULL) {
        mongo_stop(host->mongo, on_mongo_stopped, host);
    } else {
        stop_store(host);
    }
}

/* Runs end by themselves when their write is done, at the latest after its time. */
static void on_stopping(struct alarm *alarm)
{
    struct host *host = list_item(alarm, struct host, stopping);
    bool has_runs = host->registry != NULL && registry_has_runs(host->registry);
    bool has_once = lib_once_stop(host->state->L);
    if (has_runs || has_once || !host->drained) {
        alarm_set(&host->engine.clock, alarm, 5, on_stopping);
        return;
    }
    stop_database(host);
}

static void on_drained(void *data)
{
    ((struct host *)data)->drained = true;
}

void host_stop(struct host *host, void (*done)(void *data), void *data)
{
    host->on_stopped = done;
    host->data = data;
    host->is_stopping = true;
    if (host->registry != NULL) {
        registry_cancel_runs(host->registry);
    }
    host->drained = host->server == NULL;
    if (host->server != NULL) {
        server_drain(host->server, LIMIT_SHUTDOWN_DRAIN_TIME, on_drained, host);
    }
    alarm_set(&host->engine.clock, &host->stopping, 0, on_stopping);
}

void host_abandon(const struct host *host)
{
    if (host->store != NULL) {
        store_child_abandon(host->store);
    }
}

void host_free(struct host *host)
{
    state_free(host->state);
    free(host->database_words);
    free(host);
}
