#include "executor/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Samples of a text ---- */

enum {
	PARTS = 8,               /* of an extent, at equal distances */
	SAMPLE_BYTES = 512 << 10 /* of a split */
};

static void free_parts(Quern__Split *parts)
{
	for (size_t i = 0; parts != NULL && i < parts->n_extents; i++)
		free(parts->extents[i]);
	if (parts != NULL)
		free(parts->extents);
	free(parts);
}

/* Adds part `i` of an extent; the path is borrowed. */
static int add_part(Quern__Split *parts, const Quern__Extent *x, uint64_t offset, uint64_t length)
{
	Quern__Extent *part = malloc(sizeof(*part));

	if (part == NULL)
		return -ENOMEM;
	*part = *x;
	part->offset = offset;
	part->length = length;
	parts->extents[parts->n_extents++] = part;
	return 0;
}

/* Lines belong to the part in which they begin, whatever the parts are (reader.h). Of each extent as large a
 * share as of any other. What is compressed is read as a whole: there is nothing to skip to. */
static int add_parts(Quern__Split *parts, const Quern__Extent *x, double share, uint64_t *bytes)
{
	uint64_t length = (uint64_t)((double)x->length * share / PARTS);
	int r = 0;

	if (share >= 1 || (x->has_codec && x->codec != QUERN__CODEC__PLAIN)) {
		*bytes += x->length;
		return add_part(parts, x, x->offset, x->length);
	}
	*bytes += length * PARTS;
	for (uint64_t i = 0; i < PARTS && r == 0; i++)
		r = add_part(parts, x, x->offset + x->length / PARTS * i, length);
	return r;
}

static uint64_t bytes_of(const Quern__Split *split)
{
	uint64_t n = 0;

	for (size_t i = 0; i < split->n_extents; i++)
		n += split->extents[i]->length;
	return n;
}

static int open_sample(struct source *s, struct err *err)
{
	const Quern__Split *split = s->config.task->task->split;
	uint64_t all = bytes_of(split), bytes = 0;
	double share = all > 0 ? (double)SAMPLE_BYTES / (double)all : 1;
	int r = 0;

	s->parts = calloc(1, sizeof(*s->parts));
	if (s->parts != NULL) {
		quern__split__init(s->parts);
		s->parts->extents = calloc(split->n_extents * PARTS + 1, sizeof(*s->parts->extents));
	}
	if (s->parts == NULL || s->parts->extents == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < split->n_extents && r == 0; i++)
		r = add_parts(s->parts, split->extents[i], share, &bytes);
	s->scale = bytes > 0 ? (double)all / (double)bytes : 1;
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

/* ---- Shuffles ---- */

static int open_order(struct source *s, const Quern__ShuffleInput *input, struct err *err)
{
	s->order = input->order != NULL ? order_of(input->order)
					: order_hash(task_hash_seed(s->config.env->code, input->seed));
	if (input->reduce == NULL && input->order == NULL)
		return err_set(err, -EINVAL, "stage %u: a shuffle that is neither reduced nor sorted",
			s->config.task->stage->id);
	if (input->reduce == NULL)
		return 0;
	return reduce_init(&s->reduce, s->config.env->code, input->reduce, s->config.flow, err);
}

static int open_shuffle(struct source *s, struct err *err)
{
	const struct source_config *c = &s->config;
	const struct task *task = c->task;
	const Quern__ShuffleInput *input = task->branch->source->shuffles[0];

	if (task->n_outputs < 1 || task->outputs[0]->shuffle != input->shuffle)
		return err_set(err, -EPROTO, "stage %u: nothing is known of the map output of shuffle %u",
			task->stage->id, input->shuffle);
	const struct shuffle_read_config config = { .outputs = task->outputs[0],
		.partition = task->task->part,
		.machine = c->env->machine,
		.secret = c->env->secret,
		.scratch = &s->spill.scratch,
		.flow = c->flow };

	(void)snprintf(
		s->from, sizeof(s->from), "shuffle %u, partition %u", input->shuffle, task->task->part);
	if (c->flow->task != NULL)
		c->flow->task->record.from = s->from;
	int r = open_order(s, input, err);
	if (r == 0)
		r = shuffle_reader_new(&config, &s->shuffle, err);
	if (r < 0)
		return r;
	const struct merge_config merge = { .order = &s->order,
		.reduce = input->reduce != NULL ? &s->reduce : NULL,
		.memory = c->memory,
		.spill = &s->spill,
		.keep = c->env->keep,
		.flow = c->flow,
		.damaged = shuffle_reader_damaged,
		.damaged_arg = s->shuffle };
	s->merge = merge_new(&merge);
	return s->merge == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static void give_record(void *arg, uint64_t word, quern_slice key, quern_slice value)
{
	struct quern_out *in = arg;

	(void)word;
	in->emit(in, key, value);
}

/* ---- Both ---- */

int source_open(struct source *s, const struct source_config *config, struct err *err)
{
	*s = (struct source){ .config = *config, .reader = READER_INIT, .scale = 1 };
	spill_init(&s->spill, config->env->scratch_dir, config->env->keep, config->flow);
	if (config->task->branch->source->n_shuffles > 0)
		return open_shuffle(s, err);
	if (config->task->task->split == NULL)
		return err_set(err, -EPROTO, "stage %u: a task without a split", config->task->stage->id);
	return config->sample ? open_sample(s, err) : 0;
}

void source_run(struct source *s, struct quern_out *in)
{
	size_t n;

	if (s->shuffle == NULL) {
		reader_run(&s->reader, s->parts != NULL ? s->parts : s->config.task->task->split, in,
			s->config.flow);
		return;
	}
	shuffle_reader_bring(s->shuffle);
	if (s->config.flow->result < 0)
		return;
	const struct stored *runs = shuffle_reader_runs(s->shuffle, &n);
	merge_run(s->merge, runs, n, give_record, in);
	s->merge = merge_free(s->merge); /* its memory is for what follows */
}

double source_scale(const struct source *s)
{
	return s->scale;
}

const Quern__MapOutput *source_lost(const struct source *s, uint32_t *ret_shuffle)
{
	if (s->shuffle == NULL)
		return NULL;
	*ret_shuffle = s->config.task->outputs[0]->shuffle;
	return shuffle_reader_lost(s->shuffle);
}

uint64_t source_records(const struct source *s)
{
	return s->shuffle != NULL ? shuffle_reader_records(s->shuffle) : s->reader.records;
}

uint64_t source_bytes(const struct source *s)
{
	return s->shuffle != NULL ? shuffle_reader_bytes(s->shuffle) : s->reader.bytes;
}

void source_close(struct source *s)
{
	if (s->config.env == NULL)
		return;
	reader_deinit(&s->reader);
	free_parts(s->parts);
	s->parts = NULL;
	s->merge = merge_free(s->merge);
	reduce_deinit(&s->reduce);
	s->shuffle = shuffle_reader_free(s->shuffle);
	spill_deinit(&s->spill);
}
