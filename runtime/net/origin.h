/*
 * Who may be spoken to as whom: the allowed names of the server, against DNS rebinding (Host) and
 * against pages of others that open our WebSocket (Origin). Pure.
 *
 * A Host is allowed when its name is a loopback name, the bound host, or a name that the user
 * allowed, "NAME" or "NAME:PORT"; the port is free unless the rule has one, so that a forwarded
 * port works. An Origin is allowed when it names what the Host names, port included. A proxy may
 * have changed the Host: then an Origin is also good when the user allowed its name and it has the
 * port of the rule or, without one, the usual port of its scheme.
 */
#ifndef MOONLIT_NET_ORIGIN_H
#define MOONLIT_NET_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

enum { ORIGIN_NAME_MOST = 256 };

/* A name of a host and its port; -1: none was given. */
struct origin_place {
    char name[ORIGIN_NAME_MOST]; /* lower case */
    int port;
};

struct origin_rules {
    struct origin_place *places; /* allowed by the user */
    size_t count;
    struct origin_place bound; /* the host that is listened on; "" at first */
};

/* Read "NAME", "NAME:PORT" or "[ADDRESS]:PORT"; false if it is none of these. */
bool origin_read(const char *text, struct origin_place *place);

/* Rules from a list ended by NULL, or NULL. False with nothing kept if an entry is malformed;
 * *wrong is that entry. */
bool origin_rules_init(struct origin_rules *rules, const char *const *hosts, const char **wrong);
void origin_rules_deinit(struct origin_rules *rules);

/* Remember the bound host, a name or an address without brackets. */
void origin_rules_bind(struct origin_rules *rules, const char *host);

bool origin_allows_host(const struct origin_rules *rules, const struct origin_place *host);
bool origin_allows_origin(const struct origin_rules *rules, const char *origin,
                          const struct origin_place *host);

#endif
