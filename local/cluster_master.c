/* cluster_master.c: the master core on the event loop. */
#include <errno.h>
#include <stdlib.h>

#include "local/cluster_parts.h"
#include "local/master.h"
#include "local/server.h"

struct master_shell {
	struct cluster *cluster;
	struct server *server;
	struct master *core;
	struct master_plan plan;
	struct event *timer;
	uint64_t armed_ms;
};

/* 0 or -ENOMEM. */
static int act(struct master_shell *s, const struct master_action *a)
{
	switch (a->kind) {
	case MASTER_DO_REPLY:
		return server_reply(s->server, a->conn, a->status, a->text, a->stream_id);
	case MASTER_DO_EVENT:
		return server_event(s->server, a->conn, a->data, a->len);
	case MASTER_DO_CLOSE:
		server_close(s->server, a->conn);
		return 0;
	case MASTER_DO_AGENT:
		return post_send(s->cluster->post, POST_MASTER, (uint32_t)a->link, a->data, a->len);
	}
	return 0;
}

static void step(struct master_shell *s, struct master_event *ev)
{
	ev->now_ms = cluster_now_ms(s->cluster);
	int r = master_step(s->core, ev, &s->plan);
	for (size_t i = 0; r == 0 && i < s->plan.n; i++)
		r = act(s, &s->plan.at[i]);
	master_plan_reset(&s->plan);
	if (r < 0)
		cluster_fail(s->cluster, "the master is out of memory");
	else
		cluster_arm(s->cluster, s->timer, master_next_ms(s->core), &s->armed_ms);
}

static void on_call(void *arg, uint64_t conn, const ProtobufCMessage *call, const char *stream_id)
{
	struct master_event ev = {
		.kind = MASTER_EV_CALL,
		.u.call = { .conn = conn,
			.stream_id = stream_id,
			.call = (const Mesos__V1__Scheduler__Call *)call },
	};
	step(arg, &ev);
}

static void on_closed(void *arg, uint64_t conn)
{
	struct master_event ev = { .kind = MASTER_EV_CLOSED, .u.conn = conn };
	step(arg, &ev);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct master_shell *s = arg;
	struct master_event ev = { .kind = MASTER_EV_TICK };

	(void)fd, (void)what;
	s->armed_ms = UINT64_MAX;
	step(s, &ev);
}

static struct json_t *on_state(void *arg)
{
	const struct master_shell *s = arg;
	return master_state(s->core, cluster_now_ms(s->cluster));
}

static struct json_t *on_metrics(void *arg)
{
	const struct master_shell *s = arg;
	return master_metrics(s->core, cluster_now_ms(s->cluster));
}

static int on_agents(void *arg, struct buf *out)
{
	const struct master_shell *s = arg;
	return master_list_agents(s->core, out);
}

void master_shell_deliver(struct master_shell *s, uint32_t from, const uint8_t *data, size_t len)
{
	Quern__Local__ToMaster *message = quern__local__to_master__unpack(NULL, len, data);

	if (message == NULL) {
		cluster_fail(s->cluster, "the master is out of memory");
		return;
	}
	struct master_event ev = { .kind = MASTER_EV_AGENT, .u.agent = { .link = from, .message = message } };
	step(s, &ev);
	quern__local__to_master__free_unpacked(message, NULL);
}

static int start(struct master_shell *s, struct err *err)
{
	static const struct server_ops ops = {
		.call = on_call,
		.closed = on_closed,
		.state = on_state,
		.metrics = on_metrics,
		.agents = on_agents,
	};
	const struct cluster *c = s->cluster;
	const struct server_config http = {
		.role = SERVER_MASTER,
		.address = c->address,
		.port = c->config->port,
		.hostname = c->hostname,
		.ops = &ops,
		.arg = s,
	};
	int r = server_new(c->loop, &http, &s->server, err);
	if (r < 0)
		return r;
	const struct master_config config = {
		.hostname = c->hostname,
		.ip = c->address,
		.port = server_port(s->server),
		.allocation_interval_ms = c->config->allocation_interval_ms,
		.heartbeat_interval_ms = c->config->heartbeat_interval_ms,
		.seed = c->seed,
	};
	s->timer = evtimer_new(c->loop, on_timer, s);
	if (s->timer == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	return master_new(&config, &s->core, err);
}

int master_shell_new(struct cluster *c, struct master_shell **ret, struct err *err)
{
	struct master_shell *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*s = (struct master_shell){ .cluster = c, .armed_ms = UINT64_MAX };
	int r = start(s, err);
	if (r < 0) {
		master_shell_free(s);
		return r;
	}
	*ret = s;
	return 0;
}

struct master_shell *master_shell_free(struct master_shell *s)
{
	if (s == NULL)
		return NULL;
	server_free(s->server);
	if (s->timer != NULL)
		event_free(s->timer);
	master_plan_deinit(&s->plan);
	master_free(s->core);
	free(s);
	return NULL;
}

uint16_t master_shell_port(const struct master_shell *s)
{
	return server_port(s->server);
}
