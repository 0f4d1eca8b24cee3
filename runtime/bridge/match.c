#include "bridge/match.h"

#include <lauxlib.h>
#include <stdbool.h>
#include <string.h>

#include "bridge/state.h"

enum { MOST_DEPTH = 200 }; /* LuaJIT's own: deeper is "pattern too complex" */

int match_fail(const struct matcher *matcher, const char *words)
{
    state_push_place(matcher->L, 1);
    lua_pushstring(matcher->L, words);
    lua_concat(matcher->L, 2);
    return lua_error(matcher->L);
}

static void look(struct matcher *matcher)
{
    state_took_long(matcher->L);
    matcher->look = matcher->least;
    if (matcher->steps < matcher->least) {
        match_fail(matcher,
                   "pattern takes too long: it tries too many ways to match this text; begin it "
                   "with ^, or use fewer of * + - ?");
    }
}

static void step(struct matcher *matcher, int64_t steps)
{
    matcher->steps -= steps;
    if (matcher->steps < matcher->look) {
        look(matcher);
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
            match_fail(matcher, "malformed pattern (ends with '%')");
        }
        return pattern + 1;
    }
    if (first == '[') {
        if (*pattern == '^') {
            pattern++;
        }
        do {
            if (*pattern == '\0') {
                match_fail(matcher, "malformed pattern (missing ']')");
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
        match_fail(matcher, "unbalanced pattern");
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
        match_fail(matcher, "too many captures");
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
        match_fail(matcher, "invalid pattern capture");
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
        match_fail(matcher, "invalid capture index");
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
        match_fail(matcher, "missing '[' after '%f' in pattern");
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
        match_fail(matcher, "pattern too complex");
    }
    const char *end = match_items(matcher, at, pattern);
    matcher->depth--;
    return end;
}

const char *match_at(struct matcher *matcher, const char *at, const char *pattern)
{
    matcher->count = matcher->depth = 0;
    return match(matcher, at, pattern);
}
