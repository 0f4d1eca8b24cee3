#include "app/app.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app/watch.h"
#include "base/memory.h"
#include "bridge/chunk.h"
#include "bridge/state.h"
#include "run/engine.h"

struct app {
    struct engine *engine;
    struct app_callbacks callbacks;
    struct watch *watch;
    char *path;
    char *folder;
    char *name;
    struct chunk *chunk;
    unsigned version;
    bool is_broken;
    struct app_problem problem;
};

/* ---- finding the script ---- */

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static char *find_script(const char *given, struct error *error)
{
    struct stat status;
    if (stat(given, &status) != 0) {
        error_set(error, ERROR_MISUSE, errno,
                  "%s: %s. Give the path of a Lua script, as in "
                  "`moonlit run app.lua`.",
                  given, errno == ENOENT ? "there is no such file" : strerror(errno));
        return NULL;
    }
    if (!S_ISDIR(status.st_mode)) {
        return memory_copy_text(given);
    }
    static const char *const names[] = {"app.lua", "main.lua"};
    char path[PATH_MAX];
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", given, names[i]);
        if (is_file(path)) {
            return memory_copy_text(path);
        }
    }
    error_set(error, ERROR_MISUSE, 0,
              "The folder %s holds no app.lua and no main.lua: name the "
              "script, as in `moonlit run %s/my.lua`.",
              given, given);
    return NULL;
}

static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        return memory_copy_text(".");
    }
    char *folder = memory_copy_text(path);
    folder[slash == path ? 1 : slash - path] = '\0';
    return folder;
}

static char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *name = memory_copy_text(slash != NULL ? slash + 1 : path);
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name) {
        *dot = '\0';
    }
    return name;
}

/* ---- changes ---- */

static void on_file(void *data, const char *path)
{
    struct app *app = data;
    watch_add(app->watch, path);
}

/* "file:12: words" into its parts. */
static void set_problem(struct app *app, const struct error *error)
{
    struct app_problem *problem = &app->problem;
    *problem = (struct app_problem){0};
    const char *text = error->message;
    for (const char *colon = strchr(text, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        char *end;
        long line = strtol(colon + 1, &end, 10);
        if (line > 0 && *end == ':') {
            snprintf(problem->file, sizeof problem->file, "%.*s", (int)(colon - text), text);
            problem->line = (int)line;
            text = end + 1 + (end[1] == ' ');
            break;
        }
    }
    snprintf(problem->message, sizeof problem->message, "%s", text);
}

static void on_change(void *data)
{
    struct app *app = data;
    struct error error = {0};
    enum chunk_change change = chunk_refresh(app->engine->state, &error);
    if (change == CHUNK_BROKEN) {
        app->is_broken = true;
        set_problem(app, &error);
        app->callbacks.on_broken(app->callbacks.data, app);
        return;
    }
    if (app->is_broken) {
        app->is_broken = false;
        app->callbacks.on_mended(app->callbacks.data);
    }
    if (change == CHUNK_CHANGED) {
        struct chunk *chunk = chunk_load(app->engine->state, app->path, &error);
        if (chunk != NULL) {
            app->chunk = chunk;
        }
        app->version++;
        app->callbacks.on_reload(app->callbacks.data);
    }
}

/* ---- life ---- */

struct app *app_new(struct engine *engine, const char *script,
                    const struct app_callbacks *callbacks, struct error *error)
{
    char *path = find_script(script, error);
    if (path == NULL) {
        return NULL;
    }
    struct app *app = memory_new(sizeof *app);
    app->engine = engine;
    app->callbacks = *callbacks;
    app->path = path;
    app->folder = folder_of(path);
    app->name = name_of(path);
    app->watch = watch_new(engine->loop, &engine->clock, engine->log, app->folder, on_change, app);
    state_set_directory(engine->state, app->folder);
    state_set_on_file(engine->state, on_file, app);
    app->chunk = chunk_load(engine->state, path, error);
    if (app->chunk == NULL) {
        app_free(app);
        return NULL;
    }
    return app;
}

void app_free(struct app *app)
{
    state_set_on_file(app->engine->state, NULL, NULL);
    watch_free(app->watch);
    free(app->path);
    free(app->folder);
    free(app->name);
    free(app);
}

const char *app_name(const struct app *app)
{
    return app->name;
}

const char *app_path(const struct app *app)
{
    return app->path;
}

const char *app_folder(const struct app *app)
{
    return app->folder;
}

const struct app_problem *app_problem(const struct app *app)
{
    return app->is_broken ? &app->problem : NULL;
}

unsigned app_version(const struct app *app)
{
    return app->version;
}

static int instantiate(lua_State *L)
{
    struct app *app = lua_touserdata(L, lua_upvalueindex(1));
    chunk_instantiate(L, app->chunk, 1);
    return 1;
}

void app_push_instantiate(struct app *app, lua_State *L)
{
    lua_pushlightuserdata(L, app);
    lua_pushcclosure(L, instantiate, 1);
}
