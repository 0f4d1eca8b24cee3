/*
 * How the host puts together app, engine, sessions and the Lua library: the libraries the state is
 * given, the first function of each run, and what happens when the script changes.
 */
#ifndef MOONLIT_HOST_APP_H
#define MOONLIT_HOST_APP_H

#include <stdbool.h>

#include "base/error.h"
#include "session/registry.h"

struct host;

/* Open the libraries and load the app. */
bool host_app_open(struct host *host, struct error *error);

/* What the registry asks of the app. */
struct registry_app host_app_for_registry(struct host *host);

#endif
