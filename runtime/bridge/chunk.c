#include "bridge/chunk.h"

#include <lauxlib.h>
#include <luajit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bridge/rewrite.h"
#include "bridge/script.h"
#include "bridge/state.h"
#include "limits.h"

/* A file that the app is made of, or would be if it were there and compiled. */
struct chunk {
    struct chunk *next;
    char *path;
    uint64_t hash; /* of the source; 0 when there is none */
    int factory;   /* reference of the wrapper; LUA_NOREF when it does not compile */
    int newer;     /* what chunk_refresh would have in their place */
    uint64_t newer_hash;
    int lines; /* of the source */
    int newer_lines;
    bool is_script; /* else a module */
};

/* ---- compiling ---- */

static uint64_t hash_of(const char *text, size_t length)
{
    uint64_t hash = 14695981039346656037u ^ length;
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    }
    return hash;
}

/* The compiler shortens long paths in its messages; ours are whole. */
static bool fail_to_compile(lua_State *L, const char *name, struct error *error)
{
    const char *words = lua_tostring(L, -1);
    words = words != NULL ? words : "it cannot be compiled";
    const char *rest = name[0] == '@' && words[0] == 'x' && words[1] == ':' ? words + 1 : NULL;
    error_set(error, ERROR_SCRIPT, 0, "%s%s", rest != NULL ? name + 1 : "",
              rest != NULL ? rest : words);
    lua_pop(L, 1);
    return false;
}

static bool check_original(lua_State *L, const char *text, size_t length, const char *name,
                           struct error *error)
{
    const char *shown = name[0] == '@' || name[0] == '=' ? name + 1 : "text";
    if (length > LIMIT_SCRIPT) {
        return error_set(error, ERROR_LIMIT, 0,
                         "%s: the source is larger than %d KiB, the most a script may have", shown,
                         LIMIT_SCRIPT / 1024);
    }
    if (length > 0 && text[0] == '\x1b') {
        return error_set(error, ERROR_SCRIPT, 0,
                         "%s: this is bytecode; Moonlit runs Lua source only", shown);
    }
    if (luaL_loadbufferx(L, text, length, name[0] == '@' ? "=x" : name, "t") != 0) {
        return fail_to_compile(L, name, error);
    }
    lua_pop(L, 1);
    return true;
}

/* Without reading the source: it has been compiled, so it stays inside the wrapper. */
static bool wrap_blindly(const char *text, size_t length, struct buffer *out)
{
    bool is_comment = length > 0 && text[0] == '#';
    return memmem(text, length, "_ml_", 4) == NULL &&
           buffer_append_text(out, "local _ml_n,_ml_T,_ml_P,_ml_H,_ml_E,_ml_D,_ml_L=0,... return "
                                   "function(...) ") &&
           buffer_append_text(out, is_comment ? "--" : "") && buffer_append(out, text, length) &&
           buffer_append_text(out, "\nend");
}

static bool load_rewritten(lua_State *L, const struct buffer *text, const char *name)
{
    if (luaL_loadbufferx(L, (const char *)text->bytes, text->length, name, "t") == 0) {
        return true;
    }
    lua_pop(L, 1);
    return false;
}

/* Push the wrapper, with as much rewritten as the compiler's limits let through. */
static bool compile_rewritten(struct state *state, lua_State *L, const char *text, size_t length,
                              const char *name, enum rewrite_mode mode, struct error *error)
{
    struct error reason = {0};
    struct buffer out;
    buffer_init(&out, LIMIT_SCRIPT_REWRITTEN);
    bool ok = false;
    if (mode == REWRITE_WRAP) { /* internal, and no loop in it */
        ok = wrap_blindly(text, length, &out) && load_rewritten(L, &out, name);
    }
    for (; mode < REWRITE_WRAP && !ok; mode++) {
        buffer_clear(&out);
        ok = rewrite_source(text, length, mode, &out, NULL, &reason) &&
             load_rewritten(L, &out, name);
    }
    if (!ok) {
        buffer_clear(&out);
        ok = wrap_blindly(text, length, &out) && load_rewritten(L, &out, name);
        if (ok) {
            luaJIT_setmode(L, -1, LUAJIT_MODE_ALLFUNC | LUAJIT_MODE_OFF);
            state_add_interpreted(state);
        }
    }
    buffer_deinit(&out);
    return ok || error_set(error, ERROR_SCRIPT, 0, "%s:%d: %s",
                           name[0] == '@' || name[0] == '=' ? name + 1 : "text", reason.code,
                           reason.message[0] != '\0' ? reason.message : "it is too large");
}

static bool compile(struct state *state, lua_State *L, const char *text, size_t length,
                    const char *name, enum rewrite_mode mode, struct error *error)
{
    return check_original(L, text, length, name, error) &&
           compile_rewritten(state, L, text, length, name, mode, error);
}

/* The wrapper on top becomes a main function; the environment is the table at `environment`, or
 * that of internal Lua when it is 0. */
static void instantiate(lua_State *L, int environment)
{
    struct state *state = state_of(L);
    lua_rawgeti(L, LUA_REGISTRYINDEX, state->helpers);
    int helpers = lua_gettop(L);
    lua_pushvalue(L, -2);
    for (int i = 1; i <= 6; i++) {
        lua_rawgeti(L, helpers, i);
    }
    lua_call(L, 6, 1);
    if (environment != 0) {
        lua_pushvalue(L, environment);
        lua_setfenv(L, -2);
        lua_rawgeti(L, LUA_REGISTRYINDEX, state->mains);
        lua_pushvalue(L, -2);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
        lua_pop(L, 1);
    }
    lua_replace(L, -3);
    lua_pop(L, 1);
}

bool chunk_load_text(lua_State *L, const char *text, size_t length, const char *name,
                     int environment, struct error *error)
{
    if (!compile(state_of(L), L, text, length, name, REWRITE_ALL, error)) {
        return false;
    }
    instantiate(L, environment);
    return true;
}

bool chunk_load_internal(struct state *state, const char *text, size_t length, const char *name,
                         struct error *error)
{
    static const char mark[] = "-- (no counter)";
    bool has_counter = length < strlen(mark) || memcmp(text, mark, strlen(mark)) != 0;
    if (!compile(state, state->L, text, length, name, has_counter ? REWRITE_COUNTER : REWRITE_WRAP,
                 error)) {
        return false;
    }
    instantiate(state->L, 0);
    return true;
}

/* ---- files ---- */

static int count_lines(const struct buffer *source)
{
    int lines = 1;
    for (size_t i = 0; i < source->length; i++) {
        lines += source->bytes[i] == '\n';
    }
    return lines;
}

static bool compile_file(struct state *state, const struct chunk *chunk,
                         const struct buffer *source, int *factory, int *lines, struct error *error)
{
    struct buffer name;
    buffer_init(&name, 4096);
    bool ok = buffer_append_format(&name, "@%s", chunk->path) && buffer_append(&name, "", 1) &&
              compile(state, state->L, (const char *)source->bytes, source->length,
                      (const char *)name.bytes, REWRITE_ALL, error);
    buffer_deinit(&name);
    if (ok) {
        *factory = luaL_ref(state->L, LUA_REGISTRYINDEX);
        *lines = count_lines(source);
    }
    return ok;
}

static struct chunk *find_chunk(struct state *state, const char *path)
{
    struct chunk *chunk = state->chunks;
    while (chunk != NULL && strcmp(chunk->path, path) != 0) {
        chunk = chunk->next;
    }
    return chunk;
}

static struct chunk *add_chunk(struct state *state, const char *path, struct error *error)
{
    if (state->files >= LIMIT_SCRIPT_FILES) {
        error_set(error, ERROR_LIMIT, 0,
                  "%s: an app has at most %d files, those it looked for in vain included", path,
                  LIMIT_SCRIPT_FILES);
        return NULL;
    }
    struct chunk *chunk = memory_new(sizeof *chunk);
    chunk->path = memory_copy_text(path);
    chunk->factory = chunk->newer = LUA_NOREF;
    chunk->next = state->chunks;
    state->chunks = chunk;
    state->files++;
    if (state->on_file != NULL) { /* also a broken file is watched: it may be mended */
        state->on_file(state->on_file_data, path);
    }
    return chunk;
}

/* Compile the file of a chunk that has not been compiled, or could not be. */
static bool fill(struct state *state, struct chunk *chunk, struct error *error)
{
    struct buffer source;
    buffer_init(&source, LIMIT_SCRIPT + 4096);
    chunk->hash = 0;
    bool ok = script_read(chunk->path, &source, error);
    if (ok) {
        chunk->hash = hash_of((const char *)source.bytes, source.length);
        ok = compile_file(state, chunk, &source, &chunk->factory, &chunk->lines, error);
    }
    buffer_deinit(&source);
    return ok;
}

struct chunk *chunk_load_module(struct state *state, const char *path, struct error *error)
{
    struct chunk *chunk = find_chunk(state, path);
    if (chunk == NULL) {
        chunk = add_chunk(state, path, error);
    }
    if (chunk == NULL || chunk->factory != LUA_NOREF) {
        return chunk;
    }
    /* What is compiled for all is not of the run that asked first. */
    bool was_guarded = state_set_guarded(state, false);
    bool ok = fill(state, chunk, error);
    state_set_guarded(state, was_guarded);
    return ok ? chunk : NULL;
}

struct chunk *chunk_load(struct state *state, const char *path, struct error *error)
{
    struct chunk *chunk = chunk_load_module(state, path, error);
    if (chunk != NULL) {
        chunk->is_script = true;
    }
    return chunk;
}

void chunk_await(struct state *state, const char *path)
{
    struct error ignored = {0};
    if (find_chunk(state, path) == NULL) {
        add_chunk(state, path, &ignored);
    }
}

const char *chunk_path(const struct state *state, const char *shown)
{
    bool is_short = strncmp(shown, "...", 3) == 0;
    size_t length = strlen(shown) - (is_short ? 3 : 0);
    for (const struct chunk *chunk = state->chunks; chunk != NULL; chunk = chunk->next) {
        size_t whole = strlen(chunk->path);
        if (whole >= length && (is_short || whole == length) &&
            strcmp(chunk->path + whole - length, shown + (is_short ? 3 : 0)) == 0) {
            return chunk->path;
        }
    }
    return NULL;
}

bool chunk_is_main(struct state *state, const lua_Debug *frame)
{
    const struct chunk *chunk =
        frame->source[0] == '@' ? find_chunk(state, frame->source + 1) : NULL;
    return chunk != NULL && frame->linedefined == 1 && frame->lastlinedefined == chunk->lines + 1;
}

void chunk_instantiate(lua_State *L, const struct chunk *chunk, int environment)
{
    if (environment < 0) {
        environment = lua_gettop(L) + environment + 1;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, chunk->factory);
    instantiate(L, environment);
}

static void free_chunk(struct state *state, struct chunk *chunk)
{
    luaL_unref(state->L, LUA_REGISTRYINDEX, chunk->factory);
    luaL_unref(state->L, LUA_REGISTRYINDEX, chunk->newer);
    free(chunk->path);
    free(chunk);
}

void chunk_free_all(struct state *state)
{
    while (state->chunks != NULL) {
        struct chunk *chunk = state->chunks;
        state->chunks = chunk->next;
        free_chunk(state, chunk);
    }
}

/* Read the chunk's file as it is now and compile it beside what runs. False when what runs would
 * be replaced by something that does not compile. */
static bool look_at(struct state *state, struct chunk *chunk, struct error *error)
{
    struct buffer source;
    buffer_init(&source, LIMIT_SCRIPT + 4096);
    bool ok = script_read(chunk->path, &source, error);
    chunk->newer_hash = ok ? hash_of((const char *)source.bytes, source.length) : 0;
    if (chunk->factory == LUA_NOREF) {
        ok = true; /* the next run that wants it compiles it */
    } else if (!ok) {
        ok = !chunk->is_script && error->kind == ERROR_SYSTEM; /* a module may be deleted */
    } else if (chunk->newer_hash != chunk->hash) {
        ok = compile_file(state, chunk, &source, &chunk->newer, &chunk->newer_lines, error);
    }
    buffer_deinit(&source);
    return ok;
}

/* Take what look_at found, or forget it. True when that is another source than before. */
static bool decide(struct state *state, struct chunk *chunk, bool take)
{
    bool changed = take && chunk->newer_hash != chunk->hash;
    if (changed) {
        luaL_unref(state->L, LUA_REGISTRYINDEX, chunk->factory);
        chunk->factory = chunk->newer;
        chunk->hash = chunk->newer_hash;
        chunk->lines = chunk->newer_lines;
    } else {
        luaL_unref(state->L, LUA_REGISTRYINDEX, chunk->newer);
    }
    chunk->newer = LUA_NOREF;
    return changed;
}

enum chunk_change chunk_refresh(struct state *state, struct error *error)
{
    bool ok = true, changed = false;
    struct error ignored = {0};
    error = error != NULL ? error : &ignored;
    for (struct chunk *chunk = state->chunks; chunk != NULL && ok; chunk = chunk->next) {
        ok = look_at(state, chunk, error);
    }
    for (struct chunk *chunk = state->chunks; chunk != NULL; chunk = chunk->next) {
        changed = decide(state, chunk, ok) || changed;
    }
    return !ok ? CHUNK_BROKEN : changed ? CHUNK_CHANGED : CHUNK_SAME;
}
