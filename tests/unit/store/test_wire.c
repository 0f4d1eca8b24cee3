/* The framing of the wire protocol: what is read, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bson.h"
#include "store/wire.h"

static void put_number(struct buffer *bytes, int32_t number)
{
    assert_true(buffer_append(bytes, &number, sizeof number));
}

static void begin(struct buffer *bytes, int32_t operation)
{
    buffer_clear(bytes);
    put_number(bytes, 0);
    put_number(bytes, 77);
    put_number(bytes, 0);
    put_number(bytes, operation);
}

static void put_document(struct buffer *bytes, const char *name)
{
    struct bson_out out = {bytes, false};
    size_t mark = bson_write_begin(&out);
    bson_write_int32(&out, name, 1);
    bson_write_end(&out, mark);
}

static void put_byte(struct buffer *bytes, uint8_t byte)
{
    assert_true(buffer_append(bytes, &byte, 1));
}

static void finish(struct buffer *bytes)
{
    int32_t length = (int32_t)bytes->length;
    memcpy(bytes->bytes, &length, sizeof length);
}

static void put_body(struct buffer *bytes)
{
    put_byte(bytes, 0);
    put_document(bytes, "ping");
}

static void put_sequence(struct buffer *bytes, const char *name, int count)
{
    put_byte(bytes, 1);
    size_t start = bytes->length;
    put_number(bytes, 0);
    assert_true(buffer_append(bytes, name, strlen(name) + 1));
    for (int i = 0; i < count; i++) {
        put_document(bytes, "a");
    }
    int32_t length = (int32_t)(bytes->length - start);
    memcpy(bytes->bytes + start, &length, sizeof length);
}

/* From memory of exactly that length, so that a sanitizer sees each byte too many. */
static enum wire_result read_bytes(const struct buffer *bytes, size_t length,
                                   struct wire_request *request)
{
    struct error error = {0};
    uint8_t *copy = malloc(length == 0 ? 1 : length);
    memcpy(copy, bytes->bytes, length);
    enum wire_result result = wire_read(copy, length, request, &error);
    if (result == WIRE_BROKEN) {
        assert_true(error.message[0] != '\0');
    }
    free(copy);
    return result;
}

static void make_message(struct buffer *bytes, int32_t flags)
{
    begin(bytes, WIRE_MESSAGE);
    put_number(bytes, flags);
    put_sequence(bytes, "documents", 3);
    put_body(bytes);
    finish(bytes);
}

static void a_message_is_read_with_its_sequences_in_any_order(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    struct error error = {0};
    buffer_init(&bytes, 4096);
    make_message(&bytes, 0);
    assert_int_equal(wire_read(bytes.bytes, bytes.length, &request, &error), WIRE_READY);
    assert_int_equal(request.size, bytes.length);
    assert_int_equal(request.id, 77);
    assert_true(request.wants_reply);
    assert_int_equal(request.section_count, 1);
    assert_string_equal(request.sections[0].name, "documents");
    assert_int_equal(request.sections[0].length, 3 * 12);
    assert_int_equal(request.body_length, 15);
    buffer_deinit(&bytes);
}

static void more_to_come_wants_no_reply(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    buffer_init(&bytes, 4096);
    make_message(&bytes, 2);
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_READY);
    assert_false(request.wants_reply);
    buffer_deinit(&bytes);
}

static void every_shorter_piece_waits_for_more(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    buffer_init(&bytes, 4096);
    make_message(&bytes, 0);
    for (size_t length = 0; length < bytes.length; length++) {
        assert_int_equal(read_bytes(&bytes, length, &request), WIRE_MORE);
    }
    buffer_deinit(&bytes);
}

static void a_checksum_is_checked(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    buffer_init(&bytes, 4096);
    begin(&bytes, WIRE_MESSAGE);
    put_number(&bytes, 1);
    put_body(&bytes);
    put_number(&bytes, 0);
    finish(&bytes);
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_BROKEN);
    uint32_t crc = ~0u; /* CRC-32C, by the book */
    for (size_t i = 0; i < bytes.length - 4; i++) {
        crc ^= bytes.bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
        }
    }
    crc = ~crc;
    memcpy(bytes.bytes + bytes.length - 4, &crc, 4);
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_READY);
    buffer_deinit(&bytes);
}

static void an_old_hello_is_read(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    struct error error = {0};
    buffer_init(&bytes, 4096);
    begin(&bytes, WIRE_QUERY);
    put_number(&bytes, 4);
    assert_true(buffer_append(&bytes, "admin.$cmd", 11));
    put_number(&bytes, 0);
    put_number(&bytes, -1);
    put_document(&bytes, "isMaster");
    finish(&bytes);
    assert_int_equal(wire_read(bytes.bytes, bytes.length, &request, &error), WIRE_READY);
    assert_string_equal(request.database, "admin.$cmd");
    assert_int_equal(request.operation, WIRE_QUERY);
    buffer_deinit(&bytes);
}

static void lengths_and_operations_that_cannot_be_are_refused(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    buffer_init(&bytes, 4096);
    make_message(&bytes, 0);
    int32_t lengths[] = {-1, 0, 15, LIMIT_STORE_MESSAGE + 1, INT32_MAX};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(bytes.bytes, &lengths[i], 4);
        assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_BROKEN);
    }
    make_message(&bytes, 4); /* an unknown flag that is required */
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_BROKEN);
    make_message(&bytes, 1 << 16); /* one that is not */
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_READY);
    begin(&bytes, 2012);
    finish(&bytes);
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_BROKEN);
    buffer_deinit(&bytes);
}

static void a_message_without_a_body_or_with_two_is_refused(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    buffer_init(&bytes, 65536);
    begin(&bytes, WIRE_MESSAGE);
    put_number(&bytes, 0);
    put_sequence(&bytes, "documents", 1);
    finish(&bytes);
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_BROKEN);
    begin(&bytes, WIRE_MESSAGE);
    put_number(&bytes, 0);
    put_body(&bytes);
    put_body(&bytes);
    finish(&bytes);
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_BROKEN);
    begin(&bytes, WIRE_MESSAGE);
    put_number(&bytes, 0);
    for (int i = 0; i <= LIMIT_STORE_SECTIONS; i++) {
        put_sequence(&bytes, "d", 1);
    }
    put_body(&bytes);
    finish(&bytes);
    assert_int_equal(read_bytes(&bytes, bytes.length, &request), WIRE_BROKEN);
    buffer_deinit(&bytes);
}

static void two_sequences_of_one_name_are_refused(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    struct error error = {0};
    buffer_init(&bytes, 4096);
    begin(&bytes, WIRE_MESSAGE);
    put_number(&bytes, 0);
    put_body(&bytes);
    put_sequence(&bytes, "documents", 1);
    put_sequence(&bytes, "documents", 2);
    finish(&bytes);
    assert_int_equal(wire_read(bytes.bytes, bytes.length, &request, &error), WIRE_BROKEN);
    assert_non_null(strstr(error.message, "two sections of one name"));
    buffer_deinit(&bytes);
}

static void no_byte_changed_at_random_is_read_outside_of_the_message(void **state)
{
    struct buffer bytes;
    struct wire_request request;
    unsigned seed = 12345;
    buffer_init(&bytes, 4096);
    for (int i = 0; i < 20000; i++) {
        make_message(&bytes, 0);
        for (int change = rand_r(&seed) % 3; change >= 0; change--) {
            bytes.bytes[(size_t)rand_r(&seed) % bytes.length] = (uint8_t)rand_r(&seed);
        }
        read_bytes(&bytes, bytes.length, &request);
    }
    buffer_deinit(&bytes);
}

static void a_reply_has_the_head_that_drivers_read(void **state)
{
    uint8_t head[WIRE_HEAD_MAX];
    assert_int_equal(wire_write_head(head, WIRE_MESSAGE, 5, 77, 100), 21);
    assert_int_equal(bson_load_int32(head), 121);
    assert_int_equal(bson_load_int32(head + 8), 77);
    assert_int_equal(bson_load_int32(head + 12), 2013);
    assert_int_equal(wire_write_head(head, WIRE_REPLY, 5, 77, 100), 36);
    assert_int_equal(bson_load_int32(head), 136);
    assert_int_equal(bson_load_int32(head + 32), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_with_its_sequences_in_any_order),
        cmocka_unit_test(more_to_come_wants_no_reply),
        cmocka_unit_test(every_shorter_piece_waits_for_more),
        cmocka_unit_test(a_checksum_is_checked),
        cmocka_unit_test(an_old_hello_is_read),
        cmocka_unit_test(lengths_and_operations_that_cannot_be_are_refused),
        cmocka_unit_test(a_message_without_a_body_or_with_two_is_refused),
        cmocka_unit_test(two_sequences_of_one_name_are_refused),
        cmocka_unit_test(no_byte_changed_at_random_is_read_outside_of_the_message),
        cmocka_unit_test(a_reply_has_the_head_that_drivers_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
