#include "local/master.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

/* Mesos' defaults: flags of the master, and DEFAULT_HEARTBEAT_INTERVAL of src/master/constants.hpp. */
enum {
	ALLOCATION_INTERVAL_MS = 1000,
	HEARTBEAT_INTERVAL_MS = 15000,
	AGENT_REREGISTER_TIMEOUT_MS = 600000,
	AGENT_PING_TIMEOUT_MS = 75000,
};

/* ---- Timers ---- */

#define OWNER(timer_, type, member) ((type *)((char *)(timer_)-offsetof(type, member)))

static void due(struct master *m, struct timer *t)
{
	switch (t->kind) {
	case TIMER_ALLOCATE:
		master_allocate(m, NULL);
		master_set_timer(m, t, m->now + m->config.allocation_interval_ms);
		break;
	case TIMER_HEARTBEAT:
		master_heartbeat(m, OWNER(t, struct framework, heartbeat));
		break;
	case TIMER_FAILOVER:
		master_remove_framework(m, OWNER(t, struct framework, failover));
		break;
	case TIMER_AGENT_LOST:
		master_agent_unreachable(m, OWNER(t, struct agent, timer));
		break;
	case TIMER_AGENT_FORGET:
		master_free_agent(m, OWNER(t, struct agent, timer));
		break;
	case TIMER_FILTER:
		master_free_filter(m, OWNER(t, struct filter, timer));
		break;
	case TIMER_OFFER:
		master_rescind(m, OWNER(t, struct offer, timer), true);
		break;
	}
}

uint64_t master_next_ms(const struct master *m)
{
	return master_timer_next(&m->timers);
}

int master_step(struct master *m, const struct master_event *ev, struct master_plan *plan)
{
	struct timer *t;

	m->now = ev->now_ms;
	m->plan = plan;
	switch (ev->kind) {
	case MASTER_EV_CALL:
		master_call(m, ev->u.call.conn, ev->u.call.stream_id, ev->u.call.call);
		break;
	case MASTER_EV_CLOSED:
		master_closed(m, ev->u.conn);
		break;
	case MASTER_EV_AGENT:
		master_agent_message(m, ev->u.agent.link, ev->u.agent.message);
		break;
	case MASTER_EV_AGENT_DOWN:
		master_agent_down(m, ev->u.agent.link);
		break;
	case MASTER_EV_TICK:
		break;
	}
	while (!m->oom && (t = master_timer_due(&m->timers, m->now)) != NULL)
		due(m, t);
	m->plan = NULL;
	return m->oom ? -ENOMEM : 0;
}

/* ---- Life ---- */

static void set_default(uint64_t *value, uint64_t standard)
{
	if (*value == 0)
		*value = standard;
}

int master_new(const struct master_config *config, struct master **ret, struct err *err)
{
	struct master *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	m->config = *config;
	m->random = config->seed;
	m->history_last = &m->history;
	m->config.hostname = master_strdup(m, config->hostname);
	m->config.ip = master_strdup(m, config->ip);
	set_default(&m->config.allocation_interval_ms, ALLOCATION_INTERVAL_MS);
	set_default(&m->config.heartbeat_interval_ms, HEARTBEAT_INTERVAL_MS);
	set_default(&m->config.agent_reregister_timeout_ms, AGENT_REREGISTER_TIMEOUT_MS);
	set_default(&m->config.agent_ping_timeout_ms, AGENT_PING_TIMEOUT_MS);
	master_uuid(m, m->id);
	m->allocate.kind = TIMER_ALLOCATE;
	master_set_timer(m, &m->allocate, 0); /* the first step, whenever that is */
	if (m->oom) {
		(void)master_free(m);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = m;
	return 0;
}

struct master *master_free(struct master *m)
{
	struct framework *f, *next_framework;
	struct agent *a, *next_agent;
	struct gone *g, *next_gone;

	if (m == NULL)
		return NULL;
	HASH_ITER (hh, m->agents, a, next_agent) {
		master_free_agent(m, a);
	}
	HASH_ITER (hh, m->frameworks, f, next_framework) {
		HASH_DEL(m->frameworks, f);
		master_free_framework(m, f);
	}
	HASH_ITER (hh, m->gone, g, next_gone) {
		HASH_DEL(m->gone, g);
		free(g);
	}
	while (m->history != NULL) {
		struct history *h = m->history;

		m->history = h->next;
		free(h->task);
		free(h->framework);
		free(h);
	}
	for (size_t i = 0; i < SCALARS_MAX; i++)
		free(m->scalars[i]);
	master_sorter_deinit(&m->role_sorter);
	master_timers_deinit(&m->timers);
	free((char *)m->config.hostname);
	free((char *)m->config.ip);
	free(m);
	return NULL;
}
