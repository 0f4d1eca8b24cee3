/*
 * A run's failure as an `exception` element, drawn at the place the script had reached.
 */
#ifndef MOONLIT_SESSION_FAILURE_VIEW_H
#define MOONLIT_SESSION_FAILURE_VIEW_H

#include <stdint.h>

struct run;

/* Into the run's draft, in `container`. */
void failure_draw(struct run *run, uint64_t container);

#endif
