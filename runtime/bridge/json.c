#include "bridge/json.h"

#include <bson/bson.h>
#include <string.h>

#include "limits.h"

/* libbson writes documents only: the value goes into one, and what stands around it is taken off.
 */
static bool append_value(const char *json, size_t length, struct buffer *out)
{
    const char *start = strchr(json, ':');
    if (start == NULL || length < 2) {
        return false;
    }
    start += 1 + strspn(start + 1, " ");
    const char *end = json + length - 1; /* the closing brace */
    while (end > start && end[-1] == ' ') {
        end--;
    }
    return buffer_append(out, start, (size_t)(end - start));
}

bool json_write(const struct bson_element *element, bool canonical, struct buffer *out)
{
    struct buffer wrap;
    buffer_init(&wrap, element->length + 16);
    struct bson_out writer = {&wrap, false};
    size_t mark = bson_write_begin(&writer);
    bson_write_raw(&writer, element->kind, "", element->value, element->length);
    bson_write_end(&writer, mark);
    bson_t document;
    char *json = NULL;
    size_t length = 0;
    if (!writer.full && bson_init_static(&document, wrap.bytes, wrap.length)) {
        json = canonical ? bson_as_canonical_extended_json(&document, &length)
                         : bson_as_relaxed_extended_json(&document, &length);
    }
    bool ok = json != NULL && append_value(json, length, out);
    bson_free(json);
    buffer_deinit(&wrap);
    return ok;
}

bool json_read(const char *text, size_t length, struct buffer *out, struct error *error)
{
    struct buffer wrap;
    buffer_init(&wrap, LIMIT_DOCUMENT * 2ul);
    bool ok = buffer_append_text(&wrap, "{\"\":") && buffer_append(&wrap, text, length) &&
              buffer_append_text(&wrap, "}");
    if (!ok) {
        buffer_deinit(&wrap);
        return error_set(error, ERROR_LIMIT, 0, "the JSON text is too long");
    }
    bson_t document;
    bson_error_t problem = {0};
    ok = bson_init_from_json(&document, (const char *)wrap.bytes, (ssize_t)wrap.length, &problem);
    buffer_deinit(&wrap);
    if (!ok) {
        return error_set(error, ERROR_PROTOCOL, 0, "the text is not JSON: %s", problem.message);
    }
    const uint8_t *bytes = bson_get_data(&document);
    if (bson_count(bytes, document.len) != 1) {
        ok = error_set(error, ERROR_PROTOCOL, 0, "the text is not one JSON value");
    } else if (!bson_check(bytes, document.len, LIMIT_DOCUMENT_DEPTH + 1, error)) {
        ok = false;
    } else if (!buffer_append(out, bytes, document.len)) {
        ok = error_set(error, ERROR_LIMIT, 0, "the document would be larger than %d MiB",
                       LIMIT_DOCUMENT >> 20);
    }
    bson_destroy(&document);
    return ok;
}
