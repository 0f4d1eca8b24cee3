/* What a run has drawn: twice, too much, over and over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "limits.h"
#include "ui/draft.h"

static bool draw(struct draft *draft, enum element_type type, uint64_t id, uint64_t parent,
                 size_t length, int line)
{
    static const uint8_t zeros[LIMIT_PAGE_BYTES];
    struct error error = {0};
    assert_int_equal(draft_begin(draft, type, id, parent), DRAFT_YES);
    bson_write_binary(&draft->out, "body", 0, zeros, length);
    bool drawn = draft_end(draft, false, line, &error);
    assert_true(drawn || error.kind == ERROR_LIMIT);
    return drawn;
}

static void drawing_twice_is_noticed_and_names_the_line(void **state)
{
    struct draft *draft = draft_new();
    assert_true(draw(draft, ELEMENT_button, 10, ROOT_MAIN, 1, 7));
    draft_flushed(draft);
    assert_int_equal(draft_begin(draft, ELEMENT_button, 10, ROOT_MAIN), DRAFT_TWICE);
    assert_int_equal(draft_line(draft, 10), 7);
    assert_true(draft_is_empty(draft));
    draft_clear(draft);
    assert_true(draw(draft, ELEMENT_button, 10, ROOT_MAIN, 1, 8));
    draft_free(draft);
}

static void a_container_of_another_run_is_refused(void **state)
{
    struct draft *draft = draft_new();
    assert_int_equal(draft_begin(draft, ELEMENT_text, 10, 99), DRAFT_GONE);
    assert_int_equal(draft_begin_again(draft, ELEMENT_text, 99), DRAFT_GONE);
    assert_true(draw(draft, ELEMENT_container, 99, ROOT_MAIN, 0, 0));
    assert_int_equal(draft_begin(draft, ELEMENT_text, 10, 99), DRAFT_YES);
    draft_free(draft);
}

static void containers_have_an_end(void **state)
{
    struct draft *draft = draft_new();
    uint64_t id = 100;
    for (int depth = 0; depth < LIMIT_ELEMENT_DEPTH; depth++, id++) {
        assert_true(draw(draft, ELEMENT_container, id, depth == 0 ? ROOT_MAIN : id - 1, 0, 0));
    }
    assert_int_equal(draft_begin(draft, ELEMENT_text, id, id - 1), DRAFT_DEEP);
    draft_free(draft);
}

static void a_half_written_element_leaves_nothing(void **state)
{
    struct draft *draft = draft_new();
    assert_int_equal(draft_begin(draft, ELEMENT_text, 10, ROOT_MAIN), DRAFT_YES);
    bson_write_text(&draft->out, "body", "half", 4);
    assert_true(draw(draft, ELEMENT_text, 11, ROOT_MAIN, 3, 0));
    assert_int_equal(draft->count, 1);
    assert_false(draft_has(draft, 10));
    assert_true(bson_check(draft_props(draft, &draft->draws[0]), draft->draws[0].length, 3, NULL));
    draft_free(draft);
}

static void a_page_is_bounded(void **state)
{
    struct draft *draft = draft_new();
    assert_true(draw(draft, ELEMENT_table, 10, ROOT_MAIN, LIMIT_PAGE_BYTES / 2, 0));
    assert_false(draw(draft, ELEMENT_table, 11, ROOT_MAIN, LIMIT_PAGE_BYTES - 100, 0));
    assert_true(draw(draft, ELEMENT_table, 11, ROOT_MAIN, LIMIT_PAGE_BYTES / 3, 0));
    assert_false(draw(draft, ELEMENT_table, 12, ROOT_MAIN, LIMIT_PAGE_BYTES / 3, 0));
    draft_free(draft);
}

static void an_element_drawn_over_and_over_needs_no_more_room(void **state)
{
    struct draft *draft = draft_new();
    struct error error;
    assert_true(draw(draft, ELEMENT_empty, 9, ROOT_MAIN, 0, 0));
    assert_true(draw(draft, ELEMENT_text, 8, ROOT_MAIN, 0, 0));
    for (uint64_t i = 0; i < 200000; i++) {
        assert_true(draw(draft, ELEMENT_container, 10 + i % 2, 9, 100, 0));
        assert_true(draw(draft, ELEMENT_text, 20, 10 + i % 2, 100, 0));
        assert_int_equal(draft_begin_again(draft, ELEMENT_text, 8), DRAFT_YES);
        assert_true(draft_end(draft, false, 0, &error));
    }
    assert_int_equal(draft->alive, 4);
    assert_true(draft->buffer.capacity < 4 << 20);
    assert_true(draft->room < 20000);
    draft_free(draft);
}

static void numbers_begin_anew_in_a_container_drawn_anew(void **state)
{
    struct draft *draft = draft_new();
    struct error error;
    assert_true(draw(draft, ELEMENT_container, 10, ROOT_MAIN, 0, 0));
    assert_int_equal(draft_next_number(draft, ELEMENT_text, 10), 1);
    assert_int_equal(draft_next_number(draft, ELEMENT_text, 10), 2);
    assert_int_equal(draft_next_number(draft, ELEMENT_title, 10), 1);
    assert_int_equal(draft_next_number(draft, ELEMENT_text, ROOT_MAIN), 1);
    assert_true(draft_empty(draft, 10, &error));
    assert_int_equal(draft_next_number(draft, ELEMENT_text, 10), 1);
    draft_free(draft);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drawing_twice_is_noticed_and_names_the_line),
        cmocka_unit_test(a_container_of_another_run_is_refused),
        cmocka_unit_test(containers_have_an_end),
        cmocka_unit_test(a_half_written_element_leaves_nothing),
        cmocka_unit_test(a_page_is_bounded),
        cmocka_unit_test(an_element_drawn_over_and_over_needs_no_more_room),
        cmocka_unit_test(numbers_begin_anew_in_a_container_drawn_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
