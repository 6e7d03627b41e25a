/* event_line.h: the lines of an event log, one JSON object each: docs/event-log.md. No I/O. */
#ifndef QUERN_SCHEDULER_EVENT_LINE_H
#define QUERN_SCHEDULER_EVENT_LINE_H

#include <stdint.h>

#include "base/buf.h"
#include "scheduler/sched.h"

/* The first line: what job this is. Texts may be NULL: not said. */
struct event_job {
	const char *version, *name, *mode, *master;
	uint64_t unix_ms; /* since 1970: the time of this line */
	const struct sched_config *config;
};

/* Each appends a line; `ms` is since the first one. 0, -ENOMEM, or -EMSGSIZE: `out` may not hold it. Then a
 * part of it may be there. Text of others (names, hosts) that is not UTF-8 has U+FFFD in its place. */
int event_line_job(struct buf *out, const struct event_job *job);
int event_line(struct buf *out, uint64_t ms, const struct sched_logged *what);

/* The last line: how it ended, a word, and the scheduler's own account, of sched_get_ledger() and
 * sched_get_progress(). */
int event_line_done(struct buf *out, uint64_t ms, const char *status, const struct sched_ledger *ledger,
	const struct sched_progress *progress);

#endif
