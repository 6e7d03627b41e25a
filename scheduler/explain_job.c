#include "scheduler/explain_job.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/auto.h"
#include "job/symbols.h"
#include "scheduler/driver.h"

enum { TEXT_MAX = 64 << 20 };

struct explaining {
	const struct explain_config *c;
	struct event_base *loop;
	struct job_process *job;
	struct action_memory memory;
	struct symbols *symbols; /* NULL: the job has no names */
	int status;
};

static void end(struct explaining *x, int status, const char *why)
{
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

static void on_run(void *arg, const Quern__Run *run)
{
	struct explaining *x = arg;
	struct err err = { "" };
	struct action *a = NULL;

	int r = action_begin(run, &x->memory, &x->c->action, &a, &err);
	if (r == 0)
		r = print(x, a, &err);
	(void)action_free(a);
	if (r < 0) {
		end(x, DRIVER_JOB_FAILED, err.text);
	} else if (!run->goes_on) {
		(void)puts("what follows depends on the answer");
		end(x, DRIVER_DONE, NULL);
	} else if (job_process_done(x->job, run->id, 0, "", NULL, 0) < 0) {
		end(x, DRIVER_JOB_FAILED, "out of memory");
	}
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
	return job_process_start(x->loop, process, &ops, x, &x->job, err);
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
	(void)symbols_free(x.symbols);
	action_memory_deinit(&x.memory);
	for (size_t i = 0; i < 2; i++)
		if (signals[i] != NULL)
			event_free(signals[i]);
	if (x.loop != NULL)
		event_base_free(x.loop);
	return x.status;
}
