#include "scheduler/sched.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

/* ---- Making ---- */

static int dup_text(const char **text)
{
	if (*text == NULL)
		return 0;
	*text = strdup(*text);
	return *text == NULL ? -ENOMEM : 0;
}

static int dup_executor(struct sched *s, const Mesos__V1__ExecutorInfo *executor)
{
	Mesos__V1__ExecutorInfo info = *executor;
	Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;

	id.value = (char *)(uintptr_t) ""; /* a message needs one */
	info.executor_id = &id;
	s->config.executor = sched_message_dup(&info.base);
	return s->config.executor == NULL ? -ENOMEM : 0;
}

/* Everything that the configuration points at becomes the core's own; what could not be copied is NULL. */
static int dup_config(struct sched *s, const struct sched_config *config)
{
	static const char *const everybody[] = { "*", NULL };
	const char **texts[] = { &s->config.name, &s->config.user, &s->config.principal, &s->config.hostname,
		&s->config.own_task, &s->config.constraints };
	int r = 0;

	s->config = *config;
	s->config.executor = NULL;
	s->config.labels = NULL;
	s->config.framework_id = NULL; /* see framework_id of the core's own */
	s->config.roles = NULL;
	s->roles = roles_dup(config->roles != NULL ? config->roles : everybody);
	if (s->roles == NULL)
		r = -ENOMEM;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (dup_text(texts[i]) < 0)
			r = -ENOMEM;
	if (config->framework_id != NULL && (s->framework_id = strdup(config->framework_id)) == NULL)
		r = -ENOMEM;
	if (config->labels != NULL && (s->config.labels = sched_message_dup(&config->labels->base)) == NULL)
		r = -ENOMEM;
	return dup_executor(s, config->executor) < 0 ? -ENOMEM : r;
}

static int check(const struct sched_config *config, struct err *err)
{
	if (config->name == NULL || config->user == NULL || config->mode == NULL ||
		config->executor == NULL || config->executor->command == NULL)
		return err_set(err, -EINVAL, "scheduler: a name, a user, a mode and a command are needed");
	if (config->task_cpus_milli == 0)
		return err_set(err, -EINVAL, "a task needs more than no cores");
	if (config->task_max_failures == 0)
		return err_set(err, -EINVAL, "a task needs one attempt at least");
	return 0;
}

int sched_new(const struct sched_config *config, struct sched **ret, struct err *err)
{
	int r = check(config, err);

	if (r < 0)
		return r;
	struct sched *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r = dup_config(s, config);
	if (r == 0)
		r = mode_new(&config->mode_config, &s->mode);
	if (r < 0)
		(void)err_set(err, r, "out of memory");
	else
		r = constraints_parse(config->constraints, &s->constraints, err);
	if (r == 0 && (r = sched_reason_init(s)) < 0)
		(void)err_set(err, r, "out of memory");
	if (r < 0) {
		(void)sched_free(s);
		return r;
	}
	s->least_cpus_milli = config->task_cpus_milli;
	s->least_mem_mb = config->task_mem_mb;
	s->tokens = config->revive_burst;
	s->look_ms = s->start_ms = s->revive_due_ms = UINT64_MAX;
	s->holds_look_ms = s->reconcile_ms = s->own_due_ms = s->starting_due_ms = s->drain_ms = UINT64_MAX;
	s->ledger.waiting_ms = UINT64_MAX;
	*ret = s;
	return 0;
}

static void free_config(struct sched *s)
{
	const char *texts[] = { s->config.name, s->config.user, s->config.principal, s->config.hostname,
		s->config.own_task, s->config.constraints };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		free((char *)(uintptr_t)texts[i]);
	roles_free(s->roles);
	if (s->config.labels != NULL)
		mesos__v1__labels__free_unpacked((Mesos__V1__Labels *)(uintptr_t)s->config.labels, NULL);
	if (s->config.executor != NULL)
		mesos__v1__executor_info__free_unpacked(
			(Mesos__V1__ExecutorInfo *)(uintptr_t)s->config.executor, NULL);
}

struct sched *sched_free(struct sched *s)
{
	if (s == NULL)
		return NULL;
	s->log = NULL; /* nothing happens any more */
	sched_run_free(s, s->run);
	s->run = NULL;
	sched_shuffles_deinit(s);
	sched_cache_deinit(s);
	sched_tally_deinit(s);
	sched_broadcasts_deinit(s);
	sched_hdfs_deinit(s);
	sched_attempts_deinit(s);
	sched_holds_deinit(s);
	sched_executors_deinit(s);
	sched_agents_deinit(s);
	sched_hosts_deinit(s);
	sched_reason_deinit(s);
	constraints_deinit(&s->constraints);
	free(s->region);
	vec_deinit(&s->offering);
	vec_deinit(&s->batched);
	vec_deinit(&s->draining);
	(void)mode_free(s->mode);
	free_config(s);
	free(s->framework_id);
	free(s);
	return NULL;
}

/* ---- Steps ---- */

static int handle(struct sched *s, const struct sched_event *ev)
{
	switch (ev->kind) {
	case SCHED_EV_MESOS:
		return sched_master_event(s, ev->u.mesos);
	case SCHED_EV_MESOS_DOWN:
		return sched_master_down(s);
	case SCHED_EV_LINK_UP:
		return sched_link_up(s, ev->u.link.executor_id);
	case SCHED_EV_LINK_DOWN:
		return sched_link_down(s, ev->u.link.executor_id);
	case SCHED_EV_LINK:
		return sched_link_message(s, ev->u.link.executor_id, ev->u.link.message);
	case SCHED_EV_RUN:
		return sched_run_start(s, ev);
	case SCHED_EV_CANCEL:
		return sched_run_cancel(s, ev->u.run_id);
	case SCHED_EV_UNPERSIST:
		return sched_cache_drop(s, ev->u.cache);
	case SCHED_EV_BROADCAST:
		return sched_broadcasts_add(
			s, ev->u.broadcast.id, ev->u.broadcast.length, ev->u.broadcast.checksum);
	case SCHED_EV_DESTROY:
		return sched_broadcasts_destroy(s, ev->u.broadcast.id);
	case SCHED_EV_HDFS:
		return sched_hdfs_set(s, ev->u.hdfs.data, ev->u.hdfs.len);
	case SCHED_EV_SURVEY:
		return sched_reason_survey(s, ev->u.survey);
	case SCHED_EV_COMMITTED:
		return sched_run_committed(
			s, ev->u.committed.run, ev->u.committed.partition, ev->u.committed.error);
	case SCHED_EV_STOP:
		return sched_master_stop(s, ev->u.status);
	case SCHED_EV_TICK:
	default:
		return 0;
	}
}

/* What time alone brings about. */
static int look(struct sched *s)
{
	int r = 0;

	if (s->look_ms <= s->now_ms) {
		s->look_ms = UINT64_MAX;
		s->stirred = true;
		sched_hosts_look(s);
		r = sched_executors_look(s);
		if (r == 0)
			r = sched_attempts_look(s);
	}
	if (r == 0 && s->subscribed && s->holds_look_ms <= s->now_ms)
		r = sched_holds_look(s);
	if (r == 0 && s->subscribed && s->reconcile_ms <= s->now_ms) {
		s->reconcile_ms = s->now_ms + RECONCILE_MS;
		r = sched_call_reconcile(s, true);
		if (r == 0)
			r = sched_call_reconcile_implicitly(s);
	}
	return r;
}

/* What follows from the event: in this order, for each may change what the next one sees. */
static int settle(struct sched *s)
{
	int r = look(s);

	if (r == 0)
		r = sched_run_settle(s);
	if (r == 0)
		r = sched_lease_go(s);
	if (r == 0)
		r = sched_link_dispatch(s);
	if (r == 0)
		r = sched_offers_answer(s);
	if (r == 0)
		r = sched_drain_settle(s);
	if (r == 0)
		r = sched_lease_settle(s);
	if (r == 0)
		r = sched_reason_settle(s);
	sched_wait_settle(s);
	sched_ledger_settle(s);
	sched_run_sweep(s);
	if (r == 0)
		r = sched_appetite_settle(s);
	return r < 0 ? r : sched_goodbye_settle(s);
}

int sched_step(struct sched *s, const struct sched_event *ev, struct sched_plan *plan)
{
	if (s->over)
		return 0;
	s->now_ms = ev->now_ms;
	s->wall_ms = ev->wall_ms > 0 ? ev->wall_ms : ev->now_ms;
	s->plan = plan;
	int r = handle(s, ev);
	if (r == 0 && !s->over)
		r = settle(s);
	if (r == 0 && s->over) {
		sched_run_sweep(s);
		sched_ledger_over(s);
	}
	s->plan = NULL;
	s->heard = NULL;
	return r;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t sched_next_ms(const struct sched *s)
{
	uint64_t next = min_u64(s->look_ms, min_u64(s->start_ms, s->revive_due_ms));

	if (s->over)
		return UINT64_MAX;
	if (s->subscribed)
		next = min_u64(
			next, min_u64(s->reconcile_ms, s->holds != NULL ? s->holds_look_ms : UINT64_MAX));
	if (s->subscribed && s->stopping)
		next = min_u64(next, s->goodbye_ms);
	return next;
}

/* ---- For people ---- */

void sched_get_progress(const struct sched *s, struct sched_progress *ret)
{
	*ret = (struct sched_progress){ .tasks_running = HASH_COUNT(s->attempts) - s->ahead,
		.executors = s->linked,
		.slots_held = s->held,
		.offers = s->offers,
		.declined = s->declined,
		.revives = s->revives,
		.peak_rss = s->peak_rss,
		.locality = { s->ran[LOCALITY_CACHED], s->ran[LOCALITY_HOST], s->ran[LOCALITY_ELSEWHERE],
			s->ran[LOCALITY_ANY] },
		.waiting = s->waiting.said ? s->waiting.text : NULL,
		.subscribed = s->subscribed,
		.expected = sched_goodbye_expected(s),
		.starting = sched_goodbye_starting(s) };
	if (s->run == NULL)
		return;
	ret->run = s->run->id;
	ret->tasks_failed = s->run->failed;
	ret->stages = (uint32_t)s->run->stages.n;
	for (size_t i = 0; i < s->run->stages.n; i++) {
		const struct stage *stage = s->run->stages.at[i];

		ret->stages_done += stage->n_done == stage->n_tasks;
		ret->tasks_done += stage->n_done;
		ret->tasks += stage->n_tasks;
	}
}
