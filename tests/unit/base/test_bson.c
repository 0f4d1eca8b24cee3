#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/bson.h"
#include "random_bson.h"

enum { LEVELS = 100 };

static void small_document(struct buffer *buffer)
{
    struct bson_out out = {buffer, false};
    size_t document = bson_write_begin(&out);
    bson_write_int32(&out, "n", -5);
    bson_write_text(&out, "t", "a\0b", 3);
    size_t list = bson_write_begin_array(&out, "list");
    char name[12];
    for (unsigned i = 0; i < 11; i++) {
        bson_write_number(&out, bson_index_name(i, name), i + 0.5);
    }
    bson_write_end(&out, list);
    bson_write_end(&out, document);
    assert_false(out.full);
}

static void what_is_written_is_read(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 1000);
    small_document(&buffer);
    struct bson_element element;
    assert_true(bson_check(buffer.bytes, buffer.length, 2, NULL));
    assert_true(bson_find(buffer.bytes, buffer.length, "n", 1, &element));
    assert_int_equal(bson_element_int32(&element), -5);
    assert_true(bson_find(buffer.bytes, buffer.length, "t", 1, &element));
    size_t length;
    assert_memory_equal(bson_element_text(&element, &length), "a\0b", 4);
    assert_int_equal(length, 3);
    assert_true(bson_find(buffer.bytes, buffer.length, "list", 4, &element));
    assert_int_equal(bson_count(element.value, element.length), 11);
    assert_true(bson_find(element.value, element.length, "10", 2, &element));
    assert_true(bson_element_double(&element) == 10.5);
    assert_false(bson_find(buffer.bytes, buffer.length, "lis", 3, &element));
    buffer_deinit(&buffer);
}

static void a_number_takes_the_smallest_kind_that_holds_it(void **state)
{
    static const struct {
        double number;
        enum bson_kind kind;
    } cases[] = {
        {0, BSON_KIND_INT32},
        {-2147483648.0, BSON_KIND_INT32},
        {2147483648.0, BSON_KIND_INT64},
        {9007199254740992.0, BSON_KIND_INT64},
        {1e17, BSON_KIND_DOUBLE},
        {0.5, BSON_KIND_DOUBLE},
        {1.0 / 0.0, BSON_KIND_DOUBLE},
        {0.0 / 0.0, BSON_KIND_DOUBLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buffer buffer;
        buffer_init(&buffer, 100);
        bson_write_number(&(struct bson_out){&buffer, false}, "x", cases[i].number);
        assert_int_equal(buffer.bytes[0], cases[i].kind);
        buffer_deinit(&buffer);
    }
}

static void a_full_buffer_is_noticed_wherever_it_ends(void **state)
{
    struct buffer whole;
    buffer_init(&whole, 1000);
    small_document(&whole);
    for (size_t maximum = 0; maximum < whole.length; maximum++) {
        struct buffer buffer;
        buffer_init(&buffer, maximum);
        struct bson_out out = {&buffer, false};
        size_t document = bson_write_begin(&out);
        bson_write_int32(&out, "n", -5);
        bson_write_text(&out, "t", "a\0b", 3);
        size_t list = bson_write_begin_array(&out, "list");
        char name[12];
        for (unsigned i = 0; i < 11; i++) {
            bson_write_number(&out, bson_index_name(i, name), i + 0.5);
        }
        bson_write_end(&out, list);
        bson_write_end(&out, document);
        assert_true(out.full);
        assert_true(buffer.length <= maximum);
        buffer_deinit(&buffer);
    }
    buffer_deinit(&whole);
}

static void random_documents_are_whole(void **state)
{
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct random random = {seed};
        struct buffer buffer;
        buffer_init(&buffer, 1 << 20);
        random_document(&random, &buffer);
        assert_true(bson_check(buffer.bytes, buffer.length, LEVELS, NULL));
        buffer_deinit(&buffer);
    }
}

/* A copy of the exact size, so that a sanitizer sees one byte too many. */
static bool check_copy(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length > 0 ? length : 1);
    memcpy(copy, bytes, length);
    bool whole = bson_check(copy, length, LEVELS, NULL);
    struct bson_element element;
    bson_find(copy, length, "zz", 2, &element);
    free(copy);
    return whole;
}

static void a_cut_document_is_refused_at_every_length(void **state)
{
    struct random random = {7};
    struct buffer buffer;
    buffer_init(&buffer, 1 << 20);
    random_document(&random, &buffer);
    for (size_t length = 0; length < buffer.length; length++) {
        assert_false(check_copy(buffer.bytes, length));
        if (length >= 4) { /* also when the length agrees */
            uint8_t *copy = memcpy(malloc(length), buffer.bytes, length);
            int32_t size = (int32_t)length;
            memcpy(copy, &size, 4);
            copy[length - 1] = length > 4 ? 0 : copy[length - 1];
            check_copy(copy, length);
            free(copy);
        }
    }
    buffer_deinit(&buffer);
}

static void flipped_bytes_are_never_read_beyond(void **state)
{
    for (uint64_t seed = 1; seed <= 300; seed++) {
        struct random random = {seed};
        struct buffer buffer;
        buffer_init(&buffer, 1 << 20);
        random_document(&random, &buffer);
        for (int i = 0; i < 40; i++) {
            size_t at = random_below(&random, (uint32_t)buffer.length);
            uint8_t before = buffer.bytes[at];
            buffer.bytes[at] = (uint8_t)random_next(&random);
            check_copy(buffer.bytes, buffer.length);
            if (i % 2 == 0) {
                buffer.bytes[at] = before;
            }
        }
        buffer_deinit(&buffer);
    }
}

static void deep_documents_are_refused(void **state)
{
    struct buffer buffer;
    buffer_init(&buffer, 10000);
    struct bson_out out = {&buffer, false};
    size_t marks[LEVELS];
    marks[0] = bson_write_begin(&out);
    for (int i = 1; i < LEVELS; i++) {
        marks[i] = bson_write_begin_document(&out, "a");
    }
    for (int i = LEVELS - 1; i >= 0; i--) {
        bson_write_end(&out, marks[i]);
    }
    struct error error;
    assert_true(bson_check(buffer.bytes, buffer.length, LEVELS, &error));
    assert_false(bson_check(buffer.bytes, buffer.length, LEVELS - 1, &error));
    assert_int_equal(error.kind, ERROR_LIMIT);
    buffer_deinit(&buffer);
}

static void utf8_is_told_from_what_only_looks_like_it(void **state)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x98\x80",
                                       "a long text, then \xc3\xa9 in it",
                                       "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "12345678\xe2\x82",
                                      "\xf0\x80\x80\x80",
                                      "\xe2\x28\xa1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(bson_is_utf8(good[i], strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(bson_is_utf8(bad[i], strlen(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_number_takes_the_smallest_kind_that_holds_it),
        cmocka_unit_test(a_full_buffer_is_noticed_wherever_it_ends),
        cmocka_unit_test(random_documents_are_whole),
        cmocka_unit_test(a_cut_document_is_refused_at_every_length),
        cmocka_unit_test(flipped_bytes_are_never_read_beyond),
        cmocka_unit_test(deep_documents_are_refused),
        cmocka_unit_test(utf8_is_told_from_what_only_looks_like_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
