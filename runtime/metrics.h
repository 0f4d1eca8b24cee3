/*
 * The host's numbers as Prometheus text (exposition format 0.0.4), for GET /_moonlit/metrics.
 */
#ifndef MOONLIT_METRICS_H
#define MOONLIT_METRICS_H

#include "base/buffer.h"

struct host;

void metrics_write(const struct host *host, struct buffer *out);

#endif
