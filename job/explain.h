/* explain.h: a Run as text for people: `quern run --explain` and --verbose. */
#ifndef QUERN_JOB_EXPLAIN_H
#define QUERN_JOB_EXPLAIN_H

#include <stddef.h>

#include "base/buf.h"
#include "job/plan.pb-c.h"

/* Appends a line per run, stage and step, each ended by a newline. Errors as buf_reserve(). */
int explain_run(const Quern__Run *run, struct buf *out);

#endif
