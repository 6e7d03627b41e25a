/* master.c: the door of the master's core, and its timers.
 *
 * Order within a step: the answer to a call comes first, then what it brings about; an allocation, where
 * there is one, comes last. In Apache Mesos the allocator is another actor, and its offers follow in the same
 * way. */
#include "local/master.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

enum {
	ALLOCATION_INTERVAL_MS = 1000,        /* DEFAULT_ALLOCATION_INTERVAL, src/master/constants.hpp */
	HEARTBEAT_INTERVAL_MS = 15000,        /* DEFAULT_HEARTBEAT_INTERVAL */
	AGENT_REREGISTER_TIMEOUT_MS = 600000, /* DEFAULT_AGENT_REREGISTER_TIMEOUT */
	AGENT_PING_TIMEOUT_MS = 75000, /* DEFAULT_AGENT_PING_TIMEOUT times DEFAULT_MAX_AGENT_PING_TIMEOUTS */
};

static uint64_t or_default(uint64_t value, uint64_t fallback)
{
	return value > 0 ? value : fallback;
}

int master_new(const struct master_config *config, struct master **ret, struct err *err)
{
	struct master *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	m->config = *config;
	m->config.hostname = strdup(config->hostname != NULL ? config->hostname : "localhost");
	m->config.ip = strdup(config->ip != NULL ? config->ip : "127.0.0.1");
	m->config.allocation_interval_ms = or_default(config->allocation_interval_ms, ALLOCATION_INTERVAL_MS);
	m->config.heartbeat_interval_ms = or_default(config->heartbeat_interval_ms, HEARTBEAT_INTERVAL_MS);
	m->config.agent_reregister_timeout_ms =
		or_default(config->agent_reregister_timeout_ms, AGENT_REREGISTER_TIMEOUT_MS);
	m->config.agent_ping_timeout_ms = or_default(config->agent_ping_timeout_ms, AGENT_PING_TIMEOUT_MS);
	m->random = config->seed;
	m->allocate.kind = TIMER_ALLOCATE;
	random_uuid_text(&m->random, m->id);
	if (m->config.hostname == NULL || m->config.ip == NULL) {
		master_free(m);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = m;
	return 0;
}

static void free_all(struct master *m)
{
	struct framework *f, *next_framework;
	struct agent *a, *next_agent;
	struct gone *g, *next_gone;

	HASH_ITER (hh, m->agents, a, next_agent)
		master_free_agent(m, a);
	HASH_ITER (hh, m->frameworks, f, next_framework)
		master_free_framework(m, f);
	HASH_ITER (hh, m->gone, g, next_gone)
		master_free_gone(m, g);
}

struct master *master_free(struct master *m)
{
	struct role *r, *next_role;

	if (m == NULL)
		return NULL;
	free_all(m);
	HASH_ITER (hh, m->roles, r, next_role)
		master_tidy_role(m, r);
	for (size_t i = 0; i < SCALARS_MAX; i++)
		free(m->scalars[i]);
	vec_deinit(&m->candidates);
	vec_deinit(&m->roles_in_turn);
	vec_deinit(&m->members_in_turn);
	vec_deinit(&m->offering);
	master_sorter_deinit(&m->role_sorter);
	master_timers_deinit(&m->timers);
	free((char *)m->config.hostname);
	free((char *)m->config.ip);
	free(m);
	return NULL;
}

static void fire(struct master *m, struct timer *t)
{
	switch (t->kind) {
	case TIMER_ALLOCATE:
		master_set_timer(m, t, m->now + m->config.allocation_interval_ms);
		master_allocate(m, NULL);
		break;
	case TIMER_HEARTBEAT:
		master_heartbeat(m, OWNER_OF(t, struct framework, heartbeat));
		break;
	case TIMER_FAILOVER:
		master_remove_framework(m, OWNER_OF(t, struct framework, failover));
		break;
	case TIMER_AGENT_LOST:
		master_agent_unreachable(m, OWNER_OF(t, struct agent, timer));
		break;
	case TIMER_AGENT_FORGET:
		master_free_agent(m, OWNER_OF(t, struct agent, timer));
		break;
	case TIMER_FILTER:
		master_free_filter(m, OWNER_OF(t, struct filter, timer));
		break;
	case TIMER_OFFER:
		master_rescind_offer(m, OWNER_OF(t, struct offer, timer));
		break;
	}
}

int master_step(struct master *m, const struct master_event *ev, struct master_plan *plan)
{
	struct framework *f;
	struct timer *t;

	m->plan = plan;
	m->now = ev->now_ms > m->now ? ev->now_ms : m->now;
	if (!m->started) {
		m->started = true;
		m->started_ms = m->now;
		master_set_timer(m, &m->allocate, m->now + m->config.allocation_interval_ms);
	}
	/* What is due happened before what happens now. */
	while (!m->oom && (t = master_timer_due(&m->timers, m->now)) != NULL)
		fire(m, t);
	switch (ev->kind) {
	case MASTER_EV_CALL:
		master_call(m, ev->u.call.conn, ev->u.call.stream_id, ev->u.call.call);
		break;
	case MASTER_EV_CLOSED:
		master_disconnected(m, ev->u.conn);
		break;
	case MASTER_EV_AGENT:
		master_agent_message(m, ev->u.agent.link, ev->u.agent.message);
		break;
	case MASTER_EV_AGENT_DOWN:
		master_agent_down(m, ev->u.agent.link);
		break;
	case MASTER_EV_TEARDOWN:
		f = master_framework(m, ev->u.framework_id);
		if (f != NULL)
			master_remove_framework(m, f);
		break;
	case MASTER_EV_TICK:
		break;
	}
	return m->oom ? -ENOMEM : 0;
}

uint64_t master_next_ms(const struct master *m)
{
	return master_timer_next(&m->timers);
}
