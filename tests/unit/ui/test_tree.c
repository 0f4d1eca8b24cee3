/* The page is told the least, and always ends up with what the script drew. */
#include "naive_page.h"

#include <stdio.h>

#include "limits.h"
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

static void open_stage(struct stage *stage)
{
    *stage = (struct stage){tree_new(), draft_new(), calloc(1, sizeof(struct naive_page)), 0, 0};
}

static void close_stage(struct stage *stage)
{
    tree_free(stage->tree);
    draft_free(stage->draft);
    naive_clear(stage->page);
    free(stage->page);
}

static void begin(struct stage *stage)
{
    draft_clear(stage->draft);
    tree_begin(stage->tree, ++stage->run);
    stage->page->inserts = stage->page->updates = 0;
    stage->page->moves = stage->page->removes = 0;
}

static void send(struct stage *stage, struct patch *patch)
{
    const uint8_t *bytes = patch_bytes(patch, &stage->last_length);
    assert_false(patch_is_full(patch));
    naive_apply(stage->page, bytes, stage->last_length);
    patch_deinit(patch);
}

static void flush(struct stage *stage)
{
    struct patch patch;
    patch_init(&patch);
    tree_flush(stage->tree, stage->draft, &patch);
    send(stage, &patch);
}

static void finish(struct stage *stage)
{
    struct patch patch;
    patch_init(&patch);
    tree_flush(stage->tree, stage->draft, &patch);
    tree_finish(stage->tree, &patch);
    send(stage, &patch);
}

static void end(struct stage *stage, int body)
{
    struct error error;
    bson_write_int32(&stage->draft->out, "body", body);
    assert_true(draft_end(stage->draft, false, 0, &error));
}

static uint64_t key_id(int key)
{
    char text[16];
    int length = snprintf(text, sizeof text, "key %d", key);
    return element_id_keyed(text, (size_t)length);
}

static uint64_t draw(struct stage *stage, enum element_type type, int key, uint64_t parent,
                     int body)
{
    assert_int_equal(draft_begin(stage->draft, type, key_id(key), parent), DRAFT_YES);
    end(stage, body);
    return key_id(key);
}

static void draw_keys(struct stage *stage, const char *keys)
{
    for (; *keys != '\0'; keys++) {
        draw(stage, ELEMENT_markdown, *keys, ROOT_MAIN, *keys);
    }
}

static void expect_keys(struct stage *stage, const char *keys)
{
    uint64_t ids[NAIVE_MAX];
    unsigned count = naive_children(stage->page, ROOT_MAIN, ids);
    assert_int_equal(count, strlen(keys));
    for (unsigned i = 0; i < count; i++) {
        assert_true(ids[i] == key_id(keys[i]));
    }
}

static unsigned operations(const struct stage *stage)
{
    const struct naive_page *page = stage->page;
    return page->inserts + page->updates + page->moves + page->removes;
}

/* ---- promises ---- */

static void an_unchanged_rerun_sends_nothing(void **state)
{
    struct stage stage;
    open_stage(&stage);
    for (int run = 0; run < 2; run++) {
        begin(&stage);
        draw_keys(&stage, "abcdef");
        finish(&stage);
    }
    assert_int_equal(operations(&stage), 0);
    expect_keys(&stage, "abcdef");
    close_stage(&stage);
}

static void expect_after(const char *old, const char *now, unsigned inserts, unsigned moves,
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

static void the_fewest_operations_are_sent(void **state)
{
    expect_after("abcdef", "Xabcdef", 1, 0, 0);
    expect_after("abcdef", "abcXdef", 1, 0, 0);
    expect_after("abcdef", "abcdefX", 1, 0, 0);
    expect_after("abcdef", "fabcde", 0, 1, 0);
    expect_after("abcdef", "bcdefa", 0, 1, 0);
    expect_after("abcdef", "bcdef", 0, 0, 1);
    expect_after("abcdef", "abdef", 0, 0, 1);
    expect_after("abcdef", "fedcba", 0, 5, 0);
    expect_after("abcdef", "", 0, 0, 6);
    expect_after("abcdef", "XYZ", 3, 0, 6);
    expect_after("abcdef", "aXcYe", 2, 0, 3);
}

static void what_is_not_drawn_yet_stays_behind_its_predecessor(void **state)
{
    struct stage stage;
    open_stage(&stage);
    begin(&stage);
    draw_keys(&stage, "abcd");
    finish(&stage);
    begin(&stage);
    draw_keys(&stage, "aX");
    flush(&stage);
    expect_keys(&stage, "aXbcd");
    draw_keys(&stage, "b");
    flush(&stage);
    assert_int_equal(operations(&stage), 1);
    draw_keys(&stage, "Y");
    flush(&stage);
    expect_keys(&stage, "aXbYcd");
    finish(&stage);
    expect_keys(&stage, "aXbY");
    close_stage(&stage);
}

static void expect_old(const struct stage *stage, const char *keys)
{
    struct buffer ids;
    buffer_init(&ids, NAIVE_MAX * sizeof(uint64_t));
    tree_list_old(stage->tree, &ids);
    assert_int_equal(ids.length, strlen(keys) * sizeof(uint64_t));
    for (size_t i = 0; keys[i] != '\0'; i++) {
        uint64_t id = key_id(keys[i]);
        assert_memory_equal(ids.bytes + i * sizeof id, &id, sizeof id);
    }
    buffer_deinit(&ids);
}

static void what_is_drawn_again_as_it_was_is_not_old(void **state)
{
    struct stage stage;
    open_stage(&stage);
    begin(&stage);
    draw_keys(&stage, "ab");
    uint64_t box = draw(&stage, ELEMENT_container, 'x', ROOT_MAIN, 0);
    draw(&stage, ELEMENT_markdown, 'c', box, 'c');
    finish(&stage);
    begin(&stage);
    expect_old(&stage, "abx");
    draw_keys(&stage, "a");
    flush(&stage);
    expect_old(&stage, "bx");
    draw(&stage, ELEMENT_container, 'x', ROOT_MAIN, 0);
    flush(&stage);
    expect_old(&stage, "bc");
    assert_int_equal(operations(&stage), 0);
    finish(&stage);
    expect_old(&stage, "");
    close_stage(&stage);
}

static void a_superseded_view_removes_nothing(void **state)
{
    struct stage stage;
    open_stage(&stage);
    begin(&stage);
    draw_keys(&stage, "abcd");
    finish(&stage);
    begin(&stage);
    draw_keys(&stage, "ab");
    flush(&stage);
    expect_keys(&stage, "abcd");
    begin(&stage);
    draw_keys(&stage, "abcd");
    finish(&stage);
    assert_int_equal(operations(&stage), 0);
    close_stage(&stage);
}

static void draw_metric(struct stage *stage, double value, const char *delta)
{
    struct error error;
    struct bson_out *out = &stage->draft->out;
    uint64_t id = element_id_counted(
        ELEMENT_metric, draft_next_number(stage->draft, ELEMENT_metric, ROOT_MAIN), ROOT_MAIN);
    assert_int_equal(draft_begin(stage->draft, ELEMENT_metric, id, ROOT_MAIN), DRAFT_YES);
    bson_write_text(out, "label", "Revenue this month", 18);
    bson_write_number(out, "value", value);
    if (delta != NULL) {
        bson_write_text(out, "delta", delta, strlen(delta));
    }
    bson_write_text(out, "help", "A long text of help that should not travel again", 47);
    assert_true(draft_end(stage->draft, false, 0, &error));
}

static void one_changed_metric_is_a_small_patch(void **state)
{
    struct stage stage;
    open_stage(&stage);
    for (int run = 0; run < 3; run++) {
        begin(&stage);
        for (int i = 0; i < 20; i++) {
            draw_metric(&stage, run > 0 && i == 7 ? 18204 : i, run == 2 && i == 7 ? NULL : "8.1%");
        }
        finish(&stage);
        if (run > 0) {
            assert_int_equal(operations(&stage), 1);
            assert_int_equal(stage.page->updates, 1);
            assert_true(stage.last_length < 300);
        }
    }
    close_stage(&stage);
}

static void a_container_for_one_holds_the_last(void **state)
{
    struct stage stage;
    struct error error;
    open_stage(&stage);
    for (int run = 0; run < 2; run++) {
        begin(&stage);
        uint64_t place = draw(&stage, ELEMENT_empty, 1, ROOT_MAIN, 0);
        for (int i = 0; i < 5; i++) {
            draw(&stage, ELEMENT_text, 2, place, i);
            if (i == 2) {
                flush(&stage);
            }
            draw(&stage, ELEMENT_markdown, 3, place, i);
            uint64_t box = draw(&stage, ELEMENT_container, 4, place, i);
            draw(&stage, ELEMENT_text, 5, box, i);
            if (i == 3) {
                flush(&stage);
            }
            draw(&stage, ELEMENT_text, 6, box, i);
        }
        finish(&stage);
        uint64_t ids[NAIVE_MAX];
        assert_int_equal(naive_children(stage.page, place, ids), 1);
        assert_true(ids[0] == key_id(4));
        assert_int_equal(naive_children(stage.page, ids[0], ids), 2);
    }
    begin(&stage);
    uint64_t place = draw(&stage, ELEMENT_empty, 1, ROOT_MAIN, 0);
    assert_true(draft_empty(stage.draft, place, &error));
    flush(&stage);
    assert_int_equal(stage.page->count, 1);
    close_stage(&stage);
}

static void a_handle_overwrites_its_element_in_place(void **state)
{
    struct stage stage;
    open_stage(&stage);
    begin(&stage);
    draw_keys(&stage, "abc");
    flush(&stage);
    assert_int_equal(draft_begin_again(stage.draft, ELEMENT_markdown, key_id('b')), DRAFT_YES);
    end(&stage, 99);
    flush(&stage);
    assert_int_equal(stage.page->updates, 1);
    draw_keys(&stage, "d");
    assert_int_equal(draft_begin_again(stage.draft, ELEMENT_text, key_id('c')), DRAFT_YES);
    end(&stage, 98);
    assert_int_equal(draft_begin_again(stage.draft, ELEMENT_text, key_id('b')), DRAFT_YES);
    end(&stage, 97);
    finish(&stage);
    expect_keys(&stage, "abcd");
    assert_string_equal(naive_find(stage.page, key_id('c'))->type, "text");
    close_stage(&stage);
}

static bool has_text(const struct stage *stage, struct patch *patch, const char *text)
{
    size_t length;
    const uint8_t *bytes = patch_bytes(patch, &length);
    return memmem(bytes, length, text, strlen(text)) != NULL;
}

static void draw_slider(struct stage *stage, double value, bool by_script)
{
    struct error error;
    assert_int_equal(draft_begin(stage->draft, ELEMENT_slider, key_id(1), ROOT_MAIN), DRAFT_YES);
    bson_write_text(&stage->draft->out, "label", "How many", 8);
    bson_write_number(&stage->draft->out, "value", value);
    bson_write_number(&stage->draft->out, "max", 50);
    assert_true(draft_end(stage->draft, by_script, 0, &error));
}

static void the_users_value_is_not_sent_back_but_the_scripts_is(void **state)
{
    struct stage stage;
    struct patch patch;
    double seven = 7;
    open_stage(&stage);
    begin(&stage);
    draw_slider(&stage, 10, false);
    finish(&stage);
    tree_set_value(stage.tree, key_id(1), BSON_KIND_DOUBLE, (uint8_t *)&seven, 8, NULL);
    begin(&stage);
    draw_slider(&stage, 7, false);
    finish(&stage);
    assert_int_equal(operations(&stage), 0);
    begin(&stage);
    draw_slider(&stage, 10, true);
    patch_init(&patch);
    tree_flush(stage.tree, stage.draft, &patch);
    assert_int_equal(patch_count(&patch), 1);
    assert_true(has_text(&stage, &patch, "script"));
    patch_deinit(&patch);
    close_stage(&stage);
}

static void a_value_set_after_the_draw_is_shown(void **state)
{
    struct stage stage;
    struct error error;
    int32_t three = 3;
    open_stage(&stage);
    begin(&stage);
    draw_slider(&stage, 10, false);
    flush(&stage);
    assert_true(
        draft_set_value(stage.draft, key_id(1), BSON_KIND_INT32, (uint8_t *)&three, 4, &error));
    finish(&stage);
    assert_int_equal(stage.page->updates, 1);
    struct naive_element *slider = naive_find(stage.page, key_id(1));
    struct bson_element value;
    assert_true(bson_find(slider->props, slider->length, "value", 5, &value));
    assert_int_equal(bson_element_int32(&value), 3);
    close_stage(&stage);
}

static void spinners_never_outlive_their_run(void **state)
{
    struct stage stage;
    struct error error;
    struct patch patch;
    open_stage(&stage);
    begin(&stage);
    draw(&stage, ELEMENT_spinner, 1, ROOT_MAIN, 0);
    draw_keys(&stage, "a");
    flush(&stage);
    assert_int_equal(stage.page->count, 2);
    assert_true(draft_remove(stage.draft, key_id(1), &error));
    draw_keys(&stage, "b");
    flush(&stage);
    expect_keys(&stage, "ab");
    draw(&stage, ELEMENT_spinner, 2, ROOT_MAIN, 0);
    flush(&stage);
    patch_init(&patch);
    tree_settle(stage.tree, &patch);
    send(&stage, &patch);
    expect_keys(&stage, "ab");
    close_stage(&stage);
}

static void expect_same_pages(struct naive_page *a, struct naive_page *b, uint64_t parent)
{
    static uint64_t in_a[NAIVE_MAX], in_b[NAIVE_MAX];
    unsigned count = naive_children(a, parent, in_a);
    assert_int_equal(count, naive_children(b, parent, in_b));
    assert_memory_equal(in_a, in_b, count * sizeof(uint64_t));
    for (unsigned i = 0; i < a->count; i++) {
        if (a->elements[i].parent == parent) {
            expect_same_pages(a, b, a->elements[i].id);
        }
    }
}

static void expect_whole(struct stage *stage)
{
    struct patch patch;
    size_t length;
    struct naive_page *page = calloc(1, sizeof *page);
    patch_init(&patch);
    tree_whole(stage->tree, &patch);
    const uint8_t *bytes = patch_bytes(&patch, &length);
    naive_apply(page, bytes, length);
    assert_int_equal(page->count, stage->page->count);
    assert_int_equal(page->count, tree_count(stage->tree));
    for (uint64_t root = ROOT_MAIN; root <= ROOT_LAST; root++) {
        expect_same_pages(page, stage->page, root);
    }
    naive_clear(page);
    free(page);
    patch_deinit(&patch);
}

/* ---- random pages ---- */

struct wish {
    uint64_t id, parent;
    enum element_type type;
    int body;
};

/* What the page should show: the elements of the run, in the order of their draws. */
struct script {
    struct wish wishes[NAIVE_MAX];
    unsigned count;
    unsigned seed;
};

static unsigned roll(struct script *script, unsigned below)
{
    script->seed = script->seed * 1664525u + 1013904223u;
    return (script->seed >> 10) % below;
}

static bool is_box(enum element_type type)
{
    return type == ELEMENT_container || type == ELEMENT_empty;
}

static struct wish *find_wish(struct script *script, uint64_t id)
{
    for (unsigned i = 0; i < script->count; i++) {
        if (script->wishes[i].id == id) {
            return &script->wishes[i];
        }
    }
    return NULL;
}

static void forget_below(struct script *script, uint64_t parent)
{
    for (unsigned i = 0; i < script->count;) {
        if (script->wishes[i].parent != parent) {
            i++;
            continue;
        }
        uint64_t id = script->wishes[i].id;
        memmove(&script->wishes[i], &script->wishes[i + 1],
                (--script->count - i) * sizeof script->wishes[0]);
        forget_below(script, id);
        i = 0;
    }
}

static uint64_t choose_parent(struct script *script)
{
    for (int tries = 0; tries < 4 && script->count > 0; tries++) {
        const struct wish *wish = &script->wishes[roll(script, script->count)];
        if (is_box(wish->type)) {
            return wish->id;
        }
    }
    return ROOT_MAIN + roll(script, 2);
}

static void draw_random(struct stage *stage, struct script *script)
{
    static const enum element_type types[] = {ELEMENT_markdown, ELEMENT_container, ELEMENT_text,
                                              ELEMENT_empty, ELEMENT_metric};
    int key = (int)roll(script, 40);
    struct wish wish = {key_id(key), choose_parent(script),
                        types[(roll(script, 12) == 0 ? key + 1 : key) % 5], (int)roll(script, 3)};
    struct wish *parent = find_wish(script, wish.parent);
    if (find_wish(script, wish.id) != NULL) {
        return;
    }
    if (parent != NULL && parent->type == ELEMENT_empty) {
        forget_below(script, wish.parent);
    }
    enum draft_answer answer = draft_begin(stage->draft, wish.type, wish.id, wish.parent);
    assert_int_equal(answer, DRAFT_YES);
    end(stage, wish.body);
    script->wishes[script->count++] = wish;
}

static void overwrite_random(struct stage *stage, struct script *script)
{
    struct wish *wish = &script->wishes[roll(script, script->count)];
    if (is_box(wish->type)) {
        return;
    }
    wish->type = roll(script, 4) == 0 ? ELEMENT_caption : wish->type;
    wish->body = (int)roll(script, 3);
    assert_int_equal(draft_begin_again(stage->draft, wish->type, wish->id), DRAFT_YES);
    end(stage, wish->body);
}

static void take_away_random(struct stage *stage, struct script *script)
{
    struct error error;
    struct wish wish = script->wishes[roll(script, script->count)];
    forget_below(script, wish.id);
    if (is_box(wish.type) && roll(script, 2) == 0) {
        assert_true(draft_empty(stage->draft, wish.id, &error));
        return;
    }
    assert_true(draft_remove(stage->draft, wish.id, &error));
    struct wish *at = find_wish(script, wish.id);
    memmove(at, at + 1, (size_t)(&script->wishes[script->count] - (at + 1)) * sizeof *at);
    script->count--;
}

/* The drawn children stand in the script's order, as drawn; `exactly`: and nobody else. */
static void expect_script(struct stage *stage, struct script *script, uint64_t parent, bool exactly)
{
    uint64_t ids[NAIVE_MAX];
    unsigned count = naive_children(stage->page, parent, ids), at = 0;
    for (unsigned i = 0; i < script->count; i++) {
        const struct wish *wish = &script->wishes[i];
        if (wish->parent != parent) {
            continue;
        }
        while (at < count && ids[at] != wish->id && !exactly) {
            at++;
        }
        assert_true(at < count && ids[at] == wish->id);
        at++;
        const struct naive_element *element = naive_find(stage->page, wish->id);
        struct bson_element body;
        assert_true(bson_find(element->props, element->length, "body", 4, &body));
        assert_int_equal(bson_element_int32(&body), wish->body);
        assert_string_equal(element->type, element_get(wish->type)->name);
        expect_script(stage, script, wish->id, exactly);
    }
    assert_true(!exactly || at == count);
}

static void run_random(struct stage *stage, struct script *script)
{
    script->count = 0;
    begin(stage);
    for (unsigned left = roll(script, 60); left > 0; left--) {
        unsigned what = roll(script, 20);
        if (what == 0) {
            flush(stage);
            expect_script(stage, script, ROOT_MAIN, false);
        } else if (what < 3 && script->count > 0) {
            overwrite_random(stage, script);
        } else if (what < 5 && script->count > 0) {
            take_away_random(stage, script);
        } else {
            draw_random(stage, script);
        }
    }
    bool whole = roll(script, 4) != 0;
    (whole ? finish : flush)(stage);
    for (uint64_t root = ROOT_MAIN; root <= ROOT_LAST; root++) {
        expect_script(stage, script, root, whole);
    }
    expect_whole(stage);
}

static void random_pages_end_up_as_drawn(void **state)
{
    struct script *script = calloc(1, sizeof *script);
    for (unsigned seed = 1; seed <= 150; seed++) {
        struct stage stage;
        open_stage(&stage);
        script->seed = seed * 7919;
        for (int run = 0; run < 20; run++) {
            run_random(&stage, script);
        }
        close_stage(&stage);
    }
    free(script);
}

/* Longest increasing subsequence by trying all ends: n * n. */
static unsigned longest(const char *old, const char *now)
{
    unsigned best[64], longest = 0;
    for (unsigned i = 0; now[i] != '\0'; i++) {
        best[i] = 1;
        for (unsigned j = 0; j < i; j++) {
            if (strchr(old, now[j]) < strchr(old, now[i]) && best[j] + 1 > best[i]) {
                best[i] = best[j] + 1;
            }
        }
        longest = best[i] > longest ? best[i] : longest;
    }
    return longest;
}

static void random_orders_move_as_few_as_possible(void **state)
{
    struct script script = {.seed = 42};
    for (int round = 0; round < 300; round++) {
        char old[] = "abcdefghijklmnop", now[] = "abcdefghijklmnop";
        for (unsigned i = sizeof now - 2; i > 0; i--) {
            unsigned j = roll(&script, i + 1);
            char letter = now[i];
            now[i] = now[j];
            now[j] = letter;
        }
        now[roll(&script, sizeof now)] = '\0';
        unsigned count = (unsigned)strlen(now);
        expect_after(old, now, 0, count - longest(old, now), (unsigned)strlen(old) - count);
    }
}

static void what_superseded_views_leave_is_bounded(void **state)
{
    struct tree *tree = tree_new();
    struct draft *draft = draft_new();
    struct error error;
    for (uint64_t run = 1; run <= 6; run++) {
        struct patch patch;
        patch_init(&patch);
        draft_clear(draft);
        tree_begin(tree, run);
        for (int i = 0; i < LIMIT_PAGE_ELEMENTS; i++) {
            uint64_t id = key_id((int)run * LIMIT_PAGE_ELEMENTS + i);
            assert_int_equal(draft_begin(draft, ELEMENT_text, id, ROOT_MAIN), DRAFT_YES);
            assert_true(draft_end(draft, false, 0, &error));
        }
        assert_int_equal(draft_begin(draft, ELEMENT_text, key_id(1), ROOT_MAIN), DRAFT_YES);
        assert_false(draft_end(draft, false, 0, &error));
        tree_flush(tree, draft, &patch);
        assert_true(tree_count(tree) <= 2 * LIMIT_PAGE_ELEMENTS);
        patch_deinit(&patch);
    }
    draft_free(draft);
    tree_free(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unchanged_rerun_sends_nothing),
        cmocka_unit_test(the_fewest_operations_are_sent),
        cmocka_unit_test(what_is_not_drawn_yet_stays_behind_its_predecessor),
        cmocka_unit_test(what_is_drawn_again_as_it_was_is_not_old),
        cmocka_unit_test(a_superseded_view_removes_nothing),
        cmocka_unit_test(one_changed_metric_is_a_small_patch),
        cmocka_unit_test(a_container_for_one_holds_the_last),
        cmocka_unit_test(a_handle_overwrites_its_element_in_place),
        cmocka_unit_test(the_users_value_is_not_sent_back_but_the_scripts_is),
        cmocka_unit_test(a_value_set_after_the_draw_is_shown),
        cmocka_unit_test(spinners_never_outlive_their_run),
        cmocka_unit_test(random_pages_end_up_as_drawn),
        cmocka_unit_test(random_orders_move_as_few_as_possible),
        cmocka_unit_test(what_superseded_views_leave_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
