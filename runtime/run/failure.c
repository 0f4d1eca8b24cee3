#include "run/failure.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/chunk.h"
#include "bridge/script.h"
#include "bridge/state.h"
#include "limits.h"
#include "run/run.h"

void failure_set(struct failure *failure, const char *kind, const char *format, ...)
{
    *failure = (struct failure){0};
    snprintf(failure->kind, sizeof failure->kind, "%s", kind);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(failure->message, sizeof failure->message, format, arguments);
    va_end(arguments);
}

/* Frames of our own library and of C say nothing to the script's author. */
static bool is_script(const lua_Debug *frame)
{
    return frame->source[0] == '@';
}

/* One line of the traceback; false when it is full. */
static bool add_frame(struct failure *failure, lua_State *co, const lua_Debug *frame)
{
    size_t used = strlen(failure->traceback);
    size_t room = sizeof failure->traceback - used;
    const char *name = chunk_is_main(state_of(co), frame) ? "the script" : frame->name;
    int length = snprintf(failure->traceback + used, room, "%s:%d: in %s\n", frame->source + 1,
                          frame->currentline, name != NULL ? name : "a function");
    if (length < 0 || (size_t)length >= room) {
        failure->traceback[used] = '\0';
        return false;
    }
    return true;
}

/* `line`: where the error's own words say that it is, 0 when they do not. An operation that failed
 * leaves the function on top without one. */
static void trace(struct failure *failure, lua_State *co, int line)
{
    lua_Debug frame;
    failure->line = 0;
    failure->traceback[0] = '\0';
    for (int level = 0; level < 64 && lua_getstack(co, level, &frame); level++) {
        lua_getinfo(co, "Snl", &frame);
        if (level == 0 && frame.currentline <= 0) {
            frame.currentline = line;
        }
        if (!is_script(&frame) || frame.currentline <= 0) {
            continue;
        }
        if (failure->line == 0) {
            failure->line = frame.currentline;
            snprintf(failure->file, sizeof failure->file, "%s", frame.source + 1);
        }
        if (!add_frame(failure, co, &frame)) {
            return;
        }
    }
}

void failure_locate(struct failure *failure, lua_State *co)
{
    trace(failure, co, 0);
}

void failure_put_place(struct failure *failure, const struct failure *place)
{
    failure->line = place->line;
    memcpy(failure->file, place->file, sizeof failure->file);
    memcpy(failure->traceback, place->traceback, sizeof failure->traceback);
}

/* The whole path of what Lua's words name, which shorten a long one; NULL when they name nothing
 * that was ever loaded: then the words are the script's own, "127.0.0.1:27017: refused". */
static const char *whole_path(lua_State *co, const char *shown)
{
    lua_Debug frame;
    for (int level = 0; level < 64 && lua_getstack(co, level, &frame); level++) {
        lua_getinfo(co, "S", &frame);
        if (is_script(&frame) && strcmp(frame.short_src, shown) == 0) {
            return frame.source + 1;
        }
    }
    return state_is_own_file(shown) ? shown : chunk_path(state_of(co), shown);
}

/* No script has more lines than bytes. */
static bool can_be_line(long line)
{
    return line > 0 && line <= LIMIT_SCRIPT;
}

/* "apps/x.lua:12: words" names its place itself; it is taken off and kept as file and line. */
static void take_place(struct failure *failure, lua_State *co)
{
    char *message = failure->message;
    char shown[sizeof failure->file];
    for (char *colon = strchr(message, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        char *end;
        long line = strtol(colon + 1, &end, 10);
        size_t length = (size_t)(colon - message);
        if (!can_be_line(line) || end == colon + 1 || end[0] != ':' || end[1] != ' ' ||
            length >= sizeof shown) {
            continue;
        }
        snprintf(shown, sizeof shown, "%.*s", (int)length, message);
        const char *path = whole_path(co, shown);
        if (path != NULL) {
            snprintf(failure->file, sizeof failure->file, "%s", path);
            failure->line = (int)line;
            memmove(message, end + 2, strlen(end + 2) + 1);
        }
        return;
    }
}

static void read_text(lua_State *L, int index, const char *field, char *out, size_t size)
{
    lua_pushstring(L, field);
    lua_rawget(L, index);
    if (lua_type(L, -1) == LUA_TSTRING || lua_type(L, -1) == LUA_TNUMBER) {
        snprintf(out, size, "%s", lua_tostring(L, -1));
    }
    lua_pop(L, 1);
}

static bool is_of_the_database(lua_State *L, int index)
{
    if (!luaL_getmetafield(L, index, "__handle")) {
        return false;
    }
    bool is = lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), "database error") == 0;
    lua_pop(L, 1);
    return is;
}

/* An error table: message, and for the database's errors code and code_name. */
static void read_table(struct failure *failure, lua_State *L, int index)
{
    char code[32] = "", name[64] = "", line[16] = "";
    read_text(L, index, "message", failure->message, sizeof failure->message);
    read_text(L, index, "code", code, sizeof code);
    read_text(L, index, "code_name", name, sizeof name);
    read_text(L, index, "file", failure->file, sizeof failure->file);
    read_text(L, index, "line", line, sizeof line);
    long given = strtol(line, NULL, 10);
    failure->line = can_be_line(given) ? (int)given : 0;
    if (code[0] != '\0' && is_of_the_database(L, index)) {
        snprintf(failure->kind, sizeof failure->kind, "Database error %.12s %.32s", code, name);
    }
    if (failure->message[0] == '\0') {
        snprintf(failure->message, sizeof failure->message,
                 "An error was raised with a table that has no message: write error(\"what is "
                 "wrong\") or a table with a field message.");
    }
}

/* A branch's error that its parent raises again: the way through the branch comes first. */
static void keep_traceback(struct failure *failure, const struct failure *before)
{
    size_t first = strcspn(before->traceback, "\n");
    if (before->line == 0 || strcmp(before->message, failure->message) != 0 ||
        strncmp(before->traceback, failure->traceback, first + 1) == 0) {
        return;
    }
    char whole[sizeof failure->traceback];
    int length = snprintf(whole, sizeof whole, "%s%s", before->traceback, failure->traceback);
    if (length > 0 && (size_t)length < sizeof whole) {
        memcpy(failure->traceback, whole, (size_t)length + 1);
    }
}

static void read_value(struct failure *failure, lua_State *L)
{
    int index = lua_gettop(L);
    switch (lua_type(L, index)) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
        snprintf(failure->message, sizeof failure->message, "%s", lua_tostring(L, index));
        break;
    case LUA_TTABLE:
        read_table(failure, L, index);
        break;
    default:
        snprintf(failure->message, sizeof failure->message,
                 "An error was raised with a %s: write error(\"what is wrong\").",
                 luaL_typename(L, index));
        break;
    }
}

void failure_read(struct failure *failure, lua_State *L, lua_State *co)
{
    struct failure before = *failure;
    *failure = (struct failure){0};
    snprintf(failure->kind, sizeof failure->kind, "Script error");
    read_value(failure, L);
    take_place(failure, co);
    struct failure own = *failure;
    trace(failure, co, own.line);
    /* The error's own place is nearer than the traceback's first line, if it is the script's. */
    if (own.line > 0 && (failure->line == 0 || !state_is_own_file(own.file))) {
        failure->line = own.line;
        memcpy(failure->file, own.file, sizeof own.file);
    }
    keep_traceback(failure, &before);
}

/* The line's bytes up to its end; NULL when there is none. */
static const char *find_line(const struct buffer *source, int number, size_t *length)
{
    const char *at = (const char *)source->bytes;
    for (size_t left = source->length; left > 0 && number > 0; number--) {
        const char *end = memchr(at, '\n', left);
        *length = end != NULL ? (size_t)(end - at) : left;
        if (number == 1) {
            return at;
        }
        if (end == NULL) {
            break;
        }
        left -= *length + 1;
        at = end + 1;
    }
    return NULL;
}

bool failure_source_line(const char *file, int number, char *out, size_t size)
{
    struct buffer source;
    size_t length = 0;
    buffer_init(&source, LIMIT_SCRIPT + 4096);
    const char *line =
        script_read(file, &source, NULL) ? find_line(&source, number, &length) : NULL;
    if (line != NULL) {
        snprintf(out, size, "%.*s", (int)length, line);
    }
    buffer_deinit(&source);
    return line != NULL;
}
