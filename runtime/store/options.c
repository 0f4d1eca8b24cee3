#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

struct option {
    const char *name;
    const char *value; /* its name in the help; NULL for a switch */
    const char *help;  /* NULL: for child.c alone */
};

static const struct option options_table[] = {
    {"--socket", "PATH", "listen on a unix socket; the path must end in .sock"},
    {"--listen", "HOST:PORT", "listen on TCP, on this machine only (127.0.0.1 or localhost)"},
    {"--test-commands", NULL, "know configureFailPoint (for tests)"},
    {"--listen-fd", "N", NULL},
    {"--ready-fd", "N", NULL},
    {"--parent-fd", "N", NULL},
};

static const struct option *find_option(const char *name)
{
    for (size_t i = 0; i < sizeof options_table / sizeof *options_table; i++) {
        if (strcmp(options_table[i].name, name) == 0) {
            return &options_table[i];
        }
    }
    return NULL;
}

static bool read_descriptor(const char *text, int *fd, struct error *error)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number < 0 || number > 65535) {
        return error_set(error, ERROR_MISUSE, 0, "\"%.40s\" is not a file descriptor.", text);
    }
    *fd = (int)number;
    return true;
}

static bool set_option(struct store_options *options, const char *name, const char *value,
                       struct error *error)
{
    if (strcmp(name, "--socket") == 0) {
        options->socket = value;
    } else if (strcmp(name, "--listen") == 0) {
        options->listen = value;
    } else if (strcmp(name, "--test-commands") == 0) {
        options->test_commands = true;
    } else if (strcmp(name, "--listen-fd") == 0) {
        return read_descriptor(value, &options->listen_fd, error);
    } else if (strcmp(name, "--ready-fd") == 0) {
        return read_descriptor(value, &options->ready_fd, error);
    } else {
        return read_descriptor(value, &options->parent_fd, error);
    }
    return true;
}

static bool check(struct store_options *options, struct error *error)
{
    size_t length = options->socket == NULL ? 0 : strlen(options->socket);
    if (length > 0 && (length < 6 || strcmp(options->socket + length - 5, ".sock") != 0)) {
        return error_set(error, ERROR_MISUSE, 0,
                         "The socket's path must end in .sock, because drivers insist on it.");
    }
    if (length >= 108) {
        return error_set(error, ERROR_MISUSE, 0,
                         "The socket's path has %zu bytes; 107 is the most a socket can have.",
                         length);
    }
    if (options->socket == NULL && options->listen == NULL && options->listen_fd < 0) {
        options->listen = "127.0.0.1:27017";
    }
    return true;
}

bool store_options_read(struct store_options *options, int count, char **arguments,
                        struct error *error)
{
    *options = (struct store_options){.listen_fd = -1, .ready_fd = -1, .parent_fd = -1};
    for (int i = 0; i < count; i++) {
        const char *name = arguments[i], *value = NULL;
        if (name[0] != '-') {
            if (options->folder != NULL) {
                return error_set(error, ERROR_MISUSE, 0, "store takes one folder, not also %.200s.",
                                 name);
            }
            options->folder = name;
            continue;
        }
        const struct option *option = find_option(name);
        if (option == NULL) {
            return error_set(error, ERROR_MISUSE, 0,
                             "Unknown option %.60s: `moonlit help store` lists the options.", name);
        }
        if (option->value != NULL && (value = ++i < count ? arguments[i] : NULL) == NULL) {
            return error_set(error, ERROR_MISUSE, 0, "%s wants a %s behind it.", name,
                             option->value);
        }
        if (!set_option(options, name, value, error)) {
            return false;
        }
    }
    if (options->folder == NULL) {
        options->folder = ".moonlit/store";
    }
    return check(options, error);
}

void store_print_help(void)
{
    puts("moonlit store [DIR]\n\n"
         "Serves the built-in store in DIR (.moonlit/store) to MongoDB's drivers and shells, "
         "without\n"
         "an app; on 127.0.0.1:27017 when no option says where.\n");
    for (size_t i = 0; i < sizeof options_table / sizeof *options_table; i++) {
        const struct option *option = &options_table[i];
        if (option->help != NULL) {
            char left[40];
            snprintf(left, sizeof left, "%s %s", option->name,
                     option->value == NULL ? "" : option->value);
            printf("  %-24s %s\n", left, option->help);
        }
    }
}
