/* The list of elements, as C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ui/element.h"

static void every_element_is_found_by_its_name(void **state)
{
    for (int type = 0; type < ELEMENT_COUNT; type++) {
        const struct element *element = element_get((enum element_type)type);
        assert_int_equal(element_find(element->name), type);
        for (int i = 0; i < element_field_count((enum element_type)type); i++) {
            const struct field *field = element_field(element, i);
            assert_true(element_find_field((enum element_type)type, field->name) >= 0);
            bool has_words = field->type == FIELD_CHOICE || field->type == FIELD_ONE_OF;
            assert_true(has_words == (field->words != NULL));
        }
    }
    assert_int_equal(element_find("nonsense"), ELEMENT_COUNT);
}

static void a_widget_has_the_common_fields_first(void **state)
{
    const struct element *slider = element_get(ELEMENT_slider);
    assert_int_equal(slider->kind, KIND_WIDGET);
    assert_string_equal(element_field(slider, 0)->name, "label");
    assert_true(field_is_required(element_field(slider, 0)));
    assert_true(element_find_field(ELEMENT_slider, "step") > 0);
    assert_int_equal(element_find_field(ELEMENT_text, "on_change"), -1);
    assert_int_equal(element_field_count(ELEMENT_divider), 1);
    assert_true(element_get(ELEMENT_empty)->single);
    assert_false(element_get(ELEMENT_container)->single);
}

static void a_misspelt_option_names_its_nearest(void **state)
{
    assert_string_equal(element_nearest(ELEMENT_slider, "mn"), "min");
    assert_string_equal(element_nearest(ELEMENT_slider, "setp"), "step");
    assert_string_equal(element_nearest(ELEMENT_metric, "delta_colour"), "delta_color");
    assert_string_equal(element_nearest(ELEMENT_divider, "kye"), "key");
    assert_string_equal(element_nearest(ELEMENT_button, "onclick"), "on_click");
    assert_string_equal(element_nearest(ELEMENT_slider, "min_value"), "min");
    assert_string_equal(element_nearest(ELEMENT_radio, "format"), "format_func");
}

static void words_are_whole_words(void **state)
{
    const struct field *type =
        element_field(element_get(ELEMENT_button), element_find_field(ELEMENT_button, "type"));
    assert_true(field_has_word(type, "primary", 7));
    assert_true(field_has_word(type, "tertiary", 8));
    assert_false(field_has_word(type, "prim", 4));
    assert_false(field_has_word(type, "primary|secondary", 17));
    assert_false(field_has_word(type, "", 0));
    assert_true(field_is_default_word(type, "secondary", 9));
}

static void identities_differ_where_they_should(void **state)
{
    uint64_t ids[] = {
        element_id_keyed("a", 1),
        element_id_keyed("b", 1),
        element_id_keyed("a\0", 2),
        element_id_keyed("", 0),
        element_id_widget(ELEMENT_slider, "a", 1, 1),
        element_id_widget(ELEMENT_slider, "a", 1, 2),
        element_id_widget(ELEMENT_button, "a", 1, 1),
        element_id_widget(ELEMENT_slider, "ab", 2, 1),
        element_id_widget(ELEMENT_slider, "a long label of a slider", 24, 1),
        element_id_widget(ELEMENT_slider, "a long label of a sliders", 25, 1),
        element_id_counted(ELEMENT_text, 1, 1),
        element_id_counted(ELEMENT_text, 2, 1),
        element_id_counted(ELEMENT_text, 1, 2),
        element_id_counted(ELEMENT_title, 1, 1),
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        assert_true(ids[i] > ROOT_LAST && ids[i] < (1ull << 52) + 8);
        for (size_t j = 0; j < i; j++) {
            assert_true(ids[i] != ids[j]);
        }
    }
    assert_true(ids[0] == element_id_keyed("a", 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_is_found_by_its_name),
        cmocka_unit_test(a_widget_has_the_common_fields_first),
        cmocka_unit_test(a_misspelt_option_names_its_nearest),
        cmocka_unit_test(words_are_whole_words),
        cmocka_unit_test(identities_differ_where_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
