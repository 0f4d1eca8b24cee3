#include "config.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limits.h"

enum option_kind {
    OPTION_TEXT,
    OPTION_PORT,
    OPTION_NUMBER,
    OPTION_WHOLE,
    OPTION_ON,
    OPTION_OFF,
    OPTION_NAME
};

struct option {
    const char *name;
    const char *value; /* what stands for it in the help */
    enum option_kind kind;
    size_t offset;
    const char *help;
};

#define AT(member) offsetof(struct config, member)

static const struct option options[] = {
    {"--host", "ADDRESS", OPTION_TEXT, AT(host), "listen here (127.0.0.1)"},
    {"--port", "NUMBER", OPTION_PORT, AT(port), "listen on this port, 0 for any free one (8501)"},
    {"--allow-host", "NAME", OPTION_NAME, 0,
     "another name under which browsers may come; repeatable"},
    {"--database", "URI", OPTION_TEXT, AT(database),
     "a MongoDB to use; also MONGODB_URI (the built-in store)"},
    {"--store", "DIR", OPTION_TEXT, AT(store),
     "where the built-in store keeps its file (.moonlit/store beside the app)"},
    {"--open", NULL, OPTION_ON, AT(open), "open the page in a browser when ready"},
    {"--no-open", NULL, OPTION_OFF, AT(open), "do not (the default)"},
    {"--cpu-limit", "SECONDS", OPTION_NUMBER, AT(cpu_limit), "Lua time of one run (10)"},
    {"--wall-limit", "SECONDS", OPTION_NUMBER, AT(wall_limit), "a run from start to end (120)"},
    {"--memory-limit", "MIB", OPTION_NUMBER, AT(memory_limit),
     "growth of the Lua heap by one run (128)"},
    {"--press-limit", "SECONDS", OPTION_NUMBER, AT(press_limit),
     "a press whose button is not drawn, while newer events wait (30)"},
    {"--session-timeout", "SECONDS", OPTION_NUMBER, AT(session_timeout),
     "how long a session without a page is kept (600)"},
    {"--session-limit", "NUMBER", OPTION_WHOLE, AT(session_limit),
     "sessions kept at once; a page more is refused (10000)"},
    {"--test-commands", NULL, OPTION_ON, AT(test_commands),
     "the built-in store knows configureFailPoint (for tests)"},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0] };

static void set_defaults(struct config *config)
{
    *config = (struct config){
        .host = "127.0.0.1",
        .port = 8501,
        .cpu_limit = LIMIT_RUN_CPU / 1e3,
        .wall_limit = LIMIT_RUN_WALL / 1e3,
        .memory_limit = (double)LIMIT_RUN_MEMORY / (1024 * 1024),
        .press_limit = LIMIT_RUN_PRESS_TIME / 1e3,
        .session_timeout = LIMIT_SESSION_IDLE_TIME / 1e3,
        .session_limit = LIMIT_SESSIONS,
    };
}

/* What is said on the command line is stronger: a database, or where its store is to be. */
static void read_environment(struct config *config)
{
    const char *uri = getenv("MONGODB_URI");
    if (config->database == NULL && config->store == NULL && uri != NULL && uri[0] != '\0') {
        config->database = uri;
    }
}

static const struct option *find_option(const char *name, size_t length)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strlen(options[i].name) == length && memcmp(options[i].name, name, length) == 0) {
            return &options[i];
        }
    }
    return NULL;
}

static bool read_port(int *port, const char *text, struct error *error)
{
    char *end;
    long number = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || number < 0 || number > 65535) {
        return error_set(error, ERROR_MISUSE, 0, "--port is a number from 0 to 65535, not \"%s\".",
                         text);
    }
    *port = (int)number;
    return true;
}

static bool read_positive(double *out, const struct option *option, const char *text,
                          struct error *error)
{
    char *end;
    double number = strtod(text, &end);
    bool is_whole = option->kind == OPTION_WHOLE;
    if (*text == '\0' || *end != '\0' || !(number > 0 && number < 1e9) ||
        (is_whole && number != floor(number))) {
        return error_set(error, ERROR_MISUSE, 0, "%s is a %snumber above 0, not \"%s\".",
                         option->name, is_whole ? "whole " : "", text);
    }
    *out = number;
    return true;
}

static bool set_option(struct config *config, const struct option *option, const char *value,
                       struct error *error)
{
    void *out = (char *)config + option->offset;
    switch (option->kind) {
    case OPTION_TEXT:
        *(const char **)out = value;
        return true;
    case OPTION_PORT:
        return read_port(out, value, error);
    case OPTION_NUMBER:
    case OPTION_WHOLE:
        return read_positive(out, option, value, error);
    case OPTION_ON:
    case OPTION_OFF:
        *(bool *)out = option->kind == OPTION_ON;
        return true;
    case OPTION_NAME:
        if (config->allow_host_count == LIMIT_ALLOW_HOSTS) {
            return error_set(error, ERROR_LIMIT, 0, "--allow-host can be given %d times at most.",
                             LIMIT_ALLOW_HOSTS);
        }
        config->allow_hosts[config->allow_host_count++] = value;
        return true;
    }
    return false;
}

static bool read_option(struct config *config, int count, char **arguments, int *index,
                        struct error *error)
{
    char *argument = arguments[*index];
    const char *equals = strchr(argument, '=');
    size_t length = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
    const struct option *option = find_option(argument, length);
    if (option == NULL) {
        return error_set(error, ERROR_MISUSE, 0,
                         "Unknown option %s: `moonlit help run` lists the options.", argument);
    }
    const char *value = equals != NULL ? equals + 1 : NULL;
    if (option->value == NULL && value != NULL) {
        return error_set(error, ERROR_MISUSE, 0, "%s takes no value.", option->name);
    }
    if (option->value != NULL && value == NULL) {
        if (*index + 1 >= count) {
            return error_set(error, ERROR_MISUSE, 0, "%s needs a value: %s %s.", option->name,
                             option->name, option->value);
        }
        value = arguments[++*index];
    }
    return set_option(config, option, value, error);
}

bool config_read(struct config *config, int count, char **arguments, struct error *error)
{
    set_defaults(config);
    for (int i = 0; i < count; i++) {
        if (arguments[i][0] == '-' && arguments[i][1] != '\0') {
            if (!read_option(config, count, arguments, &i, error)) {
                return false;
            }
        } else if (config->script != NULL) {
            return error_set(error, ERROR_MISUSE, 0,
                             "Two scripts were given, %s and %s: one app is run at a time.",
                             config->script, arguments[i]);
        } else {
            config->script = arguments[i];
        }
    }
    if (config->script == NULL) {
        config->script = ".";
    }
    read_environment(config);
    return true;
}

void config_print_help(void)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", options[i].name,
                 options[i].value != NULL ? options[i].value : "");
        printf("  %-26s %s\n", left, options[i].help);
    }
}
