/* What a session remembers of its widgets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bson.h"
#include "limits.h"
#include "ui/widgets.h"

static const uint8_t yes[] = {1};

static struct widget *draw(struct widgets *widgets, enum element_type type, const char *key)
{
    struct error error;
    struct widget *widget =
        widgets_draw(widgets, element_id_keyed(key, strlen(key)), type, key, strlen(key), &error);
    assert_non_null(widget);
    return widget;
}

static bool check(struct widgets *widgets, const char *key, uint8_t kind, const void *bytes,
                  size_t length)
{
    struct error error = {0};
    bool ok =
        widgets_check(widgets, element_id_keyed(key, strlen(key)), kind, bytes, length, &error);
    assert_true(ok || error.kind == ERROR_PROTOCOL);
    return ok;
}

static void the_page_may_set_only_what_was_drawn_and_only_its_type(void **state)
{
    struct widgets *widgets = widgets_new();
    static const uint8_t number[8] = {0}, text[] = {2, 0, 0, 0, 'a', 0};
    static const uint8_t bad_text[] = {2, 0, 0, 0, 0xff, 0}, null_document[] = {5, 0, 0, 0, 0};
    assert_false(check(widgets, "box", BSON_KIND_BOOL, yes, 1));
    draw(widgets, ELEMENT_checkbox, "box");
    draw(widgets, ELEMENT_slider, "slider");
    draw(widgets, ELEMENT_text_input, "text");
    draw(widgets, ELEMENT_multiselect, "many");
    draw(widgets, ELEMENT_button, "button");
    assert_true(check(widgets, "box", BSON_KIND_BOOL, yes, 1));
    assert_false(check(widgets, "box", BSON_KIND_NULL, NULL, 0));
    assert_true(check(widgets, "slider", BSON_KIND_DOUBLE, number, 8));
    assert_false(check(widgets, "slider", BSON_KIND_TEXT, text, 6));
    assert_false(check(widgets, "slider", BSON_KIND_ARRAY, null_document, 5));
    assert_true(check(widgets, "text", BSON_KIND_TEXT, text, 6));
    assert_true(check(widgets, "text", BSON_KIND_NULL, NULL, 0));
    assert_false(check(widgets, "text", BSON_KIND_TEXT, bad_text, 6));
    assert_true(check(widgets, "many", BSON_KIND_ARRAY, null_document, 5));
    assert_false(check(widgets, "many", BSON_KIND_DOCUMENT, null_document, 5));
    assert_false(check(widgets, "button", BSON_KIND_BOOL, yes, 1));
    widgets_free(widgets);
}

/* Keys that change in each run, as those made of what a query finds. */
static void a_session_that_draws_ever_new_widgets_forgets_those_hidden_longest(void **state)
{
    struct widgets *widgets = widgets_new();
    char key[32];
    for (int run = 0; run < 3 * LIMIT_WIDGETS / 100; run++) {
        widgets_mark(widgets);
        widgets_set_by_script(widgets, draw(widgets, ELEMENT_checkbox, "always"), BSON_KIND_BOOL,
                              yes, 1);
        for (int i = 0; i < 100; i++) {
            snprintf(key, sizeof key, "row %d of %d", i, run);
            draw(widgets, ELEMENT_checkbox, key);
        }
        widgets_finish(widgets);
    }
    assert_true(widgets_find_key(widgets, "always")->value.owned);
    assert_non_null(widgets_find_key(widgets, key));
    assert_null(widgets_find_key(widgets, "row 0 of 0"));
    widgets_free(widgets);
}

static void draw_many(struct widgets *widgets, int count)
{
    char key[32];
    widgets_mark(widgets);
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "%d", i);
        draw(widgets, ELEMENT_checkbox, key);
    }
}

static void a_page_of_too_many_widgets_is_an_error_and_forgets_none_it_shows(void **state)
{
    struct widgets *widgets = widgets_new();
    struct error error;
    draw_many(widgets, LIMIT_WIDGETS);
    assert_null(widgets_draw(widgets, 77, ELEMENT_checkbox, "more", 4, &error));
    widgets_finish(widgets);
    widgets_mark(widgets); /* the page still shows the run before */
    assert_null(widgets_draw(widgets, 77, ELEMENT_checkbox, "more", 4, &error));
    assert_non_null(widgets_find_key(widgets, "0"));
    widgets_free(widgets);
}

/* A run that is superseded, or that calls ui.rerun, leaves what it has not drawn on the page. */
static void what_the_page_shows_is_kept_however_often_the_next_run_begins_anew(void **state)
{
    struct widgets *widgets = widgets_new();
    draw_many(widgets, LIMIT_WIDGETS);
    widgets_finish(widgets);
    for (int run = 0; run < 5; run++) {
        struct error error;
        widgets_mark(widgets);
        assert_null(widgets_draw(widgets, 77, ELEMENT_checkbox, "more", 4, &error));
        widgets_rollback(widgets);
    }
    assert_non_null(widgets_find_key(widgets, "0"));
    widgets_free(widgets);
}

static void only_buttons_are_pressed(void **state)
{
    struct widgets *widgets = widgets_new();
    struct error error;
    uint64_t button = draw(widgets, ELEMENT_button, "button")->id;
    uint64_t box = draw(widgets, ELEMENT_checkbox, "box")->id;
    assert_true(widgets_is_button(widgets, button, &error));
    assert_false(widgets_is_button(widgets, box, &error));
    assert_false(widgets_is_button(widgets, 12345, &error));
    widgets_free(widgets);
}

static void what_a_superseded_view_set_is_undone(void **state)
{
    struct widgets *widgets = widgets_new();
    struct widget *box = draw(widgets, ELEMENT_checkbox, "box");
    static const uint8_t no[] = {0};
    widgets_mark(widgets);
    widgets_set(widgets, box->id, BSON_KIND_BOOL, yes, 1);
    widgets_commit(widgets);
    widgets_set_by_script(widgets, box, BSON_KIND_BOOL, no, 1);
    widgets_set_by_script(widgets, box, BSON_KIND_NULL, NULL, 0);
    assert_true(box->value.by_script);
    widgets_rollback(widgets);
    assert_int_equal(box->value.kind, BSON_KIND_BOOL);
    assert_int_equal(box->value.bytes[0], 1);
    assert_true(box->value.owned && !box->value.by_script);
    widgets_set_by_script(widgets, box, BSON_KIND_BOOL, no, 1);
    widgets_commit(widgets);
    widgets_rollback(widgets);
    assert_int_equal(box->value.bytes[0], 0);
    widgets_free(widgets);
}

static void the_default_of_a_first_draw_stays_when_the_view_is_superseded(void **state)
{
    struct widgets *widgets = widgets_new();
    widgets_mark(widgets);
    struct widget *box = draw(widgets, ELEMENT_checkbox, "box");
    widgets_set_default(widgets, box, BSON_KIND_BOOL, yes, 1);
    widgets_rollback(widgets);
    assert_int_equal(box->value.kind, BSON_KIND_BOOL);
    assert_false(box->value.owned);
    widgets_free(widgets);
}

static void a_widget_is_found_by_its_key_and_counts_among_many(void **state)
{
    struct widgets *widgets = widgets_new();
    char key[] = "key 000";
    for (int i = 0; i < 500; i++) {
        key[4] = (char)('0' + i / 100);
        key[5] = (char)('0' + i / 10 % 10);
        key[6] = (char)('0' + i % 10);
        widgets_set(widgets, draw(widgets, ELEMENT_toggle, key)->id, BSON_KIND_BOOL, yes, 1);
    }
    assert_non_null(widgets_find_key(widgets, "key 123"));
    assert_null(widgets_find_key(widgets, "key 500"));
    assert_ptr_equal(draw(widgets, ELEMENT_slider, "key 123"),
                     widgets_find_key(widgets, "key 123"));
    widgets_free(widgets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_may_set_only_what_was_drawn_and_only_its_type),
        cmocka_unit_test(a_session_that_draws_ever_new_widgets_forgets_those_hidden_longest),
        cmocka_unit_test(a_page_of_too_many_widgets_is_an_error_and_forgets_none_it_shows),
        cmocka_unit_test(what_the_page_shows_is_kept_however_often_the_next_run_begins_anew),
        cmocka_unit_test(only_buttons_are_pressed),
        cmocka_unit_test(what_a_superseded_view_set_is_undone),
        cmocka_unit_test(the_default_of_a_first_draw_stays_when_the_view_is_superseded),
        cmocka_unit_test(a_widget_is_found_by_its_key_and_counts_among_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
