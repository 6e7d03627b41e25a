#include "scheduler/explain_job.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "job/symbols.h"
#include "scheduler/driver.h"
#include "scheduler/offload.h"

enum { TEXT_MAX = 64 << 20 };

struct explaining {
	const struct explain_config *c;
	struct event_base *loop;
	struct job_process *job;
	struct offload *offload;
	struct action *action; /* under way, or NULL */
	bool goes_on;          /* of its run */
	int result;            /* of the other thread */
	struct err err;
	struct hdfs_pool *hdfs;
	struct action_config config; /* with that */
	struct action_memory memory;
	struct symbols *symbols; /* NULL: the job has no names */
	int status;
	bool over; /* the first reason counts */
};

static void end(struct explaining *x, int status, const char *why)
{
	if (x->over)
		return;
	x->over = true;
	if (why != NULL)
		(void)fprintf(stderr, "quern: %s\n", why);
	x->status = status;
	(void)event_base_loopbreak(x->loop);
}

static int print(struct explaining *x, struct action *a, struct err *err)
{
	auto_buf struct buf text = BUF_INIT(TEXT_MAX);

	int r = action_explain(a, x->symbols, &text);
	if (r < 0)
		return err_set(
			err, r, "%s", r == -ENOMEM ? "out of memory" : "the plan is too long to print");
	(void)fwrite(text.data, 1, text.len, stdout);
	return fflush(stdout) == 0 ? 0 : err_errno(err, -errno, "standard output");
}

/* In a thread of its own: Ctrl-C is heard while HDFS is asked. */
static void begin(void *arg)
{
	struct explaining *x = arg;

	x->result = action_begin(x->action, &x->err);
}

static void on_begun(void *arg, bool ran)
{
	struct explaining *x = arg;
	const bool goes_on = x->goes_on;
	const uint32_t run = action_run(x->action);
	int r = ran ? x->result : -ECANCELED;

	if (r == 0 && !x->over)
		r = print(x, x->action, &x->err);
	x->action = action_free(x->action);
	if (x->over)
		return;
	if (r < 0) {
		end(x, DRIVER_JOB_FAILED, x->err.text);
	} else if (!goes_on) {
		(void)puts("what follows depends on the answer");
		end(x, DRIVER_DONE, NULL);
	} else if (job_process_done(x->job, run, 0, "", NULL, 0) < 0) {
		end(x, DRIVER_JOB_FAILED, "out of memory");
	}
}

static void on_run(void *arg, const Quern__Run *run)
{
	struct explaining *x = arg;

	if (x->action != NULL) {
		end(x, DRIVER_JOB_FAILED, "the job asked for two actions at a time");
		return;
	}
	x->goes_on = run->goes_on;
	if (action_new(run, &x->memory, &x->config, &x->action, &x->err) < 0)
		end(x, DRIVER_JOB_FAILED, x->err.text);
	else if (offload_run(x->offload, begin, on_begun, x) < 0)
		end(x, DRIVER_JOB_FAILED, "out of memory");
}

static void on_cancel(void *arg, uint32_t run)
{
	(void)arg, (void)run;
}

static void on_unpersist(void *arg, uint32_t cache)
{
	(void)arg, (void)cache;
}

static void on_gone(void *arg, int status, const char *why)
{
	if (why != NULL)
		end(arg, DRIVER_JOB_FAILED, why);
	else if (WIFSIGNALED(status))
		end(arg, DRIVER_JOB_FAILED, strsignal(WTERMSIG(status)));
	else
		end(arg, WEXITSTATUS(status) == 0 ? DRIVER_DONE : DRIVER_JOB_FAILED, NULL);
}

static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	end(arg, DRIVER_INTERRUPTED, NULL);
}

static int on_broadcast(
	void *arg, pid_t pid, const Quern__SessionToDriver__Broadcast *broadcast, struct err *err)
{
	(void)arg, (void)pid, (void)broadcast, (void)err;
	return 0;
}

static void on_destroy(void *arg, uint32_t broadcast)
{
	(void)arg, (void)broadcast;
}

static const struct job_process_ops ops = { .run = on_run,
	.cancel = on_cancel,
	.unpersist = on_unpersist,
	.broadcast = on_broadcast,
	.destroy = on_destroy,
	.gone = on_gone };

static int start(struct explaining *x, struct event *signals[2], struct err *err)
{
	static const int numbers[2] = { SIGINT, SIGTERM };
	const struct job_process_config *process = &x->c->process;

	x->loop = event_base_new();
	if (x->loop == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < 2; i++) {
		signals[i] = event_new(x->loop, numbers[i], EV_SIGNAL | EV_PERSIST, on_signal, x);
		if (signals[i] == NULL || event_add(signals[i], NULL) < 0)
			return err_set(err, -ENOMEM, "out of memory");
	}
	if (symbols_load(process->so, &x->symbols) == -ENOMEM)
		return err_set(err, -ENOMEM, "out of memory");
	int r = hdfs_pool_new(x->c->hdfs, &x->hdfs, err);
	if (r < 0)
		return r;
	x->config = x->c->action;
	x->config.hdfs = x->hdfs;
	r = job_process_start(x->loop, process, &ops, x, &x->job, err);
	return r < 0 ? r : offload_new(x->loop, &x->offload, err); /* threads come after the fork */
}

int explain_job(const struct explain_config *config)
{
	struct explaining x = { .c = config, .status = DRIVER_JOB_FAILED };
	struct event *signals[2] = { NULL, NULL };
	struct err err = { "" };

	(void)signal(SIGPIPE, SIG_IGN);
	if (start(&x, signals, &err) < 0)
		(void)fprintf(stderr, "quern: %s\n", err.text);
	else
		(void)event_base_dispatch(x.loop);
	x.job = job_process_free(x.job);
	if (x.hdfs != NULL)
		hdfs_pool_interrupt(x.hdfs);
	x.offload = offload_free(x.offload);
	x.action = action_free(x.action);
	(void)symbols_free(x.symbols);
	action_memory_deinit(&x.memory);
	(void)hdfs_pool_free(x.hdfs);
	for (size_t i = 0; i < 2; i++)
		if (signals[i] != NULL)
			event_free(signals[i]);
	if (x.loop != NULL)
		event_base_free(x.loop);
	return x.status;
}
