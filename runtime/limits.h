/*
 * Every maximum of the house. docs/limits.md is made from this file: one #define a line, with
 * the words behind it. Sizes are bytes, times are milliseconds, unless the words say otherwise.
 */
#ifndef MOONLIT_LIMITS_H
#define MOONLIT_LIMITS_H

/* ## Network */
#define LIMIT_HTTP_HEAD (16 * 1024)            /* head of a request */
#define LIMIT_HTTP_HEAD_TIME 10000             /* from the first byte of a head to its last */
#define LIMIT_HTTP_BODY (1024 * 1024)          /* body of a request */
#define LIMIT_HTTP_IDLE_TIME 60000             /* a kept-alive connection without a request */
#define LIMIT_HTTP_CONNECTIONS 10000           /* connections of one process */
#define LIMIT_SOCKET_MESSAGE (1024 * 1024)     /* one message from the browser */
#define LIMIT_SOCKET_QUEUE_SOFT (1024 * 1024)  /* unsent bytes above which patches wait */
#define LIMIT_SOCKET_QUEUE_HARD (64 * 1024 * 1024) /* unsent bytes above which a socket is closed */
#define LIMIT_SOCKET_PING_TIME 25000           /* silence before a ping */
#define LIMIT_SOCKET_DEAD_TIME 60000           /* silence before a socket is cut */
#define LIMIT_SOCKET_CLOSE_TIME 5000           /* wait for the answer to a Close frame */

/* ## Documents */
#define LIMIT_DOCUMENT (16 * 1024 * 1024)      /* one BSON document */
#define LIMIT_DOCUMENT_DEPTH 100               /* nesting of one BSON document */

#endif
