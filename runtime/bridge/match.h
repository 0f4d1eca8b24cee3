/*
 * Matching a Lua pattern, step by counted step: the inside of bridge/pattern.h.
 */
#ifndef MOONLIT_BRIDGE_MATCH_H
#define MOONLIT_BRIDGE_MATCH_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MOST_CAPTURES = 32,
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
    const char *start; /* of the subject */
    const char *end;
    int64_t steps; /* left */
    int64_t look;  /* when fewer are left, the clock is due */
    int64_t least; /* when fewer are left, this call has taken too long */
    int depth;
    int count; /* of captures */
    struct capture captures[MOST_CAPTURES];
};

/* Match just at `at`: the end of the match, or NULL. Captures are those of this match. Raises where
 * the pattern is malformed or takes too long. */
const char *match_at(struct matcher *matcher, const char *at, const char *pattern);

/* Raise an error with the script's line. */
int match_fail(const struct matcher *matcher, const char *words);

#endif
