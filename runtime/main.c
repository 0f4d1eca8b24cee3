/*
 * The moonlit binary: a small table of subcommands. It makes a host on a loop, runs it, and is the
 * only place with signal handlers and exit codes: 0 fine, 1 it could not be done, 2 wrong use.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "bridge/chunk.h"
#include "bridge/state.h"
#include "config.h"
#include "host.h"
#include "limits.h"
#include "store/store.h"
#include "watchdog.h"

struct command {
    const char *name;
    const char *usage;
    const char *summary;
    int (*call)(int count, char **arguments);
    void (*help)(void);
};

static const struct command commands[];

static int complain(const char *sentence, int code)
{
    fprintf(stderr, "moonlit: %s\n", sentence);
    return code;
}

/* ---- run ---- */

struct runner {
    uv_loop_t loop;
    uv_signal_t signals[2];
    struct host *host;
    struct watchdog *watchdog;
    bool stopping;
};

static void on_stopped(void *data)
{
    struct runner *runner = data;
    watchdog_free(runner->watchdog);
    runner->watchdog = NULL;
    for (size_t i = 0; i < 2; i++) {
        uv_close((uv_handle_t *)&runner->signals[i], NULL);
    }
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct runner *runner = handle->data;
    if (runner->stopping) {
        host_abandon(runner->host);
        _exit(128 + number); /* a second signal ends at once */
    }
    runner->stopping = true;
    fputs("Moonlit is stopping.\n", stderr);
    host_stop(runner->host, on_stopped, runner);
}

static void listen_to_signals(struct runner *runner)
{
    static const int numbers[2] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < 2; i++) {
        uv_signal_init(&runner->loop, &runner->signals[i]);
        runner->signals[i].data = runner;
        uv_signal_start(&runner->signals[i], on_signal, numbers[i]);
    }
}

static void raise_file_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* In a grandchild, with nothing of ours but the address; returns only when that failed. */
static void become_opener(const char *url)
{
    int words = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        dup2(nothing, fd);
    }
    setsid();
    signal(SIGPIPE, SIG_DFL);
    execlp("xdg-open", "xdg-open", url, (char *)NULL);
    dprintf(words, "moonlit: no browser can be opened: xdg-open: %s\n", strerror(errno));
}

/* By a grandchild, so that whatever it does nobody has to wait for it. */
static void open_browser(const char *url)
{
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) {
            become_opener(url);
        }
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void say_ready(struct host *host)
{
    const struct config *config = &host->config;
    char url[300];
    bool is_any = strcmp(config->host, "0.0.0.0") == 0 || strcmp(config->host, "::") == 0;
    bool is_v6 = strchr(config->host, ':') != NULL && !is_any;
    snprintf(url, sizeof url, "http://%s%s%s:%d", is_v6 ? "[" : "",
             is_any ? "127.0.0.1" : config->host, is_v6 ? "]" : "", host_port(host));
    printf("Moonlit is running: %s\n%s\n", url, host_database(host));
    fflush(stdout);
    if (config->open) {
        open_browser(url);
    }
}

static int run_call(int count, char **arguments)
{
    struct config config;
    struct error error = {0};
    struct log log = {.level = LOG_INFO};
    struct runner runner = {0};
    if (!config_read(&config, count, arguments, &error)) {
        return complain(error.message, 2);
    }
    raise_file_limit();
    mongo_global_init(&log);
    uv_loop_init(&runner.loop);
    listen_to_signals(&runner);
    int code = 1;
    runner.host = host_new(&runner.loop, &log, &config, &error);
    if (runner.host != NULL && host_start(runner.host, &error)) {
        code = 0;
        runner.watchdog = watchdog_new(&runner.loop, &runner.host->engine);
        say_ready(runner.host);
    } else {
        complain(error.message, 1);
        runner.stopping = true;
        if (runner.host != NULL) {
            host_stop(runner.host, on_stopped, &runner);
        } else {
            on_stopped(&runner);
        }
    }
    uv_run(&runner.loop, UV_RUN_DEFAULT);
    if (runner.host != NULL) {
        host_free(runner.host);
        uv_run(&runner.loop, UV_RUN_DEFAULT);
    }
    uv_loop_close(&runner.loop);
    mongo_global_deinit();
    return code;
}

/* ---- store ---- */

static int store_call(int count, char **arguments)
{
    struct store_options options;
    struct error error = {0};
    if (!store_options_read(&options, count, arguments, &error)) {
        return complain(error.message, 2);
    }
    return store_main(&options);
}

/* ---- check, version, help ---- */

static int check_call(int count, char **arguments)
{
    if (count != 1 || arguments[0][0] == '-') {
        return complain("check takes one file: moonlit check app.lua", 2);
    }
    struct error error = {0};
    struct buffer out;
    buffer_init(&out, LIMIT_SCRIPT);
    struct state *state = state_new(NULL, &error);
    bool is_fine = state != NULL && chunk_check(state, arguments[0], &out, &error);
    if (out.length > 0) {
        fwrite(out.bytes, 1, out.length, stdout);
    }
    if (error.kind != ERROR_NONE) {
        complain(error.message, 1);
    }
    buffer_deinit(&out);
    if (state != NULL) {
        state_free(state);
    }
    return is_fine ? 0 : 1;
}

static int version_call(int count, char **arguments)
{
    (void)arguments;
    if (count != 0) {
        return complain("version takes no arguments.", 2);
    }
    puts("moonlit " MOONLIT_VERSION);
    return 0;
}

static void print_overview(void)
{
    puts("Moonlit turns Lua scripts into live web pages.\n");
    for (const struct command *command = commands; command->name != NULL; command++) {
        printf("  moonlit %-22s %s\n", command->usage, command->summary);
    }
    puts("\nmoonlit help COMMAND tells more.");
}

static const struct command *find_command(const char *name)
{
    for (const struct command *command = commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) {
            return command;
        }
    }
    return NULL;
}

static bool is_help_option(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int unknown_command(const char *name)
{
    char sentence[200];
    snprintf(sentence, sizeof sentence,
             "Unknown command \"%.60s\": `moonlit help` lists the commands.", name);
    return complain(sentence, 2);
}

static int help_call(int count, char **arguments)
{
    if (count == 0) {
        print_overview();
        return 0;
    }
    const struct command *command = find_command(arguments[0]);
    if (command == NULL) {
        return unknown_command(arguments[0]);
    }
    printf("moonlit %s\n%s\n", command->usage, command->summary);
    if (command->help != NULL) {
        putchar('\n');
        command->help();
    }
    return 0;
}

static const struct command commands[] = {
    {"run", "run [FILE|DIR]", "serve an app", run_call, config_print_help},
    {"store", "store [DIR]", "serve the built-in store", store_call, store_print_help},
    {"check", "check FILE", "look for syntax errors and misspelt names without running", check_call,
     NULL},
    {"version", "version", "print the version", version_call, NULL},
    {"help", "help [COMMAND]", "print this", help_call, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int main(int count, char **arguments)
{
    signal(SIGPIPE, SIG_IGN);
    mongo_global_hide();
    if (count < 2) {
        print_overview();
        return 2;
    }
    const char *name = arguments[1];
    if (is_help_option(name)) {
        name = "help";
    } else if (strcmp(name, "--version") == 0) {
        name = "version";
    }
    const struct command *command = find_command(name);
    if (command == NULL) {
        return unknown_command(name);
    }
    bool asks = count == 3 && is_help_option(arguments[2]);
    return asks ? help_call(1, (char *[]){(char *)command->name})
                : command->call(count - 2, arguments + 2);
}
