/* The embedded master's core, told anything in any order by frameworks and agents. Where a framework would
 * have to name what the master gave it (its id, its stream, an offer, an agent), the input need not guess: a
 * bit of the step puts in what was given last. */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/master.h"
#include "tests/fuzz/steps.h"

enum { KNOWN = 0x80, AGENTS_MAX = 4 };

struct world {
	struct master *master;
	struct master_plan plan;
	uint64_t now, conn;
	struct streams streams;
	char stream_id[64], framework[256], offer[256], agent[256]; /* given last */
};

static void remember(char to[256], const char *value)
{
	(void)snprintf(to, 256, "%s", value);
}

static void check_event(struct world *w, const struct master_action *x)
{
	Mesos__V1__Scheduler__Event *e = mesos__v1__scheduler__event__unpack(NULL, x->len, x->data);

	assert(stream_is_open(&w->streams, x->conn));
	assert(e != NULL && e->has_type);
	if (e->subscribed != NULL)
		remember(w->framework, e->subscribed->framework_id->value);
	if (e->offers != NULL && e->offers->n_offers > 0) {
		remember(w->offer, e->offers->offers[0]->id->value);
		remember(w->agent, e->offers->offers[0]->agent_id->value);
	}
	mesos__v1__scheduler__event__free_unpacked(e, NULL);
}

static void check(struct world *w, const struct master_action *x)
{
	Quern__Local__ToAgent *m;

	switch (x->kind) {
	case MASTER_DO_REPLY:
		assert(x->conn == w->conn && x->status >= 200 && x->status < 600);
		assert((x->status == 200) == (x->stream_id != NULL));
		if (x->status == 200) {
			assert(stream_open(&w->streams, x->conn));
			(void)snprintf(w->stream_id, sizeof(w->stream_id), "%s", x->stream_id);
		}
		break;
	case MASTER_DO_EVENT:
		check_event(w, x);
		break;
	case MASTER_DO_CLOSE:
		assert(stream_is_open(&w->streams, x->conn));
		stream_close(&w->streams, x->conn);
		break;
	case MASTER_DO_AGENT:
		assert(x->link < AGENTS_MAX);
		m = quern__local__to_agent__unpack(NULL, x->len, x->data);
		assert(m != NULL);
		quern__local__to_agent__free_unpacked(m, NULL);
		break;
	}
}

static void feed_once(struct world *w, struct master_event *ev)
{
	size_t replies = 0;

	ev->now_ms = w->now;
	assert(master_step(w->master, ev, &w->plan) == 0);
	for (size_t i = 0; i < w->plan.n; i++) {
		check(w, &w->plan.at[i]);
		replies += w->plan.at[i].kind == MASTER_DO_REPLY;
	}
	assert(replies == (ev->kind == MASTER_EV_CALL ? 1 : 0));
	master_plan_reset(&w->plan);
}

/* What is due at once is over after one look at the clock: nobody is kept busy. */
static void feed(struct world *w, struct master_event *ev)
{
	struct master_event tick = { .kind = MASTER_EV_TICK };

	feed_once(w, ev);
	if (master_next_ms(w->master) <= w->now)
		feed_once(w, &tick);
	assert(master_next_ms(w->master) > w->now);
}

static void put(char **field, const char *value)
{
	free(*field);
	*field = strdup(value);
	assert(*field != NULL);
}

static void put_tasks(const struct world *w, Mesos__V1__Offer__Operation *o)
{
	for (size_t i = 0; o->launch != NULL && i < o->launch->n_task_infos; i++)
		put(&o->launch->task_infos[i]->agent_id->value, w->agent);
}

/* What the framework was given last, in place of what the input says. */
static void put_known(const struct world *w, Mesos__V1__Scheduler__Call *c)
{
	if (c->framework_id != NULL)
		put(&c->framework_id->value, w->framework);
	if (c->subscribe != NULL && c->subscribe->framework_info->id != NULL)
		put(&c->subscribe->framework_info->id->value, w->framework);
	if (c->accept != NULL) {
		for (size_t i = 0; i < c->accept->n_offer_ids; i++)
			put(&c->accept->offer_ids[i]->value, w->offer);
		for (size_t i = 0; i < c->accept->n_operations; i++)
			put_tasks(w, c->accept->operations[i]);
	}
	for (size_t i = 0; c->decline != NULL && i < c->decline->n_offer_ids; i++)
		put(&c->decline->offer_ids[i]->value, w->offer);
	if (c->acknowledge != NULL)
		put(&c->acknowledge->agent_id->value, w->agent);
	if (c->message != NULL)
		put(&c->message->agent_id->value, w->agent);
}

static void feed_call(struct world *w, const struct step *s)
{
	Mesos__V1__Scheduler__Call *m = mesos__v1__scheduler__call__unpack(NULL, s->len, s->data);
	bool subscribe = m != NULL && m->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	struct master_event ev = {
		.kind = MASTER_EV_CALL,
		.u.call = { .conn = ++w->conn, .stream_id = subscribe ? NULL : w->stream_id, .call = m },
	};

	if (m == NULL)
		return;
	if ((s->what & KNOWN) != 0)
		put_known(w, m);
	feed(w, &ev);
	mesos__v1__scheduler__call__free_unpacked(m, NULL);
	if (w->streams.n == sizeof(w->streams.open) / sizeof(w->streams.open[0])) {
		struct master_event closed = { .kind = MASTER_EV_CLOSED, .u.conn = w->streams.open[0] };
		stream_close(&w->streams, closed.u.conn);
		feed(w, &closed);
	}
}

static void put_known_of_agent(const struct world *w, Quern__Local__ToMaster *m)
{
	if (m->update != NULL)
		put(&m->update->framework_id->value, w->framework);
	if (m->executor_exited != NULL)
		put(&m->executor_exited->framework_id->value, w->framework);
	if (m->message != NULL)
		put(&m->message->framework_id->value, w->framework);
	if (m->register_ != NULL && m->register_->info->id != NULL)
		put(&m->register_->info->id->value, w->agent);
}

static void feed_agent(struct world *w, const struct step *s)
{
	Quern__Local__ToMaster *m = quern__local__to_master__unpack(NULL, s->len, s->data);
	struct master_event ev = {
		.kind = MASTER_EV_AGENT,
		.u.agent = { .link = (s->what >> 3) % AGENTS_MAX, .message = m },
	};

	if (m == NULL)
		return;
	if ((s->what & KNOWN) != 0)
		put_known_of_agent(w, m);
	feed(w, &ev);
	quern__local__to_master__free_unpacked(m, NULL);
}

static void look(const struct world *w)
{
	json_t *metrics = master_metrics(w->master, w->now), *state = master_state(w->master, w->now);

	assert(metrics != NULL && state != NULL);
	json_decref(metrics);
	json_decref(state);
}

static void take(struct world *w, const struct step *s)
{
	struct master_event ev = { .kind = MASTER_EV_TICK };

	switch (s->what % 8) {
	case 0:
	case 1:
	case 2:
		feed_call(w, s);
		return;
	case 3:
	case 4:
		feed_agent(w, s);
		return;
	case 5:
		if (w->streams.n == 0 || s->len == 0)
			return;
		ev.kind = MASTER_EV_CLOSED;
		ev.u.conn = w->streams.open[s->data[0] % w->streams.n];
		stream_close(&w->streams, ev.u.conn);
		break;
	case 6:
		w->now += s->len > 0 ? (uint64_t)s->data[0] * 500 : 0;
		break;
	default:
		if ((s->what & KNOWN) != 0) {
			look(w);
			return;
		}
		ev.kind = MASTER_EV_AGENT_DOWN;
		ev.u.agent.link = (s->what >> 3) % AGENTS_MAX;
		break;
	}
	feed(w, &ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct master_config config = {
		.hostname = "master",
		.ip = "127.0.0.1",
		.port = 5050,
		.seed = 1,
	};
	struct world w = { .now = 1000000, .stream_id = "none" };
	struct step s;

	if (master_new(&config, &w.master, NULL) < 0)
		abort();
	while (step_next(&data, &size, &s))
		take(&w, &s);
	master_plan_deinit(&w.plan);
	(void)master_free(w.master);
	return 0;
}
