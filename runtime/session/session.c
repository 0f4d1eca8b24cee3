#include "session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/memory.h"
#include "limits.h"
#include "protocol/message.h"
#include "run/engine.h"
#include "session/outbox.h"
#include "session/registry.h"
#include "ui/tree.h"
#include "ui/widgets.h"

struct session *session_new(struct registry *registry)
{
    struct session *session = memory_new(sizeof *session);
    session->registry = registry;
    session->tree = tree_new();
    session->widgets = widgets_new();
    session->patience = LIMIT_SUPERSEDE_TIME;
    session->started = (uint64_t)time(NULL);
    snprintf(session->theme, sizeof session->theme, "light");
    event_queue_init(&session->queue);
    list_init(&session->frames);
    mongo_gate_init(&session->gate);
    return session;
}

void session_free(struct session *session)
{
    struct clock *clock = &session->registry->engine->clock;
    alarm_clear(clock, &session->look);
    alarm_clear(clock, &session->expiry);
    mongo_gate_deinit(&session->gate);
    event_queue_deinit(&session->queue);
    outbox_forget(session);
    tree_free(session->tree);
    widgets_free(session->widgets);
    free(session);
}

void session_send_bytes(struct session *session, const uint8_t *bytes, size_t length)
{
    struct outlet *outlet = &session->outlet;
    if (outlet->send != NULL &&
        outlet->send(outlet->data, bytes, length) > LIMIT_SOCKET_QUEUE_SOFT) {
        session->is_full = true;
    }
}

/* ---- coming and going ---- */

static void on_expiry(struct alarm *alarm)
{
    struct session *session = list_item(alarm, struct session, expiry);
    struct registry *registry = session->registry;
    if (session->run != NULL || session->queue.presses > 0) { /* work for a person is not dropped */
        alarm_set(&registry->engine->clock, alarm, registry->idle_ms, on_expiry);
        return;
    }
    registry_remove(registry, session);
}

static void copy_text(char *out, size_t size, const char *text)
{
    if (text != NULL) {
        snprintf(out, size, "%.*s", (int)size - 1, text);
    }
}

static void take_context(struct session *session, const struct message *message)
{
    copy_text(session->locale, sizeof session->locale, message->locale);
    copy_text(session->zone, sizeof session->zone, message->zone);
    copy_text(session->theme, sizeof session->theme, message->theme);
}

/* The page load as a number: events are numbered within it. */
uint64_t session_load_number(const char *text)
{
    uint64_t hash = 1469598103934665603ull;
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * 1099511628211ull;
    }
    return hash != 0 ? hash : 1;
}

void session_tell_values(struct session *session, const struct event *event, struct patch *patch)
{
    list_each (link, &event->values) {
        const struct event_value *value = list_item(link, struct event_value, link);
        tree_set_value(session->tree, value->id, value->type, value->bytes, value->length, patch);
    }
}

static const char *state_now(const struct session *session)
{
    return session->run != NULL ? "running" : "finished";
}

/* A new page load gets the tree, and then a run: the one alive shows an older state of the session,
 * a view gives way. */
static void begin_load(struct session *session, uint64_t load)
{
    session->load = load;
    session->taken = session->reflected = 0;
    session->refusing = false;
    session->is_full = true; /* the tree is the first that the page gets */
    session_request_run(session, WANT_RELOAD);
    session->is_full = false;
    outbox_send_tree(session, session->run, state_now(session));
}

static void resume_load(struct session *session, const struct message *hello)
{
    if (outbox_resend(session, (uint64_t)hello->seq)) {
        outbox_send_ack(session);
    } else {
        outbox_send_tree(session, session->run, state_now(session));
    }
    session_request_run(session, WANT_NOTHING);
}

void session_attach(struct session *session, const struct outlet *outlet,
                    const struct message *hello)
{
    struct registry *registry = session->registry;
    uint64_t load = session_load_number(hello->load);
    if (session->outlet.send != NULL) {
        session->outlet.close(session->outlet.data, 1000, "the page was opened anew");
    }
    session->outlet = *outlet;
    session->is_full = session->is_behind = false;
    alarm_clear(&registry->engine->clock, &session->expiry);
    take_context(session, hello);
    bool is_first = session->load == 0;
    bool is_same_load = session->load == load;
    if (!is_same_load) {
        session->taken = 0;
    }
    outbox_send_welcome(session, !is_first);
    if (is_same_load) {
        resume_load(session, hello);
    } else {
        begin_load(session, load);
    }
}

void session_detach(struct session *session)
{
    struct registry *registry = session->registry;
    if (session->outlet.send == NULL) {
        return;
    }
    session->outlet = (struct outlet){0};
    alarm_set(&registry->engine->clock, &session->expiry, registry->idle_ms, on_expiry);
}

void session_drained(struct session *session)
{
    session->is_full = false;
    if (session->is_behind) {
        outbox_send_tree(session, session->run, state_now(session));
    }
}

/* ---- what the page says ---- */

/* Every value must be for a widget of this session and of its type; nothing is taken otherwise. One
 * for what stood under the same key when the page sent it is left out. */
static bool read_values(struct session *session, const struct message *message, struct event *event,
                        struct error *error)
{
    struct bson_walk walk = message_values(message);
    for (struct message_value value; message_next_value(&walk, &value);) {
        if (event->count >= LIMIT_EVENT_VALUES) {
            return error_set(error, ERROR_PROTOCOL, 0,
                             "The page sent an event with more than %d values.",
                             LIMIT_EVENT_VALUES);
        }
        if (widgets_is_outdated(session->widgets, value.id, value.kind, value.bytes,
                                value.length)) {
            continue;
        }
        if (!widgets_check(session->widgets, value.id, value.kind, value.bytes, value.length,
                           error)) {
            return false;
        }
        event_set_value(event, value.id, value.kind, value.bytes, value.length);
    }
    return true;
}

static bool take_event(struct session *session, const struct message *message, struct error *error)
{
    if (message->n <= session->taken) {
        return true; /* sent again after a reconnect */
    }
    if (session->refusing && message->n > session->taken + 1) {
        return true; /* the page has been told where to begin again */
    }
    struct event *event =
        event_new(session->load, message->n, message->seen, (uint64_t)message->press);
    if (event->press != 0 && widgets_was_button(session->widgets, event->press)) {
        event->press = 0;
        log_write(session->registry->engine->log, LOG_INFO,
                  "session %s: a press was dropped: its key names no button any more",
                  session->public_id);
    }
    if (!read_values(session, message, event, error) ||
        (event->press != 0 && !widgets_is_button(session->widgets, event->press, error))) {
        session->taken = message->n; /* it would fail again */
        event_free(event);
        return false;
    }
    if (!event_queue_push(&session->queue, event)) {
        event_free(event);
        session->refusing = true;
        outbox_send_refuse(session, message->n);
        return true;
    }
    session->refusing = false;
    session->taken = message->n;
    session->reruns = 0;
    session_request_run(session, WANT_NOTHING);
    return true;
}

/* The number of a Stop. Behind refused events it is not taken yet: they come again, and so does it.
 */
static void take_stop_number(struct session *session, int64_t n)
{
    if (session->refusing && n > session->taken + 1) {
        return;
    }
    session->taken = n;
    if (!event_queue_extend(&session->queue, session->load, n)) {
        session->reflected = n;
    }
}

static void take_stop(struct session *session, const struct message *message)
{
    if (message->n <= session->taken) {
        return;
    }
    size_t dropped = event_queue_drop_presses(&session->queue);
    take_stop_number(session, message->n);
    if (dropped > 0) {
        char text[96];
        snprintf(text, sizeof text, "Stopped; %zu press%s that waited %s dropped.", dropped,
                 dropped == 1 ? "" : "es", dropped == 1 ? "was" : "were");
        outbox_send_notice(session, "press_dropped", text);
    }
    if (session->run != NULL) {
        run_leave(session->run, LEAVE_STOPPED);
    }
    outbox_send_ack(session);
}

bool session_receive(struct session *session, const struct message *message, struct error *error)
{
    switch (message->kind) {
    case MESSAGE_EVENT:
        return take_event(session, message, error);
    case MESSAGE_STOP:
        take_stop(session, message);
        return true;
    case MESSAGE_WHOLE:
        outbox_send_tree(session, session->run, state_now(session));
        return true;
    case MESSAGE_OLD:
        outbox_send_old(session);
        return true;
    case MESSAGE_CONTEXT:
        take_context(session, message);
        return true;
    case MESSAGE_TAKEN:
        return true;
    case MESSAGE_HELLO:
        return error_set(error, ERROR_PROTOCOL, 0, "The page said hello twice.");
    }
    return true;
}
