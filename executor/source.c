#include "executor/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- Samples of files ---- */

enum {
	PARTS = 8,                /* of an extent, at equal distances */
	SAMPLE_BYTES = 512 << 10, /* of a split */
	SAMPLE_SEQ =
		PARTS *
		SEQ_STRETCH /* the same of files of records: a stretch is read as a whole or not at all */
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

/* Records belong to the part in which they begin, whatever the parts are (reader.h, binary.h, seq.h). Of each
 * extent as large a share as of any other. What is compressed is read as a whole: there is nothing to skip
 * to. */
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

/* Whether parts of an extent can be read. A file that is one record has none; of others a record begins soon.
 */
static bool may_sample(const Quern__Source *source)
{
	return source->n_text > 0 && source->format != QUERN__SOURCE__FORMAT__WHOLE;
}

static int open_sample(struct source *s, struct err *err)
{
	const Quern__Split *split = s->config.task->task->split;
	uint64_t all = bytes_of(split), bytes = 0;
	bool seq = s->config.task->branch->source->format == QUERN__SOURCE__FORMAT__SEQ;
	double share = all > 0 ? (double)(seq ? SAMPLE_SEQ : SAMPLE_BYTES) / (double)all : 1;
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

/* ---- Both ---- */

int source_open(struct source *s, const struct source_config *config, struct err *err)
{
	const struct inputs_config inputs = {
		.env = config->env, .task = config->task, .memory = config->memory, .flow = config->flow
	};

	*s = (struct source){ .config = *config, .scale = 1 };
	if (config->task->branch->source->n_shuffles > 0)
		return inputs_open(&s->inputs, &inputs, err);
	if (config->task->task->split == NULL)
		return err_set(err, -EPROTO, "stage %u: a task without a split", config->task->stage->id);
	split_reader_init(&s->reader, config->task->branch->source, config->env->keep);
	return config->sample && may_sample(config->task->branch->source) ? open_sample(s, err) : 0;
}

void source_run(struct source *s, struct quern_out *in)
{
	if (s->inputs.n > 0)
		inputs_run(&s->inputs, in);
	else
		split_reader_run(&s->reader, s->parts != NULL ? s->parts : s->config.task->task->split, in,
			s->config.flow);
}

double source_scale(const struct source *s)
{
	return s->scale;
}

const Quern__MapOutput *source_lost(const struct source *s, uint32_t *ret_shuffle)
{
	return inputs_lost(&s->inputs, ret_shuffle);
}

uint64_t source_records(const struct source *s)
{
	return s->inputs.n > 0 ? inputs_records(&s->inputs) : split_reader_records(&s->reader);
}

uint64_t source_bytes(const struct source *s)
{
	return s->inputs.n > 0 ? inputs_bytes(&s->inputs) : split_reader_bytes(&s->reader);
}

void source_close(struct source *s)
{
	if (s->config.env == NULL)
		return;
	split_reader_deinit(&s->reader);
	free_parts(s->parts);
	s->parts = NULL;
	inputs_close(&s->inputs);
}
