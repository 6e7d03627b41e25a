#include "bench/neighbour/executor.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "base/auto.h"
#include "mesos/client.h"
#include "mesos/codec.h"
#include "mesos/executor.pb-c.h"

struct executor {
	struct event_base *loop;
	struct event *child;
	struct mesos_client *mesos;
	Mesos__V1__ExecutorID executor_id;
	Mesos__V1__FrameworkID framework_id;
	struct task *tasks;
};

struct task {
	struct executor *executor;
	struct task *next;
	struct event *timer; /* NULL: it computes */
	pid_t pid;           /* of who computes */
	char id[];
};

static void fail(const char *what)
{
	(void)fprintf(stderr, "batch executor: %s\n", what);
	exit(1);
}

static void call(const struct executor *x, Mesos__V1__Executor__Call *c, struct buf *out)
{
	c->executor_id = (Mesos__V1__ExecutorID *)&x->executor_id;
	c->framework_id = (Mesos__V1__FrameworkID *)&x->framework_id;
	c->has_type = 1;
	if (mesos_encode(&c->base, MESOS_PROTOBUF, out) < 0)
		fail("out of memory");
}

static int on_subscribe(void *arg, struct buf *body)
{
	Mesos__V1__Executor__Call c = MESOS__V1__EXECUTOR__CALL__INIT;
	Mesos__V1__Executor__Call__Subscribe s = MESOS__V1__EXECUTOR__CALL__SUBSCRIBE__INIT;

	c.type = MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE;
	c.subscribe = &s;
	call(arg, &c, body);
	return 0;
}

static void update(const struct executor *x, const char *id, Mesos__V1__TaskState state)
{
	Mesos__V1__Executor__Call c = MESOS__V1__EXECUTOR__CALL__INIT;
	Mesos__V1__Executor__Call__Update u = MESOS__V1__EXECUTOR__CALL__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
	auto_buf struct buf out = BUF_INIT(1 << 16);
	uuid_t uuid;

	uuid_generate(uuid);
	task_id.value = (char *)id;
	status.task_id = &task_id;
	status.state = state;
	status.has_source = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
	status.has_uuid = 1;
	status.uuid = (ProtobufCBinaryData){ .data = uuid, .len = sizeof(uuid) };
	c.type = MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE;
	c.update = &u;
	u.status = &status;
	call(x, &c, &out);
	if (mesos_client_call(x->mesos, out.data, out.len) < 0)
		fail("an update could not be sent");
}

/* ---- Tasks that take time ---- */

static void end(struct task *t, Mesos__V1__TaskState state)
{
	struct task **at = &t->executor->tasks;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	update(t->executor, t->id, state);
	if (t->timer != NULL)
		event_free(t->timer);
	free(t);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg, MESOS__V1__TASK_STATE__TASK_FINISHED);
}

static void on_child(evutil_socket_t fd, short what, void *arg)
{
	const struct executor *x = arg;
	struct task *t, *next;
	int status;
	pid_t pid;

	(void)fd;
	(void)what;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (t = x->tasks; t != NULL; t = next) {
			next = t->next;
			if (t->pid == pid)
				end(t, WIFEXITED(status) && WEXITSTATUS(status) == 0
						? MESOS__V1__TASK_STATE__TASK_FINISHED
						: MESOS__V1__TASK_STATE__TASK_FAILED);
		}
}

/* A process that computes for so long and ends; it does not outlive this one. -1: there is none. */
static pid_t spin(uint64_t ms)
{
	struct timespec start, now;
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	do
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	while ((uint64_t)((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000) < ms);
	_exit(0);
}

static void begin(struct executor *x, const char *id, bool computes, uint64_t ms)
{
	const struct timeval length = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	struct task *t = calloc(1, sizeof(*t) + strlen(id) + 1);

	if (t == NULL)
		fail("out of memory");
	*t = (struct task){ .executor = x, .next = x->tasks };
	memcpy(t->id, id, strlen(id) + 1);
	x->tasks = t;
	update(x, id, MESOS__V1__TASK_STATE__TASK_RUNNING);
	if (computes) {
		t->pid = spin(ms);
		if (t->pid < 0)
			end(t, MESOS__V1__TASK_STATE__TASK_FAILED);
		return;
	}
	t->timer = evtimer_new(x->loop, on_timer, t);
	if (t->timer == NULL || evtimer_add(t->timer, &length) < 0)
		fail("out of memory");
}

static void launch(struct executor *x, const Mesos__V1__TaskInfo *task)
{
	char text[64] = "", word[8];
	uint64_t ms;

	if (task->has_data && task->data.len < sizeof(text))
		memcpy(text, task->data.data, task->data.len);
	if (sscanf(text, "%7s %" SCNu64, word, &ms) != 2)
		update(x, task->task_id->value, MESOS__V1__TASK_STATE__TASK_ERROR);
	else if (ms == 0)
		update(x, task->task_id->value, MESOS__V1__TASK_STATE__TASK_FINISHED);
	else
		begin(x, task->task_id->value, strcmp(word, "spin") == 0, ms);
}

/* ---- The agent ---- */

static int on_event(void *arg, const void *data, size_t len)
{
	struct executor *x = arg;
	ProtobufCMessage *m;
	struct err err;

	if (mesos_decode(&mesos__v1__executor__event__descriptor, MESOS_PROTOBUF, data, len, &m, &err) < 0)
		return -1;
	Mesos__V1__Executor__Event *e = (Mesos__V1__Executor__Event *)m;
	if (e->launch != NULL)
		launch(x, e->launch->task);
	if (e->has_type && e->type == MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN)
		(void)event_base_loopbreak(x->loop);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}

static void on_end(void *arg, const char *why)
{
	const struct executor *x = arg;

	(void)why;
	(void)event_base_loopbreak(x->loop);
}

static int start(struct executor *x, struct http_client **http, struct err *err)
{
	static const struct mesos_client_ops ops = {
		.subscribe = on_subscribe, .event = on_event, .down = on_end, .lost = on_end
	};
	const char *endpoints[] = { getenv("MESOS_AGENT_ENDPOINT"), NULL };
	const struct mesos_client_config config = { .endpoints = endpoints, .path = "/api/v1/executor" };

	x->executor_id.value = getenv("MESOS_EXECUTOR_ID");
	x->framework_id.value = getenv("MESOS_FRAMEWORK_ID");
	x->loop = event_base_new();
	x->child = x->loop != NULL ? evsignal_new(x->loop, SIGCHLD, on_child, x) : NULL;
	if (endpoints[0] == NULL || x->executor_id.value == NULL || x->framework_id.value == NULL)
		return err_set(err, -1, "an agent starts this, and says where it is");
	if (x->child == NULL || evsignal_add(x->child, NULL) < 0)
		return err_set(err, -1, "out of memory");
	int r = http_client_new(x->loop, 0, http, err);
	if (r == 0)
		r = mesos_client_new(x->loop, *http, &config, &ops, x, &x->mesos, err);
	return r == 0 ? mesos_client_start(x->mesos, err) : r;
}

int executor_run(void)
{
	struct executor x = { .executor_id = MESOS__V1__EXECUTOR_ID__INIT,
		.framework_id = MESOS__V1__FRAMEWORK_ID__INIT };
	struct http_client *http = NULL;
	struct err err = { "" };

	if (start(&x, &http, &err) < 0)
		fail(err.text);
	(void)event_base_dispatch(x.loop);
	while (x.tasks != NULL) {
		struct task *t = x.tasks;

		x.tasks = t->next;
		if (t->timer != NULL)
			event_free(t->timer);
		if (t->pid > 0)
			(void)kill(t->pid, SIGKILL);
		free(t);
	}
	(void)mesos_client_free(x.mesos);
	(void)http_client_free(http);
	event_free(x.child);
	event_base_free(x.loop);
	return 0;
}
