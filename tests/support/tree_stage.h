/*
 * A tree and the page that it tells: runs draw elements with numbers as keys and bodies, and a
 * naive page applies what is sent.
 */
#ifndef TREE_STAGE_H
#define TREE_STAGE_H

#include "naive_page.h"

#include <stdio.h>

#include "ui/draft.h"
#include "ui/patch.h"
#include "ui/tree.h"

/* A session's page: what the host knows, and what a browser would show. */
struct stage {
    struct tree *tree;
    struct draft *draft;
    struct naive_page *page;
    uint64_t run;
    size_t last_length; /* of the last patch */
};

static inline void open_stage(struct stage *stage)
{
    *stage = (struct stage){tree_new(), draft_new(), calloc(1, sizeof(struct naive_page)), 0, 0};
}

static inline void close_stage(struct stage *stage)
{
    tree_free(stage->tree);
    draft_free(stage->draft);
    naive_clear(stage->page);
    free(stage->page);
}

static inline void begin(struct stage *stage)
{
    draft_clear(stage->draft);
    tree_begin(stage->tree, ++stage->run);
    stage->page->inserts = stage->page->updates = 0;
    stage->page->moves = stage->page->removes = 0;
}

static inline void send(struct stage *stage, struct patch *patch)
{
    const uint8_t *bytes = patch_bytes(patch, &stage->last_length);
    assert_false(patch_is_full(patch));
    naive_apply(stage->page, bytes, stage->last_length);
    patch_deinit(patch);
}

static inline void flush(struct stage *stage)
{
    struct patch patch;
    patch_init(&patch);
    tree_flush(stage->tree, stage->draft, &patch);
    send(stage, &patch);
}

static inline void finish(struct stage *stage)
{
    struct patch patch;
    patch_init(&patch);
    tree_flush(stage->tree, stage->draft, &patch);
    tree_finish(stage->tree, &patch);
    send(stage, &patch);
}

static inline void end(struct stage *stage, int body)
{
    struct error error;
    bson_write_int32(&stage->draft->out, "body", body);
    assert_true(draft_end(stage->draft, false, 0, &error));
}

static inline uint64_t key_id(int key)
{
    char text[16];
    int length = snprintf(text, sizeof text, "key %d", key);
    return element_id_keyed(text, (size_t)length);
}

static inline uint64_t draw(struct stage *stage, enum element_type type, int key, uint64_t parent,
                            int body)
{
    assert_int_equal(draft_begin(stage->draft, type, key_id(key), parent), DRAFT_YES);
    end(stage, body);
    return key_id(key);
}

static inline void draw_keys(struct stage *stage, const char *keys)
{
    for (; *keys != '\0'; keys++) {
        draw(stage, ELEMENT_markdown, *keys, ROOT_MAIN, *keys);
    }
}

static inline void expect_keys(struct stage *stage, const char *keys)
{
    uint64_t ids[NAIVE_MAX];
    unsigned count = naive_children(stage->page, ROOT_MAIN, ids);
    assert_int_equal(count, strlen(keys));
    for (unsigned i = 0; i < count; i++) {
        assert_true(ids[i] == key_id(keys[i]));
    }
}

static inline unsigned operations(const struct stage *stage)
{
    const struct naive_page *page = stage->page;
    return page->inserts + page->updates + page->moves + page->removes;
}

static inline void expect_after(const char *old, const char *now, unsigned inserts, unsigned moves,
                                unsigned removes)
{
    struct stage stage;
    open_stage(&stage);
    begin(&stage);
    draw_keys(&stage, old);
    finish(&stage);
    begin(&stage);
    draw_keys(&stage, now);
    finish(&stage);
    expect_keys(&stage, now);
    assert_int_equal(stage.page->inserts, inserts);
    assert_int_equal(stage.page->moves, moves);
    assert_int_equal(stage.page->removes, removes);
    assert_int_equal(stage.page->updates, 0);
    close_stage(&stage);
}

#endif
