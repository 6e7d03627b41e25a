/* event_log.h: the event log of a job, as a file: docs/event-log.md. It is on disk a second later at most, so
 * that a job that is killed leaves what it has done so far.
 *
 * A disk that is full, or fails, ends the log and not the job: `failed` is called, once. */
#ifndef QUERN_SCHEDULER_EVENT_LOG_H
#define QUERN_SCHEDULER_EVENT_LOG_H

#include <event2/event.h>

#include "base/err.h"
#include "scheduler/event_line.h"

struct event_log;

/* Makes the file, which must not exist unless it is a device, and writes the first line. When the name ends
 * with ".zst" it is compressed, a zstd frame for what was written in each second. `now_ms`: as of
 * sched_step(). `failed` gets a sentence; in the middle of a step. 0, or a negative errno with a sentence. */
int event_log_new(struct event_base *loop, const char *path, uint64_t now_ms, const struct event_job *job,
	void (*failed)(void *arg, const char *text), void *arg, struct event_log **ret, struct err *err);

/* What happens: a function for sched_set_log(), and this as its argument. */
void event_log_add(void *log, const struct sched_logged *what);

/* Writes the last line, as event_line_done() does. */
void event_log_done(struct event_log *log, uint64_t now_ms, const char *status,
	const struct sched_ledger *ledger, const struct sched_progress *progress);

/* Writes whatever is left, and frees it. */
struct event_log *event_log_free(struct event_log *log);

#endif
