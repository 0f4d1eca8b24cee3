/*
 * The runs of a session: when the next one starts, when a view is superseded, what is told to the
 * page at a wait and at the end. The rules are those of docs/design.md, "Events, runs, presses".
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "bridge/rewrite.h"
#include "bridge/state.h"
#include "limits.h"
#include "run/engine.h"
#include "session/failure_view.h"
#include "session/outbox.h"
#include "session/registry.h"
#include "session/session.h"
#include "ui/draft.h"
#include "ui/patch.h"
#include "ui/tree.h"
#include "ui/widgets.h"

static struct engine *engine(const struct session *session)
{
    return session->registry->engine;
}

struct mongo_gate *run_gate(struct run *run)
{
    return run->session != NULL ? &run->session->gate : NULL;
}

/* ---- when ---- */

static bool has_newer(const struct session *session)
{
    return session->queue.count > 0 || (session->want & WANT_RELOAD);
}

static uint64_t milliseconds_since(uint64_t hrtime)
{
    return (uv_hrtime() - hrtime) / 1000000;
}

/* Something newer that does not wait: a press, or a reload. */
static bool has_urgent(const struct session *session)
{
    return session->queue.presses > 0 || (session->want & WANT_RELOAD);
}

/* A press or a reload supersedes a view at once, a value when the view has run for a while. */
static bool is_superseded(struct run *run)
{
    struct session *session = run->session;
    return has_urgent(session) ||
           (session->queue.count > 0 && milliseconds_since(run->started) >= session->patience);
}

static void on_look(struct alarm *alarm);

static void look_again(struct session *session, uint64_t milliseconds)
{
    alarm_set(&engine(session)->clock, &session->look, milliseconds + 1, on_look);
}

/* Its button is not coming: the press alone goes, the run goes on. */
static void drop_press(struct session *session)
{
    hold_drop_press(session->run);
    log_write(engine(session)->log, LOG_WARNING,
              "session %s: a press was dropped: its button was not drawn within %.3g s while newer "
              "events waited",
              session->public_id, (double)engine(session)->limits.press_ms / 1e3);
    outbox_send_notice(session, "press_dropped",
                       "A press was dropped: its button was not reached in time.");
}

/* Look at the run alive now, and set the alarm for the next look. */
static void look(struct session *session)
{
    struct run *run = session->run;
    if (run->leaving || !has_newer(session)) {
        return;
    }
    if (session->waited_since == 0) {
        session->waited_since = uv_hrtime();
    }
    uint64_t age = milliseconds_since(run->started);
    uint64_t waited = milliseconds_since(session->waited_since);
    uint64_t press_time = engine(session)->limits.press_ms;
    if (run->holds.press == PRESS_UNRECEIVED) {
        if (waited < press_time) {
            look_again(session, press_time - waited);
            return;
        }
        drop_press(session);
    }
    if (!run_is_action(run)) {
        if (is_superseded(run)) {
            run_finish(run, LEAVE_SUPERSEDED);
            return;
        }
        look_again(session, session->patience > age ? session->patience - age : 0);
    }
}

static void on_look(struct alarm *alarm)
{
    struct session *session = list_item(alarm, struct session, look);
    if (session->run != NULL) {
        look(session);
    }
}

void session_request_run(struct session *session, enum session_want want)
{
    session->want |= (int)want;
    if (session->registry->closing) {
        return;
    }
    if (session->run == NULL) {
        session_start_next_run(session);
    } else {
        look(session);
    }
}

/* ---- start ---- */

/* A value of an earlier page load: this page may have been told something else since. */
static void tell_new_page(struct session *session, const struct event *event)
{
    struct patch patch;
    patch_init(&patch);
    session_tell_values(session, event, &patch);
    if (patch_count(&patch) > 0) {
        outbox_send_patch(session, NULL, &patch, "running");
    }
    patch_deinit(&patch);
}

/* What the person changed is what the page shows already, so that the script setting it back is a
 * difference. */
static void apply_values(struct session *session, const struct event *event)
{
    list_each (link, &event->values) {
        const struct event_value *value = list_item(link, struct event_value, link);
        widgets_set(session->widgets, value->id, value->type, value->bytes, value->length);
    }
    if (event->load == session->load) {
        session_tell_values(session, event, NULL);
        session->reflected = event->n;
    } else {
        tell_new_page(session, event);
    }
    widgets_commit(session->widgets);
}

/* One draft is kept for the next run, so that in the steady state drawing allocates nothing. */
static struct draft *take_draft(struct registry *registry)
{
    struct draft *draft = registry->spare_draft != NULL ? registry->spare_draft : draft_new();
    registry->spare_draft = NULL;
    return draft;
}

static void give_draft(struct registry *registry, struct draft *draft)
{
    if (registry->spare_draft != NULL) {
        draft_free(draft);
        return;
    }
    draft_clear(draft);
    registry->spare_draft = draft;
}

/* The run of an event, or without one: of a press that a rerun handed on, which has had its
 * callbacks, or of no press. */
static struct run *make_run(struct session *session, const struct event *event)
{
    struct registry *registry = session->registry;
    lua_State *L = engine(session)->state->L;
    int arguments = registry->app.push_run(registry->app.data, L, session, event);
    struct run *run = run_new(engine(session), L, arguments, session, &session_run_owner, session);
    run->draft = take_draft(registry);
    run->press = event != NULL ? event->press : session->handed_on;
    run->seen = event != NULL ? (uint64_t)event->seen : 0;
    run->holds.press = run->press != 0 ? PRESS_UNRECEIVED : PRESS_NONE;
    run->holds.callbacks = event != NULL;
    return run;
}

void session_start_next_run(struct session *session)
{
    if (session->queue.count == 0 && session->want == WANT_NOTHING && session->handed_on == 0) {
        return;
    }
    /* Newer events wait for a press that was handed on. */
    struct event *event = session->handed_on == 0 ? event_queue_take(&session->queue) : NULL;
    session->want = WANT_NOTHING;
    session->waited_since = 0;
    widgets_mark(session->widgets);
    if (event != NULL) {
        apply_values(session, event);
    }
    session->run = make_run(session, event);
    session->announced = event != NULL;
    session->handed_on = 0;
    if (event != NULL) {
        event_free(event);
    }
    tree_begin(session->tree, session->run->number);
    run_start(session->run);
}

/* ---- what is told ---- */

/* What the page is told at the end, and whether old elements that were not drawn go. */
static const struct {
    const char *word;
    bool removes;
} endings[] = {
    [LEAVE_NOT] = {"finished", true},           [LEAVE_STOP_CALL] = {"finished", true},
    [LEAVE_RERUN] = {"running", false},         [LEAVE_FAILED] = {"failed", true},
    [LEAVE_SUPERSEDED] = {"superseded", false}, [LEAVE_STOPPED] = {"stopped", false},
    [LEAVE_LIMIT] = {"limited", false},         [LEAVE_SHUTDOWN] = {"stopped", false},
};

static void fill_patch(struct session *session, struct run *run, bool ended, struct patch *patch)
{
    if (!ended || run->leave != LEAVE_SUPERSEDED) { /* a superseded view leaves no trace */
        tree_flush(session->tree, run->draft, patch);
    }
    if (ended && endings[run->leave].removes) {
        tree_finish(session->tree, patch);
        widgets_finish(session->widgets);
    } else if (ended) {
        tree_settle(session->tree, patch);
    }
}

void session_flush(struct session *session, struct run *run, bool ended)
{
    const char *word = ended ? endings[run->leave].word : "running";
    struct patch patch;
    patch_init(&patch);
    fill_patch(session, run, ended, &patch);
    if (patch_is_full(&patch)) {
        outbox_send_tree(session, run, word);
    } else if (patch_count(&patch) > 0 || ended || !session->announced) {
        session->announced = true;
        outbox_send_patch(session, run, &patch, word);
    }
    patch_deinit(&patch);
    if (!ended || run->leave != LEAVE_SUPERSEDED) {
        session->registry->app.published(session->registry->app.data, session, session->seq,
                                         run->seen);
    }
}

static void on_wait(struct run *run)
{
    struct session *session = run->session;
    if (!draft_is_empty(run->draft) || !session->announced) {
        session_flush(session, run, false);
    }
    look(session);
}

static void on_commit(struct run *run)
{
    struct session *session = run->session;
    widgets_commit(session->widgets);
    session->registry->app.commit(session->registry->app.data, session);
}

/* ---- end ---- */

static void keep_or_undo(struct session *session, struct run *run)
{
    if (run->leave == LEAVE_SUPERSEDED) {
        widgets_rollback(session->widgets);
        session->registry->app.rollback(session->registry->app.data, session);
        if (!has_urgent(session)) {
            session->patience *= 2;
            if (session->patience > LIMIT_SUPERSEDE_TIME_MAX) {
                session->patience = LIMIT_SUPERSEDE_TIME_MAX;
            }
        }
        return;
    }
    on_commit(run);
    if (run->leave == LEAVE_NOT || run->leave == LEAVE_STOP_CALL) {
        session->patience = LIMIT_SUPERSEDE_TIME;
    }
}

static void settle_press(struct session *session, struct run *run)
{
    if (run->holds.press != PRESS_UNRECEIVED) {
        return;
    }
    if (run->leave == LEAVE_RERUN) {
        session->handed_on = run->press;
        return;
    }
    log_write(engine(session)->log, LOG_INFO,
              "session %s: a press was dropped: its button was not drawn by the run it belongs to",
              session->public_id);
}

/* The press held to the end of the run, because nobody can tell where its action ended. */
static void hint(struct session *session, const struct run *run)
{
    bool is_kept = run->holds.press == PRESS_KEPT ||
                   (run->holds.press == PRESS_UNCLAIMED && run->leave != LEAVE_FAILED);
    if (is_kept) {
        log_write(engine(session)->log, LOG_INFO,
                  "session %s: line %d: %s, so newer events wait to the end of this run",
                  session->public_id, run->holds.kept_line, rewrite_hint(run->holds.kept_kind));
    }
}

void session_show_failure(struct run *run, uint64_t container)
{
    const struct failure *failure = run_failure(run);
    log_write(run->engine->log, LOG_ERROR, "session %s: %s: %.200s:%d: %s", run->session->public_id,
              failure->kind, failure->file, failure->line, failure->message);
    failure_draw(run, container);
}

static void on_end(struct run *run)
{
    struct session *session = run->session;
    alarm_clear(&engine(session)->clock, &session->look);
    if (run->leave == LEAVE_FAILED || run->leave == LEAVE_LIMIT) {
        session_show_failure(run, session->registry->app.place(session->registry->app.data, run));
    }
    hint(session, run);
    keep_or_undo(session, run);
    session->run = NULL;
    if (run->leave == LEAVE_RERUN) {
        session->want |= WANT_RUN;
    }
    if (run->write_unknown) {
        outbox_send_notice(
            session, "unknown_outcome",
            "The run ended while a write was under way: whether it happened is unknown.");
    }
    settle_press(session, run);
    session_flush(session, run, true);
    give_draft(session->registry, run->draft);
    run->draft = NULL;
    if (!session->registry->closing) {
        session_start_next_run(session);
    }
}

const struct run_owner session_run_owner = {
    .on_wait = on_wait,
    .on_commit = on_commit,
    .superseded = is_superseded,
    .on_end = on_end,
};
