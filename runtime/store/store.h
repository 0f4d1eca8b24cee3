/*
 * The built-in store: one process that speaks MongoDB's wire protocol over one file.
 *
 * store_main runs it in the calling process until SIGTERM, SIGINT or the end of its parent, and
 * returns the exit code. Everything happens on one thread: a libuv loop with connections
 * (connection.h), one Lua state that knows the commands and the query language (lua/store/,
 * store_lua.h), and one file (file.h). It may be asked for as `moonlit store`, and it is what
 * child.h starts beside a host.
 */
#ifndef MOONLIT_STORE_STORE_H
#define MOONLIT_STORE_STORE_H

#include <stdbool.h>

#include "base/error.h"

struct store_options {
    const char *folder; /* where the file lies */
    const char *socket; /* listen at this path; NULL: not */
    const char *listen; /* listen at HOST:PORT, loopback only; NULL: not */
    int listen_fd;      /* a listening unix socket that was inherited, or -1 */
    int ready_fd;       /* gets one byte when the store serves, or -1 */
    int parent_fd;      /* its end is the end of the parent, or -1 */
    bool test_commands; /* configureFailPoint */
};

/* The arguments behind `store`. */
bool store_options_read(struct store_options *options, int count, char **arguments,
                        struct error *error);
void store_print_help(void);

int store_main(const struct store_options *options);

#endif
