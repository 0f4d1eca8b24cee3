/* A head from outside. What is accepted keeps the promises of head.h, and byte for byte the end is
 * found where it is found at once. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/head.h"
#include "net/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void insist(bool truth)
{
    if (!truth) {
        abort();
    }
}

/* Every text ends inside the head's bytes. */
static void check_text(const char *text, const char *bytes, size_t length)
{
    bool is_inside = text >= bytes && text < bytes + length;
    insist(*text == 0 || (is_inside && memchr(text, 0, (size_t)(bytes + length - text)) != NULL));
    for (; *text != 0; text++) {
        insist((unsigned char)*text >= 0x20 || *text == '\t');
    }
}

static void check_head(const struct head *head, const char *bytes, size_t length)
{
    size_t hosts = 0;
    check_text(head->path, bytes, length);
    check_text(head->query, bytes, length);
    insist(head->path[0] == '/');
    for (size_t i = 0; i < head->count; i++) {
        check_text(head->fields[i].name, bytes, length);
        check_text(head->fields[i].value, bytes, length);
        hosts += strcmp(head->fields[i].name, "host") == 0;
    }
    insist(hosts == 1);
    insist(head_value(head, "content-length") == NULL ||
           head_value(head, "transfer-encoding") == NULL);
    struct origin_place place;
    if (origin_read(head_value(head, "host"), &place)) {
        struct origin_rules rules = {0};
        const char *origin = head_value(head, "origin");
        origin_allows_origin(&rules, origin != NULL ? origin : "", &place);
    }
}

static size_t find_end(const char *bytes, size_t size, size_t step, bool *is_bad)
{
    size_t scanned = 0;
    for (size_t there = step; !*is_bad; there += step) {
        size_t length = there < size ? there : size;
        size_t end = head_find_end(bytes, length, &scanned, is_bad);
        if (end > 0 || length == size) {
            return end;
        }
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    bool is_bad = false;
    bool is_bad_slowly = false;
    size_t end = find_end((const char *)data, size, size, &is_bad);
    insist(end == find_end((const char *)data, size, 1, &is_bad_slowly));
    insist(is_bad == is_bad_slowly);
    if (end == 0) {
        end = size;
    }
    char *bytes = malloc(end);
    memcpy(bytes, data, end);
    struct head *head = malloc(sizeof *head);
    struct head_refusal refusal = {0};
    if (head_parse(bytes, end, head, &refusal)) {
        check_head(head, bytes, end);
    } else {
        insist(refusal.status >= 400 && refusal.words != NULL);
    }
    free(head);
    free(bytes);
    return 0;
}
