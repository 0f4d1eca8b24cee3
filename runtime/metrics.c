#include "metrics.h"

#include "bridge/state.h"
#include "host.h"
#include "run/engine.h"
#include "session/registry.h"

static void one(struct buffer *out, const char *name, const char *kind, const char *help,
                double value)
{
    buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", name, help, name, kind,
                         name, value);
}

static void labelled(struct buffer *out, const char *name, const char *label, const char *value,
                     double number)
{
    buffer_append_format(out, "%s{%s=\"%s\"} %.17g\n", name, label, value, number);
}

static void head(struct buffer *out, const char *name, const char *kind, const char *help)
{
    buffer_append_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

static void write_runs(struct buffer *out, const struct engine_counts *counts)
{
    head(out, "moonlit_runs_total", "counter", "Runs ended, by outcome.");
    labelled(out, "moonlit_runs_total", "outcome", "finished", (double)counts->finished);
    labelled(out, "moonlit_runs_total", "outcome", "failed", (double)counts->failed);
    labelled(out, "moonlit_runs_total", "outcome", "cancelled", (double)counts->cancelled);
    labelled(out, "moonlit_runs_total", "outcome", "superseded", (double)counts->superseded);
    labelled(out, "moonlit_runs_total", "outcome", "stopped", (double)counts->stopped);
    labelled(out, "moonlit_runs_total", "outcome", "limited", (double)counts->limited);
    one(out, "moonlit_runs_alive", "gauge", "Runs alive now.", (double)counts->alive);
    head(out, "moonlit_run_seconds", "histogram", "Time of a run from start to end.");
    uint64_t sum = 0;
    for (int i = 0; i < RUN_SECONDS_BUCKETS; i++) {
        sum += counts->seconds[i];
        buffer_append_format(out, "moonlit_run_seconds_bucket{le=\"%g\"} %llu\n",
                             run_seconds_bounds[i], (unsigned long long)sum);
    }
    sum += counts->seconds[RUN_SECONDS_BUCKETS];
    buffer_append_format(out, "moonlit_run_seconds_bucket{le=\"+Inf\"} %llu\n",
                         (unsigned long long)sum);
    buffer_append_format(out, "moonlit_run_seconds_sum %.9f\nmoonlit_run_seconds_count %llu\n",
                         counts->seconds_sum, (unsigned long long)sum);
}

static void write_database(struct buffer *out, const struct mongo *mongo)
{
    struct mongo_stats stats = {0};
    if (mongo != NULL) {
        mongo_stats(mongo, &stats);
    }
    one(out, "moonlit_db_connections_created_total", "counter", "Database connections ever made.",
        (double)stats.connections_created);
    one(out, "moonlit_db_connections_open", "gauge", "Database connections open now.",
        (double)stats.connections_open);
    one(out, "moonlit_db_cursors_open", "gauge", "Cursors of scripts open at the server now.",
        (double)stats.clients_pinned);
    head(out, "moonlit_jobs", "gauge", "Database operations, by state.");
    labelled(out, "moonlit_jobs", "state", "waiting", (double)stats.requests_waiting);
    labelled(out, "moonlit_jobs", "state", "running", (double)stats.requests_running);
    labelled(out, "moonlit_jobs", "state", "ending", (double)stats.requests_ending);
    head(out, "moonlit_operations_total", "counter", "Database operations ended, by outcome.");
    labelled(out, "moonlit_operations_total", "outcome", "ok", (double)stats.requests_ok);
    labelled(out, "moonlit_operations_total", "outcome", "failed", (double)stats.requests_failed);
    labelled(out, "moonlit_operations_total", "outcome", "cancelled",
             (double)stats.requests_cancelled);
    one(out, "moonlit_operations_cancelled_total", "counter", "Database operations cancelled.",
        (double)stats.requests_cancelled);
}

void metrics_write(const struct host *host, struct buffer *out)
{
    struct server_stats net = server_stats(host->server);
    const struct registry *registry = host->registry;
    one(out, "moonlit_sessions", "gauge", "Sessions kept now.", (double)registry->count);
    one(out, "moonlit_sessions_total", "counter", "Sessions ever opened.",
        (double)registry->opened);
    one(out, "moonlit_sockets", "gauge", "WebSockets open now.", (double)net.sockets);
    write_runs(out, &host->engine.counts);
    write_database(out, host->mongo);
    one(out, "moonlit_bytes_in_total", "counter", "Bytes received from browsers.",
        (double)net.bytes_in);
    one(out, "moonlit_bytes_out_total", "counter", "Bytes sent to browsers.",
        (double)net.bytes_out);
    one(out, "moonlit_lua_heap_bytes", "gauge", "Size of the Lua heap.",
        (double)host->state->memory.bytes);
}
