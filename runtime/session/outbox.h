/*
 * What a session tells its page: messages as BSON (docs/protocol.md), numbered patches, and the few
 * sent lately, which a page that reconnects may have missed. Inside the room.
 */
#ifndef MOONLIT_SESSION_OUTBOX_H
#define MOONLIT_SESSION_OUTBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "session/session.h"

struct patch;

void outbox_send_welcome(struct session *session, bool resumed);

/* Number the patch, keep it for a while, send it. `state` is a word of docs/protocol.md. */
void outbox_send_patch(struct session *session, const struct run *run, const struct patch *patch,
                       const char *state);

/* The whole tree, with a number of its own. */
void outbox_send_tree(struct session *session, const struct run *run, const char *state);

/* Send the patches after `seq` again; false when they are not all kept. */
bool outbox_resend(struct session *session, uint64_t seq);

/* Which elements the run alive has not drawn yet; none without one. */
void outbox_send_old(struct session *session);

void outbox_send_ack(struct session *session);
void outbox_send_refuse(struct session *session, int64_t from);
void outbox_send_notice(struct session *session, const char *kind, const char *text);

void outbox_forget(struct session *session);

#endif
