#include "executor/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/bytes.h"
#include "executor/hash.h"

static const Quern__Sink *plan_of(const struct sink *s)
{
	return s->config.task->stage->sink;
}

/* ---- Map output ---- */

static int open_combine(struct sink *s, struct err *err)
{
	const struct sink_config *c = &s->config;
	const struct combine_config config = { .code = c->env->code,
		.seed = task_hash_seed(c->env->code, plan_of(s)->seed),
		.function = plan_of(s)->combine,
		.memory = c->memory,
		.scratch_dir = c->env->scratch_dir,
		.keep = c->env->keep,
		.flow = c->flow };

	int r = combine_new(&config, &s->combine, err);
	if (r == 0)
		s->in = combine_in(s->combine);
	return r;
}

static void sorting_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	sort_record(&((struct sorting *)out)->sort, key, value);
}

/* A tag of a partition that there is not would be written nowhere. */
static void tagged_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sorting *s = (struct sorting *)out;

	if (key.len < TAG_SIZE || tag_partition(key) >= s->ranges.partitions)
		flow_fail(s->sort.config.flow, -EINVAL, true,
			"a record for a partition that the shuffle does not have: it has %u",
			s->ranges.partitions);
	else
		sort_record(&s->sort, key, value);
}

/* By keys, or by their hashes. */
static int open_sort(struct sink *s, struct err *err)
{
	const struct sink_config *c = &s->config;
	const Quern__Sink *plan = plan_of(s);
	struct sorting *sorting = &s->sorting;
	int r = 0;

	if (plan->order != NULL)
		r = order_init(&s->order, c->env->code, plan->order, err);
	else
		s->order = order_hash(task_hash_seed(c->env->code, plan->seed));
	if (r < 0)
		return r;
	const struct sort_config config = { .order = &s->order,
		.memory = c->memory,
		.scratch_dir = c->env->scratch_dir,
		.keep = c->env->keep,
		.flow = c->flow };
	sort_init(&sorting->sort, &config);
	if (plan->order != NULL)
		ranges_init(&sorting->ranges, &s->order, plan->bounds, plan->n_bounds, plan->partitions);
	sorting->in.emit = s->order.tagged ? tagged_emit : sorting_emit;
	s->in = &sorting->in;
	return 0;
}

static int open_map_output(struct sink *s, struct err *err)
{
	const Quern__Sink *plan = plan_of(s);
	const Quern__Task *task = s->config.task->task;
	const struct shuffle_write_config config = { .dir = s->config.env->shuffle_dir,
		.name = { plan->shuffle, task->partition, task->attempt },
		.partitions = plan->partitions,
		.level = plan->has_compression ? (int)plan->compression : SEGMENT_LEVEL,
		.keep = s->config.env->keep };

	if (!plan->has_shuffle)
		return err_set(err, -EINVAL, "stage %u: a shuffle without a name", s->config.task->stage->id);
	int r = plan->combine != NULL ? open_combine(s, err) : open_sort(s, err);
	return r < 0 ? r : shuffle_writer_new(&config, &s->writer, err);
}

static void write_record(struct sink *s, uint32_t partition, quern_slice key, quern_slice value)
{
	struct err err;

	int r = shuffle_writer_add(s->writer, partition, key, value, &err);
	if (r < 0)
		flow_fail(s->config.flow, r, r == -EMSGSIZE, "%s", err.text);
}

static void write_hashed(void *arg, uint64_t hash, quern_slice key, quern_slice value)
{
	struct sink *s = arg;

	write_record(s, hash_partition(hash, plan_of(s)->partitions), key, value);
}

static void write_sorted(void *arg, uint64_t word, quern_slice key, quern_slice value)
{
	struct sink *s = arg;

	(void)word;
	write_record(
		s, s->order.tagged ? tag_partition(key) : ranges_next(&s->sorting.ranges, key), key, value);
}

static void finish_map_output(struct sink *s)
{
	struct err err;

	if (s->combine != NULL)
		combine_finish(s->combine, write_hashed, s);
	else
		sort_finish(&s->sorting.sort, s->order.by_hash ? write_hashed : write_sorted, s);
	if (s->config.flow->result < 0)
		return;
	int r = shuffle_writer_finish(s->writer, &err);
	if (r < 0)
		flow_fail_err(s->config.flow, r, &err);
}

/* ---- Files, and the driver ---- */

static int open_part(struct sink *s, struct err *err)
{
	if (plan_of(s)->path == NULL)
		return err_set(err, -EINVAL, "stage %u: no output folder", s->config.task->stage->id);
	int r = part_new(
		plan_of(s), s->config.task->task, s->config.env->keep, s->config.flow, &s->part, err);
	if (r == 0)
		s->in = part_in(s->part);
	return r;
}

static void finish_part(struct sink *s)
{
	struct err err;

	int r = part_finish(s->part, &s->file, &err);
	if (r < 0)
		flow_fail_err(s->config.flow, r, &err);
}

static int open_sampler(struct sink *s, struct err *err)
{
	const Quern__Sink *plan = plan_of(s);
	int r = plan->order != NULL ? order_init(&s->order, s->config.env->code, plan->order, err) : 0;

	if (r < 0)
		return r;
	if (sampler_init(
		    &s->sampler, &s->order, plan->limit, s->config.task->task->partition, s->config.flow) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	s->in = &s->sampler.in;
	return 0;
}

static void finish_sampler(struct sink *s, double scale)
{
	s->collect.data = BUF_INIT(COLLECT_MAX);
	int r = sampler_put(&s->sampler, scale, &s->collect.data);
	if (r < 0)
		flow_fail(s->config.flow, r, false, "out of memory for a sample of keys");
}

static int open_collect(struct sink *s, struct err *err)
{
	const struct sink_config *c = &s->config;
	const Quern__Sink *plan = plan_of(s);
	const uint64_t limit = plan->has_limit ? plan->limit : 0;

	collect_init(&s->collect, plan->order != NULL ? 0 : limit, c->flow);
	s->in = &s->collect.in;
	if (plan->order != NULL) {
		if (limit == 0)
			return err_set(
				err, -EINVAL, "stage %u: an order without a limit", c->task->stage->id);
		top_init(&s->top, plan->order, limit, c->memory < COLLECT_MAX ? c->memory : COLLECT_MAX,
			c->flow);
		s->in = &s->top.in;
	} else if (plan->combine != NULL) {
		s->in = &s->total.in;
		return total_init(&s->total, c->env->code, plan->combine, &s->collect.in, c->flow, err);
	}
	return 0;
}

static void finish_collect(struct sink *s)
{
	if (plan_of(s)->order != NULL)
		top_finish(&s->top, &s->collect.in);
	else if (plan_of(s)->combine != NULL)
		total_finish(&s->total);
}

/* ---- All of them ---- */

int sink_open(struct sink *s, const struct sink_config *config, struct err *err)
{
	*s = (struct sink){ .config = *config };
	const Quern__Sink *plan = plan_of(s);

	switch (plan->kind) {
	case QUERN__SINK__KIND__SHUFFLE:
		return open_map_output(s, err);
	case QUERN__SINK__KIND__COLLECT:
		return open_collect(s, err);
	case QUERN__SINK__KIND__COUNT:
		count_init(&s->collect, config->flow);
		s->in = &s->collect.in;
		return 0;
	case QUERN__SINK__KIND__TEXT:
	case QUERN__SINK__KIND__SEQ:
	case QUERN__SINK__KIND__RAW:
		return open_part(s, err);
	case QUERN__SINK__KIND__SAMPLE:
		return open_sampler(s, err);
	default:
		return err_set(err, -EINVAL, "stage %u: an unknown kind of sink", config->task->stage->id);
	}
}

void sink_finish(struct sink *s, double scale)
{
	if (s->writer != NULL)
		finish_map_output(s);
	else if (s->part != NULL)
		finish_part(s);
	else if (plan_of(s)->kind == QUERN__SINK__KIND__SAMPLE)
		finish_sampler(s, scale);
	else if (plan_of(s)->kind == QUERN__SINK__KIND__COLLECT)
		finish_collect(s);
}

static int answer_count(const struct sink *s, Quern__TaskResult *result)
{
	result->data.data = malloc(sizeof(uint64_t));
	if (result->data.data == NULL)
		return -ENOMEM;
	put_le64(result->data.data, s->collect.records);
	result->data.len = sizeof(uint64_t);
	result->has_data = true;
	return 0;
}

int sink_answer(struct sink *s, Quern__TaskResult *result)
{
	result->has_records_out = result->has_bytes_out = true;
	result->records_out = s->writer != NULL ? shuffle_writer_records(s->writer)
			      : s->part != NULL ? part_records(s->part)
						: s->collect.records;
	result->bytes_out = s->writer != NULL ? shuffle_writer_bytes(s->writer)
			    : s->part != NULL ? part_bytes(s->part)
					      : s->collect.data.len;
	switch (plan_of(s)->kind) {
	case QUERN__SINK__KIND__COLLECT:
	case QUERN__SINK__KIND__SAMPLE:
		result->has_data = true;
		result->data.data = buf_steal(&s->collect.data, &result->data.len);
		return 0;
	case QUERN__SINK__KIND__COUNT:
		return answer_count(s, result);
	case QUERN__SINK__KIND__TEXT:
	case QUERN__SINK__KIND__SEQ:
	case QUERN__SINK__KIND__RAW:
		result->file = strdup(s->file);
		return result->file == NULL ? -ENOMEM : 0;
	default:
		return 0;
	}
}

void sink_close(struct sink *s)
{
	s->combine = combine_free(s->combine);
	if (s->sorting.in.emit != NULL)
		sort_deinit(&s->sorting.sort);
	s->writer = shuffle_writer_free(s->writer);
	s->part = part_free(s->part);
	collect_deinit(&s->collect);
	total_deinit(&s->total);
	top_deinit(&s->top);
	sampler_deinit(&s->sampler);
	order_deinit(&s->order);
}
