/*
 * A request of a browser, as the application sees it: the few paths below /_moonlit/ that are
 * answered by the host. The client's own files are served without asking it.
 *
 * Life: it comes with on_request and belongs to the application until request_respond, which must
 * be called exactly once, at once or later in the same thread; the pointer is dead afterwards. If
 * the browser leaves before, the request stays readable and request_respond only frees it.
 *
 * All texts are views that die with the request.
 */
#ifndef MOONLIT_NET_HTTP_H
#define MOONLIT_NET_HTTP_H

#include <stddef.h>

struct request;

const char *request_method(const struct request *request); /* "GET" or "HEAD" */
const char *request_path(const struct request *request);   /* "/_moonlit/health", as it was sent */
const char *request_query(const struct request *request);  /* behind the ?, or "" */
const char *request_peer(const struct request *request);   /* "127.0.0.1:51234" */

/* The value of a header by its lower-case name, or NULL. */
const char *request_header(const struct request *request, const char *name);

/* Answer with a whole body, which is copied as far as the kernel refuses it. The security headers,
 * Content-Length and Cache-Control: no-store are added. `extra_headers` is NULL or whole lines,
 * each ended by \r\n. A HEAD request gets the head alone. */
void request_respond(struct request *request, int status, const char *content_type,
                     const void *body, size_t length, const char *extra_headers);

#endif
