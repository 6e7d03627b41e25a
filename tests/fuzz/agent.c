/* The embedded agent's core, told anything in any order by its master and its executors. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/agent.h"
#include "tests/fuzz/steps.h"

#define WORK_DIR "/work"

enum { CONTAINERS_MAX = 64 };

struct world {
	struct agent *agent;
	struct agent_plan plan;
	uint64_t now, conn;
	bool linked, stopped;
	struct streams streams;
	char containers[CONTAINERS_MAX][40]; /* that were started and have not ended */
	size_t n;
};

static void check_start(struct world *w, const struct agent_action *x)
{
	assert(strncmp(x->path, WORK_DIR "/slaves/", sizeof(WORK_DIR "/slaves/") - 1) == 0);
	assert(strstr(x->path, "/../") == NULL && strstr(x->path, "/./") == NULL &&
		strstr(x->path, "//") == NULL);
	int slashes = 0;
	for (const char *c = x->path; *c != '\0'; c++)
		slashes += *c == '/';
	assert(slashes == 9); /* of the layout, none of an id */
	assert(x->command != NULL && x->env != NULL);
	for (char **v = x->env; *v != NULL; v++)
		assert(strchr(*v, '=') != NULL && (*v)[0] != '=');
	if (w->n < CONTAINERS_MAX)
		(void)snprintf(w->containers[w->n++], sizeof(w->containers[0]), "%s", x->container);
}

static void check(struct world *w, const struct agent_action *x)
{
	void *m;

	switch (x->kind) {
	case AGENT_DO_MASTER:
		assert(w->linked);
		m = quern__local__to_master__unpack(NULL, x->len, x->data);
		assert(m != NULL);
		quern__local__to_master__free_unpacked(m, NULL);
		break;
	case AGENT_DO_REPLY:
		assert(x->conn == w->conn && x->status >= 200 && x->status < 600);
		assert(x->status != 200 || stream_open(&w->streams, x->conn));
		break;
	case AGENT_DO_EVENT:
		assert(stream_is_open(&w->streams, x->conn));
		m = mesos__v1__executor__event__unpack(NULL, x->len, x->data);
		assert(m != NULL);
		mesos__v1__executor__event__free_unpacked(m, NULL);
		break;
	case AGENT_DO_CLOSE:
		assert(stream_is_open(&w->streams, x->conn));
		stream_close(&w->streams, x->conn);
		break;
	case AGENT_DO_START:
		check_start(w, x);
		break;
	case AGENT_DO_KILL:
		assert(x->container != NULL && x->status > 0);
		break;
	case AGENT_DO_REMOVE:
		assert(strncmp(x->path, WORK_DIR "/slaves/", sizeof(WORK_DIR "/slaves/") - 1) == 0);
		break;
	case AGENT_DO_STOPPED:
		assert(!w->stopped);
		w->stopped = true;
		break;
	}
}

static void feed(struct world *w, struct agent_event *ev)
{
	size_t replies = 0;

	ev->now_ms = w->now;
	assert(agent_step(w->agent, ev, &w->plan) == 0);
	for (size_t i = 0; i < w->plan.n; i++) {
		check(w, &w->plan.at[i]);
		replies += w->plan.at[i].kind == AGENT_DO_REPLY;
	}
	assert(replies == (ev->kind == AGENT_EV_CALL ? 1 : 0));
	agent_plan_reset(&w->plan);
	assert(w->stopped || agent_next_ms(w->agent) > w->now);
}

static void feed_message(struct world *w, const struct step *s)
{
	Quern__Local__ToAgent *m = quern__local__to_agent__unpack(NULL, s->len, s->data);
	struct agent_event ev = { .kind = AGENT_EV_MASTER, .u.master = m };

	if (m == NULL)
		return;
	if (w->linked)
		feed(w, &ev);
	quern__local__to_agent__free_unpacked(m, NULL);
}

static void feed_call(struct world *w, const struct step *s)
{
	Mesos__V1__Executor__Call *m = mesos__v1__executor__call__unpack(NULL, s->len, s->data);
	struct agent_event ev = { .kind = AGENT_EV_CALL, .u.call = { .conn = ++w->conn, .call = m } };

	if (m == NULL)
		return;
	feed(w, &ev);
	mesos__v1__executor__call__free_unpacked(m, NULL);
	if (w->streams.n == sizeof(w->streams.open) / sizeof(w->streams.open[0])) {
		struct agent_event closed = { .kind = AGENT_EV_CLOSED, .u.conn = w->streams.open[0] };
		stream_close(&w->streams, closed.u.conn);
		feed(w, &closed);
	}
}

static void feed_container(struct world *w, enum agent_event_kind kind, const struct step *s)
{
	char id[40];
	struct agent_event ev = {
		.kind = kind,
		.u.container = { .id = id, .pid = 7, .status = 256, .text = "why" },
	};

	if (w->n == 0 || s->len == 0)
		return;
	size_t i = s->data[0] % w->n;
	memcpy(id, w->containers[i], sizeof(id));
	if (kind != AGENT_EV_STARTED)
		memmove(w->containers[i], w->containers[--w->n], sizeof(id));
	feed(w, &ev);
}

static void take(struct world *w, const struct step *s)
{
	struct agent_event ev = { .kind = AGENT_EV_TICK };

	switch (s->what % 10) {
	case 0:
	case 1:
		feed_message(w, s);
		return;
	case 2:
	case 3:
		feed_call(w, s);
		return;
	case 4:
		feed_container(w, AGENT_EV_STARTED, s);
		return;
	case 5:
		feed_container(w, s->len > 1 ? AGENT_EV_START_FAILED : AGENT_EV_EXITED, s);
		return;
	case 6:
		if (w->streams.n == 0 || s->len == 0)
			return;
		ev.kind = AGENT_EV_CLOSED;
		ev.u.conn = w->streams.open[s->data[0] % w->streams.n];
		stream_close(&w->streams, ev.u.conn);
		break;
	case 7:
		w->now += s->len > 0 ? (uint64_t)s->data[0] * 500 : 0;
		break;
	case 8:
		ev.kind = w->linked ? AGENT_EV_LINK_DOWN : AGENT_EV_LINK_UP;
		w->linked = !w->linked;
		break;
	default:
		ev.kind = AGENT_EV_STOP;
		break;
	}
	feed(w, &ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct agent_config config = {
		.hostname = "agent",
		.ip = "127.0.0.1",
		.port = 5051,
		.resources = "cpus:4;mem:4096",
		.work_dir = WORK_DIR,
		.seed = 1,
	};
	struct world w = { .now = 1000000 };
	struct step s;

	if (agent_new(&config, &w.agent, NULL) < 0)
		abort();
	while (step_next(&data, &size, &s))
		take(&w, &s);
	agent_plan_deinit(&w.plan);
	(void)agent_free(w.agent);
	return 0;
}
