/*
 * The app: the script a host serves, compiled once, and what has changed of it on disk.
 *
 * Life: app_load compiles the script; app_watch has its files, and every module it required,
 * watched; a change that compiles makes a new version and is told (`on_reload`), one that does not
 * leaves the running version in place and is told too (`on_broken`), until it is mended.
 *
 * Thread: loop.
 */
#ifndef MOONLIT_APP_APP_H
#define MOONLIT_APP_APP_H

#include <lua.h>
#include <stdbool.h>
#include <uv.h>

#include "base/error.h"

struct app;
struct engine;

struct app_callbacks {
    void (*on_reload)(void *data);
    void (*on_broken)(void *data, const struct app *app);
    void (*on_mended)(void *data);
    void *data;
};

/* `script` is a file, or a folder that holds app.lua or main.lua. */
struct app *app_new(struct engine *engine, const char *script,
                    const struct app_callbacks *callbacks, struct error *error);
void app_free(struct app *app);

/* "products": the file's name without its end; its whole path; its folder. */
const char *app_name(const struct app *app);
const char *app_path(const struct app *app);
const char *app_folder(const struct app *app);

/* Push the script as a function of an environment: f(environment) is a fresh main function. */
void app_push_instantiate(struct app *app, lua_State *L);

/* The changed script does not compile: the error, else NULL. */
struct app_problem {
    char message[1024];
    char file[256];
    int line;
};
const struct app_problem *app_problem(const struct app *app);

/* The version counts reloads; modules of a session made in an older one are made anew. */
unsigned app_version(const struct app *app);

#endif
