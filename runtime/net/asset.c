#include "net/asset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct asset *find_exactly(const struct asset *table, const char *path)
{
    for (const struct asset *asset = table; asset != NULL && asset->path != NULL; asset++) {
        if (strcmp(asset->path, path) == 0) {
            return asset;
        }
    }
    return NULL;
}

const struct asset *asset_find(const struct asset *table, const char *path)
{
    const struct asset *asset = find_exactly(table, path);
    const char *last = strrchr(path, '/');
    if (asset == NULL && (last == NULL || strchr(last, '.') == NULL)) {
        asset = find_exactly(table, "/index.html");
    }
    return asset;
}

/* Whether `accepted` has this coding with a weight above zero: "gzip, br;q=0.5". */
static bool accepts(const char *accepted, const char *coding)
{
    size_t length = strlen(coding);
    while (accepted != NULL && *accepted != 0) {
        accepted += strspn(accepted, " \t,");
        size_t item = strcspn(accepted, ",");
        size_t name = strcspn(accepted, ",; \t");
        if (name == length && strncasecmp(accepted, coding, length) == 0) {
            const char *weight = memchr(accepted, '=', item);
            return weight == NULL || atof(weight + 1) > 0;
        }
        accepted += item;
    }
    return false;
}

void asset_choose(const struct asset *asset, const char *accepted, struct asset_body *body)
{
    bool brotli = asset->brotli != NULL && accepts(accepted, "br");
    bool gzip = !brotli && asset->gzip != NULL && accepts(accepted, "gzip");
    body->bytes = brotli ? asset->brotli : gzip ? asset->gzip : asset->plain;
    body->length = brotli ? asset->brotli_length : gzip ? asset->gzip_length : asset->plain_length;
    body->encoding = brotli ? "br" : gzip ? "gzip" : NULL;
    body->varies = asset->brotli != NULL || asset->gzip != NULL;
    const char *suffix = brotli ? "-br" : gzip ? "-gz" : "";
    snprintf(body->etag, sizeof body->etag, "\"%.80s%s\"", asset->etag, suffix);
}

bool asset_is_known(const char *known, const char *etag)
{
    size_t length = strlen(etag);
    while (known != NULL && *known != 0) {
        known += strspn(known, " \t,");
        size_t item = strcspn(known, ",");
        const char *tag = strncmp(known, "W/", 2) == 0 ? known + 2 : known;
        if (*known == '*' || strncmp(tag, etag, length) == 0) {
            return true;
        }
        known += item;
    }
    return false;
}
