/* The page is told the least, and always ends up with what the script drew. */
#include "tree_stage.h"

#include "limits.h"

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
        cmocka_unit_test(what_superseded_views_leave_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
