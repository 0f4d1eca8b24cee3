/* What a session tells a page that cannot take it, and a page that comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bson.h"
#include "limits.h"
#include "run/engine.h"
#include "session/outbox.h"
#include "session/registry.h"
#include "ui/patch.h"

/* A session and an outlet that notes the kinds of what is sent: "patch tree ". */
struct stage {
    uv_loop_t loop;
    struct engine engine;
    struct registry registry;
    struct session *session;
    size_t waiting; /* what the outlet says of its queue */
    char sent[256];
};

static size_t note(void *data, const uint8_t *bytes, size_t length)
{
    struct stage *stage = data;
    struct bson_element kind;
    size_t size;
    assert_true(bson_find(bytes, length, "t", 1, &kind));
    strncat(stage->sent, bson_element_text(&kind, &size), 20);
    strcat(stage->sent, " ");
    return stage->waiting;
}

static void no_close(void *data, int code, const char *reason)
{
    (void)data;
    (void)code;
    (void)reason;
}

static int set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    uv_loop_init(&stage->loop);
    stage->engine.loop = &stage->loop;
    clock_init(&stage->engine.clock, &stage->loop);
    stage->registry.engine = &stage->engine;
    stage->session = session_new(&stage->registry);
    stage->session->outlet = (struct outlet){note, no_close, stage};
    *state = stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    session_free(stage->session);
    clock_close(&stage->engine.clock);
    uv_run(&stage->loop, UV_RUN_DEFAULT);
    int left = uv_loop_close(&stage->loop);
    free(stage);
    return left;
}

static void send_patch(struct stage *stage)
{
    struct patch patch;
    patch_init(&patch);
    outbox_send_patch(stage->session, NULL, &patch, "finished");
    patch_deinit(&patch);
}

static void assert_sent(struct stage *stage, const char *kinds)
{
    assert_string_equal(stage->sent, kinds);
    stage->sent[0] = '\0';
}

static void what_a_full_queue_held_back_comes_as_one_tree(void **state)
{
    struct stage *stage = *state;
    stage->waiting = LIMIT_SOCKET_QUEUE_SOFT + 1;
    send_patch(stage);
    assert_sent(stage, "patch ");
    send_patch(stage);
    send_patch(stage);
    assert_sent(stage, "");
    stage->waiting = 0;
    session_drained(stage->session);
    assert_sent(stage, "tree ");
    assert_int_equal(stage->session->seq, 4);
    send_patch(stage);
    assert_sent(stage, "patch ");
}

/* Else a page larger than the queue's soft mark would be sent for ever. */
static void a_tree_that_fills_the_queue_itself_is_sent_once(void **state)
{
    struct stage *stage = *state;
    stage->waiting = LIMIT_SOCKET_QUEUE_SOFT + 1;
    outbox_send_tree(stage->session, NULL, "finished");
    assert_sent(stage, "tree ");
    session_drained(stage->session);
    session_drained(stage->session);
    assert_sent(stage, "");
    stage->waiting = 0;
    send_patch(stage);
    assert_sent(stage, "patch ");
}

static void a_page_that_missed_the_last_patches_gets_them_again(void **state)
{
    struct stage *stage = *state;
    send_patch(stage);
    send_patch(stage);
    send_patch(stage);
    assert_sent(stage, "patch patch patch ");
    assert_true(outbox_resend(stage->session, 1));
    assert_sent(stage, "patch patch ");
    assert_true(outbox_resend(stage->session, 3));
    assert_sent(stage, "");
    assert_false(outbox_resend(stage->session, 4));
}

static void a_page_that_missed_more_than_is_kept_is_told_so(void **state)
{
    struct stage *stage = *state;
    send_patch(stage);
    outbox_send_tree(stage->session, NULL, "finished");
    send_patch(stage);
    stage->sent[0] = '\0';
    assert_false(outbox_resend(stage->session, 0));
    assert_false(outbox_resend(stage->session, 1));
    assert_true(outbox_resend(stage->session, 2));
    assert_sent(stage, "patch ");
}

static void kept_patches_have_a_maximum(void **state)
{
    struct stage *stage = *state;
    while (stage->session->seq < 10000) {
        send_patch(stage);
        stage->sent[0] = '\0';
        assert_true(stage->session->frames_size <= LIMIT_FRAMES_KEPT);
    }
    assert_false(outbox_resend(stage->session, 1));
    assert_true(outbox_resend(stage->session, 9999));
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STAGED(what_a_full_queue_held_back_comes_as_one_tree),
        STAGED(a_tree_that_fills_the_queue_itself_is_sent_once),
        STAGED(a_page_that_missed_the_last_patches_gets_them_again),
        STAGED(a_page_that_missed_more_than_is_kept_is_told_so),
        STAGED(kept_patches_have_a_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
