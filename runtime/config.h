/*
 * The options of `moonlit run`, with their defaults: one table for the parser and the help text.
 */
#ifndef MOONLIT_CONFIG_H
#define MOONLIT_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "limits.h"

struct config {
    const char *script; /* a file, or a folder with app.lua or main.lua */
    const char *host;
    int port; /* 0: any free one */
    const char *allow_hosts[LIMIT_ALLOW_HOSTS + 1];
    size_t allow_host_count;
    const char *database;   /* a URI, or NULL for the built-in store */
    const char *store;      /* its folder, or NULL for .moonlit/store beside the app */
    bool open;              /* open the page in a browser when ready */
    bool test_commands;     /* the built-in store knows configureFailPoint */
    double cpu_limit;       /* seconds */
    double wall_limit;      /* seconds */
    double press_limit;     /* seconds */
    double memory_limit;    /* MiB */
    double session_timeout; /* seconds */
    double session_limit;   /* a whole number */
};

/* The arguments after `run`, then the environment (MONGODB_URI, unless --database or --store is
 * given), else the defaults. */
bool config_read(struct config *config, int count, char **arguments, struct error *error);

/* The options' part of `moonlit help run`, to standard output. */
void config_print_help(void);

#endif
