#include "scheduler/event_line.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

/* Numbers are made of integers: no locale has a say in what they look like. */

enum { FORMAT = 1 };

/* A line that is being written; the first error sticks. */
struct line {
	struct buf *out;
	int r;
	bool first; /* of an object or a list: no comma yet */
};

/* ---- JSON ---- */

static void put(struct line *l, const void *data, size_t len)
{
	if (l->r == 0)
		l->r = buf_add(l->out, data, len);
}

static void put_text(struct line *l, const char *text)
{
	put(l, text, strlen(text));
}

static void put_special(struct line *l, uint8_t c)
{
	char escaped[8];

	if (c == '"' || c == '\\')
		(void)snprintf(escaped, sizeof(escaped), "\\%c", c);
	else if (c < ' ')
		(void)snprintf(escaped, sizeof(escaped), "\\u%04x", c);
	else /* no character begins with it */
		(void)snprintf(escaped, sizeof(escaped), "\\ufffd");
	put_text(l, escaped);
}

/* Bytes at `p` that stand in a string as they are. */
static size_t plain(const uint8_t *p, size_t left)
{
	size_t n = 0, len;

	while (n < left && p[n] >= ' ' && p[n] != '"' && p[n] != '\\' &&
		(len = utf8_len(p + n, left - n)) > 0)
		n += len;
	return n;
}

static void put_string(struct line *l, const char *text)
{
	const uint8_t *p = (const uint8_t *)text;
	size_t left = strlen(text);

	put_text(l, "\"");
	while (left > 0 && l->r == 0) {
		size_t n = plain(p, left);

		put(l, p, n);
		if (n < left)
			put_special(l, p[n++]);
		p += n;
		left -= n;
	}
	put_text(l, "\"");
}

static void comma(struct line *l)
{
	if (!l->first)
		put_text(l, ",");
	l->first = false;
}

/* Names are ours. */
static void name(struct line *l, const char *key)
{
	comma(l);
	put_text(l, "\"");
	put_text(l, key);
	put_text(l, "\":");
}

/* NULL: it is not there. */
static void text(struct line *l, const char *key, const char *value)
{
	if (value == NULL)
		return;
	name(l, key);
	put_string(l, value);
}

static void number(struct line *l, const char *key, uint64_t value)
{
	char digits[24];

	name(l, key);
	(void)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	put_text(l, digits);
}

/* In thousandths, or millionths: without zeros at its end. */
static void fraction(struct line *l, const char *key, uint64_t value, uint64_t parts)
{
	char digits[48];
	int width = parts == 1000 ? 3 : 6;

	name(l, key);
	int n = snprintf(digits, sizeof(digits), "%llu.%0*llu", (unsigned long long)(value / parts), width,
		(unsigned long long)(value % parts));
	while (digits[n - 1] == '0')
		n--;
	if (digits[n - 1] == '.')
		n--;
	put(l, digits, (size_t)n);
}

static void milli(struct line *l, const char *key, uint64_t value)
{
	fraction(l, key, value, 1000);
}

static void micro(struct line *l, const char *key, uint64_t value)
{
	fraction(l, key, value, 1000000);
}

static void flag(struct line *l, const char *key, bool value)
{
	name(l, key);
	put_text(l, value ? "true" : "false");
}

static struct line begin(struct buf *out, uint64_t ms, const char *event)
{
	struct line l = { .out = out, .first = true };

	put_text(&l, "{");
	milli(&l, "t", ms);
	text(&l, "event", event);
	return l;
}

static int end(struct line *l)
{
	put_text(l, "}\n");
	return l->r;
}

/* ---- The job ---- */

int event_line_job(struct buf *out, const struct event_job *job)
{
	const struct sched_config *c = job->config;
	struct line l = begin(out, 0, "job");

	number(&l, "format", FORMAT);
	text(&l, "version", job->version);
	text(&l, "name", job->name);
	text(&l, "mode", job->mode);
	text(&l, "master", job->master);
	milli(&l, "unix", job->unix_ms);
	milli(&l, "cores", (uint64_t)c->mode_config.max_slots * c->task_cpus_milli);
	milli(&l, "task_cores", c->task_cpus_milli);
	number(&l, "task_memory_mib", c->task_mem_mb);
	milli(&l, "executor_cores", c->executor_cpus_milli);
	number(&l, "executor_memory_mib", c->executor_mem_mb);
	if (c->revive_interval_ms != UINT64_MAX) /* never */
		milli(&l, "revive_interval_s", c->revive_interval_ms);
	milli(&l, "lease_idle_s", c->mode_config.lease_idle_ms);
	milli(&l, "lease_max_s", c->mode_config.lease_max_ms);
	milli(&l, "locality_wait_s", c->locality_wait_ms);
	return end(&l);
}

int event_line_done(struct buf *out, uint64_t ms, const char *status, const struct sched_ledger *ledger,
	const struct sched_progress *progress)
{
	struct line l = begin(out, ms, "done");

	text(&l, "status", status);
	micro(&l, "held_core_s", ledger->task_core_us + ledger->executor_core_us);
	micro(&l, "executor_core_s", ledger->executor_core_us);
	micro(&l, "used_core_s", ledger->used_core_us);
	milli(&l, "held_mib_s", ledger->task_mb_ms + ledger->executor_mb_ms);
	number(&l, "gaps", ledger->gaps);
	if (ledger->gaps > 0) {
		number(&l, "gap_p50_ms", ledger->gap_p50_ms);
		number(&l, "gap_p99_ms", ledger->gap_p99_ms);
	}
	number(&l, "offers", progress->offers);
	number(&l, "declined", progress->declined);
	number(&l, "revives", progress->revives);
	return end(&l);
}

/* ---- What happens ---- */

static const char *const names[] = { [SCHED_LOGGED_FRAMEWORK] = "framework",
	[SCHED_LOGGED_NO_MASTER] = "no_master",
	[SCHED_LOGGED_OFFER] = "offer",
	[SCHED_LOGGED_DECLINE] = "decline",
	[SCHED_LOGGED_RESCIND] = "rescind",
	[SCHED_LOGGED_ACCEPT] = "accept",
	[SCHED_LOGGED_RUNNING] = "running",
	[SCHED_LOGGED_RETURN] = "return",
	[SCHED_LOGGED_START] = "start",
	[SCHED_LOGGED_END] = "end",
	[SCHED_LOGGED_REVIVE] = "revive",
	[SCHED_LOGGED_SUPPRESS] = "suppress",
	[SCHED_LOGGED_WAITING] = "waiting",
	[SCHED_LOGGED_WAITING_END] = "waiting_end",
	[SCHED_LOGGED_RUN] = "run",
	[SCHED_LOGGED_RUN_END] = "run_end",
	[SCHED_LOGGED_STAGE] = "stage",
	[SCHED_LOGGED_STAGE_END] = "stage_end" };

static const char *const held[] = {
	[SCHED_HELD_TASK] = "task", [SCHED_HELD_LEASE] = "lease", [SCHED_HELD_EXECUTOR] = "executor"
};

static const char *const returns[] = { [SCHED_RETURN_LOST] = "lost",
	[SCHED_RETURN_FINISHED] = "finished",
	[SCHED_RETURN_IDLE] = "idle",
	[SCHED_RETURN_AGE] = "age",
	[SCHED_RETURN_DRAINED] = "drained",
	[SCHED_RETURN_KILLED] = "killed",
	[SCHED_RETURN_END] = "end" };

static const char *const states[] = { [SCHED_END_FINISHED] = "finished",
	[SCHED_END_FAILED] = "failed",
	[SCHED_END_FETCH_FAILED] = "fetch_failed",
	[SCHED_END_KILLED] = "killed",
	[SCHED_END_LOST] = "lost" };

/* As Mesos knows it, where it is a task of its own there. */
static void task(struct line *l, uint32_t stage, uint32_t partition, uint32_t attempt)
{
	char id[40];

	(void)snprintf(id, sizeof(id), "%u.%u.%u", stage, partition, attempt);
	text(l, "task", id);
}

static void say_offer(struct line *l, const struct sched_logged *what)
{
	text(l, "offer", what->u.offer.id);
	text(l, "agent", what->u.offer.agent);
	text(l, "host", what->u.offer.host);
	text(l, "role", what->u.offer.role);
	milli(l, "cores", what->u.offer.cpus_milli);
	milli(l, "memory_mib", what->u.offer.mem_milli);
}

static void say_decline(struct line *l, const struct sched_logged *what)
{
	text(l, "offer", what->u.decline.offer);
	text(l, "reason", what->u.decline.reason);
	text(l, "constraint", what->u.decline.constraint);
	milli(l, "refuse_s", (uint64_t)(what->u.decline.refuse_s * 1000));
}

static void say_accept(struct line *l, const struct sched_logged *what)
{
	text(l, "slot", what->u.accept.id);
	text(l, "kind", held[what->u.accept.held]);
	text(l, "executor", what->u.accept.executor);
	text(l, "agent", what->u.accept.agent);
	text(l, "host", what->u.accept.host);
	text(l, "role", what->u.accept.role);
	if (what->u.accept.held == SCHED_HELD_LEASE)
		number(l, "slots", what->u.accept.slots);
	milli(l, "cores", what->u.accept.cpus_milli);
	number(l, "memory_mib", what->u.accept.mem_mb);
	name(l, "offers");
	put_text(l, "[");
	l->first = true;
	for (size_t i = 0; i < what->u.accept.n_offers; i++) {
		comma(l);
		put_string(l, what->u.accept.offers[i]);
	}
	put_text(l, "]");
	l->first = false;
}

static void say_start(struct line *l, const struct sched_logged *what)
{
	task(l, what->u.start.stage, what->u.start.partition, what->u.start.attempt);
	number(l, "stage", what->u.start.stage);
	text(l, "executor", what->u.start.executor);
	text(l, "slot", what->u.start.slot);
	milli(l, "cores", what->u.start.cpus_milli);
	if (what->u.start.waited_ms != UINT64_MAX)
		milli(l, "waited", what->u.start.waited_ms);
}

static void say_end(struct line *l, const struct sched_logged *what)
{
	task(l, what->u.end.stage, what->u.end.partition, what->u.end.attempt);
	text(l, "state", states[what->u.end.state]);
	micro(l, "ran", what->u.end.ran_us);
}

static void say_run(struct line *l, const struct sched_logged *what)
{
	number(l, "run", what->u.run.id);
	if (what->kind == SCHED_LOGGED_RUN)
		number(l, "stages", what->u.run.stages);
	else
		text(l, "status", what->u.run.code == 0 ? "finished" : "failed");
}

static void say_stage(struct line *l, const struct sched_logged *what)
{
	number(l, "run", what->u.stage.run);
	number(l, "stage", what->u.stage.id);
	number(l, "tasks", what->u.stage.tasks);
	number(l, "done", what->u.stage.done);
}

static void say(struct line *l, const struct sched_logged *what)
{
	switch (what->kind) {
	case SCHED_LOGGED_FRAMEWORK:
		text(l, "framework", what->u.framework.id);
		flag(l, "suppressed", what->u.framework.suppressed);
		break;
	case SCHED_LOGGED_OFFER:
		say_offer(l, what);
		break;
	case SCHED_LOGGED_DECLINE:
		say_decline(l, what);
		break;
	case SCHED_LOGGED_RESCIND:
		text(l, "offer", what->u.id);
		break;
	case SCHED_LOGGED_ACCEPT:
		say_accept(l, what);
		break;
	case SCHED_LOGGED_RUNNING:
		text(l, "slot", what->u.id);
		break;
	case SCHED_LOGGED_RETURN:
		text(l, "slot", what->u.returned.id);
		text(l, "why", returns[what->u.returned.why]);
		break;
	case SCHED_LOGGED_START:
		say_start(l, what);
		break;
	case SCHED_LOGGED_END:
		say_end(l, what);
		break;
	case SCHED_LOGGED_WAITING:
		number(l, "slots", what->u.waiting.slots);
		break;
	case SCHED_LOGGED_RUN:
	case SCHED_LOGGED_RUN_END:
		say_run(l, what);
		break;
	case SCHED_LOGGED_STAGE:
	case SCHED_LOGGED_STAGE_END:
		say_stage(l, what);
		break;
	case SCHED_LOGGED_NO_MASTER:
	case SCHED_LOGGED_REVIVE:
	case SCHED_LOGGED_SUPPRESS:
	case SCHED_LOGGED_WAITING_END:
		break;
	}
}

int event_line(struct buf *out, uint64_t ms, const struct sched_logged *what)
{
	struct line l = begin(out, ms, names[what->kind]);

	say(&l, what);
	return end(&l);
}
