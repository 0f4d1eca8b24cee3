/*
 * A run's failure as an `exception` element, drawn at the place the script had reached.
 */
#ifndef MOONLIT_SESSION_FAILURE_VIEW_H
#define MOONLIT_SESSION_FAILURE_VIEW_H

#include <stdint.h>

struct bson_out;
struct run;

/* Into the run's draft, in `container`. */
void failure_draw(struct run *run, uint64_t container);

/* Its parts, which a script that does not compile has too: a text, in which question marks stand
 * for bytes that are not UTF-8, and `source`, the lines around one of a file. */
void failure_write_text(struct bson_out *out, const char *name, const char *text);
void failure_write_source(struct bson_out *out, const char *file, int number);

#endif
