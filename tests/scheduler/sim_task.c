/* sim_task.c: what attempts come to. The value of a text task follows from where its split begins; that of a
 * task that reads a shuffle is a sum over the map outputs that its table names, as far as they are there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scheduler/sim_state.h"

enum { SMALL = 8, LARGE = 3000, VALUE_BITS = 44, KEPT_MAX = SIM_CACHE / 2 };

static Quern__TaskResult *copy(const Quern__TaskResult *r)
{
	size_t len = quern__task_result__get_packed_size(r);
	uint8_t *bytes = sim_alloc(len);

	(void)quern__task_result__pack(r, bytes);
	Quern__TaskResult *ret = quern__task_result__unpack(NULL, len, bytes);
	sim_check(ret == NULL);
	free(bytes);
	return ret;
}

static Quern__TaskResult begin(const struct exec_name *name)
{
	Quern__TaskResult r = QUERN__TASK_RESULT__INIT;

	r.stage = name->stage;
	r.partition = name->partition;
	r.attempt = name->attempt;
	return r;
}

Quern__TaskResult *sim_task_killed(const struct exec_name *name)
{
	Quern__TaskResult r = begin(name);

	r.state = QUERN__TASK_RESULT__STATE__KILLED;
	return copy(&r);
}

/* The output, if its executor lives and has it. */
static const struct sim_file *fetch(
	const struct sim_executor *host, const Quern__Outputs *outputs, const Quern__MapOutput *m)
{
	const struct sim_file_name name = { m->stage, m->map, m->attempt };
	struct sim_file *f = NULL;

	if (host != NULL)
		HASH_FIND(hh, host->files, &name, sizeof(name), f);
	return f != NULL && f->set == outputs->shuffle ? f : NULL;
}

/* NULL: *ret is the sum. Else what could not be had. */
static const Quern__MapOutput *read_shuffle(
	struct sim *sim, const Quern__Outputs *outputs, uint32_t partition, uint64_t *ret)
{
	const struct sim_executor **hosts = sim_alloc((outputs->n_hosts + 1) * sizeof(*hosts));
	const Quern__MapOutput *lost = NULL;
	uint64_t sum = 0;

	for (size_t i = 0; i < outputs->n_hosts; i++)
		hosts[i] = sim_executor_host(sim, outputs->hosts[i]->directory);
	for (size_t n = 0; n < outputs->n_outputs && lost == NULL; n++) {
		/* Each partition begins elsewhere, as real ones do. */
		const Quern__MapOutput *m = outputs->outputs[(n + partition) % outputs->n_outputs];
		const struct sim_file *f =
			m->host < outputs->n_hosts ? fetch(hosts[m->host], outputs, m) : NULL;

		if (f == NULL)
			lost = m;
		else
			sum += sim_value(f->value, partition);
	}
	free(hosts);
	*ret = sum & (((uint64_t)1 << VALUE_BITS) - 1);
	return lost;
}

static Quern__TaskResult *failed(const struct exec_name *name)
{
	Quern__TaskResult r = begin(name);

	r.state = QUERN__TASK_RESULT__STATE__FAILED;
	r.error = (char *)(uintptr_t) "killed by signal 11";
	r.stderr_tail = (char *)(uintptr_t) "last words\n";
	return copy(&r);
}

static Quern__TaskResult *fetch_failed(
	const struct exec_name *name, const Quern__Outputs *outputs, const Quern__MapOutput *lost)
{
	Quern__TaskResult r = begin(name);
	Quern__MapOutput output = *lost;

	r.state = QUERN__TASK_RESULT__STATE__FETCH_FAILED;
	r.error = (char *)(uintptr_t) "no route to host";
	r.fetch = &output;
	r.has_fetch_shuffle = 1;
	r.fetch_shuffle = outputs->shuffle;
	return copy(&r);
}

static Quern__TaskResult *done(struct sim *sim, const struct exec_action *run, uint64_t value)
{
	const struct exec_name *name = &run->name;
	const Quern__Sink *sink = run->stage->sink;
	Quern__TaskResult r = begin(name);
	Quern__TaskResult__Kept kept = QUERN__TASK_RESULT__KEPT__INIT, *list[] = { &kept };
	Quern__Tally tally = QUERN__TALLY__INIT;
	Quern__Count tasks = QUERN__COUNT__INIT, *counts[] = { &tasks };
	uint8_t data[LARGE] = { 0 };
	char file[64];

	r.state = QUERN__TASK_RESULT__STATE__DONE;
	tasks.kind = QUERN__COUNT__KIND__SUM_U64;
	tasks.has_id = true;
	tasks.bits = 1;
	tally.counts = counts;
	tally.n_counts = 1;
	r.tally = &tally;
	if (sink->kind == QUERN__SINK__KIND__TEXT) {
		(void)snprintf(file, sizeof(file), "%u.%u.%u/part-%05u", name->stage, name->partition,
			name->attempt, name->partition);
		r.file = file;
	} else if (sink->kind != QUERN__SINK__KIND__SHUFFLE) {
		memcpy(data, &value, sizeof(value));
		bool large = sink->kind == QUERN__SINK__KIND__COLLECT &&
			     sim_below(sim, 100) < sim->config->job.large_percent;
		r.has_data = 1;
		r.data = (ProtobufCBinaryData){ .data = data, .len = large ? LARGE : SMALL };
	}
	if (run->cached != NULL && run->cached->n_write > 0) {
		kept.cache = run->stage->branches[0]->steps[run->cached->write[0].step]->cache->id;
		kept.partition = run->name.partition;
		kept.has_bytes = 1;
		kept.bytes = 1 + sim_below(sim, KEPT_MAX);
		r.n_kept = 1;
		r.kept = list;
	}
	return copy(&r);
}

Quern__TaskResult *sim_task(
	struct sim *sim, const struct exec_action *run, const uint64_t *kept, uint64_t *ret_value)
{
	const Quern__Stage *stage = run->stage;
	const Quern__MapOutput *lost = NULL;

	*ret_value = 0;
	if (sim_below(sim, 1000) < sim->config->faults.fail_permille)
		return failed(&run->name);
	if (kept != NULL) {
		*ret_value = *kept;
	} else if (run->n_outputs == 0) {
		if (run->task->split == NULL || run->task->split->n_extents != 1) {
			sim_wrong(sim, "task %u.%u without its split", run->name.stage, run->name.partition);
			return failed(&run->name);
		}
		*ret_value = sim_job_map_value(sim, run->task->split->extents[0]->offset);
	} else {
		if (run->n_outputs != 1 ||
			run->outputs[0]->shuffle != stage->branches[0]->source->shuffles[0]->shuffle ||
			run->outputs[0]->version < run->task->outputs_versions[0])
			sim_wrong(sim, "task %u.%u with the wrong outputs", run->name.stage,
				run->name.partition);
		lost = read_shuffle(sim, run->outputs[0], run->task->part, ret_value);
	}
	if (lost != NULL)
		return fetch_failed(&run->name, run->outputs[0], lost);
	return done(sim, run, *ret_value);
}
