#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/chunk.h"
#include "bridge/rewrite.h"
#include "bridge/script.h"
#include "bridge/state.h"
#include "limits.h"

/* A name that may be read: of the sandbox (NUL-terminated there), or assigned at the top level. */
struct known {
    const char *name;
    size_t length;
};

struct check {
    const char *path;
    struct known *known;
    size_t count;
    struct rewrite_globals globals;
    struct buffer *out;
    bool clean;
};

static bool is_known(const struct check *check, const struct rewrite_global *global)
{
    for (size_t i = 0; i < check->count; i++) {
        if (check->known[i].length == global->length &&
            memcmp(check->known[i].name, global->name, global->length) == 0) {
            return true;
        }
    }
    return false;
}

static const struct known *nearest(const struct check *check, const struct rewrite_global *global)
{
    const struct known *best = NULL;
    unsigned best_distance = global->length < 4 ? 2 : 3; /* as far as this is no likeness */
    for (size_t i = 0; i < check->count; i++) {
        unsigned distance = script_distance(global->name, global->length, check->known[i].name,
                                            check->known[i].length);
        if (distance < best_distance) {
            best_distance = distance;
            best = &check->known[i];
        }
    }
    return best;
}

/* The names that the sandbox gives, from the module on top of the stack; their strings stay alive
 * as long as that is. */
static void add_sandbox_names(struct check *check, lua_State *L)
{
    size_t count = lua_objlen(L, -1);
    check->known = calloc(count + check->globals.count + 1, sizeof *check->known);
    for (size_t i = 1; i <= count && check->known != NULL; i++) {
        lua_rawgeti(L, -1, (int)i);
        struct known *known = &check->known[check->count++];
        known->name = lua_tolstring(L, -1, &known->length);
        lua_pop(L, 1);
    }
}

static void add_declared_names(struct check *check)
{
    for (size_t i = 0; i < check->globals.count && check->known != NULL; i++) {
        const struct rewrite_global *global = &check->globals.items[i];
        if (global->assigned && global->top && !is_known(check, global)) {
            check->known[check->count++] = (struct known){global->name, global->length};
        }
    }
}

static void report(struct check *check, const struct rewrite_global *global)
{
    const struct known *like = nearest(check, global);
    check->clean = false;
    buffer_append_format(check->out, "%s:%d: ", check->path, global->line);
    if (global->assigned) {
        buffer_append_format(check->out,
                             "the global '%.*s' is assigned inside a function but not declared at "
                             "the top level",
                             (int)global->length, global->name);
    } else {
        buffer_append_format(check->out, "there is no global '%.*s'", (int)global->length,
                             global->name);
    }
    if (like != NULL) {
        buffer_append_format(check->out, "; did you mean '%.*s'?", (int)like->length, like->name);
    }
    buffer_append_text(check->out, "\n");
}

/* Push the list of the sandbox's names; an error raises. */
static int push_names(lua_State *L)
{
    struct error error = {0};
    if (!state_require(state_of(L), "moonlit.sandbox", &error)) {
        return luaL_error(L, "%s", error.message);
    }
    lua_getfield(L, -1, "names");
    lua_call(L, 0, 1);
    return 1;
}

static bool check_globals(struct state *state, struct check *check, struct error *error)
{
    lua_State *L = state->L;
    lua_pushcfunction(L, push_names);
    if (lua_pcall(L, 0, 1, 0) != 0) {
        error_set(error, ERROR_SYSTEM, 0, "the check cannot be made: %s", lua_tostring(L, -1));
        lua_pop(L, 1);
        return false;
    }
    add_sandbox_names(check, L);
    add_declared_names(check);
    for (size_t i = 0; i < check->globals.count; i++) {
        if (!is_known(check, &check->globals.items[i])) {
            report(check, &check->globals.items[i]);
        }
    }
    free(check->known);
    lua_pop(L, 1);
    return check->clean;
}

/* A syntax error is found by compiling, which names file and line. */
static bool check_syntax(struct state *state, struct check *check)
{
    struct error problem = {0};
    if (chunk_load(state, check->path, &problem) != NULL) {
        return true;
    }
    buffer_append_format(check->out, "%s\n", problem.message);
    return false;
}

bool chunk_check(struct state *state, const char *path, struct buffer *out, struct error *error)
{
    struct check check = {.path = path, .out = out, .clean = true};
    struct buffer source, rewritten;
    buffer_init(&source, LIMIT_SCRIPT + 4096);
    buffer_init(&rewritten, LIMIT_SCRIPT_REWRITTEN);
    bool ok = script_read(path, &source, error) && check_syntax(state, &check) &&
              rewrite_source((const char *)source.bytes, source.length, REWRITE_COUNTER, &rewritten,
                             &check.globals, error) &&
              check_globals(state, &check, error);
    rewrite_globals_deinit(&check.globals);
    buffer_deinit(&source);
    buffer_deinit(&rewritten);
    return ok;
}
