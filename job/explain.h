/* explain.h: a Run as text for people: `quern run --verbose`. */
#ifndef QUERN_JOB_EXPLAIN_H
#define QUERN_JOB_EXPLAIN_H

#include <stddef.h>

#include "base/buf.h"
#include "job/plan.pb-c.h"

/* Appends a line per run, stage and step, each ended by a newline. `tasks`: how many each stage has, NULL
 * when that is not known yet. Errors as buf_reserve(). */
int explain_run(const Quern__Run *run, const size_t *tasks, struct buf *out);

#endif
