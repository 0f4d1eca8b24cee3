#include "net/head.h"

#include <ctype.h>
#include <llhttp.h>
#include <string.h>
#include <strings.h>

static bool refuse(struct head_refusal *refusal, int status, const char *words)
{
    *refusal = (struct head_refusal){.status = status, .words = words};
    return false;
}

size_t head_find_end(const char *bytes, size_t length, size_t *scanned, bool *is_bad)
{
    while (*scanned < length) {
        const char *end = memchr(bytes + *scanned, '\n', length - *scanned);
        if (end == NULL) {
            *scanned = length;
            return 0;
        }
        size_t at = (size_t)(end - bytes);
        *scanned = at + 1;
        if (at == 0 || bytes[at - 1] != '\r') {
            *is_bad = true;
            return 0;
        }
        if (at == 1 || (at >= 3 && bytes[at - 2] == '\n')) {
            return at + 1;
        }
    }
    return 0;
}

/* ---- the guard ----------------------------------------------------------------------------- */

static const char *const once_only[] = {
    "host",   "content-length",    "transfer-encoding",    "expect",
    "origin", "sec-websocket-key", "sec-websocket-version"};

enum { ONCE_HOST, ONCE_LENGTH, ONCE_ENCODING, ONCE_COUNT = sizeof once_only / sizeof *once_only };

static bool is_token(unsigned char byte)
{
    return isalnum(byte) || (byte != 0 && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/* No control character but the tab; a stray CR is one. */
static bool line_is_clean(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)line[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

/* Method, one blank, target, one blank, version; nothing outside ASCII. */
static bool request_line_is_clean(const char *line, size_t length)
{
    size_t blanks = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)line[i];
        if (byte < 0x20 || byte >= 0x7f) {
            return false;
        }
        blanks += byte == ' ';
    }
    return blanks == 2;
}

static const char *check_field(const char *line, size_t length, unsigned seen[ONCE_COUNT])
{
    if (line[0] == ' ' || line[0] == '\t') {
        return "A header line is folded.";
    }
    size_t name = 0;
    while (name < length && is_token((unsigned char)line[name])) {
        name++;
    }
    if (name == 0 || name == length || line[name] != ':') {
        return "A header line has no name, or something between its name and the colon.";
    }
    if (!line_is_clean(line, length)) {
        return "A header line contains a control character.";
    }
    for (size_t i = 0; i < ONCE_COUNT; i++) {
        if (strlen(once_only[i]) == name && strncasecmp(line, once_only[i], name) == 0) {
            seen[i]++;
        }
    }
    return NULL;
}

static const char *check_counts(const unsigned seen[ONCE_COUNT])
{
    if (seen[ONCE_HOST] == 0) {
        return "The request has no Host.";
    }
    for (size_t i = 0; i < ONCE_COUNT; i++) {
        if (seen[i] > 1) {
            return "A header that may stand only once stands twice.";
        }
    }
    if (seen[ONCE_LENGTH] > 0 && seen[ONCE_ENCODING] > 0) {
        return "The request has a Content-Length and a Transfer-Encoding.";
    }
    return NULL;
}

/* Every line of the head; NULL when all is well. */
static const char *guard(const char *bytes, size_t length)
{
    unsigned seen[ONCE_COUNT] = {0};
    const char *end = bytes + length;
    for (const char *line = bytes; line < end;) {
        const char *feed = memchr(line, '\n', (size_t)(end - line));
        if (feed == NULL || feed == line || feed[-1] != '\r') {
            return "A line does not end with CR LF.";
        }
        size_t width = (size_t)(feed - 1 - line);
        if (line == bytes) {
            if (!request_line_is_clean(line, width)) {
                return "The request line is malformed.";
            }
        } else if (width == 0) {
            return feed + 1 == end ? check_counts(seen) : "Bytes behind the head.";
        } else {
            const char *wrong = check_field(line, width, seen);
            if (wrong != NULL) {
                return wrong;
            }
        }
        line = feed + 1;
    }
    return "The head does not end.";
}

/* ---- llhttp -------------------------------------------------------------------------------- */

/* What the parser has shown so far; spans of it may come in pieces. */
struct reading {
    struct head *head;
    const char *target;
    size_t target_length;
    size_t name_lengths[LIMIT_HTTP_FIELDS];
    size_t value_lengths[LIMIT_HTTP_FIELDS];
    bool in_value;
    bool too_many;
};

static int on_target(llhttp_t *parser, const char *at, size_t length)
{
    struct reading *reading = parser->data;
    if (reading->target == NULL) {
        reading->target = at;
    }
    reading->target_length = (size_t)(at + length - reading->target);
    return 0;
}

static int on_name(llhttp_t *parser, const char *at, size_t length)
{
    struct reading *reading = parser->data;
    struct head *head = reading->head;
    if (head->count == 0 || reading->in_value) {
        if (head->count == LIMIT_HTTP_FIELDS) {
            reading->too_many = true;
            return -1;
        }
        head->fields[head->count++] = (struct head_field){.name = at, .value = ""};
        reading->in_value = false;
    }
    const char *name = head->fields[head->count - 1].name;
    reading->name_lengths[head->count - 1] = (size_t)(at + length - name);
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t length)
{
    struct reading *reading = parser->data;
    size_t last = reading->head->count - 1;
    if (length > 0) {
        if (reading->value_lengths[last] == 0) {
            reading->head->fields[last].value = at;
        }
        reading->value_lengths[last] = (size_t)(at + length - reading->head->fields[last].value);
    }
    return 0;
}

static int on_value_complete(llhttp_t *parser)
{
    struct reading *reading = parser->data;
    reading->in_value = true;
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    return HPE_PAUSED;
}

/* ---- texts --------------------------------------------------------------------------------- */

/* The views point into `bytes`, which may be written. */
static char *writable(char *bytes, const char *view)
{
    return bytes + (view - bytes);
}

static void end_fields(char *bytes, struct reading *reading)
{
    struct head *head = reading->head;
    for (size_t i = 0; i < head->count; i++) {
        char *name = writable(bytes, head->fields[i].name);
        for (size_t at = 0; at < reading->name_lengths[i]; at++) {
            name[at] = (char)tolower((unsigned char)name[at]);
        }
        name[reading->name_lengths[i]] = 0;
        size_t length = reading->value_lengths[i];
        if (length > 0) {
            char *value = writable(bytes, head->fields[i].value);
            while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t')) {
                length--;
            }
            value[length] = 0;
        }
    }
}

static bool end_target(char *bytes, struct reading *reading, struct head_refusal *refusal)
{
    char *target = writable(bytes, reading->target);
    target[reading->target_length] = 0;
    if (target[0] != '/' || strchr(target, '#') != NULL) {
        return refuse(refusal, 400, "The target of the request is not a path.");
    }
    char *query = strchr(target, '?');
    if (query != NULL) {
        *query = 0;
    }
    reading->head->path = target;
    reading->head->query = query != NULL ? query + 1 : "";
    return true;
}

static bool conclude(struct head *head, const llhttp_t *parser, struct head_refusal *refusal)
{
    const char *encoding = head_value(head, "transfer-encoding");
    if (encoding != NULL && (strcasecmp(encoding, "chunked") != 0 || parser->http_minor == 0)) {
        return refuse(refusal, 400, "The only Transfer-Encoding known here is chunked.");
    }
    head->keeps_alive = llhttp_should_keep_alive(parser) != 0;
    head->is_old = parser->http_minor == 0;
    const char *length = head_value(head, "content-length");
    head->has_body = encoding != NULL || (length != NULL && strspn(length, "0") != strlen(length));
    head->wants_websocket = parser->upgrade != 0 && parser->method == HTTP_GET && !head->is_old &&
                            head_list_has(head_value(head, "upgrade"), "websocket") &&
                            head_list_has(head_value(head, "connection"), "upgrade");
    return true;
}

bool head_parse(char *bytes, size_t length, struct head *head, struct head_refusal *refusal)
{
    memset(head, 0, offsetof(struct head, fields));
    if (length >= 6 && memcmp(bytes, "PRI * ", 6) == 0) {
        head->is_other = true;
        return refuse(refusal, 505, "Only HTTP/1.1 is spoken here.");
    }
    const char *wrong = guard(bytes, length);
    if (wrong != NULL) {
        return refuse(refusal, 400, wrong);
    }
    llhttp_settings_t settings;
    llhttp_settings_init(&settings);
    settings.on_url = on_target;
    settings.on_header_field = on_name;
    settings.on_header_value = on_value;
    settings.on_header_value_complete = on_value_complete;
    settings.on_headers_complete = on_headers_complete;
    struct reading reading = {.head = head};
    llhttp_t parser;
    llhttp_init(&parser, HTTP_REQUEST, &settings);
    parser.data = &reading;
    llhttp_errno_t result = llhttp_execute(&parser, bytes, length);
    if (reading.too_many) {
        return refuse(refusal, 431, "The head of the request has too many lines.");
    }
    if (result != HPE_PAUSED || reading.target_length == 0) {
        return refuse(refusal, 400, "The head of the request is malformed.");
    }
    if (parser.http_major != 1) {
        return refuse(refusal, 505, "Only HTTP/1.1 is spoken here.");
    }
    head->method = llhttp_method_name((llhttp_method_t)parser.method);
    end_fields(bytes, &reading);
    return end_target(bytes, &reading, refusal) && conclude(head, &parser, refusal);
}

/* ---- looking things up --------------------------------------------------------------------- */

const char *head_value(const struct head *head, const char *name)
{
    for (size_t i = 0; i < head->count; i++) {
        if (strcmp(head->fields[i].name, name) == 0) {
            return head->fields[i].value;
        }
    }
    return NULL;
}

bool head_list_has(const char *list, const char *token)
{
    size_t length = strlen(token);
    while (list != NULL && *list != 0) {
        list += strspn(list, " \t,");
        size_t width = strcspn(list, ",");
        size_t bare = width;
        while (bare > 0 && (list[bare - 1] == ' ' || list[bare - 1] == '\t')) {
            bare--;
        }
        if (bare == length && strncasecmp(list, token, length) == 0) {
            return true;
        }
        list += width;
    }
    return false;
}
