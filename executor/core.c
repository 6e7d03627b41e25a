#include "executor/core.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/state.h"

static int dup_config(struct exec *x, const struct exec_config *config)
{
	const struct {
		char **to;
		const char *from;
	} texts[] = { { &x->executor_id, config->executor_id }, { &x->framework_id, config->framework_id },
		{ &x->shuffle_dir, config->shuffle_dir }, { &x->machine, config->machine },
		{ &x->address, config->address } };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		*texts[i].to = strdup(texts[i].from);
		if (*texts[i].to == NULL)
			return -ENOMEM;
	}
	x->config = *config;
	if (config->running_delay_ms == 0)
		x->config.running_delay_ms = RUNNING_DELAY_MS;
	if (config->link_grace_ms == 0)
		x->config.link_grace_ms = LINK_GRACE_MS;
	if (config->max_data == 0)
		x->config.max_data = MAX_DATA;
	if (config->max_kept == 0)
		x->config.max_kept = MAX_KEPT;
	return 0;
}

int exec_new(const struct exec_config *config, struct exec **ret)
{
	struct exec *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return -ENOMEM;
	if (dup_config(x, config) < 0) {
		(void)exec_free(x);
		return -ENOMEM;
	}
	x->random = config->seed;
	x->leave_due_ms = UINT64_MAX;
	*ret = x;
	return 0;
}

struct exec *exec_free(struct exec *x)
{
	if (x == NULL)
		return NULL;
	attempt_deinit(x);
	agent_deinit(x);
	persist_deinit(x);
	broadcast_deinit(x);
	driver_deinit(x);
	free(x->executor_id);
	free(x->framework_id);
	free(x->shuffle_dir);
	free(x->machine);
	free(x->address);
	free(x->unloadable);
	free(x);
	return NULL;
}

/* The end, once: what is not over is told to be killed, and the shell does the killing. */
static int end(struct exec *x, int code, const char *why, struct exec_plan *plan)
{
	if (x->ended)
		return 0;
	int r = agent_shutdown(x, plan);
	if (r == 0)
		r = plan_text(plan, EXEC_DO_EXIT, code, "%s", why);
	x->ended = true;
	return r;
}

static const char no_use[] = "the driver has no more use for it";

/* The agent's SHUTDOWN follows, as a rule. An agent that is away may come back when the framework is over and
 * report this executor; Mesos 1.12's master has no account of it then, and a failed check of
 * ScalarResourceTotals::subtract() (hierarchical.cpp) ends the master with this executor's end. */
int core_leave(struct exec *x, struct exec_plan *plan)
{
	if (!x->subscribed)
		return end(x, 0, no_use, plan);
	if (x->leave_due_ms == UINT64_MAX)
		x->leave_due_ms = x->now_ms + LEAVE_MS;
	return 0;
}

static int on_mesos(struct exec *x, const Mesos__V1__Executor__Event *event, struct exec_plan *plan)
{
	if (event->has_type && event->type == MESOS__V1__EXECUTOR__EVENT__TYPE__SHUTDOWN)
		return end(x, 0, "the agent asked for it", plan);
	if (event->has_type && event->type == MESOS__V1__EXECUTOR__EVENT__TYPE__ERROR)
		return end(x, 1, event->error != NULL ? event->error->message : "the agent reports an error",
			plan);
	return agent_event(x, event, plan);
}

static int on_mesos_down(struct exec *x, const char *why, struct exec_plan *plan)
{
	x->subscribed = false;
	int r = plan_text(plan, EXEC_DO_LOG, 0, "the agent's stream ended: %s", why);
	if (r < 0)
		return r;
	if (x->leave_due_ms != UINT64_MAX)
		return end(x, 0, no_use, plan);
	if (x->config.checkpoint)
		return r;
	return end(x, 1, "the agent is lost and the framework does not checkpoint", plan);
}

static int on_tick(struct exec *x, struct exec_plan *plan)
{
	if (x->link != LINK_IS_UP && x->link != LINK_NONE &&
		x->now_ms - x->link_lost_ms >= x->config.link_grace_ms)
		return end(x, 1, "the driver is gone", plan);
	if (x->leave_due_ms <= x->now_ms)
		return end(x, 0, no_use, plan);
	int r = driver_tick(x, plan);
	if (r == 0)
		r = attempt_tick(x, plan);
	return r < 0 ? r : agent_tick(x, plan);
}

static int step(struct exec *x, const struct exec_event *ev, struct exec_plan *plan)
{
	switch (ev->kind) {
	case EXEC_EV_MESOS:
		return on_mesos(x, ev->u.mesos, plan);
	case EXEC_EV_MESOS_DOWN:
		return on_mesos_down(x, ev->u.text, plan);
	case EXEC_EV_MESOS_LOST:
		return end(x, 1, ev->u.text, plan);
	case EXEC_EV_LINK_UP:
		return driver_up(x, plan);
	case EXEC_EV_LINK_DOWN:
		return driver_down(x, ev->u.text, plan);
	case EXEC_EV_LINK:
		return driver_message(x, ev->u.link, plan);
	case EXEC_EV_RESULT:
		return attempt_result(x, ev->u.result, plan);
	case EXEC_EV_FETCHED:
		return broadcast_fetched(
			x, ev->u.fetched.broadcast, ev->u.fetched.error == NULL, ev->u.fetched.error, plan);
	case EXEC_EV_UNLOADABLE:
		return attempt_unloadable(x, ev->u.text, plan);
	case EXEC_EV_FLUSH:
		return driver_flush(x, plan);
	case EXEC_EV_STOP:
		return end(x, 0, "told by a signal", plan);
	case EXEC_EV_TICK:
		return 0;
	default:
		return 0;
	}
}

int exec_step(struct exec *x, const struct exec_event *ev, struct exec_plan *plan)
{
	x->now_ms = ev->now_ms;
	if (x->ended) { /* what still arrives is for nobody */
		if (ev->kind == EXEC_EV_RESULT)
			quern__task_result__free_unpacked(ev->u.result, NULL);
		return 0;
	}
	int r = step(x, ev, plan);
	return r < 0 || x->ended ? r : on_tick(x, plan);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t exec_next_ms(const struct exec *x)
{
	if (x->ended)
		return UINT64_MAX;
	return min_u64(
		min_u64(x->leave_due_ms, driver_next_ms(x)), min_u64(attempt_next_ms(x), agent_due_ms(x)));
}

bool exec_wants_flush(const struct exec *x)
{
	return !x->ended && driver_flush_due(x);
}

size_t exec_attempts(const struct exec *x)
{
	return HASH_COUNT(x->attempts);
}

size_t exec_unacknowledged(const struct exec *x)
{
	return HASH_COUNT(x->updates);
}
