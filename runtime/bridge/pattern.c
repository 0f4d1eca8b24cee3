#include "bridge/pattern.h"

#include <ctype.h>
#include <lauxlib.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "limits.h"

enum {
    MOST_CAPTURES = 32,
    MOST_DEPTH = 200,      /* LuaJIT's own: deeper is "pattern too complex" */
    CAPTURE_OPEN = -1,     /* length of a capture whose ")" was not met yet */
    CAPTURE_POSITION = -2, /* length of "()" */
};

struct capture {
    const char *start;
    ptrdiff_t length;
};

/* One match. The pattern ends at its first NUL, as in LuaJIT. */
struct matcher {
    lua_State *L;
    int level;         /* whose line an error names */
    const char *start; /* of the subject */
    const char *end;
    int64_t steps; /* left */
    int depth;
    int count; /* of captures */
    struct capture captures[MOST_CAPTURES];
};

static int fail(const struct matcher *matcher, const char *words)
{
    luaL_where(matcher->L, matcher->level);
    lua_pushstring(matcher->L, words);
    lua_concat(matcher->L, 2);
    return lua_error(matcher->L);
}

static void step(struct matcher *matcher, int64_t steps)
{
    matcher->steps -= steps;
    if (matcher->steps < 0) {
        fail(matcher, "pattern takes too long: it tries too many ways to match this text; begin it "
                      "with ^, or use fewer of * + - ?");
    }
}

/* ---- classes ---- */

/* LuaJIT's own table of bytes: ASCII, whatever the locale. */
static bool is_of_class(int c, int class)
{
    if (c >= 128) {
        return false;
    }
    switch (class) {
    case 'a':
        return (c | 32) >= 'a' && (c | 32) <= 'z';
    case 'c':
        return c < 32 || c == 127;
    case 'd':
        return c >= '0' && c <= '9';
    case 'g':
        return c > 32 && c < 127;
    case 'l':
        return c >= 'a' && c <= 'z';
    case 'p':
        return is_of_class(c, 'g') && !is_of_class(c, 'w');
    case 's':
        return c == ' ' || (c >= '\t' && c <= '\r');
    case 'u':
        return c >= 'A' && c <= 'Z';
    case 'w':
        return is_of_class(c, 'a') || is_of_class(c, 'd');
    default: /* x */
        return is_of_class(c, 'd') || ((c | 32) >= 'a' && (c | 32) <= 'f');
    }
}

/* A letter behind "%": a class, its complement in upper case, or itself. */
static bool matches_class(int c, int letter)
{
    int lower = letter | 32;
    if ((letter & 0xc0) == 0x40 && lower < 128) {
        if (strchr("acdglpsuwx", lower) != NULL) {
            return is_of_class(c, lower) == (letter == lower);
        }
        if (lower == 'z') {
            return (c == 0) == (letter == lower);
        }
    }
    return letter == c;
}

static int byte_at(const char *at)
{
    return (unsigned char)*at;
}

/* Behind one item of the pattern (a byte, a class, a set). */
static const char *item_end(const struct matcher *matcher, const char *pattern)
{
    char first = *pattern++;
    if (first == '%') {
        if (*pattern == '\0') {
            fail(matcher, "malformed pattern (ends with '%')");
        }
        return pattern + 1;
    }
    if (first == '[') {
        if (*pattern == '^') {
            pattern++;
        }
        do {
            if (*pattern == '\0') {
                fail(matcher, "malformed pattern (missing ']')");
            }
            if (*pattern++ == '%' && *pattern != '\0') {
                pattern++;
            }
        } while (*pattern != ']');
        return pattern + 1;
    }
    return pattern;
}

/* `set` is at "[", `last` at its "]". */
static bool matches_set(int c, const char *set, const char *last)
{
    bool positive = true;
    if (set[1] == '^') {
        positive = false;
        set++;
    }
    while (++set < last) {
        if (*set == '%') {
            set++;
            if (matches_class(c, byte_at(set))) {
                return positive;
            }
        } else if (set[1] == '-' && set + 2 < last) {
            set += 2;
            if (byte_at(set - 2) <= c && c <= byte_at(set)) {
                return positive;
            }
        } else if (byte_at(set) == c) {
            return positive;
        }
    }
    return !positive;
}

static bool matches_item(struct matcher *matcher, const char *at, const char *item,
                         const char *behind)
{
    if (at >= matcher->end) {
        return false;
    }
    switch (*item) {
    case '.':
        return true;
    case '%':
        return matches_class(byte_at(at), byte_at(item + 1));
    case '[':
        step(matcher, behind - item);
        return matches_set(byte_at(at), item, behind - 1);
    default:
        return *item == *at;
    }
}

/* ---- matching: each returns the end of the match, or NULL ---- */

static const char *match(struct matcher *matcher, const char *at, const char *pattern);

static const char *match_most(struct matcher *matcher, const char *at, const char *item,
                              const char *behind)
{
    ptrdiff_t count = 0;
    while (matches_item(matcher, at + count, item, behind)) {
        step(matcher, 1);
        count++;
    }
    for (; count >= 0; count--) {
        const char *end = match(matcher, at + count, behind + 1);
        if (end != NULL) {
            return end;
        }
    }
    return NULL;
}

static const char *match_least(struct matcher *matcher, const char *at, const char *item,
                               const char *behind)
{
    for (;;) {
        const char *end = match(matcher, at, behind + 1);
        if (end != NULL) {
            return end;
        }
        if (!matches_item(matcher, at, item, behind)) {
            return NULL;
        }
        at++;
    }
}

static const char *match_balance(struct matcher *matcher, const char *at, const char *pair)
{
    if (pair[0] == '\0' || pair[1] == '\0') {
        fail(matcher, "unbalanced pattern");
    }
    if (*at != pair[0]) {
        return NULL;
    }
    int depth = 1;
    while (++at < matcher->end) {
        step(matcher, 1);
        if (*at == pair[1]) {
            if (--depth == 0) {
                return at + 1;
            }
        } else if (*at == pair[0]) {
            depth++;
        }
    }
    return NULL;
}

static const char *begin_capture(struct matcher *matcher, const char *at, const char *pattern,
                                 ptrdiff_t what)
{
    if (matcher->count >= MOST_CAPTURES) {
        fail(matcher, "too many captures");
    }
    matcher->captures[matcher->count++] = (struct capture){at, what};
    const char *end = match(matcher, at, pattern);
    if (end == NULL) {
        matcher->count--;
    }
    return end;
}

static const char *end_capture(struct matcher *matcher, const char *at, const char *pattern)
{
    int number = matcher->count - 1;
    while (number >= 0 && matcher->captures[number].length != CAPTURE_OPEN) {
        number--;
    }
    if (number < 0) {
        fail(matcher, "invalid pattern capture");
    }
    struct capture *capture = &matcher->captures[number];
    capture->length = at - capture->start;
    const char *end = match(matcher, at, pattern);
    if (end == NULL) {
        capture->length = CAPTURE_OPEN;
    }
    return end;
}

/* "%1": what was captured before, again. */
static const char *match_again(struct matcher *matcher, const char *at, int digit)
{
    int number = digit - '1';
    if (number < 0 || number >= matcher->count ||
        matcher->captures[number].length == CAPTURE_OPEN) {
        fail(matcher, "invalid capture index");
    }
    size_t length = (size_t)matcher->captures[number].length;
    if ((size_t)(matcher->end - at) < length) {
        return NULL;
    }
    step(matcher, (int64_t)length / 8);
    return memcmp(matcher->captures[number].start, at, length) == 0 ? at + length : NULL;
}

static bool is_frontier(struct matcher *matcher, const char *at, const char *set)
{
    if (*set != '[') {
        fail(matcher, "missing '[' after '%f' in pattern");
    }
    const char *last = item_end(matcher, set) - 1;
    int before = at == matcher->start ? 0 : byte_at(at - 1);
    return !matches_set(before, set, last) && matches_set(byte_at(at), set, last);
}

/* "%" and what is behind it, other than a class: NULL in `pattern` means no match. */
static const char *match_escape(struct matcher *matcher, const char *at, const char **pattern)
{
    const char *behind = *pattern + 2;
    const char *end = at;
    switch (behind[-1]) {
    case 'b':
        end = match_balance(matcher, at, behind);
        behind += 2;
        break;
    case 'f':
        end = is_frontier(matcher, at, behind) ? at : NULL;
        behind = end != NULL ? item_end(matcher, behind) : behind;
        break;
    default:
        end = match_again(matcher, at, behind[-1]);
        break;
    }
    *pattern = behind;
    return end;
}

static bool is_escape(const char *pattern)
{
    return pattern[0] == '%' &&
           (pattern[1] == 'b' || pattern[1] == 'f' || (pattern[1] >= '0' && pattern[1] <= '9'));
}

static const char *match_items(struct matcher *matcher, const char *at, const char *pattern)
{
    for (;;) {
        step(matcher, 1);
        if (*pattern == '(') {
            bool is_position = pattern[1] == ')';
            return begin_capture(matcher, at, pattern + (is_position ? 2 : 1),
                                 is_position ? CAPTURE_POSITION : CAPTURE_OPEN);
        }
        if (*pattern == ')') {
            return end_capture(matcher, at, pattern + 1);
        }
        if (*pattern == '\0') {
            return at;
        }
        if (*pattern == '$' && pattern[1] == '\0') {
            return at == matcher->end ? at : NULL;
        }
        if (is_escape(pattern)) {
            at = match_escape(matcher, at, &pattern);
            if (at == NULL) {
                return NULL;
            }
            continue;
        }
        const char *behind = item_end(matcher, pattern);
        bool matches = matches_item(matcher, at, pattern, behind);
        switch (*behind) {
        case '?':
            if (matches) {
                const char *end = match(matcher, at + 1, behind + 1);
                if (end != NULL) {
                    return end;
                }
            }
            pattern = behind + 1;
            break;
        case '*':
            return match_most(matcher, at, pattern, behind);
        case '+':
            return matches ? match_most(matcher, at + 1, pattern, behind) : NULL;
        case '-':
            return match_least(matcher, at, pattern, behind);
        default:
            if (!matches) {
                return NULL;
            }
            at++;
            pattern = behind;
            break;
        }
    }
}

static const char *match(struct matcher *matcher, const char *at, const char *pattern)
{
    if (++matcher->depth > MOST_DEPTH) {
        fail(matcher, "pattern too complex");
    }
    const char *end = match_items(matcher, at, pattern);
    matcher->depth--;
    return end;
}

static const char *match_at(struct matcher *matcher, const char *at, const char *pattern)
{
    matcher->count = matcher->depth = 0;
    return match(matcher, at, pattern);
}

/* ---- results ---- */

static void push_capture(const struct matcher *matcher, int number, const char *from,
                         const char *to)
{
    if (number >= matcher->count) {
        if (number != 0) {
            fail(matcher, "invalid capture index");
        }
        lua_pushlstring(matcher->L, from, (size_t)(to - from));
        return;
    }
    const struct capture *capture = &matcher->captures[number];
    if (capture->length == CAPTURE_OPEN) {
        fail(matcher, "unfinished capture");
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

static void begin(struct matcher *matcher, lua_State *L, int level, const char **pattern)
{
    size_t length;
    matcher->L = L;
    matcher->level = level;
    matcher->start = luaL_checklstring(L, 1, &length);
    matcher->end = matcher->start + length;
    matcher->steps = LIMIT_PATTERN_STEPS + (int64_t)LIMIT_PATTERN_STEPS_BYTE * (int64_t)length;
    *pattern = luaL_checkstring(L, 2);
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
    begin(&matcher, L, 1, &pattern);
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

/* match_at(s, p, at): the first match from `at` on: start, end, captures or the whole. Errors name
 * the line of the caller's caller. */
static int pattern_match_at(lua_State *L)
{
    struct matcher matcher;
    const char *pattern;
    begin(&matcher, L, 2, &pattern);
    for (const char *at = matcher.start + get_init(L, (size_t)(matcher.end - matcher.start));
         at <= matcher.end; at++) {
        const char *end = match_at(&matcher, at, pattern);
        if (end != NULL) {
            lua_pushinteger(L, at - matcher.start + 1);
            lua_pushinteger(L, end - matcher.start);
            return push_captures(&matcher, at, end) + 2;
        }
    }
    return 0;
}

/* match_here(s, p, at): as match_at, at this place only. */
static int pattern_match_here(lua_State *L)
{
    struct matcher matcher;
    const char *pattern;
    begin(&matcher, L, 2, &pattern);
    const char *at = matcher.start + get_init(L, (size_t)(matcher.end - matcher.start));
    const char *end = match_at(&matcher, at, pattern);
    if (end == NULL) {
        return 0;
    }
    lua_pushinteger(L, at - matcher.start + 1);
    lua_pushinteger(L, end - matcher.start);
    return push_captures(&matcher, at, end) + 2;
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
        fail(matcher, lua_tostring(L, -1));
    }
    luaL_addvalue(out);
}

/* gsub with a string, or with a table that has no metatable. */
static int pattern_gsub(lua_State *L)
{
    struct matcher matcher;
    luaL_Buffer out;
    const char *pattern;
    begin(&matcher, L, 1, &pattern);
    bool is_table = lua_type(L, 3) == LUA_TTABLE;
    if (!is_table && !lua_isstring(L, 3)) {
        return luaL_argerror(L, 3, "string/function/table expected");
    }
    const char *at = matcher.start;
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
