#include "session/outbox.h"

#include <bson/bson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "limits.h"
#include "protocol/message.h"
#include "run/engine.h"
#include "session/registry.h"
#include "ui/patch.h"
#include "ui/tree.h"

struct kept_frame {
    struct list link;
    uint64_t seq;
    uint64_t sent; /* uv_now */
    size_t length;
    uint8_t bytes[];
};

static void send_document(struct session *session, bson_t *document)
{
    session_send_bytes(session, bson_get_data(document), document->len);
    bson_destroy(document);
}

static void begin(bson_t *document, const char *kind)
{
    bson_init(document);
    BSON_APPEND_UTF8(document, "t", kind);
}

/* ---- kept frames ---- */

static void drop_first(struct session *session)
{
    struct kept_frame *frame =
        list_item(list_take_first(&session->frames), struct kept_frame, link);
    session->frames_size -= frame->length;
    free(frame);
}

void outbox_forget(struct session *session)
{
    while (!list_is_empty(&session->frames)) {
        drop_first(session);
    }
}

static void keep(struct session *session, const bson_t *document)
{
    uint64_t now = uv_now(session->registry->engine->loop);
    struct kept_frame *frame = memory_new(sizeof *frame + document->len);
    frame->seq = session->seq;
    frame->sent = now;
    frame->length = document->len;
    memcpy(frame->bytes, bson_get_data(document), document->len);
    list_push_last(&session->frames, &frame->link);
    session->frames_size += frame->length;
    while (!list_is_empty(&session->frames)) {
        struct kept_frame *first = list_item(session->frames.next, struct kept_frame, link);
        bool is_old = session->outlet.send != NULL && first->sent + LIMIT_FRAME_KEPT_TIME < now;
        if (session->frames_size <= LIMIT_FRAMES_KEPT && !is_old) {
            break;
        }
        drop_first(session);
    }
}

bool outbox_resend(struct session *session, uint64_t seq)
{
    if (seq == session->seq) {
        return true;
    }
    if (list_is_empty(&session->frames) ||
        list_item(session->frames.next, struct kept_frame, link)->seq > seq + 1 ||
        seq > session->seq) {
        return false;
    }
    list_each (link, &session->frames) {
        struct kept_frame *frame = list_item(link, struct kept_frame, link);
        if (frame->seq > seq) {
            session_send_bytes(session, frame->bytes, frame->length);
        }
    }
    return true;
}

/* ---- messages ---- */

static void append_run(bson_t *document, struct session *session, const struct run *run,
                       const char *state)
{
    BSON_APPEND_INT64(document, "seq", (int64_t)++session->seq);
    BSON_APPEND_INT64(document, "run", run != NULL ? (int64_t)run->number : 0);
    BSON_APPEND_INT64(document, "ev", session->reflected);
    BSON_APPEND_UTF8(document, "state", state);
    if (run != NULL) {
        BSON_APPEND_DOUBLE(document, "ms", (double)(uv_hrtime() - run->started) / 1e6);
    }
}

static void append_ops(bson_t *document, const struct patch *patch)
{
    bson_t ops;
    size_t length;
    const uint8_t *bytes = patch_bytes(patch, &length);
    if (bson_init_static(&ops, bytes, length)) {
        BSON_APPEND_ARRAY(document, "ops", &ops);
    }
}

/* The values that still wait in the queue go with it: the person has seen them already. */
void outbox_send_tree(struct session *session, const struct run *run, const char *state)
{
    struct patch patch;
    list_each (link, &session->queue.events) {
        session_tell_values(session, list_item(link, struct event, link), NULL);
    }
    patch_init(&patch);
    tree_whole(session->tree, &patch);
    bson_t document;
    begin(&document, "tree");
    append_run(&document, session, run, state);
    append_ops(&document, &patch);
    patch_deinit(&patch);
    outbox_forget(session);
    session->is_behind = false;
    send_document(session, &document);
}

void outbox_send_patch(struct session *session, const struct run *run, const struct patch *patch,
                       const char *state)
{
    if (session->is_full) { /* newest state wins */
        session->is_behind = true;
        session->seq++;
        outbox_forget(session);
        return;
    }
    bson_t document;
    begin(&document, "patch");
    append_run(&document, session, run, state);
    append_ops(&document, patch);
    keep(session, &document);
    send_document(session, &document);
}

void outbox_send_welcome(struct session *session, bool resumed)
{
    bson_t document, limits;
    begin(&document, "welcome");
    BSON_APPEND_INT32(&document, "v", PROTOCOL_VERSION);
    BSON_APPEND_UTF8(&document, "session", session->secret);
    BSON_APPEND_UTF8(&document, "public", session->public_id);
    BSON_APPEND_BOOL(&document, "resumed", resumed);
    BSON_APPEND_UTF8(&document, "app", session->registry->app_name);
    BSON_APPEND_UTF8(&document, "version", MOONLIT_VERSION);
    BSON_APPEND_INT64(&document, "ack", session->taken);
    BSON_APPEND_DOCUMENT_BEGIN(&document, "limits", &limits);
    BSON_APPEND_INT32(&limits, "events", LIMIT_EVENTS);
    bson_append_document_end(&document, &limits);
    send_document(session, &document);
}

void outbox_send_old(struct session *session)
{
    struct buffer ids;
    bson_t document, array;
    buffer_init(&ids, tree_count(session->tree) * sizeof(uint64_t));
    if (session->run != NULL) {
        tree_list_old(session->tree, &ids);
    }
    begin(&document, "old");
    BSON_APPEND_ARRAY_BEGIN(&document, "ids", &array);
    for (uint32_t i = 0; i < ids.length / sizeof(uint64_t); i++) {
        char room[16];
        const char *name;
        int64_t id;
        memcpy(&id, ids.bytes + i * sizeof id, sizeof id);
        bson_uint32_to_string(i, &name, room, sizeof room);
        BSON_APPEND_INT64(&array, name, id);
    }
    bson_append_array_end(&document, &array);
    buffer_deinit(&ids);
    send_document(session, &document);
}

void outbox_send_ack(struct session *session)
{
    bson_t document;
    begin(&document, "ack");
    BSON_APPEND_INT64(&document, "ev", session->taken);
    send_document(session, &document);
}

void outbox_send_refuse(struct session *session, int64_t from)
{
    bson_t document;
    begin(&document, "refuse");
    BSON_APPEND_INT64(&document, "from", from);
    send_document(session, &document);
}

void outbox_send_notice(struct session *session, const char *kind, const char *text)
{
    bson_t document;
    begin(&document, "notice");
    BSON_APPEND_UTF8(&document, "kind", kind);
    BSON_APPEND_UTF8(&document, "text", text);
    send_document(session, &document);
}
