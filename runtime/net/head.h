/*
 * The head of a request: where it ends, whether it may be believed, what it says. Pure.
 *
 * The guard comes before the parser, because llhttp 8.1 lets things pass with which a proxy and we
 * could read two different requests: a CR that is not followed by LF, folded lines, whitespace
 * before a colon. It also asks for exactly one Host and refuses a second copy of every field that
 * may stand only once. Then llhttp reads the head in one piece.
 *
 * After any refusal the connection is closed; nobody tries to find the next request.
 */
#ifndef MOONLIT_NET_HEAD_H
#define MOONLIT_NET_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "limits.h"

struct head_field {
    const char *name; /* lower case */
    const char *value;
};

/* All texts are views of the bytes that were parsed. */
struct head {
    const char *method;
    const char *path;
    const char *query;    /* "" if there is none */
    bool keeps_alive;     /* the connection may serve another request */
    bool has_body;        /* a body was announced that is not empty */
    bool is_old;          /* HTTP/1.0 */
    bool is_other;        /* the preface of HTTP/2: close without a word */
    bool wants_websocket; /* Connection: upgrade and Upgrade: websocket, and a GET of HTTP/1.1 */
    size_t count;
    struct head_field fields[LIMIT_HTTP_FIELDS];
};

struct head_refusal {
    int status;
    const char *words; /* one sentence */
};

/* Where the head ends: its length with the empty line, or 0 while it is not all there. `scanned` is
 * 0 at first and remembers what was looked at. A line end that is not CR LF is told by *is_bad. */
size_t head_find_end(const char *bytes, size_t length, size_t *scanned, bool *is_bad);

/* Read a whole head of `length` bytes. The bytes are changed: names become lower case, and zeros
 * end the texts. False with a refusal, also for `head->is_other`. */
bool head_parse(char *bytes, size_t length, struct head *head, struct head_refusal *refusal);

/* The value of a field by its lower-case name, or NULL. */
const char *head_value(const struct head *head, const char *name);

/* Whether a comma-separated list (may be NULL) has this token, in any case. */
bool head_list_has(const char *list, const char *token);

#endif
