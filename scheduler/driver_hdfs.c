/* driver_hdfs.c: what the tasks of an action need of HDFS, seen to before it runs. */
#include <errno.h>

#include "base/vec.h"
#include "scheduler/driver_state.h"

static void on_changed(void *arg, const void *data, size_t len)
{
	driver_step(
		arg, (struct sched_event){ .kind = SCHED_EV_HDFS, .u.hdfs = { .data = data, .len = len } });
}

static void on_ready(void *arg, int r, const char *why)
{
	struct driver *d = arg;

	if (d->ending || d->phase != ACTION_READY)
		return;
	if (r < 0)
		driver_action_end(d, DRIVER_JOB_FAILED, why);
	else
		driver_run_action(d);
}

static void on_ended(void *arg)
{
	struct driver *d = arg;

	d->tokens_left = false;
	driver_leave(d);
}

static void on_warn(void *arg, const char *text)
{
	struct driver *d = arg;

	if (!d->c->quiet)
		driver_say(d, "warning: %s", text);
}

static const struct hdfs_tokens_ops ops = {
	.changed = on_changed, .ready = on_ready, .ended = on_ended, .warn = on_warn
};

typedef VEC(const char *) urls_t;

static int add(urls_t *urls, const char *path)
{
	return path != NULL && hdfs_url_is(path) ? vec_push(urls, path) : 0;
}

/* Borrowed from the run. 0 or -ENOMEM. */
static int list_urls(const Quern__Run *run, urls_t *urls)
{
	int r = 0;

	for (size_t s = 0; r == 0 && s < run->n_stages; s++) {
		const Quern__Stage *stage = run->stages[s];

		r = add(urls, stage->sink->path);
		for (size_t b = 0; r == 0 && b < stage->n_branches; b++) {
			const Quern__Source *source = stage->branches[b]->source;

			for (size_t i = 0; r == 0 && i < source->n_text; i++)
				r = add(urls, source->text[i]);
		}
	}
	return r;
}

void driver_start(struct driver *d)
{
	struct err err = { "" };
	struct sched_event ev;
	urls_t urls = { 0 };

	action_event(d->action, &ev);
	int r = list_urls(ev.u.run.run, &urls);
	if (r < 0)
		(void)err_set(&err, r, "out of memory");
	else if (urls.n == 0) {
		driver_run_action(d);
		return;
	}
	if (r == 0 && d->tokens == NULL)
		r = hdfs_tokens_new(d->loop, d->c->hdfs, &ops, d, &d->tokens, &err);
	if (r == 0)
		r = hdfs_tokens_want(d->tokens, urls.at, urls.n, &err);
	vec_deinit(&urls);
	if (r < 0)
		driver_action_end(d, DRIVER_JOB_FAILED, err.text);
}

void driver_hdfs_end(struct driver *d)
{
	d->tokens_left = d->tokens != NULL && hdfs_tokens_end(d->tokens);
}
