/* sim_job.c: the job's actions, and what each must come to: worked out beforehand, without the cores. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scheduler/sim_state.h"
#include "tests/one_branch.h"

enum {
	STAGE_MAP = 1,
	STAGE_MIDDLE,
	STAGE_LAST = 10, /* plus the number of the action */
	SHUFFLE_ONE = 1,
	SHUFFLE_TWO,
	PERSISTED = 1,
	RUN_COUNT = 1,
	RUN_SAVE,
	RUN_COLLECT,
	SPLIT = 1000 /* bytes */
};

static const uint64_t COLLECTED = (uint64_t)1 << 40; /* where the last action's input begins */

static uint64_t cut(uint64_t value)
{
	return value & (((uint64_t)1 << 44) - 1);
}

uint64_t sim_job_map_value(const struct sim *sim, uint64_t offset)
{
	return cut(sim_value(sim->config->seed, offset));
}

/* ---- What is right ---- */

/* The sums that `n` readers make of `n_values` outputs. */
static uint64_t *reduce(const uint64_t *values, uint32_t n_values, uint32_t n)
{
	uint64_t *sums = sim_alloc(n * sizeof(*sums));

	for (uint32_t p = 0; p < n; p++) {
		for (uint32_t i = 0; i < n_values; i++)
			sums[p] += sim_value(values[i], p);
		sums[p] = cut(sums[p]);
	}
	return sums;
}

static void expect(struct sim *sim, uint32_t run, uint64_t *values, uint32_t n)
{
	struct sim_action *a = &sim->driver.actions[run];

	a->partitions = n;
	a->expected = values;
	a->got = sim_alloc(n);
}

void sim_job_start(struct sim *sim)
{
	const struct sim_job *j = &sim->config->job;
	uint64_t *maps = sim_alloc(j->maps * sizeof(*maps));
	uint64_t *collects = sim_alloc(j->collects * sizeof(*collects));
	uint64_t *saved = sim_alloc(j->reduces * sizeof(*saved));

	for (uint32_t i = 0; i < j->maps; i++)
		maps[i] = sim_job_map_value(sim, (uint64_t)i * SPLIT);
	for (uint32_t i = 0; i < j->collects; i++)
		collects[i] = sim_job_map_value(sim, COLLECTED + (uint64_t)i * SPLIT);
	uint64_t *middle = j->middle > 0 ? reduce(maps, j->maps, j->middle) : NULL;
	uint64_t *counts =
		middle != NULL ? reduce(middle, j->middle, j->reduces) : reduce(maps, j->maps, j->reduces);
	memcpy(saved, counts, j->reduces * sizeof(*saved));
	expect(sim, RUN_COUNT, counts, j->reduces);
	expect(sim, RUN_SAVE, saved, j->reduces);
	expect(sim, RUN_COLLECT, collects, j->collects);
	free(maps);
	free(middle);
}

void sim_job_end(struct sim *sim)
{
	struct sim_file *f, *next;

	for (uint32_t i = 1; i <= SIM_RUNS; i++) {
		free(sim->driver.actions[i].expected);
		free(sim->driver.actions[i].got);
	}
	HASH_ITER (hh, sim->driver.parts, f, next) {
		HASH_DELETE(hh, sim->driver.parts, f);
		free(f);
	}
}

/* ---- What is asked for ---- */

/* The stages of an action, and what they point at. */
struct plan {
	Quern__Run run;
	Quern__Stage stages[3], *list[3];
	struct one_branch from[3];
	Quern__Sink sinks[3];
	Quern__Step keep, *steps[1];
	Quern__Cache cache;
	Quern__Split *splits, **split_list;
	Quern__Extent *extents, **extent_list;
	char (*hosts)[16], **host_list;
	const Quern__Split *const *splits_of[3];
	size_t n_splits[3];
};

/* The data of each is on two agents' hosts. */
static void make_splits(const struct sim *sim, struct plan *p, uint64_t begin, uint32_t n)
{
	uint32_t agents = sim->config->agents;

	p->hosts = sim_alloc(agents * sizeof(*p->hosts));
	p->host_list = sim_alloc((size_t)n * 2 * sizeof(*p->host_list));
	for (uint32_t i = 0; i < agents; i++)
		(void)snprintf(p->hosts[i], sizeof(p->hosts[i]), "Host%u.", i);
	p->splits = sim_alloc(n * sizeof(*p->splits));
	p->split_list = sim_alloc(n * sizeof(*p->split_list));
	p->extents = sim_alloc(n * sizeof(*p->extents));
	p->extent_list = sim_alloc(n * sizeof(*p->extent_list));
	for (uint32_t i = 0; i < n; i++) {
		quern__split__init(&p->splits[i]);
		quern__extent__init(&p->extents[i]);
		p->extents[i].path = (char *)(uintptr_t) "/input";
		p->extents[i].offset = begin + (uint64_t)i * SPLIT;
		p->extents[i].length = SPLIT;
		p->extent_list[i] = &p->extents[i];
		p->splits[i].n_extents = 1;
		p->splits[i].extents = &p->extent_list[i];
		p->splits[i].n_hosts = 2;
		p->splits[i].hosts = &p->host_list[(size_t)i * 2];
		for (uint32_t k = 0; k < 2; k++)
			p->splits[i].hosts[k] = p->hosts[sim_value(begin + i, k) % agents];
		p->split_list[i] = &p->splits[i];
	}
	p->splits_of[0] = (const Quern__Split *const *)p->split_list;
	p->n_splits[0] = n;
}

/* Appends a stage of `tasks` that reads shuffle `source` (0: text) and writes shuffle `sink` of `partitions`.
 */
static void add_stage(
	struct plan *p, uint32_t id, uint32_t tasks, uint32_t source, uint32_t sink, uint32_t partitions)
{
	size_t i = p->run.n_stages++;

	quern__stage__init(&p->stages[i]);
	quern__sink__init(&p->sinks[i]);
	p->stages[i].id = id;
	one_branch_init(&p->from[i], &p->stages[i]);
	p->stages[i].sink = &p->sinks[i];
	p->list[i] = &p->stages[i];
	if (source != 0)
		one_branch_read(&p->from[i], source);
	one_branch_count(&p->from[i], tasks);
	p->sinks[i].kind = QUERN__SINK__KIND__SHUFFLE;
	p->sinks[i].has_shuffle = p->sinks[i].has_partitions = 1;
	p->sinks[i].shuffle = sink;
	p->sinks[i].partitions = partitions;
}

static void add_last(struct plan *p, uint32_t id, uint32_t tasks, uint32_t source, Quern__Sink__Kind kind)
{
	add_stage(p, id, tasks, source, 0, 0);
	Quern__Sink *sink = &p->sinks[p->run.n_stages - 1];
	sink->kind = kind;
	sink->has_shuffle = sink->has_partitions = 0;
	sink->path = kind == QUERN__SINK__KIND__TEXT ? (char *)(uintptr_t) "/output" : NULL;
}

/* The last stage keeps what it has read. */
static void persist(struct plan *p)
{
	Quern__Branch *last = &p->from[p->run.n_stages - 1].branch;

	quern__step__init(&p->keep);
	quern__cache__init(&p->cache);
	p->cache.id = PERSISTED;
	p->keep.kind = QUERN__STEP__KIND__CACHE;
	p->keep.has_first = p->keep.has_origin = true;
	p->keep.cache = &p->cache;
	p->steps[0] = &p->keep;
	last->steps = p->steps;
	last->n_steps = 1;
}

/* What is shared from this action on: see look_at_broadcasts(). */
static void broadcast(struct sim *sim, uint32_t run)
{
	if (run == SIM_RUNS)
		sim_driver_step(
			sim, (struct sched_event){ .kind = SCHED_EV_DESTROY, .u.broadcast = { .id = 1 } });
	sim_driver_step(
		sim, (struct sched_event){ .kind = SCHED_EV_BROADCAST, .u.broadcast = { .id = run } });
}

void sim_job_submit(struct sim *sim, uint32_t run)
{
	static const Quern__Sink__Kind kinds[] = { [RUN_COUNT] = QUERN__SINK__KIND__COUNT,
		[RUN_SAVE] = QUERN__SINK__KIND__TEXT,
		[RUN_COLLECT] = QUERN__SINK__KIND__COLLECT };
	const struct sim_job *j = &sim->config->job;
	struct plan p = { 0 };

	Quern__Accumulator tasks = QUERN__ACCUMULATOR__INIT, *accumulators[] = { &tasks };

	if (j->broadcasts)
		broadcast(sim, run);
	quern__run__init(&p.run);
	tasks.name = (char *)(uintptr_t) "tasks";
	tasks.kind = QUERN__COUNT__KIND__SUM_U64;
	p.run.accumulators = accumulators;
	p.run.n_accumulators = 1;
	p.run.id = run;
	p.run.stages = p.list;
	if (run == RUN_COLLECT) {
		sim_driver_step(
			sim, (struct sched_event){ .kind = SCHED_EV_UNPERSIST, .u.cache = PERSISTED });
		make_splits(sim, &p, COLLECTED, j->collects);
		add_last(&p, STAGE_LAST + run, j->collects, 0, kinds[run]);
	} else {
		make_splits(sim, &p, 0, j->maps);
		add_stage(&p, STAGE_MAP, j->maps, 0, SHUFFLE_ONE, j->middle > 0 ? j->middle : j->reduces);
		if (j->middle > 0)
			add_stage(&p, STAGE_MIDDLE, j->middle, SHUFFLE_ONE, SHUFFLE_TWO, j->reduces);
		p.stages[1].has_task_cores_milli = j->middle > 0 && j->middle_slots > 0;
		p.stages[1].task_cores_milli = j->middle > 0 ? j->middle_slots * 1000 : 0;
		add_last(&p, STAGE_LAST + run, j->reduces, j->middle > 0 ? SHUFFLE_TWO : SHUFFLE_ONE,
			kinds[run]);
		persist(&p);
	}
	sim_driver_step(
		sim, (struct sched_event){ .kind = SCHED_EV_RUN,
			     .u.run = { .run = &p.run, .splits = p.splits_of, .n_splits = p.n_splits } });
	free(p.hosts);
	free((void *)p.host_list);
	free(p.splits);
	free(p.split_list);
	free(p.extents);
	free(p.extent_list);
}

/* ---- What comes ---- */

/* Takes the value of a partition, once. */
static void take(struct sim *sim, uint32_t run, uint32_t partition, uint64_t value)
{
	struct sim_action *a = &sim->driver.actions[run];

	if (run != sim->driver.run || partition >= a->partitions)
		sim_wrong(sim, "a result of partition %u of run %u", partition, run);
	else if (a->got[partition]++ > 0)
		sim_wrong(sim, "partition %u of run %u came twice", partition, run);
	else if (value != a->expected[partition])
		sim_wrong(sim, "partition %u of run %u is wrong", partition, run);
}

void sim_job_result(struct sim *sim, const struct sched_action *a)
{
	uint64_t value = 0;

	if (a->len < sizeof(value))
		sim_wrong(sim, "a result of %zu bytes", a->len);
	else
		memcpy(&value, a->data, sizeof(value));
	take(sim, a->run, a->partition, value);
}

void sim_job_part(struct sim *sim, const struct exec_name *name, uint64_t value)
{
	struct sim_file *f = sim_alloc(sizeof(*f)), *old;

	f->name = (struct sim_file_name){ name->stage, name->partition, name->attempt };
	f->value = value;
	HASH_FIND(hh, sim->driver.parts, &f->name, sizeof(f->name), old);
	if (old != NULL) {
		HASH_DELETE(hh, sim->driver.parts, old);
		free(old);
	}
	HASH_ADD(hh, sim->driver.parts, name, sizeof(f->name), f);
}

const char *sim_job_commit(struct sim *sim, const struct sched_action *a)
{
	struct sim_file_name name;
	struct sim_file *f = NULL;
	uint32_t part;

	if (sscanf(a->text, "%u.%u.%u/part-%u", &name.stage, &name.partition, &name.attempt, &part) == 4 &&
		part == a->partition && name.partition == a->partition)
		HASH_FIND(hh, sim->driver.parts, &name, sizeof(name), f);
	if (f == NULL) {
		sim_wrong(sim, "no file '%s' to commit", a->text);
		return "no such file";
	}
	take(sim, a->run, a->partition, f->value);
	HASH_DELETE(hh, sim->driver.parts, f); /* it is moved */
	free(f);
	return NULL;
}

/* Every task counts itself: those of a shuffle once for all actions, however often they had to run. */
static void check_tally(struct sim *sim)
{
	const struct sim_job *j = &sim->config->job;
	uint64_t expected = j->maps + j->middle + j->reduces;
	struct sched_tally t;

	if (sim->driver.run >= RUN_SAVE)
		expected += j->reduces;
	if (sim->driver.run >= RUN_COLLECT)
		expected += j->collects;
	sched_get_tally(sim->driver.core, &t);
	if (t.n_totals != 1 || t.totals[0]->bits != expected)
		sim_wrong(sim, "after run %u %llu tasks were counted, not %llu", sim->driver.run,
			t.n_totals > 0 ? (unsigned long long)t.totals[0]->bits : 0,
			(unsigned long long)expected);
}

void sim_job_done(struct sim *sim, const struct sched_action *a)
{
	const struct sim_action *action = &sim->driver.actions[sim->driver.run];

	if (a->run != sim->driver.run || a->code != 0)
		sim_wrong(sim, "run %u ended with %d: %s", a->run, a->code, a->text);
	for (uint32_t i = 0; i < action->partitions; i++)
		if (action->got[i] != 1)
			sim_wrong(sim, "run %u is over without partition %u", a->run, i);
	check_tally(sim);
}
