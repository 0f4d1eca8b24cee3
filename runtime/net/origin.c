#include "net/origin.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const char *const loopback[] = {"127.0.0.1", "localhost", "[::1]"};

/* Length of the name at the start of `text`; 0 if it has a byte that no name has. */
static size_t name_length(const char *text)
{
    if (text[0] != '[') {
        return strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    }
    size_t inside = strspn(text + 1, "0123456789abcdefABCDEF:.");
    return inside > 0 && text[1 + inside] == ']' ? inside + 2 : 0;
}

bool origin_read(const char *text, struct origin_place *place)
{
    size_t length = name_length(text);
    if (length == 0 || length >= ORIGIN_NAME_MOST) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        place->name[i] = (char)tolower((unsigned char)text[i]);
    }
    place->name[length] = 0;
    place->port = -1;
    if (text[length] == 0) {
        return true;
    }
    const char *digits = text + length + 1;
    size_t count = strspn(digits, "0123456789");
    if (text[length] != ':' || count == 0 || count > 5 || digits[count] != 0) {
        return false;
    }
    place->port = atoi(digits);
    return place->port > 0 && place->port < 65536;
}

bool origin_rules_init(struct origin_rules *rules, const char *const *hosts, const char **wrong)
{
    *rules = (struct origin_rules){0};
    size_t count = 0;
    while (hosts != NULL && hosts[count] != NULL) {
        count++;
    }
    rules->places = memory_new(count * sizeof *rules->places);
    for (; rules->count < count; rules->count++) {
        if (!origin_read(hosts[rules->count], &rules->places[rules->count])) {
            *wrong = hosts[rules->count];
            origin_rules_deinit(rules);
            return false;
        }
    }
    return true;
}

void origin_rules_deinit(struct origin_rules *rules)
{
    free(rules->places);
    *rules = (struct origin_rules){0};
}

void origin_rules_bind(struct origin_rules *rules, const char *host)
{
    char text[ORIGIN_NAME_MOST];
    bool is_bare = strchr(host, ':') != NULL && host[0] != '[';
    snprintf(text, sizeof text, is_bare ? "[%s]" : "%s", host);
    if (!origin_read(text, &rules->bound)) {
        rules->bound.name[0] = 0;
    }
}

static bool is_own_name(const struct origin_rules *rules, const char *name)
{
    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++) {
        if (strcmp(name, loopback[i]) == 0) {
            return true;
        }
    }
    return rules->bound.name[0] != 0 && strcmp(name, rules->bound.name) == 0;
}

bool origin_allows_host(const struct origin_rules *rules, const struct origin_place *host)
{
    if (is_own_name(rules, host->name)) {
        return true;
    }
    for (size_t i = 0; i < rules->count; i++) {
        const struct origin_place *rule = &rules->places[i];
        bool usual = host->port == -1 && (rule->port == 80 || rule->port == 443);
        if (strcmp(rule->name, host->name) == 0 &&
            (rule->port == -1 || rule->port == host->port || usual)) {
            return true;
        }
    }
    return false;
}

bool origin_allows_origin(const struct origin_rules *rules, const char *origin,
                          const struct origin_place *host)
{
    int usual = strncmp(origin, "http://", 7) == 0    ? 80
                : strncmp(origin, "https://", 8) == 0 ? 443
                                                      : 0;
    struct origin_place place;
    if (usual == 0 || !origin_read(strstr(origin, "://") + 3, &place)) {
        return false;
    }
    int port = place.port == -1 ? usual : place.port;
    if (strcmp(place.name, host->name) == 0 && port == (host->port == -1 ? usual : host->port)) {
        return origin_allows_host(rules, host);
    }
    for (size_t i = 0; i < rules->count; i++) {
        const struct origin_place *rule = &rules->places[i];
        if (strcmp(rule->name, place.name) == 0 &&
            port == (rule->port == -1 ? usual : rule->port)) {
            return true;
        }
    }
    return false;
}
