/* Messages from the browser: what is understood, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <bson/bson.h>

#include "protocol/message.h"

static bool decode(const bson_t *document, struct message *message)
{
    struct error error;
    return message_decode(bson_get_data(document), document->len, message, &error);
}

static void an_event_carries_its_numbers_and_values(void **state)
{
    (void)state;
    struct message message;
    bson_t *document = BCON_NEW("t", "event", "n", BCON_INT32(7), "seen", BCON_INT64(41), "values",
                                "{", "12", BCON_DOUBLE(3.5), "}", "press", BCON_DOUBLE(90210.0));
    assert_true(decode(document, &message));
    assert_int_equal(message.kind, MESSAGE_EVENT);
    assert_int_equal(message.n, 7);
    assert_int_equal(message.seen, 41);
    assert_int_equal(message.press, 90210);
    struct bson_walk walk = message_values(&message);
    struct message_value value;
    assert_true(message_next_value(&walk, &value));
    assert_int_equal(value.id, 12);
    assert_int_equal(value.kind, BSON_KIND_DOUBLE);
    assert_int_equal(value.length, 8);
    assert_false(message_next_value(&walk, &value));
    bson_destroy(document);
}

static void an_event_may_have_no_values(void **state)
{
    (void)state;
    struct message message;
    struct message_value value;
    bson_t *document = BCON_NEW("t", "event", "n", BCON_INT32(1));
    assert_true(decode(document, &message));
    struct bson_walk walk = message_values(&message);
    assert_false(message_next_value(&walk, &value));
    bson_destroy(document);
}

static void a_name_that_is_no_id_is_the_widget_0_that_nobody_has(void **state)
{
    (void)state;
    static const char *const names[] = {"-1", "1x", " 1", "", "0x10", "99999999999999999999"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct message message;
        struct message_value value;
        bson_t *document =
            BCON_NEW("t", "event", "n", BCON_INT32(1), "values", "{", names[i], BCON_NULL, "}");
        assert_true(decode(document, &message));
        struct bson_walk walk = message_values(&message);
        assert_true(message_next_value(&walk, &value));
        assert_int_equal(value.id, 0);
        bson_destroy(document);
    }
}

static void refuses(bson_t *document)
{
    struct message message;
    assert_false(decode(document, &message));
    bson_destroy(document);
}

static void what_is_not_understood_is_refused(void **state)
{
    (void)state;
    refuses(BCON_NEW("n", BCON_INT32(1)));
    refuses(BCON_NEW("t", "dance"));
    refuses(BCON_NEW("t", BCON_INT32(3)));
    refuses(BCON_NEW("t", "event"));
    refuses(BCON_NEW("t", "event", "n", BCON_INT32(-1)));
    refuses(BCON_NEW("t", "event", "n", "1"));
    refuses(BCON_NEW("t", "event", "n", BCON_DOUBLE(1e300)));
    refuses(BCON_NEW("t", "event", "n", BCON_INT32(1), "values", BCON_INT32(1)));
    refuses(BCON_NEW("t", "hello", "v", BCON_INT32(1)));
    refuses(BCON_NEW("t", "hello", "v", BCON_INT32(2), "load", "x"));
    refuses(BCON_NEW("t", "hello", "v", BCON_INT32(1), "load", "\xc3("));
}

/* A message of a megabyte that is nothing but a document in a document in a document. */
static void nesting_has_an_end(void **state)
{
    (void)state;
    enum { LEVELS = 140000, LEVEL = 4 + 2 + 1, LENGTH = LEVELS * LEVEL + 5 };
    uint8_t *bytes = calloc(1, LENGTH);
    for (size_t level = 0; level <= LEVELS; level++) {
        uint8_t *at = bytes + level * (4 + 2);
        int32_t length = LENGTH - (int32_t)(level * LEVEL);
        memcpy(at, &length, 4);
        at[4] = level < LEVELS ? BSON_KIND_DOCUMENT : BSON_KIND_END;
    }
    struct message message;
    struct error error;
    assert_false(message_decode(bytes, LENGTH, &message, &error));
    assert_non_null(strstr(error.message, "deep"));
    free(bytes);
}

static void random_bytes_never_do_harm(void **state)
{
    (void)state;
    struct message message;
    struct error error;
    bson_t *document = BCON_NEW("t", "event", "n", BCON_INT32(7), "values", "{", "12", "text", "}");
    uint8_t bytes[128];
    srand(3);
    for (int round = 0; round < 20000; round++) {
        size_t length = document->len;
        memcpy(bytes, bson_get_data(document), length);
        for (int i = rand() % 4; i >= 0; i--) {
            bytes[(size_t)rand() % length] = (uint8_t)rand();
        }
        if (rand() % 3 == 0) {
            length = (size_t)rand() % (length + 1);
        }
        if (message_decode(bytes, length, &message, &error)) {
            struct bson_walk walk = message_values(&message);
            for (struct message_value value; message_next_value(&walk, &value);) {
                assert_in_range(value.bytes - bytes, 0, length - value.length);
            }
        }
    }
    bson_destroy(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_carries_its_numbers_and_values),
        cmocka_unit_test(an_event_may_have_no_values),
        cmocka_unit_test(a_name_that_is_no_id_is_the_widget_0_that_nobody_has),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(nesting_has_an_end),
        cmocka_unit_test(random_bytes_never_do_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
