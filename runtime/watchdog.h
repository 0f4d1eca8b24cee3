/*
 * The last resort: a thread that looks whether the loop still turns. When it has not for
 * LIMIT_WATCHDOG_TIME, it has the loop's thread say where the script stands and ends the process
 * with code 70 (EX_SOFTWARE of sysexits.h), so that a supervisor can start it again.
 *
 * It belongs to the binary, not to the host: an embedder has supervisors of its own. It takes
 * SIGUSR2 for itself.
 */
#ifndef MOONLIT_WATCHDOG_H
#define MOONLIT_WATCHDOG_H

#include <uv.h>

struct engine;
struct watchdog;

/* The caller's thread is the loop's. MOONLIT_WATCHDOG_MS in the environment is another time than
 * LIMIT_WATCHDOG_TIME, for tests. */
struct watchdog *watchdog_new(uv_loop_t *loop, struct engine *engine);

/* Joins the thread; the handle is closed by the loop. NULL is allowed. */
void watchdog_free(struct watchdog *watchdog);

#endif
