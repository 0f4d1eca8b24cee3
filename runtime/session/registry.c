#include "session/registry.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/memory.h"
#include "limits.h"
#include "run/engine.h"
#include "ui/draft.h"

struct registry *registry_new(struct engine *engine, const struct registry_app *app,
                              const char *app_name, uint64_t idle_ms, size_t most)
{
    struct registry *registry = memory_new(sizeof *registry);
    registry->engine = engine;
    registry->app = *app;
    registry->app_name = app_name;
    registry->idle_ms = idle_ms;
    registry->most = most;
    list_init(&registry->sessions);
    return registry;
}

void registry_free(struct registry *registry)
{
    list_each_safe (link, after, &registry->sessions) {
        registry_remove(registry, list_item(link, struct session, link));
    }
    if (registry->spare_draft != NULL) {
        draft_free(registry->spare_draft);
    }
    free(registry);
}

/* The secret is random, so its own digits are hash enough. */
static struct session **bucket_of(struct registry *registry, const char *secret)
{
    char digits[4] = {0};
    memcpy(digits, secret, 3);
    return &registry->buckets[strtoul(digits, NULL, 16) % REGISTRY_BUCKETS];
}

/* Compare in constant time, so that the time of an answer tells nothing of a secret. */
static bool is_secret(const char *a, const char *b)
{
    unsigned char difference = 0;
    for (size_t i = 0; i < SESSION_SECRET_LENGTH; i++) {
        difference |= (unsigned char)(a[i] ^ b[i]);
    }
    return difference == 0;
}

struct session *registry_find(struct registry *registry, const char *secret)
{
    if (secret == NULL || strlen(secret) != SESSION_SECRET_LENGTH) {
        return NULL;
    }
    for (struct session *session = *bucket_of(registry, secret); session != NULL;
         session = session->next_in_bucket) {
        if (is_secret(session->secret, secret)) {
            return session;
        }
    }
    return NULL;
}

static void make_hex(char *out, size_t digits)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char bytes[SESSION_SECRET_LENGTH / 2];
    size_t length = digits / 2;
    while (getrandom(bytes, length, 0) != (ssize_t)length) {
    }
    for (size_t i = 0; i < length; i++) {
        out[2 * i] = hex[bytes[i] >> 4];
        out[2 * i + 1] = hex[bytes[i] & 15];
    }
    out[digits] = '\0';
}

/* The session that has been without a page for longest; NULL when all have one or work. */
static struct session *find_oldest_idle(struct registry *registry)
{
    struct session *oldest = NULL;
    list_each (link, &registry->sessions) {
        struct session *session = list_item(link, struct session, link);
        bool is_idle = session->outlet.send == NULL && session->run == NULL;
        if (is_idle && (oldest == NULL || session->expiry.due < oldest->expiry.due)) {
            oldest = session;
        }
    }
    return oldest;
}

struct session *registry_open(struct registry *registry, struct error *error)
{
    if (registry->count >= registry->most) {
        struct session *oldest = find_oldest_idle(registry);
        if (oldest == NULL) {
            error_set(error, ERROR_LIMIT, 0,
                      "This host serves %zu pages already, which is its --session-limit: try again "
                      "later.",
                      registry->most);
            return NULL;
        }
        registry_remove(registry, oldest);
    }
    struct session *session = session_new(registry);
    make_hex(session->secret, SESSION_SECRET_LENGTH);
    make_hex(session->public_id, SESSION_PUBLIC_LENGTH);
    struct session **bucket = bucket_of(registry, session->secret);
    session->next_in_bucket = *bucket;
    *bucket = session;
    list_push_last(&registry->sessions, &session->link);
    registry->count++;
    registry->opened++;
    session->reference = registry->app.new_session(registry->app.data, session);
    return session;
}

void registry_remove(struct registry *registry, struct session *session)
{
    struct session **place = bucket_of(registry, session->secret);
    while (*place != session) {
        place = &(*place)->next_in_bucket;
    }
    *place = session->next_in_bucket;
    list_remove(&session->link);
    registry->count--;
    registry->app.end_session(registry->app.data, session);
    session_free(session);
}

void registry_reload(struct registry *registry)
{
    list_each_safe (link, after, &registry->sessions) {
        struct session *session = list_item(link, struct session, link);
        if (session->outlet.send != NULL || session->run != NULL) {
            session_request_run(session, WANT_RELOAD);
        } else {
            session->want |= WANT_RELOAD; /* when its page comes back */
        }
    }
}

void registry_broadcast(struct registry *registry, const uint8_t *bytes, size_t length)
{
    list_each (link, &registry->sessions) {
        session_send_bytes(list_item(link, struct session, link), bytes, length);
    }
}

void registry_cancel_runs(struct registry *registry)
{
    registry->closing = true;
    list_each_safe (link, after, &registry->sessions) {
        struct session *session = list_item(link, struct session, link);
        if (session->run != NULL) {
            run_leave(session->run, LEAVE_SHUTDOWN);
        }
    }
}

bool registry_has_runs(const struct registry *registry)
{
    list_each (link, &registry->sessions) {
        if (list_item(link, struct session, link)->run != NULL) {
            return true;
        }
    }
    return false;
}
