/* Messages from the browser: what is understood, and that nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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
    assert_true(message.has_values);
    assert_true(bson_iter_next(&message.values));
    assert_string_equal(bson_iter_key(&message.values), "12");
    bson_destroy(document);
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
        message_decode(bytes, length, &message, &error);
    }
    bson_destroy(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_carries_its_numbers_and_values),
        cmocka_unit_test(what_is_not_understood_is_refused),
        cmocka_unit_test(random_bytes_never_do_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
