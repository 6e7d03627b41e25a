#include "executor/inputs.h"

#include <errno.h>
#include <stdio.h>

/* ---- Opening ---- */

/* Parts into which the memory is divided. */
static size_t shares(const Quern__Source *source)
{
	return source->n_shuffles + (source->group != NULL && group_holds(source->group->kind));
}

static int open_order(
	const struct inputs *in, struct input *to, const Quern__ShuffleInput *input, struct err *err)
{
	const struct code *code = in->config.env->code;

	if (input->order != NULL)
		return order_init(&to->order, code, input->order, err);
	to->order = order_hash(task_hash_seed(code, input->seed));
	return input->reduce == NULL ? 0
				     : reduce_init(&to->reduce, code, input->reduce, in->config.flow, err);
}

static int open_input(struct inputs *in, size_t i, struct err *err)
{
	const struct inputs_config *c = &in->config;
	const Quern__Source *source = c->task->branch->source;
	const Quern__ShuffleInput *input = source->shuffles[i];
	struct input *to = &in->at[i];

	if (c->task->n_outputs <= i || c->task->outputs[i]->shuffle != input->shuffle)
		return err_set(err, -EPROTO, "stage %u: nothing is known of the map output of shuffle %u",
			c->task->stage->id, input->shuffle);
	const struct shuffle_read_config config = { .outputs = c->task->outputs[i],
		.partition = c->task->task->part,
		.machine = c->env->machine,
		.secret = c->env->secret,
		.scratch = &in->spill.scratch,
		.flow = c->flow };
	int r = open_order(in, to, input, err);
	if (r == 0)
		r = shuffle_reader_new(&config, &to->reader, err);
	if (r < 0)
		return r;
	const struct merge_config merge = { .order = &to->order,
		.reduce = input->reduce != NULL ? &to->reduce : NULL,
		.memory = c->memory / shares(source),
		.spill = &in->spill,
		.keep = c->env->keep,
		.flow = c->flow,
		.damaged = shuffle_reader_damaged,
		.damaged_arg = to->reader };
	to->merge = merge_new(&merge);
	return to->merge == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int open_group(struct inputs *in, struct err *err)
{
	const struct inputs_config *c = &in->config;
	const Quern__Source *source = c->task->branch->source;
	const struct group_config config = { .code = c->env->code,
		.plan = source->group,
		.sides = { in->at[0].merge, in->at[1].merge },
		.memory = c->memory / shares(source),
		.spill = &in->spill,
		.keep = c->env->keep,
		.flow = c->flow };

	return group_new(&config, &in->group, err);
}

int inputs_open(struct inputs *in, const struct inputs_config *config, struct err *err)
{
	const Quern__Source *source = config->task->branch->source;
	int r = 0;

	*in = (struct inputs){ .config = *config };
	if (source->n_shuffles > 0)
		(void)snprintf(in->from, sizeof(in->from), "shuffle %u, partition %u",
			source->shuffles[0]->shuffle, config->task->task->part);
	if (config->flow->task != NULL)
		config->flow->task->from = in->from;
	spill_init(&in->spill, config->env->scratch_dir, config->env->keep, config->flow);
	if (source->n_shuffles > STAGE_SHUFFLES_MAX || (source->group == NULL && source->n_shuffles > 1))
		return err_set(err, -EINVAL, "stage %u: %zu shuffles at a time", config->task->stage->id,
			source->n_shuffles);
	for (; r == 0 && in->n < source->n_shuffles; in->n++)
		r = open_input(in, in->n, err);
	return r == 0 && source->group != NULL ? open_group(in, err) : r;
}

/* ---- Running ---- */

static void give_record(void *arg, uint64_t word, quern_slice key, quern_slice value)
{
	struct quern_out *out = arg;

	(void)word;
	out->emit(out, key, value);
}

void inputs_run(struct inputs *in, struct quern_out *out)
{
	const struct flow *flow = in->config.flow;
	const struct stored *runs;
	size_t n;

	for (size_t i = 0; i < in->n && flow->result == 0; i++)
		shuffle_reader_bring(in->at[i].reader);
	if (flow->result < 0)
		return;
	if (in->group == NULL) {
		runs = shuffle_reader_runs(in->at[0].reader, &n);
		merge_run(in->at[0].merge, runs, n, give_record, out);
	} else {
		for (size_t i = 0; i < in->n; i++) {
			runs = shuffle_reader_runs(in->at[i].reader, &n);
			merge_open(in->at[i].merge, runs, n);
		}
		group_run(in->group, out);
	}
	/* Their memory is for what follows. */
	in->group = group_free(in->group);
	for (size_t i = 0; i < in->n; i++)
		in->at[i].merge = merge_free(in->at[i].merge);
}

/* ---- What became of it ---- */

const Quern__MapOutput *inputs_lost(const struct inputs *in, uint32_t *ret_shuffle)
{
	for (size_t i = 0; i < in->n; i++) {
		const Quern__MapOutput *lost =
			in->at[i].reader != NULL ? shuffle_reader_lost(in->at[i].reader) : NULL;

		if (lost == NULL)
			continue;
		*ret_shuffle = in->config.task->outputs[i]->shuffle;
		return lost;
	}
	return NULL;
}

uint64_t inputs_records(const struct inputs *in)
{
	uint64_t n = 0;

	for (size_t i = 0; i < in->n; i++)
		n += shuffle_reader_records(in->at[i].reader);
	return n;
}

uint64_t inputs_bytes(const struct inputs *in)
{
	uint64_t n = 0;

	for (size_t i = 0; i < in->n; i++)
		n += shuffle_reader_bytes(in->at[i].reader);
	return n;
}

void inputs_close(struct inputs *in)
{
	if (in->config.env == NULL)
		return;
	in->group = group_free(in->group);
	for (size_t i = 0; i < in->n; i++) {
		in->at[i].merge = merge_free(in->at[i].merge);
		reduce_deinit(&in->at[i].reduce);
		order_deinit(&in->at[i].order);
		in->at[i].reader = shuffle_reader_free(in->at[i].reader);
	}
	spill_deinit(&in->spill);
}
