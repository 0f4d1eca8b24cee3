#include "run/failure.h"

#include <lauxlib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bridge/state.h"
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

void failure_locate(struct failure *failure, lua_State *co)
{
    lua_Debug frame;
    size_t used = 0;
    for (int level = 0; level < 64 && lua_getstack(co, level, &frame); level++) {
        lua_getinfo(co, "Snl", &frame);
        if (!is_script(&frame) || frame.currentline <= 0) {
            continue;
        }
        if (failure->line == 0) {
            failure->line = frame.currentline;
            snprintf(failure->file, sizeof failure->file, "%s", frame.source + 1);
        }
        int length = snprintf(failure->traceback + used, sizeof failure->traceback - used,
                              "%s:%d: %s%s\n", frame.source + 1, frame.currentline,
                              frame.name != NULL ? "in " : "in the script",
                              frame.name != NULL ? frame.name : "");
        if (length < 0 || used + (size_t)length >= sizeof failure->traceback) {
            failure->traceback[used] = '\0';
            return;
        }
        used += (size_t)length;
    }
}

/* "apps/x.lua:12: words" names its place itself; it is taken off and kept as file and line. */
static void take_place(struct failure *failure)
{
    char *message = failure->message;
    for (char *colon = strchr(message, ':'); colon != NULL; colon = strchr(colon + 1, ':')) {
        char *end;
        long line = strtol(colon + 1, &end, 10);
        if (line > 0 && end > colon + 1 && end[0] == ':' && end[1] == ' ') {
            size_t length = (size_t)(colon - message);
            if (length == 0 || length >= sizeof failure->file || memchr(message, '\n', length)) {
                return;
            }
            memcpy(failure->file, message, length);
            failure->file[length] = '\0';
            failure->line = (int)line;
            memmove(message, end + 2, strlen(end + 2) + 1);
            return;
        }
    }
}

/* Lua shortens a long path in its words; the frame that raised them has the whole. */
static void complete_file(struct failure *failure, lua_State *co)
{
    lua_Debug frame;
    for (int level = 0; level < 64 && lua_getstack(co, level, &frame); level++) {
        lua_getinfo(co, "S", &frame);
        if (is_script(&frame) && strcmp(frame.short_src, failure->file) == 0) {
            snprintf(failure->file, sizeof failure->file, "%s", frame.source + 1);
            return;
        }
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

/* An error table: message, and for the database's errors code and code_name. */
static void read_table(struct failure *failure, lua_State *L, int index)
{
    char code[32] = "", name[64] = "", line[16] = "";
    read_text(L, index, "message", failure->message, sizeof failure->message);
    read_text(L, index, "code", code, sizeof code);
    read_text(L, index, "code_name", name, sizeof name);
    read_text(L, index, "file", failure->file, sizeof failure->file);
    read_text(L, index, "line", line, sizeof line);
    failure->line = atoi(line);
    if (code[0] != '\0') {
        snprintf(failure->kind, sizeof failure->kind, "Database error %.12s %.32s", code, name);
    }
    if (failure->message[0] == '\0') {
        snprintf(failure->message, sizeof failure->message,
                 "An error was raised with a table that has no message: write error(\"what is "
                 "wrong\") or a table with a field message.");
    }
}

void failure_read(struct failure *failure, lua_State *co, struct state *state)
{
    (void)state;
    *failure = (struct failure){0};
    snprintf(failure->kind, sizeof failure->kind, "Script error");
    int index = lua_gettop(co);
    switch (index > 0 ? lua_type(co, index) : LUA_TNIL) {
    case LUA_TSTRING:
    case LUA_TNUMBER:
        snprintf(failure->message, sizeof failure->message, "%s", lua_tostring(co, index));
        break;
    case LUA_TTABLE:
        read_table(failure, co, index);
        break;
    default:
        snprintf(failure->message, sizeof failure->message,
                 "An error was raised with a %s: write error(\"what is wrong\").",
                 luaL_typename(co, index));
        break;
    }
    take_place(failure);
    complete_file(failure, co);
    char file[sizeof failure->file];
    int line = failure->line;
    memcpy(file, failure->file, sizeof file);
    failure->line = 0;
    failure_locate(failure, co);
    /* The error's own place is nearer than the traceback's first line, if it is the script's. */
    if (line > 0 && (failure->line == 0 || !state_is_own_file(file))) {
        failure->line = line;
        memcpy(failure->file, file, sizeof file);
    }
}

bool failure_source_line(const char *file, int number, char *out, size_t size)
{
    FILE *stream = number > 0 ? fopen(file, "re") : NULL;
    if (stream == NULL) {
        return false;
    }
    bool found = false;
    for (int line = 1; !found && fgets(out, (int)size, stream) != NULL; line++) {
        bool is_whole = strchr(out, '\n') != NULL;
        out[strcspn(out, "\n")] = '\0';
        found = line == number;
        while (!is_whole) { /* the rest of a long line */
            int c = fgetc(stream);
            is_whole = c == '\n' || c == EOF;
        }
    }
    fclose(stream);
    return found;
}
