#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../fuzz/fuzz_frame.c"
#include "client_frame.h"
#include "corpus.h"

/* Read everything; the last event or the first failure is left in `event`. */
static enum frame_result read_bytes(struct frame_reader *reader, const void *bytes, size_t length,
                                    struct frame_event *event)
{
    static uint8_t copy[1024];
    assert_true(length <= sizeof copy);
    memcpy(copy, bytes, length);
    size_t used;
    return frame_read(reader, copy, length, &used, event);
}

static void assert_broken(int code, const void *bytes, size_t length)
{
    struct frame_reader reader;
    struct frame_event event;
    frame_reader_init(&reader, 1000);
    assert_int_equal(read_bytes(&reader, bytes, length, &event), FRAME_BROKEN);
    assert_int_equal(event.code, code);
    assert_non_null(event.words);
    frame_reader_deinit(&reader);
}

#define BROKEN(code, text) assert_broken(code, text, sizeof(text) - 1)

static void frames_against_the_rules_are_refused(void **state)
{
    BROKEN(1002, "\x81\x05hello");    /* not masked */
    BROKEN(1002, "\xc1\x80\0\0\0\0"); /* reserved bits */
    BROKEN(1002, "\x91\x80\0\0\0\0");
    BROKEN(1002, "\xa1\x80\0\0\0\0");
    BROKEN(1002, "\x83\x80\0\0\0\0"); /* unknown kinds */
    BROKEN(1002, "\x8b\x80\0\0\0\0");
    BROKEN(1002, "\x09\x80\0\0\0\0");       /* fragmented ping */
    BROKEN(1002, "\x89\xfe\0\x7e\0\0\0\0"); /* long ping */
    BROKEN(1002, "\x80\x80\0\0\0\0");       /* continuation of nothing */
    BROKEN(1002, "\x82\xfe\0\x7d\0\0\0\0"); /* not the shortest length */
    BROKEN(1002, "\x82\xff\0\0\0\0\0\0\xff\xff\0\0\0\0");
    BROKEN(1002, "\x82\xff\x80\0\0\0\0\0\0\0\0\0\0\0"); /* the highest bit */
    BROKEN(1009, "\x82\xfe\x03\xe9\0\0\0\0");           /* 1001 bytes, announced only */
    BROKEN(1009, "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0");
    BROKEN(1002, "\x88\x81\0\0\0\0\x03");         /* half a code */
    BROKEN(1002, "\x88\x82\0\0\0\0\x03\xed");     /* 1005 */
    BROKEN(1002, "\x88\x82\0\0\0\0\x03\xe7");     /* 999 */
    BROKEN(1007, "\x88\x83\0\0\0\0\x03\xe8\xff"); /* reason not UTF-8 */
    BROKEN(1007, "\x81\x81\0\0\0\0\xff");         /* text not UTF-8 */
    BROKEN(1007, "\x81\x82\0\0\0\0\xc3\x28");
    BROKEN(1007, "\x81\x83\0\0\0\0\xed\xa0\x80");     /* a surrogate */
    BROKEN(1007, "\x81\x84\0\0\0\0\xf4\x90\x80\x80"); /* beyond Unicode */
    BROKEN(1007, "\x81\x82\0\0\0\0\xc0\x80");         /* overlong */
    BROKEN(1007, "\x81\x81\0\0\0\0\xc3");             /* cut */
}

static void a_message_may_not_begin_inside_another(void **state)
{
    struct frame_reader reader;
    struct frame_event event;
    frame_reader_init(&reader, 1000);
    assert_int_equal(read_bytes(&reader, "\x01\x81\0\0\0\0a", 7, &event), FRAME_MORE);
    assert_int_equal(read_bytes(&reader, "\x81\x81\0\0\0\0a", 7, &event), FRAME_BROKEN);
    assert_int_equal(event.code, 1002);
    frame_reader_deinit(&reader);
}

static void fragments_together_may_not_be_too_long(void **state)
{
    struct frame_reader reader;
    struct frame_event event;
    frame_reader_init(&reader, 10);
    assert_int_equal(read_bytes(&reader, "\x02\x86\0\0\0\0abcdef", 12, &event), FRAME_MORE);
    assert_int_equal(read_bytes(&reader, "\x80\x85\0\0\0\0ghijk", 11, &event), FRAME_BROKEN);
    assert_int_equal(event.code, 1009);
    frame_reader_deinit(&reader);
}

static void an_announced_length_takes_no_memory(void **state)
{
    struct frame_reader reader;
    struct frame_event event;
    frame_reader_init(&reader, (size_t)1 << 30);
    static const char head[] = "\x82\xff\0\0\0\0\x20\0\0\0\0\0\0\0abc";
    assert_int_equal(read_bytes(&reader, head, sizeof head - 1, &event), FRAME_MORE);
    assert_true(reader.message.capacity <= 4096);
    frame_reader_deinit(&reader);
}

static void a_ping_between_fragments_comes_first(void **state)
{
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    client_frame(&bytes, FRAME_TEXT, false, "gr\xc3", 3);
    client_frame(&bytes, FRAME_PING, true, "are you there", 13);
    client_frame(&bytes, FRAME_CONTINUATION, false, "", 0);
    client_frame(&bytes, FRAME_CONTINUATION, true, "\xbc\xc3\x9f", 3);
    client_frame(&bytes, FRAME_CLOSE, true,
                 "\x03\xe8"
                 "bye",
                 5);
    static const struct {
        enum frame_kind kind;
        const char *bytes;
    } expected[] = {
        {FRAME_PING, "are you there"}, {FRAME_TEXT, "gr\xc3\xbc\xc3\x9f"}, {FRAME_CLOSE, "bye"}};
    struct frame_reader reader;
    frame_reader_init(&reader, 100);
    size_t at = 0;
    for (size_t i = 0; i < 3; i++) {
        struct frame_event event;
        size_t used;
        assert_int_equal(frame_read(&reader, bytes.bytes + at, bytes.length - at, &used, &event),
                         FRAME_READY);
        at += used;
        assert_int_equal(event.kind, expected[i].kind);
        assert_int_equal(event.length, strlen(expected[i].bytes));
        assert_memory_equal(event.bytes, expected[i].bytes, event.length);
    }
    assert_int_equal(at, bytes.length);
    frame_reader_deinit(&reader);
    buffer_deinit(&bytes);
}

static void a_whole_message_is_not_copied(void **state)
{
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    client_frame(&bytes, FRAME_BINARY, true, "0123456789abcdef", 16);
    struct frame_reader reader;
    frame_reader_init(&reader, 100);
    struct frame_event event;
    size_t used;
    assert_int_equal(frame_read(&reader, bytes.bytes, bytes.length, &used, &event), FRAME_READY);
    assert_ptr_equal(event.bytes, bytes.bytes + 6);
    assert_null(reader.message.bytes);
    frame_reader_deinit(&reader);
    buffer_deinit(&bytes);
}

static void our_heads_have_the_shortest_length(void **state)
{
    uint8_t head[FRAME_HEAD_MOST];
    assert_int_equal(frame_write_head(head, FRAME_BINARY, 125), 2);
    assert_memory_equal(head, "\x82\x7d", 2);
    assert_int_equal(frame_write_head(head, FRAME_TEXT, 126), 4);
    assert_memory_equal(head, "\x81\x7e\0\x7e", 4);
    assert_int_equal(frame_write_head(head, FRAME_BINARY, 65535), 4);
    assert_int_equal(frame_write_head(head, FRAME_BINARY, 65536), 10);
    assert_memory_equal(head, "\x82\x7f\0\0\0\0\0\x01\0\0", 10);
}

static void a_long_reason_is_cut_between_characters(void **state)
{
    char reason[200] = "";
    for (int i = 0; i < 60; i++) {
        strcat(reason, "\xe2\x82\xac");
    }
    uint8_t payload[FRAME_CONTROL_MOST];
    size_t length = frame_write_close(payload, 1013, reason);
    assert_int_equal(length, 2 + 123);
    assert_true(frame_text_is_valid(payload + 2, length - 2));
    length = frame_write_close(payload, 1013, reason + 3);
    assert_int_equal(length, 2 + 123);
    reason[0] = 'a';
    reason[1] = 'b';
    reason[2] = 'c';
    memmove(reason + 1, reason + 2, strlen(reason + 2) + 1);
    length = frame_write_close(payload, 1013, reason);
    assert_int_equal(length, 2 + 122);
    assert_true(frame_text_is_valid(payload + 2, length - 2));
}

static void what_is_masked_is_unmasked(void **state)
{
    const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    for (size_t length = 0; length < 40; length++) {
        uint8_t bytes[40];
        memset(bytes, 0, sizeof bytes);
        frame_mask(bytes, length, mask);
        for (size_t i = 0; i < sizeof bytes; i++) {
            assert_int_equal(bytes[i], i < length ? mask[i & 3] : 0);
        }
    }
}

/* Random messages, cut into random fragments with pings between, come out as they went in, in
 * pieces of every size. */
static void random_messages_survive_the_journey(void **state)
{
    unsigned seed = 7;
    printf("seed %u\n", seed);
    srand(seed);
    for (int round = 0; round < 300; round++) {
        static uint8_t message[70000];
        size_t length = round % 50 == 0 ? 65530 + (size_t)rand() % 12 : (size_t)rand() % 300;
        for (size_t i = 0; i < length; i++) {
            message[i] = (uint8_t)rand();
        }
        struct buffer bytes;
        buffer_init(&bytes, 1 << 20);
        enum frame_kind kind = FRAME_BINARY;
        size_t sent = 0;
        size_t pings = 0;
        do {
            size_t part = rand() % 2 == 0 ? length - sent : (size_t)rand() % (length - sent + 1);
            client_frame(&bytes, kind, sent + part == length, message + sent, part);
            sent += part;
            kind = FRAME_CONTINUATION;
            if (sent < length && rand() % 3 == 0) {
                client_frame(&bytes, FRAME_PING, true, "p", 1);
                pings++;
            }
        } while (sent < length);
        size_t piece = length > 1000 ? 1000 + (size_t)rand() % 70000 : 1 + (size_t)rand() % 40;
        struct frame_reader reader;
        frame_reader_init(&reader, 70000);
        size_t messages = 0;
        for (size_t at = 0; at < bytes.length;) {
            size_t there = bytes.length - at < piece ? bytes.length - at : piece;
            for (enum frame_result result = FRAME_READY; result == FRAME_READY;) {
                struct frame_event event;
                size_t used;
                result = frame_read(&reader, bytes.bytes + at, there, &used, &event);
                assert_int_not_equal(result, FRAME_BROKEN);
                at += used;
                there -= used;
                if (result == FRAME_READY && event.kind == FRAME_PING) {
                    pings--;
                } else if (result == FRAME_READY) {
                    assert_int_equal(event.kind, FRAME_BINARY);
                    assert_int_equal(event.length, length);
                    assert_true(length == 0 || memcmp(event.bytes, message, length) == 0);
                    messages++;
                }
            }
        }
        assert_int_equal(messages, 1);
        assert_int_equal(pings, 0);
        assert_null(reader.message.bytes);
        frame_reader_deinit(&reader);
        buffer_deinit(&bytes);
    }
}

static void a_conversation_may_be_split_at_every_byte(void **state)
{
    struct buffer bytes;
    buffer_init(&bytes, 4096);
    client_frame(&bytes, FRAME_TEXT, false, "moon", 4);
    client_frame(&bytes, FRAME_PING, true, "?", 1);
    client_frame(&bytes, FRAME_CONTINUATION, true, "light", 5);
    static uint8_t long_message[200];
    client_frame(&bytes, FRAME_BINARY, true, long_message, sizeof long_message);
    client_frame(&bytes, FRAME_CLOSE, true, "", 0);
    struct tale whole = read_all(bytes.bytes, bytes.length, bytes.length);
    assert_int_equal(whole.events, 4);
    assert_int_equal(whole.broken, 0);
    for (size_t first = 1; first < bytes.length; first++) {
        struct tale tale = {0};
        struct frame_reader reader;
        frame_reader_init(&reader, MESSAGE_MOST);
        uint8_t *copy = malloc(bytes.length);
        memcpy(copy, bytes.bytes, bytes.length);
        read_piece(&reader, copy, first, &tale);
        read_piece(&reader, copy + first, bytes.length - first, &tale);
        assert_int_equal(tale.events, whole.events);
        assert_true(tale.sum == whole.sum);
        free(copy);
        frame_reader_deinit(&reader);
    }
    buffer_deinit(&bytes);
}

static void the_corpus_and_random_bytes_are_survived(void **state)
{
    assert_true(corpus_run("tests/fuzz/corpus/frame", LLVMFuzzerTestOneInput) >= 7);
    srand(11);
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[64];
        size_t length = 2 + (size_t)rand() % 60;
        for (size_t i = 0; i < length; i++) {
            bytes[i] = (uint8_t)rand();
        }
        bytes[1] = (uint8_t)(0x80 | (bytes[1] & 0x0f)); /* often a kind that exists */
        bytes[2] |= 0x80;
        LLVMFuzzerTestOneInput(bytes, length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_against_the_rules_are_refused),
        cmocka_unit_test(a_message_may_not_begin_inside_another),
        cmocka_unit_test(fragments_together_may_not_be_too_long),
        cmocka_unit_test(an_announced_length_takes_no_memory),
        cmocka_unit_test(a_ping_between_fragments_comes_first),
        cmocka_unit_test(a_whole_message_is_not_copied),
        cmocka_unit_test(our_heads_have_the_shortest_length),
        cmocka_unit_test(a_long_reason_is_cut_between_characters),
        cmocka_unit_test(what_is_masked_is_unmasked),
        cmocka_unit_test(random_messages_survive_the_journey),
        cmocka_unit_test(a_conversation_may_be_split_at_every_byte),
        cmocka_unit_test(the_corpus_and_random_bytes_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
