/*
 * The rewriter: a script's source with a counter in its loops and marks where a press is tested.
 * Pure: text in, text out. Line numbers do not change.
 *
 *   local _ml_n,_ml_T,_ml_P,_ml_H,_ml_E,_ml_D,_ml_L=0,... return function(...) SOURCE
 *   end
 *
 * The wrapper is called once for each instance, with the six helpers, and returns a fresh main
 * function.
 *
 * The counter is checked at the end of loop bodies (a check at the start costs ten times as much
 * under the JIT), at the start of `repeat` bodies, before each `goto`, and at the entry of
 * functions that contain a call:
 *
 *   _ml_n=_ml_n-1 if _ml_n<0 then _ml_n=_ml_T() end
 *
 * What the helpers must do. At most one press is received in a run, so its hold is one thing with
 * four states: none, unclaimed, kept(line), claimed(id).
 *
 *   _ml_P[1]       presses received by this branch so far; a plain table field. The button's call
 *                  that returns true adds one and makes the hold unclaimed.
 *   _ml_T()        the counter has run down: yield, or raise; returns the next budget (a number).
 *   _ml_H() -> id  an `if` or a local received the press: the hold, whatever it is now (even
 *                  ended), is claimed by a new id, a whole number above 0.
 *   _ml_E(id)      the end of that `if` or local: if the hold is claimed by just this id it ends,
 *                  else nothing happens.
 *   _ml_D()        the value was thrown away, or the `if` was not taken: an unclaimed hold ends;
 *                  nothing else changes.
 *   _ml_L(line, kind)
 *                  where the value went cannot be followed: an unclaimed hold is kept to the end
 *                  of the run; nothing else changes. If nobody claims it later, the log gets one
 *                  hint that names the line; rewrite_hint(kind) has the words.
 *
 * They are called only when _ml_P[1] has changed across the statement.
 *
 * Which statements, each with a call in it (calls of the known pure library do not count):
 *
 *   if/elseif      H on entry of the branch taken, E at its end and before a break or goto that
 *                  leaves it; return and error leave it open. Not taken and no else: D; or L when
 *                  its branches leave (a guard: `if not ui.button "x" then return end`).
 *   local a = f()  names tested in conditions only: H, and E behind the statement of the local's
 *                  block that has the last test. Never mentioned: D. Used otherwise: L.
 *   f(...)         D; when its arguments contain another call: L.
 *   a.b = f()      L.
 */
#ifndef MOONLIT_BRIDGE_REWRITE_H
#define MOONLIT_BRIDGE_REWRITE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

enum rewrite_mode {
    REWRITE_ALL,     /* counter and holds */
    REWRITE_COUNTER, /* counter only: internal Lua, and scripts at a limit of the compiler */
    REWRITE_WRAP,    /* the wrapper only: what must be run interpreted, under a count hook */
};

enum rewrite_hint {
    HINT_LOCAL = 1, /* the local is used in another way than in a condition */
    HINT_ARGUMENT,  /* the value is an argument of another call */
    HINT_ASSIGNED,  /* the value is assigned to something that is not a new local */
    HINT_GUARD,     /* the condition was false and the if has no else */
};

/* A global name of the source: read, or assigned. */
struct rewrite_global {
    const char *name; /* into the source */
    size_t length;
    int line;
    bool assigned;
    bool top; /* at the chunk's top level, outside of functions */
};

struct rewrite_globals {
    struct rewrite_global *items;
    size_t count;
    size_t capacity;
};

/* Append the rewritten source to `out`. `globals` may be NULL; else the global names are added to
 * it (rewrite_globals_deinit frees them). False with the line in `error->code` when the source is
 * no Lua, nests too deep, uses a name of the rewriter's (_ml_...), or `out` is full. */
bool rewrite_source(const char *source, size_t length, enum rewrite_mode mode, struct buffer *out,
                    struct rewrite_globals *globals, struct error *error);

void rewrite_globals_deinit(struct rewrite_globals *globals);

/* "the value of a button is ..., so ...": the sentence of a hint. */
const char *rewrite_hint(int kind);

#endif
