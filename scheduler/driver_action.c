/* driver_action.c: the action under way: begun, its parts put in place, ended. What waits for a disk or for
 * HDFS is done by the driver's other thread (offload.h), an errand at a time, so that the master and the
 * executors are listened to meanwhile.
 *
 * Order: begin -> tokens (driver_hdfs.c) -> SCHED_EV_RUN -> a commit for each part, each of which the core
 * has an answer to before it counts the task as done -> SCHED_DO_DONE -> the end: _SUCCESS or everything
 * removed
 * -> the job is answered. An action that fails, or is broken off, has its end as soon as the errand that is
 * out comes back: commits that have not begun are cancelled. Only then may the next one begin. */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "scheduler/driver_state.h"

enum { PLAN_TEXT_MAX = 64 << 10 };

/* Made on the loop, filled in by the thread, read on the loop when it has come back. */
struct errand {
	struct driver *d;
	struct action *a;
	uint32_t partition; /* commit */
	char *file;
	int code;   /* end: 0 or what the job is to be told, */
	char *text; /* with a sentence, or NULL */
	int r;
	struct err err, left;
	char *warning; /* for people, or NULL */
};

static struct errand *errand_new(struct driver *d)
{
	struct errand *e = calloc(1, sizeof(*e));

	if (e != NULL) {
		e->d = d;
		e->a = d->action;
	}
	return e;
}

static void errand_free(struct errand *e)
{
	if (e == NULL)
		return;
	free(e->file);
	free(e->text);
	free(e->warning);
	free(e);
}

/* In the thread: HDFS may have something to say. */
static void take_warning(struct errand *e)
{
	const char *text = hdfs_pool_warning(e->d->hdfs);

	e->warning = text != NULL ? strdup(text) : NULL;
}

static void show_warning(const struct errand *e)
{
	if (e->warning != NULL && !e->d->c->quiet)
		driver_say(e->d, "warning: %s", e->warning);
}

/* Takes the errand, also when it cannot be sent. */
static void go(struct errand *e, void (*work)(void *arg), void (*done)(void *arg, bool ran))
{
	struct driver *d = e->d;

	if (offload_run(d->offload, work, done, e) < 0) {
		errand_free(e);
		driver_out_of_memory(d);
	}
}

/* Tells the job that an action has ended. */
static void answer(struct driver *d, uint32_t run, int code, const char *text)
{
	struct sched_tally t;

	sched_get_tally(d->sched, &t);
	if (d->job != NULL && job_process_done(d->job, run, code, text, t.totals, t.n_totals) < 0)
		driver_out_of_memory(d);
}

/* It is over and nothing of it is left to be done. */
static void close_action(struct driver *d, int code, const char *text)
{
	uint32_t run = action_run(d->action);

	d->action = action_free(d->action);
	d->phase = ACTION_NONE;
	progress_clear(&d->progress);
	if (code != 0 && text != NULL && !d->ending)
		driver_say(d, "%s", text);
	answer(d, run, code, text != NULL ? text : "");
	driver_leave(d);
}

/* ---- Its end ---- */

static void end_work(void *arg)
{
	struct errand *e = arg;

	if (e->code == 0 && action_finish(e->a, &e->err) < 0) {
		e->code = DRIVER_JOB_FAILED;
		e->text = strdup(e->err.text);
	}
	if (e->code != 0)
		e->r = action_undo(e->a, &e->left);
	take_warning(e);
}

static void end_done(void *arg, bool ran)
{
	struct errand *e = arg;
	struct driver *d = e->d;

	show_warning(e);
	if (!ran && action_output(e->a) != NULL)
		driver_say(d, "output '%s' is left as it is, unfinished: remove it", action_output(e->a));
	else if (e->r < 0)
		driver_say(d, "%s", e->left.text);
	close_action(d, e->code, e->text);
	errand_free(e);
}

void driver_action_end(struct driver *d, int code, const char *text)
{
	struct errand *e = errand_new(d);

	d->phase = ACTION_ENDS;
	if (code != 0)
		offload_cancel(d->offload); /* parts need not be put in place any more */
	if (e == NULL || (text != NULL && (e->text = strdup(text)) == NULL)) {
		errand_free(e);
		driver_out_of_memory(d);
		return;
	}
	e->code = code;
	go(e, end_work, end_done);
}

/* ---- Its beginning ---- */

static void begin_work(void *arg)
{
	struct errand *e = arg;

	e->r = action_begin(e->a, &e->err);
	take_warning(e);
}

static void begin_done(void *arg, bool ran)
{
	struct errand *e = arg;
	struct driver *d = e->d;

	show_warning(e);
	if (!ran || e->r < 0) {
		close_action(d, DRIVER_JOB_FAILED, ran ? e->err.text : NULL);
	} else if (d->ending) {
		driver_action_end(d, DRIVER_JOB_FAILED, NULL);
	} else {
		d->phase = ACTION_READY;
		driver_start(d);
	}
	errand_free(e);
}

void driver_action_begin(struct driver *d, const Quern__Run *run)
{
	struct err err = { "" };

	int r = d->action != NULL ? err_set(&err, -EPROTO, "the job asked for two actions at a time")
				  : action_new(run, &d->memory, &d->config, &d->action, &err);
	if (r < 0) {
		driver_say(d, "%s", err.text);
		answer(d, run->id, DRIVER_JOB_FAILED, err.text);
		return;
	}
	struct errand *e = errand_new(d);
	if (e == NULL) {
		driver_out_of_memory(d);
		return;
	}
	d->phase = ACTION_BEGINS;
	go(e, begin_work, begin_done);
}

static void show_plan(struct driver *d)
{
	auto_buf struct buf text = BUF_INIT(PLAN_TEXT_MAX);
	auto_symbols struct symbols *symbols = NULL;

	(void)symbols_load(d->c->process.so, &symbols); /* without names it says where functions are */

	/* Without its last newline; of one that is too long what fits. */
	if (action_explain(d->action, symbols, &text) != -ENOMEM && text.len > 1)
		driver_say(d, "%.*s", (int)text.len - 1, (const char *)text.data);
}

void driver_run_action(struct driver *d)
{
	struct sched_event ev = { .kind = SCHED_EV_RUN };

	action_event(d->action, &ev);
	if (d->c->verbose)
		show_plan(d);
	d->phase = ACTION_RUNS;
	driver_step(d, ev);
}

/* ---- Its parts ---- */

static void commit_work(void *arg)
{
	struct errand *e = arg;

	e->r = action_commit(e->a, e->file, e->partition, &e->err);
}

static void commit_done(void *arg, bool ran)
{
	struct errand *e = arg;
	struct driver *d = e->d;

	if (ran && d->phase == ACTION_RUNS)
		driver_step(d, (struct sched_event){ .kind = SCHED_EV_COMMITTED,
				       .u.committed = { .run = action_run(d->action),
					       .partition = e->partition,
					       .error = e->r < 0 ? e->err.text : NULL } });
	errand_free(e);
	driver_leave(d);
}

void driver_action_commit(struct driver *d, const struct sched_action *a)
{
	struct errand *e;

	if (d->phase != ACTION_RUNS) /* and the core, which knows, awaits no answer */
		return;
	e = errand_new(d);
	if (e == NULL || (e->file = strdup(a->text)) == NULL) {
		errand_free(e);
		driver_out_of_memory(d);
		return;
	}
	e->partition = a->partition;
	go(e, commit_work, commit_done);
}
