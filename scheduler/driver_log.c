/* driver_log.c: the event log that --event-log asks for. */
#include "scheduler/driver_state.h"

static void on_failed(void *arg, const char *text)
{
	driver_say(arg, "%s", text);
}

int driver_log_start(struct driver *d, struct err *err)
{
	const struct driver_config *c = d->c;
	const struct event_job job = { .version = c->version,
		.name = c->sched.name,
		.mode = c->sched.mode->name,
		.master = c->master,
		.unix_ms = driver_wall_ms(),
		.config = &c->sched };

	if (c->event_log == NULL)
		return 0;
	return event_log_new(d->loop, c->event_log, driver_now_ms(), &job, on_failed, d, &d->log, err);
}

void driver_log_follow(struct driver *d)
{
	if (d->log != NULL)
		sched_set_log(d->sched, event_log_add, d->log);
}

static const char *word_of(int status)
{
	switch (status) {
	case DRIVER_DONE:
		return "finished";
	case DRIVER_NO_CLUSTER:
		return "no_cluster";
	case DRIVER_INTERRUPTED:
		return "interrupted";
	case DRIVER_JOB_FAILED:
	default:
		return "failed";
	}
}

void driver_log_end(struct driver *d)
{
	struct sched_ledger ledger;
	struct sched_progress progress;

	if (d->log != NULL && d->sched != NULL) {
		sched_get_ledger(d->sched, &ledger);
		sched_get_progress(d->sched, &progress);
		event_log_done(d->log, driver_now_ms(), word_of(d->status), &ledger, &progress);
		sched_set_log(d->sched, NULL, NULL);
	}
	d->log = event_log_free(d->log);
}
