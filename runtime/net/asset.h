/*
 * The files of the client, which lie inside the binary: a table of paths with their bytes, plain
 * and compressed, and the choice among them for one request. Pure: nothing here reads a disk or
 * writes to a connection.
 *
 * The table belongs to whoever made it and must outlive the server. Its end is an entry whose path
 * is NULL. The page itself is the entry "/index.html"; "/" and every path whose last part has no
 * dot (a page of the app) serve it.
 */
#ifndef MOONLIT_NET_ASSET_H
#define MOONLIT_NET_ASSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct asset {
    const char *path; /* "/index.html"; NULL ends the table */
    const char *type; /* Content-Type */
    const char *etag; /* of the plain bytes, without quotes: letters, digits, - and _ */
    const uint8_t *plain;
    size_t plain_length;
    const uint8_t *gzip; /* NULL: there is none */
    size_t gzip_length;
    const uint8_t *brotli; /* NULL: there is none */
    size_t brotli_length;
    bool immutable; /* the path carries a hash of the content: kept for a year, never asked again */
};

/* One body of an asset, chosen by what the browser accepts. */
struct asset_body {
    const uint8_t *bytes;
    size_t length;
    const char *encoding; /* "br", "gzip", or NULL for the plain bytes */
    char etag[96];        /* quoted, another one for each encoding */
    bool varies;          /* the choice depended on Accept-Encoding */
};

/* The asset of a path, or NULL. */
const struct asset *asset_find(const struct asset *table, const char *path);

/* `accepted` is the request's Accept-Encoding, or NULL. */
void asset_choose(const struct asset *asset, const char *accepted, struct asset_body *body);

/* Whether `known`, an If-None-Match or NULL, names this tag. */
bool asset_is_known(const char *known, const char *etag);

#endif
