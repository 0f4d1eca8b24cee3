#include "bridge/pattern.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bridge/match.h"
#include "limits.h"

/* ---- results ---- */

static void push_capture(const struct matcher *matcher, int number, const char *from,
                         const char *to)
{
    if (number >= matcher->count) {
        if (number != 0) {
            match_fail(matcher, "invalid capture index");
        }
        lua_pushlstring(matcher->L, from, (size_t)(to - from));
        return;
    }
    const struct capture *capture = &matcher->captures[number];
    if (capture->length == CAPTURE_OPEN) {
        match_fail(matcher, "unfinished capture");
    }
    if (capture->length == CAPTURE_POSITION) {
        lua_pushinteger(matcher->L, capture->start - matcher->start + 1);
    } else {
        lua_pushlstring(matcher->L, capture->start, (size_t)capture->length);
    }
}

/* All captures, or the whole match when there are none and `from` is given. */
static int push_captures(const struct matcher *matcher, const char *from, const char *to)
{
    int count = matcher->count == 0 && from != NULL ? 1 : matcher->count;
    luaL_checkstack(matcher->L, count, "too many captures");
    for (int i = 0; i < count; i++) {
        push_capture(matcher, i, from, to);
    }
    return count;
}

/* ---- the library ---- */

enum { NO_STEPS = 100 }; /* a place on the stack that holds nothing */

/* `steps`: those left on the stack, when a part of the work was done before. */
static void begin(struct matcher *matcher, lua_State *L, int steps, const char **pattern)
{
    size_t length;
    matcher->L = L;
    matcher->start = luaL_checklstring(L, 1, &length);
    matcher->end = matcher->start + length;
    matcher->steps = LIMIT_PATTERN_STEPS + (int64_t)LIMIT_PATTERN_STEPS_BYTE * (int64_t)length;
    if (lua_isnumber(L, steps)) {
        matcher->steps = (int64_t)lua_tonumber(L, steps);
    }
    matcher->look = matcher->steps - LIMIT_PATTERN_PIECE;
    matcher->least = matcher->steps > LIMIT_PATTERN_CALL ? matcher->steps - LIMIT_PATTERN_CALL : 0;
    if (matcher->look < 0) {
        matcher->look = 0;
    }
    *pattern = luaL_checkstring(L, 2);
}

/* Enough for now: push where to go on, and the steps left. */
static bool is_piece(const struct matcher *matcher, const char *at)
{
    if (matcher->look > matcher->least) {
        return false;
    }
    lua_pushinteger(matcher->L, at - matcher->start + 1);
    lua_pushnumber(matcher->L, (lua_Number)matcher->steps);
    return true;
}

static size_t get_init(lua_State *L, size_t length)
{
    int init = luaL_optint(L, 3, 1);
    int64_t start = init < 0 ? (int64_t)init + (int64_t)length : (int64_t)init - 1;
    start = start < 0 ? 0 : start;
    return (size_t)start > length ? length : (size_t)start;
}

static int find_plain(lua_State *L, const struct matcher *matcher, size_t start)
{
    size_t length;
    const char *text = lua_tolstring(L, 2, &length);
    const char *from = matcher->start + start;
    const char *at = memmem(from, (size_t)(matcher->end - from), text, length);
    if (at == NULL) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, at - matcher->start + 1);
    lua_pushinteger(L, at - matcher->start + (ptrdiff_t)length);
    return 2;
}

static bool has_specials(lua_State *L)
{
    size_t length;
    const char *text = lua_tolstring(L, 2, &length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\0' && strchr("^$*+?.([%-", text[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static int search(lua_State *L, bool finds)
{
    struct matcher matcher;
    const char *pattern;
    begin(&matcher, L, NO_STEPS, &pattern);
    size_t start = get_init(L, (size_t)(matcher.end - matcher.start));
    if (finds && (lua_toboolean(L, 4) || !has_specials(L))) {
        return find_plain(L, &matcher, start);
    }
    bool anchored = *pattern == '^';
    const char *at = matcher.start + start;
    do {
        const char *end = match_at(&matcher, at, pattern + (anchored ? 1 : 0));
        if (end != NULL && finds) {
            lua_pushinteger(L, at - matcher.start + 1);
            lua_pushinteger(L, end - matcher.start);
            return push_captures(&matcher, NULL, NULL) + 2;
        }
        if (end != NULL) {
            return push_captures(&matcher, at, end);
        }
    } while (at++ < matcher.end && !anchored);
    lua_pushnil(L);
    return 1;
}

static int pattern_find(lua_State *L)
{
    return search(L, true);
}

static int pattern_match(lua_State *L)
{
    return search(L, false);
}

/* match_at(s, p, at, steps, bare): the first match from `at` on: start, end, captures or, unless
 * `bare`, the whole. After a piece of work without one: false, where to go on, and the steps left. */
static int pattern_match_at(lua_State *L)
{
    struct matcher matcher;
    const char *pattern;
    lua_settop(L, 5);
    begin(&matcher, L, 4, &pattern);
    for (const char *at = matcher.start + get_init(L, (size_t)(matcher.end - matcher.start));
         at <= matcher.end; at++) {
        const char *end = match_at(&matcher, at, pattern);
        if (end != NULL) {
            lua_pushinteger(L, at - matcher.start + 1);
            lua_pushinteger(L, end - matcher.start);
            return push_captures(&matcher, lua_toboolean(L, 5) ? NULL : at, end) + 2;
        }
        lua_pushboolean(L, 0);
        if (is_piece(&matcher, at + 1)) {
            return 3;
        }
        lua_pop(L, 1);
    }
    return 0;
}

/* match_here(s, p, at, nil, bare): as match_at, at this place only. */
static int pattern_match_here(lua_State *L)
{
    struct matcher matcher;
    const char *pattern;
    lua_settop(L, 5);
    begin(&matcher, L, NO_STEPS, &pattern);
    const char *at = matcher.start + get_init(L, (size_t)(matcher.end - matcher.start));
    const char *end = match_at(&matcher, at, pattern);
    if (end == NULL) {
        return 0;
    }
    lua_pushinteger(L, at - matcher.start + 1);
    lua_pushinteger(L, end - matcher.start);
    return push_captures(&matcher, lua_toboolean(L, 5) ? NULL : at, end) + 2;
}

/* The replacement text, with %0 to %9 filled in. */
static void add_text(struct matcher *matcher, luaL_Buffer *out, const char *from, const char *to)
{
    size_t length;
    const char *text = lua_tolstring(matcher->L, 3, &length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            luaL_addchar(out, text[i]);
            continue;
        }
        i++; /* a "%" at the end gives the NUL behind it, as in LuaJIT */
        if (text[i] == '0') {
            luaL_addlstring(out, from, (size_t)(to - from));
        } else if (text[i] > '0' && text[i] <= '9') {
            push_capture(matcher, text[i] - '1', from, to);
            luaL_addvalue(out);
        } else {
            luaL_addchar(out, text[i]);
        }
    }
}

static void add_from_table(struct matcher *matcher, luaL_Buffer *out, const char *from,
                           const char *to)
{
    lua_State *L = matcher->L;
    push_capture(matcher, 0, from, to);
    lua_rawget(L, 3);
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        lua_pushlstring(L, from, (size_t)(to - from));
    } else if (!lua_isstring(L, -1)) {
        lua_pushfstring(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
        match_fail(matcher, lua_tostring(L, -1));
    }
    luaL_addvalue(out);
}

/* gsub(s, p, by, n, at, steps), by a string, or by a table that has no metatable. With `at` it may
 * stop after a piece of work: two more results say where to go on, and the steps left. */
static int pattern_gsub(lua_State *L)
{
    struct matcher matcher;
    luaL_Buffer out;
    const char *pattern;
    begin(&matcher, L, 6, &pattern);
    bool is_table = lua_type(L, 3) == LUA_TTABLE;
    if (!is_table && !lua_isstring(L, 3)) {
        return luaL_argerror(L, 3, "string/function/table expected");
    }
    bool in_pieces = lua_isnumber(L, 5);
    const char *at = matcher.start + (in_pieces ? lua_tointeger(L, 5) - 1 : 0);
    int most = luaL_optint(L, 4, (int)(matcher.end - at) + 1);
    int count = 0;
    bool anchored = *pattern == '^';
    luaL_buffinit(L, &out);
    while (count < most) {
        const char *end = match_at(&matcher, at, pattern + (anchored ? 1 : 0));
        if (end != NULL) {
            count++;
            (is_table ? add_from_table : add_text)(&matcher, &out, at, end);
        }
        if (end != NULL && end > at) {
            at = end;
        } else if (at < matcher.end) {
            luaL_addchar(&out, *at++);
        } else {
            break;
        }
        if (anchored) {
            break;
        }
        if (in_pieces && matcher.look == matcher.least) {
            luaL_pushresult(&out);
            lua_pushinteger(L, count);
            return is_piece(&matcher, at) ? 4 : 2;
        }
    }
    luaL_addlstring(&out, at, (size_t)(matcher.end - at));
    luaL_pushresult(&out);
    lua_pushinteger(L, count);
    return 2;
}

int luaopen_moonlit_core_pattern(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"find", pattern_find},         {"match", pattern_match},
        {"match_at", pattern_match_at}, {"match_here", pattern_match_here},
        {"gsub", pattern_gsub},         {NULL, NULL},
    };
    lua_newtable(L);
    for (const luaL_Reg *function = functions; function->name != NULL; function++) {
        lua_pushcfunction(L, function->func);
        lua_setfield(L, -2, function->name);
    }
    return 1;
}
