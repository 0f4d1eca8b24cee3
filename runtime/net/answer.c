#include <stdio.h>
#include <string.h>

#include "net/inside.h"

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {200, "OK"},
        {204, "No Content"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {413, "Content Too Large"},
        {417, "Expectation Failed"},
        {426, "Upgrade Required"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (texts[i].status == status) {
            return texts[i].text;
        }
    }
    return "Other";
}

/* ---- answers -------------------------------------------------------------------------------- */

void answer_finish(struct connection *connection)
{
    struct http *http = &connection->http;
    if (connection->is_cut || connection_queued(connection) > 0) {
        return;
    }
    http->is_busy = false;
    http->has_begun = false;
    http->since = uv_now(connection->server->loop);
    if (http->ends_after || connection->server->is_draining) {
        connection_end(connection);
    } else if (!http->is_reading) {
        connection_later(connection);
    }
}

void answer_send(struct connection *connection, const struct answer *answer, const void *body,
                 size_t length)
{
    struct server *server = connection->server;
    struct http *http = &connection->http;
    http->is_busy = true;
    server->stats.requests++;
    bool ends = http->ends_after || server->is_draining;
    char start[512];
    int size =
        snprintf(start, sizeof start, "HTTP/1.1 %d %s\r\nDate: %s\r\nCache-Control: %s\r\n%s",
                 answer->status, status_text(answer->status), server_date(server), answer->cache,
                 ends ? "Connection: close\r\n" : "");
    if (answer->type != NULL) {
        size += snprintf(start + size, sizeof start - (size_t)size, "Content-Type: %.128s\r\n",
                         answer->type);
    }
    if (answer->status != 204 && answer->status != 304) {
        size += snprintf(start + size, sizeof start - (size_t)size, "Content-Length: %zu\r\n",
                         answer->type != NULL ? length : 0);
    }
    const char *lines = answer->lines != NULL ? answer->lines : "";
    bool has_body = answer->type != NULL && !answer->is_head;
    uv_buf_t parts[] = {
        uv_buf_init(start, (unsigned)size),
        uv_buf_init((char *)lines, (unsigned)strlen(lines)),
        uv_buf_init(server->common_lines, (unsigned)strlen(server->common_lines)),
        uv_buf_init((char *)body, has_body ? (unsigned)length : 0),
    };
    connection_write(connection, parts, has_body && length > 0 ? 4 : 3);
    answer_finish(connection);
}

void answer_words(struct connection *connection, const struct head *head, int status,
                  const char *lines, const char *words)
{
    struct answer plain = {.status = status,
                           .type = "text/plain; charset=utf-8",
                           .cache = "no-store",
                           .lines = lines,
                           .is_head = head != NULL && strcmp(head->method, "HEAD") == 0};
    char text[1024];
    int length = snprintf(text, sizeof text, "%s\n", words);
    answer_send(connection, &plain, text, (size_t)length);
}

void answer_refusal(struct connection *connection, const struct head *head, int status,
                    const char *lines, const char *words)
{
    connection->http.ends_after = true;
    answer_words(connection, head, status, lines, words);
}

/* ---- assets --------------------------------------------------------------------------------- */

void answer_asset(struct connection *connection, const struct head *head)
{
    const struct asset *asset = asset_find(connection->server->assets, head->path);
    if (asset == NULL) {
        answer_words(connection, head, 404, NULL, "There is nothing under this path.");
        return;
    }
    struct asset_body body;
    asset_choose(asset, head_value(head, "accept-encoding"), &body);
    bool is_known = asset_is_known(head_value(head, "if-none-match"), body.etag);
    const char *encoding = is_known ? NULL : body.encoding;
    char lines[256];
    snprintf(lines, sizeof lines, "ETag: %s\r\n%s%s%s%s", body.etag,
             body.varies ? "Vary: Accept-Encoding\r\n" : "",
             encoding != NULL ? "Content-Encoding: " : "", encoding != NULL ? encoding : "",
             encoding != NULL ? "\r\n" : "");
    struct answer found = {
        .status = is_known ? 304 : 200,
        .type = is_known ? NULL : asset->type,
        .cache = asset->immutable ? "public, max-age=31536000, immutable" : "no-cache",
        .lines = lines,
        .is_head = strcmp(head->method, "HEAD") == 0,
    };
    answer_send(connection, &found, body.bytes, body.length);
}
