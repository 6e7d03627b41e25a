/* driver_job.c: what the job's process asks of the driver, and what is said when it has ended. */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "job/reduction.h"
#include "job/tally.h"
#include "scheduler/driver_state.h"

static void on_run(void *arg, const Quern__Run *run)
{
	struct driver *d = arg;

	if (!d->ending)
		driver_action_begin(d, run);
}

static void on_cancel(void *arg, uint32_t run)
{
	driver_step(arg, (struct sched_event){ .kind = SCHED_EV_CANCEL, .u.run_id = run });
}

/* What the job needed, for who wonders about --task-memory. */
static void show_peak(struct driver *d)
{
	struct sched_progress now;

	sched_get_progress(d->sched, &now);
	if (now.peak_rss > 0)
		driver_say(d, "peak memory of a worker: %.1f MiB", (double)now.peak_rss / (1 << 20));
}

/* What we cost the master: each REVIVE makes it look at every agent. And why what it offered was of no use.
 */
static void show_offers(struct driver *d)
{
	char *reasons = sched_declined_text(d->sched);
	bool some = reasons != NULL && reasons[0] != '\0';
	struct sched_progress now;

	sched_get_progress(d->sched, &now);
	driver_say(d, "offers: %llu, of which %llu were declined%s%s%s; REVIVE was sent %llu times",
		(unsigned long long)now.offers, (unsigned long long)now.declined, some ? " (" : "",
		some ? reasons : "", some ? ")" : "", (unsigned long long)now.revives);
	free(reasons);
}

/* What the job cost its neighbours, and how much of that was of use. */
static void show_ledger(struct driver *d)
{
	struct sched_ledger l;

	sched_get_ledger(d->sched, &l);
	double held = (double)(l.task_core_us + l.executor_core_us) / 1e6;
	driver_say(d,
		"held %.1f core-seconds (executors themselves: %.1f) and %.1f GB-seconds, used %.1f "
		"core-seconds: %.0f %%",
		held, (double)l.executor_core_us / 1e6, (double)(l.task_mb_ms + l.executor_mb_ms) / 1024e3,
		(double)l.used_core_us / 1e6, held > 0 ? (double)l.used_core_us / 1e4 / held : 0);
	if (l.gaps > 0)
		driver_say(d,
			"gaps of slots between tasks: %llu, half of them up to %llu ms, 99 %% up to %llu ms",
			(unsigned long long)l.gaps, (unsigned long long)l.gap_p50_ms,
			(unsigned long long)l.gap_p99_ms);
}

/* Whether the cluster and the data are together; where nobody looks on, only when asked. */
static void show_locality(struct driver *d)
{
	struct sched_progress now;
	char text[128];

	sched_get_progress(d->sched, &now);
	if (progress_locality(text, sizeof(text), &now.locality) > 0)
		driver_say(d, "locality: %s", text);
}

static void show_count(struct driver *d, const Quern__Count *c, const char *name)
{
	const char *type = tally_type(tally_reduction(c));

	if (*type == 'u')
		driver_say(d, "%s: %llu", name, (unsigned long long)c->bits);
	else if (*type == 'i')
		driver_say(d, "%s: %lld", name, (long long)c->bits);
	else
		driver_say(d, "%s: %.17g", name, reduce_as_double(c->bits));
}

/* What tasks have counted. Nothing but quern knows the names of counters: they are shown, accumulators when
 * more is to be said. */
static void show_tally(struct driver *d)
{
	struct sched_tally t;

	sched_get_tally(d->sched, &t);
	for (size_t i = 0; i < t.n_totals; i++) {
		const Quern__Count *c = t.totals[i];

		if (c->name != NULL ? !d->c->quiet : d->c->verbose)
			show_count(d, c, c->name != NULL ? c->name : t.accumulators[c->id]->name);
	}
	if (t.bad == 0 || d->c->quiet)
		return;
	driver_say(d, "warning: %llu bad record%s left out%s", (unsigned long long)t.bad,
		t.bad == 1 ? " was" : "s were", t.bad > t.n_texts ? "; the first:" : ":");
	for (size_t i = 0; i < t.n_texts; i++)
		driver_say(d, "  %s", t.texts[i]);
}

static void on_unpersist(void *arg, uint32_t cache)
{
	driver_step(arg, (struct sched_event){ .kind = SCHED_EV_UNPERSIST, .u.cache = cache });
}

static void on_gone(void *arg, int status, const char *why)
{
	struct driver *d = arg;

	if (d->ending)
		return;
	if (why != NULL)
		driver_say(d, "the job's own process broke off: %s", why);
	else if (WIFSIGNALED(status))
		driver_say(d, "quern_main() died of signal %d (%s)", WTERMSIG(status),
			strsignal(WTERMSIG(status)));
	else if (WEXITSTATUS(status) != 0 && d->c->verbose)
		driver_say(d, "quern_main() ended with status %d", WEXITSTATUS(status));
	driver_step(d, (struct sched_event){ .kind = SCHED_EV_TICK }); /* what is held is so until now */
	show_tally(d);
	if (d->c->verbose || d->progress.line.on)
		show_locality(d);
	if (d->c->verbose) {
		show_offers(d);
		show_peak(d);
		show_ledger(d);
	}
	driver_end(d, why == NULL && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? DRIVER_DONE
										   : DRIVER_JOB_FAILED);
}

static int on_broadcast(
	void *arg, pid_t pid, const Quern__SessionToDriver__Broadcast *broadcast, struct err *err)
{
	struct driver *d = arg;

	int r = broadcasts_take(d->offers, pid, broadcast, err);
	if (r == 0)
		driver_step(d, (struct sched_event){ .kind = SCHED_EV_BROADCAST,
				       .u.broadcast = { .id = broadcast->id,
					       .length = broadcast->length,
					       .checksum = broadcast->checksum } });
	return r;
}

static void on_destroy(void *arg, uint32_t broadcast)
{
	struct driver *d = arg;

	broadcasts_drop(d->offers, broadcast);
	driver_step(d, (struct sched_event){ .kind = SCHED_EV_DESTROY, .u.broadcast = { .id = broadcast } });
}

const struct job_process_ops driver_job_ops = { .run = on_run,
	.cancel = on_cancel,
	.unpersist = on_unpersist,
	.broadcast = on_broadcast,
	.destroy = on_destroy,
	.gone = on_gone };
