/* cluster_agent.c: one agent core on the event loop. */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/cluster_parts.h"
#include "local/helper.h"
#include "local/sandbox.h"
#include "local/server.h"

/* A sandbox on its way out. */
struct removal {
	struct removal *next, **back;
	const struct agent_shell *agent;
	struct helper *helper;
	char path[];
};

struct agent_shell {
	struct cluster *cluster;
	uint32_t index;
	char work_dir[PATH_MAX];
	struct server *server;
	struct agent *core;
	struct agent_plan plan;
	struct event *timer;
	uint64_t armed_ms;
	struct container_list containers;
	struct removal *removals;
	bool registered, stopped;
};

/* --- removing sandboxes -----------------------------------------------------------------------------------
 */

/* In a child: there may be a great deal to remove. */
static int remove_sandbox(void *arg, struct err *err)
{
	const struct removal *m = arg;

	int r = sandbox_remove(m->path, err);
	sandbox_prune(m->path, m->agent->work_dir);
	return r;
}

static void removal_forget(struct removal *m)
{
	*m->back = m->next;
	if (m->next != NULL)
		m->next->back = m->back;
	free(m);
}

static void on_removed(void *arg, int result, const char *why)
{
	struct removal *m = arg;

	if (result < 0)
		(void)fprintf(stderr, "quern: sandbox stays behind: %s\n", why);
	removal_forget(m);
}

static int start_removal(struct agent_shell *s, const char *path)
{
	struct err err = { "" };
	struct removal *m = malloc(sizeof(*m) + strlen(path) + 1);

	if (m == NULL)
		return -ENOMEM;
	*m = (struct removal){ .agent = s, .next = s->removals, .back = &s->removals };
	memcpy(m->path, path, strlen(path) + 1);
	if (m->next != NULL)
		m->next->back = &m->next;
	s->removals = m;
	if (helper_start(s->cluster->loop, remove_sandbox, m, on_removed, m, &m->helper, &err) < 0) {
		(void)remove_sandbox(m, &err); /* no process to be had: then slowly */
		removal_forget(m);
	}
	return 0;
}

/* --- the core ----------------------------------------------------------------------------------------------
 */

static void stopped(struct agent_shell *s)
{
	if (s->stopped)
		return;
	s->stopped = true;
	cluster_agent_stopped(s->cluster);
}

/* 0 or -ENOMEM. */
static int act(struct agent_shell *s, const struct agent_action *a)
{
	struct container *k;

	switch (a->kind) {
	case AGENT_DO_MASTER:
		return post_send(s->cluster->post, s->index + 1, POST_MASTER, a->data, a->len);
	case AGENT_DO_REPLY:
		return server_reply(s->server, a->conn, a->status, a->text, NULL);
	case AGENT_DO_EVENT:
		return server_event(s->server, a->conn, a->data, a->len);
	case AGENT_DO_CLOSE:
		server_close(s->server, a->conn);
		return 0;
	case AGENT_DO_START:
		return container_start(s->cluster, s, &s->containers, a);
	case AGENT_DO_KILL:
		k = container_find(&s->containers, a->container);
		if (k != NULL)
			container_kill(k, a->status);
		return 0;
	case AGENT_DO_REMOVE:
		return start_removal(s, a->path);
	case AGENT_DO_STOPPED:
		stopped(s);
		return 0;
	}
	return 0;
}

void agent_shell_event(struct agent_shell *s, struct agent_event *ev)
{
	ev->now_ms = cluster_now_ms(s->cluster);
	int r = agent_step(s->core, ev, &s->plan);
	for (size_t i = 0; r == 0 && i < s->plan.n; i++)
		r = act(s, &s->plan.at[i]);
	agent_plan_reset(&s->plan);
	if (r < 0)
		cluster_fail(s->cluster, "an agent is out of memory");
	else
		cluster_arm(s->cluster, s->timer, agent_next_ms(s->core), &s->armed_ms);
}

static void on_call(void *arg, uint64_t conn, const ProtobufCMessage *call, const char *stream_id)
{
	struct agent_event ev = {
		.kind = AGENT_EV_CALL,
		.u.call = { .conn = conn, .call = (const Mesos__V1__Executor__Call *)call },
	};
	(void)stream_id; /* executors have none in Mesos */
	agent_shell_event(arg, &ev);
}

static void on_closed(void *arg, uint64_t conn)
{
	struct agent_event ev = { .kind = AGENT_EV_CLOSED, .u.conn = conn };
	agent_shell_event(arg, &ev);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct agent_shell *s = arg;
	struct agent_event ev = { .kind = AGENT_EV_TICK };

	(void)fd, (void)what;
	s->armed_ms = UINT64_MAX;
	agent_shell_event(s, &ev);
}

void agent_shell_link_up(struct agent_shell *s)
{
	struct agent_event ev = { .kind = AGENT_EV_LINK_UP };
	agent_shell_event(s, &ev);
}

void agent_shell_stop(struct agent_shell *s)
{
	struct agent_event ev = { .kind = AGENT_EV_STOP };
	agent_shell_event(s, &ev);
}

void agent_shell_deliver(struct agent_shell *s, const uint8_t *data, size_t len)
{
	Quern__Local__ToAgent *message = quern__local__to_agent__unpack(NULL, len, data);

	if (message == NULL) {
		cluster_fail(s->cluster, "an agent is out of memory");
		return;
	}
	struct agent_event ev = { .kind = AGENT_EV_MASTER, .u.master = message };
	bool news = message->registered != NULL && !s->registered;
	agent_shell_event(s, &ev);
	quern__local__to_agent__free_unpacked(message, NULL);
	if (news) {
		s->registered = true;
		cluster_agent_registered(s->cluster);
	}
}

/* --- pages
 * -------------------------------------------------------------------------------------------------- */

static const char *hostname_of(const struct agent_shell *s)
{
	const struct cluster *c = s->cluster;

	return s->index < c->config->n_agent_hostnames ? c->config->agent_hostnames[s->index] : c->hostname;
}

static json_t *on_state(void *arg)
{
	const struct agent_shell *s = arg;
	const struct cluster *c = s->cluster;

	return json_pack("{s:s, s:s, s:i, s:s, s:s}", "version", "1.12.0", "hostname", hostname_of(s), "port",
		(int)server_port(s->server), "resources", c->config->resources, "work_dir", s->work_dir);
}

static json_t *on_metrics(void *arg)
{
	const struct agent_shell *s = arg;

	return json_pack("{s:i, s:I}", "slave/registered", s->registered ? 1 : 0, "slave/executors_running",
		(json_int_t)container_list_count(&s->containers));
}

/* --- life
 * --------------------------------------------------------------------------------------------------- */

static int start(struct agent_shell *s, struct err *err)
{
	static const struct server_ops ops = {
		.call = on_call,
		.closed = on_closed,
		.state = on_state,
		.metrics = on_metrics,
	};
	const struct cluster *c = s->cluster;
	const struct server_config http = {
		.role = SERVER_AGENT, .address = c->address, .ops = &ops, .arg = s
	};

	int r = server_new(c->loop, &http, &s->server, err);
	if (r == 0)
		r = sandbox_make(s->work_dir, err);
	if (r < 0)
		return r;
	const struct agent_config config = {
		.hostname = hostname_of(s),
		.ip = c->address,
		.port = server_port(s->server),
		.resources = c->config->resources,
		.work_dir = s->work_dir,
		.registration_timeout_ms = c->config->executor_registration_timeout_ms,
		.shutdown_grace_ms = c->config->executor_shutdown_grace_ms,
		.keep_sandboxes = c->config->keep_sandboxes,
		/* Any odd constant would do: the cores' seeds have to differ. */
		.seed = c->seed + (s->index + 1) * UINT64_C(0x9e3779b97f4a7c15),
	};
	s->timer = evtimer_new(c->loop, on_timer, s);
	if (s->timer == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	return agent_new(&config, &s->core, err);
}

int agent_shell_new(struct cluster *c, uint32_t index, struct agent_shell **ret, struct err *err)
{
	struct agent_shell *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*s = (struct agent_shell){ .cluster = c, .index = index, .armed_ms = UINT64_MAX };
	int n = snprintf(s->work_dir, sizeof(s->work_dir), "%s/agent%u", c->work_dir, index + 1);
	int r = n < 0 || (size_t)n >= sizeof(s->work_dir)
			? err_set(err, -ENAMETOOLONG, "the work folder's name is too long")
			: start(s, err);
	if (r < 0) {
		agent_shell_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct agent_shell *agent_shell_free(struct agent_shell *s)
{
	struct err err;

	if (s == NULL)
		return NULL;
	server_free(s->server);
	while (s->containers.first != NULL)
		container_free(s->containers.first);
	while (s->removals != NULL) {
		s->removals->helper = helper_join(s->removals->helper);
		removal_forget(s->removals);
	}
	if (s->timer != NULL)
		event_free(s->timer);
	agent_plan_deinit(&s->plan);
	agent_free(s->core);
	if (!s->cluster->config->keep_sandboxes && sandbox_remove(s->work_dir, &err) < 0)
		(void)fprintf(stderr, "quern: sandboxes stay behind: %s\n", err.text);
	free(s);
	return NULL;
}
