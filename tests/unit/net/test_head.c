#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../fuzz/fuzz_head.c"
#include "corpus.h"
#include "net/asset.h"

/* Parse a copy that is exactly as long as the text, so that a sanitizer sees every step beyond. */
static bool parse(const char *text, struct head *head, struct head_refusal *refusal, char **bytes)
{
    size_t length = strlen(text);
    *bytes = malloc(length);
    memcpy(*bytes, text, length);
    *refusal = (struct head_refusal){0};
    return head_parse(*bytes, length, head, refusal);
}

static void assert_refused(int status, const char *text)
{
    struct head head;
    struct head_refusal refusal;
    char *bytes;
    if (parse(text, &head, &refusal, &bytes) || refusal.status != status) {
        fail_msg("%d expected, %d seen (%s) for:\n%s", status, refusal.status,
                 refusal.words != NULL ? refusal.words : "accepted", text);
    }
    free(bytes);
}

static void a_good_head_is_read(void **state)
{
    struct head head;
    struct head_refusal refusal;
    char *bytes;
    assert_true(parse("GET /orders?page=2&x HTTP/1.1\r\nHost: localhost:8501\r\nX-Empty:\r\n"
                      "ACCEPT-Encoding:  gzip, br \t\r\n\r\n",
                      &head, &refusal, &bytes));
    assert_string_equal(head.method, "GET");
    assert_string_equal(head.path, "/orders");
    assert_string_equal(head.query, "page=2&x");
    assert_int_equal(head.count, 3);
    assert_string_equal(head_value(&head, "host"), "localhost:8501");
    assert_string_equal(head_value(&head, "x-empty"), "");
    assert_string_equal(head_value(&head, "accept-encoding"), "gzip, br");
    assert_null(head_value(&head, "accept"));
    assert_true(head.keeps_alive);
    assert_false(head.has_body);
    assert_false(head.wants_websocket);
    free(bytes);
}

static void an_upgrade_is_recognised(void **state)
{
    struct head head;
    struct head_refusal refusal;
    char *bytes;
    assert_true(parse("GET /s HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n"
                      "Upgrade: WebSocket\r\n\r\n",
                      &head, &refusal, &bytes));
    assert_true(head.wants_websocket);
    free(bytes);
}

static void a_body_is_seen(void **state)
{
    static const struct {
        const char *line;
        bool has_body;
    } cases[] = {{"Content-Length: 0", false},
                 {"Content-Length: 000", false},
                 {"Content-Length: 10", true},
                 {"Transfer-Encoding: chunked", true},
                 {"X: 1", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[256];
        snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", cases[i].line);
        struct head head;
        struct head_refusal refusal;
        char *bytes;
        assert_true(parse(text, &head, &refusal, &bytes));
        assert_int_equal(head.has_body, cases[i].has_body);
        free(bytes);
    }
}

static void what_two_readers_could_read_differently_is_refused(void **state)
{
    static const char *const lines[] = {
        "Host: b",
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5",
        "Content-Length: 4\r\nContent-Length: 4",
        "Content-Length: 4abc",
        "Content-Length: +4",
        "Content-Length: 99999999999999999999",
        "Content-Length : 4",
        "Content-Length\t: 4",
        "Foo : 1",
        " Foo: 1",
        "Foo: 1\r\n folded",
        "Foo: 1\r\n\tContent-Length: 4",
        "Foo: 1\rTransfer-Encoding: chunked",
        "Foo: 1\nBar: 2",
        "Foo: 1\r\r",
        "Foo: a\001b",
        "Foo",
        ": 1",
        "F\xc3\xb6o: 1",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Origin: http://a\r\nOrigin: http://b",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        char text[512];
        snprintf(text, sizeof text, "POST / HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", lines[i]);
        assert_refused(400, text);
    }
}

static void a_malformed_start_is_refused(void **state)
{
    assert_refused(400, "GET / HTTP/1.1\r\n\r\n");
    assert_refused(400, "\r\n");
    assert_refused(400, "GET /\r\nHost: a\r\n\r\n");
    assert_refused(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n");
    assert_refused(400, "GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(400, "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(400, "GET /#top HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(400, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(400, "BREW / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_refused(400, "GET / HTTP/1.1\r\nHost: a\r\n\r\nX");
    assert_refused(400, "GET / HTTP/1.1\r\nHost: a\r\n");
    assert_refused(505, "PRI * HTTP/2.0\r\n\r\n");
}

static void too_many_lines_are_refused(void **state)
{
    char *text = malloc(16 * (LIMIT_HTTP_FIELDS + 10));
    strcpy(text, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 1; i < LIMIT_HTTP_FIELDS; i++) {
        strcat(text, "A: 1\r\n");
    }
    size_t length = strlen(text);
    strcpy(text + length, "\r\n");
    struct head head;
    struct head_refusal refusal;
    char *bytes;
    assert_true(parse(text, &head, &refusal, &bytes));
    assert_int_equal(head.count, LIMIT_HTTP_FIELDS);
    free(bytes);
    strcpy(text + length, "A: 1\r\n\r\n");
    assert_refused(431, text);
    free(text);
}

static void the_end_is_found_in_any_pieces(void **state)
{
    const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET";
    for (size_t first = 0; first < sizeof text; first++) {
        size_t scanned = 0;
        bool is_bad = false;
        size_t end = head_find_end(text, first, &scanned, &is_bad);
        if (end == 0) {
            end = head_find_end(text, sizeof text - 1, &scanned, &is_bad);
        }
        assert_int_equal(end, sizeof text - 4);
        assert_false(is_bad);
    }
}

static void only_the_app_itself_is_an_origin(void **state)
{
    const char *const hosts[] = {"app.example", "other.example:8080", NULL};
    const char *wrong;
    struct origin_rules rules;
    assert_true(origin_rules_init(&rules, hosts, &wrong));
    origin_rules_bind(&rules, "192.168.1.5");
    static const struct {
        const char *host;
        const char *origin;
        bool host_allowed;
        bool origin_allowed;
    } cases[] = {
        {"localhost:8501", "http://localhost:8501", true, true},
        {"LOCALHOST:8501", "http://localhost:8501", true, true},
        {"127.0.0.1:8501", "http://127.0.0.1:8501", true, true},
        {"[::1]:8501", "http://[::1]:8501", true, true},
        {"192.168.1.5:8501", "http://192.168.1.5:8501", true, true},
        {"192.168.1.6:8501", "http://192.168.1.6:8501", false, false},
        {"localhost:8501", "http://localhost:3000", true, false},
        {"localhost:8501", "http://127.0.0.1:8501", true, false},
        {"localhost:8501", "http://evil.example", true, false},
        {"localhost:8501", "null", true, false},
        {"localhost:8501", "http://localhost:8501/", true, false},
        {"localhost:8501", "http://localhost:8501@evil.example", true, false},
        {"evil.example:8501", "http://evil.example:8501", false, false},
        {"app.example", "https://app.example", true, true},
        {"app.example", "http://app.example", true, true},
        {"app.example:8501", "http://app.example:8501", true, true},
        {"127.0.0.1:8501", "https://app.example", true, true},
        {"127.0.0.1:8501", "https://app.example:444", true, false},
        {"127.0.0.1:8501", "http://other.example:8080", true, true},
        {"127.0.0.1:8501", "http://other.example", true, false},
        {"other.example:8080", "http://other.example:8080", true, true},
        {"other.example:8081", "http://other.example:8081", false, false},
        {"app.example.evil", "http://app.example.evil", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct origin_place host;
        assert_true(origin_read(cases[i].host, &host));
        if (origin_allows_host(&rules, &host) != cases[i].host_allowed ||
            origin_allows_origin(&rules, cases[i].origin, &host) != cases[i].origin_allowed) {
            fail_msg("Host %s, Origin %s", cases[i].host, cases[i].origin);
        }
    }
    origin_rules_deinit(&rules);
}

static void a_malformed_host_is_no_place(void **state)
{
    static const char *const texts[] = {"",       ":80",  "a:",       "a:0",   "a:65536", "a:1x",
                                        "a b",    "a,b",  "a/b",      "a@b",   "[::1",    "[]",
                                        "[::1]x", "a:-1", "a:123456", "h\xc3", "<script>"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct origin_place place;
        if (origin_read(texts[i], &place)) {
            fail_msg("\"%s\" was read as a host", texts[i]);
        }
    }
}

static void the_smallest_accepted_body_is_chosen(void **state)
{
    static const uint8_t bytes[4] = {1, 2, 3, 4};
    static const struct asset table[] = {
        {"/index.html", "text/html", "i1", bytes, 4, bytes, 3, bytes, 2, false},
        {"/a-1f.js", "text/javascript", "a1", bytes, 4, NULL, 0, NULL, 0, true},
        {NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, 0, false},
    };
    static const struct {
        const char *accepted;
        size_t length;
        const char *etag;
    } cases[] = {
        {NULL, 4, "\"i1\""},
        {"identity", 4, "\"i1\""},
        {"gzip", 3, "\"i1-gz\""},
        {"gzip, deflate, br", 2, "\"i1-br\""},
        {"br;q=0", 4, "\"i1\""},
        {"br;q=0.0, gzip;q=0.5", 3, "\"i1-gz\""},
        {"brotli, xgzip", 4, "\"i1\""},
        {" GZIP ,", 3, "\"i1-gz\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct asset_body body;
        asset_choose(asset_find(table, "/"), cases[i].accepted, &body);
        assert_int_equal(body.length, cases[i].length);
        assert_string_equal(body.etag, cases[i].etag);
        assert_true(body.varies);
    }
    assert_ptr_equal(asset_find(table, "/a-1f.js"), &table[1]);
    assert_ptr_equal(asset_find(table, "/orders/today"), &table[0]);
    assert_null(asset_find(table, "/nothing.js"));
    assert_true(asset_is_known("\"x\", W/\"i1-br\"", "\"i1-br\""));
    assert_true(asset_is_known("*", "\"i1\""));
    assert_false(asset_is_known("\"i1\"", "\"i1-br\""));
    assert_false(asset_is_known(NULL, "\"i1\""));
}

static void the_corpus_and_its_mutations_are_survived(void **state)
{
    assert_true(corpus_run("tests/fuzz/corpus/head", LLVMFuzzerTestOneInput) >= 9);
    static const char seedling[] = "GET /a?b HTTP/1.1\r\nHost: localhost:8501\r\nX: 1\r\n"
                                   "Content-Length: 0\r\nConnection: close\r\n\r\n";
    static const char spice[] = "\r\n \t:,\0a1\x80/";
    srand(20);
    for (int round = 0; round < 20000; round++) {
        uint8_t bytes[sizeof seedling];
        memcpy(bytes, seedling, sizeof seedling);
        for (int change = rand() % 4; change >= 0; change--) {
            bytes[(size_t)rand() % (sizeof bytes - 1)] =
                (uint8_t)spice[(size_t)rand() % (sizeof spice - 1)];
        }
        LLVMFuzzerTestOneInput(bytes, sizeof bytes - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_head_is_read),
        cmocka_unit_test(an_upgrade_is_recognised),
        cmocka_unit_test(a_body_is_seen),
        cmocka_unit_test(what_two_readers_could_read_differently_is_refused),
        cmocka_unit_test(a_malformed_start_is_refused),
        cmocka_unit_test(too_many_lines_are_refused),
        cmocka_unit_test(the_end_is_found_in_any_pieces),
        cmocka_unit_test(only_the_app_itself_is_an_origin),
        cmocka_unit_test(a_malformed_host_is_no_place),
        cmocka_unit_test(the_smallest_accepted_body_is_chosen),
        cmocka_unit_test(the_corpus_and_its_mutations_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
