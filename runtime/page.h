/*
 * A page is a socket that says hello: it finds or opens its session and becomes the session's
 * outlet. The one place where net and session meet; the host hands the server's callbacks here.
 *
 * A page that presents the secret of a session whose page is still there is either a reload (the
 * old socket goes at once), or a duplicated tab: the old page is asked whether it lives, and if it
 * answers, the newcomer gets a session of its own.
 *
 * Thread: loop.
 */
#ifndef MOONLIT_PAGE_H
#define MOONLIT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/socket.h"

struct host;

void page_on_open(void *data, struct socket *socket);
void page_on_message(void *data, struct socket *socket, const uint8_t *bytes, size_t length,
                     bool is_text);
void page_on_drained(void *data, struct socket *socket);
void page_on_closed(void *data, struct socket *socket, int code);

#endif
