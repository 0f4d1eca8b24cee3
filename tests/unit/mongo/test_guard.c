/* Which replies reach libmongoc; on each of those refused here it would end the process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mongo/guard.h"

struct message {
    uint8_t bytes[512];
    size_t length;
};

static void append_int32(struct message *message, int32_t number)
{
    memcpy(message->bytes + message->length, &number, 4);
    message->length += 4;
}

/* The head, `extra` bytes of which the kind decides, and a document in JSON. */
static struct message message_of(int32_t kind, const uint8_t *extra, size_t count, const char *json)
{
    struct message message = {.length = 4};
    bson_error_t error;
    bson_t *document = bson_new_from_json((const uint8_t *)json, -1, &error);
    assert_non_null(document);
    append_int32(&message, 7);
    append_int32(&message, 8);
    append_int32(&message, kind);
    memcpy(message.bytes + message.length, extra, count);
    message.length += count;
    memcpy(message.bytes + message.length, bson_get_data(document), document->len);
    message.length += document->len;
    memcpy(message.bytes, &message.length, 4);
    bson_destroy(document);
    return message;
}

static struct message msg(const char *json)
{
    return message_of(2013, (const uint8_t[5]){0}, 5, json);
}

static struct message old_reply(const char *json)
{
    return message_of(1, (const uint8_t[20]){[16] = 1}, 20, json);
}

static bool passes(const struct message *message, bool to_hello)
{
    return !guard_find_fault_of_head(message->bytes) &&
           !guard_find_fault(message->bytes, message->length, to_hello);
}

static bool document_passes(const char *json, bool to_hello)
{
    struct message new_form = msg(json), old_form = old_reply(json);
    bool does = passes(&new_form, to_hello);
    assert_int_equal(passes(&old_form, to_hello), does);
    return does;
}

static void ordinary_replies_pass(void **state)
{
    assert_true(document_passes("{\"ok\": 1}", false));
    assert_true(document_passes("{\"ok\": 0, \"code\": 26, \"errorLabels\": [\"a\"]}", false));
    assert_true(document_passes("{\"n\": 1, \"writeConcernError\": {\"code\": 64}}", false));
    assert_true(document_passes("{\"hosts\": {\"a\": 1}, \"code\": \"text\"}", false));
    assert_true(document_passes("{\"hosts\": [\"a:1\"], \"compression\": []}", true));
}

static void fields_that_are_not_what_they_should_be_are_refused(void **state)
{
    static const char *const of_any[] = {
        "{\"errorLabels\": 5}",
        "{\"errorLabels\": {\"0\": \"a\"}}",
        "{\"errorLabels\": [5]}",
        "{\"ok\": 0, \"code\": 0}",
        "{\"ok\": 0, \"code\": 0.5}",
        "{\"ok\": 0, \"code\": {\"$numberLong\": \"4294967296\"}}",
        "{\"ok\": 1, \"writeConcernError\": \"text\"}",
        "{\"ok\": 1, \"writeConcernError\": {\"code\": 0}}",
        "{\"ok\": 1, \"writeConcernError\": {\"errorLabels\": 1}}",
    };
    static const char *const of_hello[] = {
        "{\"hosts\": [7]}",     "{\"hosts\": \"a:1\"}",   "{\"passives\": [null]}",
        "{\"arbiters\": [{}]}", "{\"compression\": [1]}", "{\"speculativeAuthenticate\": \"\"}",
    };
    for (size_t i = 0; i < sizeof of_any / sizeof *of_any; i++) {
        assert_false(document_passes(of_any[i], false));
        assert_false(document_passes(of_any[i], true));
    }
    for (size_t i = 0; i < sizeof of_hello / sizeof *of_hello; i++) {
        assert_true(document_passes(of_hello[i], false));
        assert_false(document_passes(of_hello[i], true));
    }
}

static void heads_that_cannot_be_are_refused(void **state)
{
    static const int32_t lengths[] = {-1, 0, 4, 15, 48000001, INT32_MAX, INT32_MIN};
    static const int32_t kinds[] = {0, -1, 2, 2004, 2010, 2011, 2014};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct message message = msg("{}");
        memcpy(message.bytes, &lengths[i], 4);
        assert_non_null(guard_find_fault_of_head(message.bytes));
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct message message = msg("{}");
        memcpy(message.bytes + 12, &kinds[i], 4);
        assert_non_null(guard_find_fault_of_head(message.bytes));
    }
}

/* Every shorter message, and every byte of what stands around the document. */
static void bodies_that_are_not_whole_are_refused(void **state)
{
    struct message good[] = {msg("{\"ok\": 1}"), old_reply("{\"ok\": 1}")};
    for (size_t i = 0; i < 2; i++) {
        assert_true(passes(&good[i], false));
        for (size_t length = GUARD_HEAD; length < good[i].length; length++) {
            assert_non_null(guard_find_fault(good[i].bytes, length, false));
        }
        assert_non_null(guard_find_fault(good[i].bytes, good[i].length + 1, false));
    }
    static const uint8_t flags[5] = {1}, section[5] = {[4] = 1}, none[20] = {0};
    struct message bad[] = {message_of(2013, flags, 5, "{}"), message_of(2013, section, 5, "{}"),
                            message_of(1, none, 20, "{}")};
    for (size_t i = 0; i < 3; i++) {
        assert_false(passes(&bad[i], false));
    }
}

static void of_compressed_messages_the_head_is_looked_at(void **state)
{
    static const uint8_t good[9] = {0xdd, 7, 0, 0, 100, 0, 0, 0, 2};
    static const uint8_t huge[9] = {0xdd, 7, 0, 0, 0, 0, 0, 0x7f, 2};
    static const uint8_t nested[9] = {0xdc, 7, 0, 0, 100, 0, 0, 0, 2};
    struct message messages[] = {message_of(2012, good, 9, "{}"), message_of(2012, huge, 9, "{}"),
                                 message_of(2012, nested, 9, "{}")};
    assert_true(passes(&messages[0], false));
    assert_false(passes(&messages[1], false));
    assert_false(passes(&messages[2], false));
    assert_non_null(guard_find_fault(messages[0].bytes, GUARD_HEAD + 8, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ordinary_replies_pass),
        cmocka_unit_test(fields_that_are_not_what_they_should_be_are_refused),
        cmocka_unit_test(heads_that_cannot_be_are_refused),
        cmocka_unit_test(bodies_that_are_not_whole_are_refused),
        cmocka_unit_test(of_compressed_messages_the_head_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
