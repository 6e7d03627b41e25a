#include "job/plan_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "job/code.h"
#include "job/source_check.h"
#include "job/tally.h"
#include "job/stage.h"
#include "job/step_check.h"

static bool known(const ProtobufCEnumDescriptor *type, int value)
{
	return protobuf_c_enum_descriptor_get_value(type, value) != NULL;
}

/* ---- Parts of a stage. Their sentences begin with what is wrong; the stage's name is put before. ---- */

/* `role`: which of quern's own functions may be chosen. */
static int check_function(const Quern__Function *f, enum code_role role, const char *what, struct err *err)
{
	if ((f->builtin != NULL) == (f->has_offset != 0))
		return err_set(err, -EBADMSG, "the function of %s is not exactly one", what);
	const enum code_role is = f->builtin != NULL ? code_role(f->builtin) : role;
	/* A reduction folds as well. */
	if ((is != role && !(role == ROLE_FOLD && is == ROLE_REDUCE)) ||
		(f->builtin != NULL && is == ROLE_NONE))
		return err_set(err, -EBADMSG, "%s has no function '%.64s' to choose", what, f->builtin);
	if (f->has_arg && f->arg.len > PLAN_ARG_MAX)
		return err_set(err, -EBADMSG, "an argument of %zu bytes for %s is more than %d", f->arg.len,
			what, PLAN_ARG_MAX);
	return 0;
}

static int check_order(const Quern__Order *o, struct err *err)
{
	if (!known(&quern__value_type__descriptor, (int)o->key) ||
		!known(&quern__value_type__descriptor, (int)o->value))
		return err_set(err, -EBADMSG, "an order of an unknown type");
	if (o->value_first)
		return err_set(err, -EBADMSG, "a shuffle in the order of values");
	if ((o->loose && !o->tagged) || (o->tagged && o->compare != NULL))
		return err_set(err, -EBADMSG, "an order that is none");
	return o->compare != NULL ? check_function(o->compare, ROLE_NONE, "an order", err) : 0;
}

/* What a sort divides by. */
static int check_bounds(const Quern__Sink *s, struct err *err)
{
	int r = check_order(s->order, err);

	if (r == 0 && s->order->tagged && (s->n_bounds > 0 || s->partitions == 0))
		return err_set(err, -EBADMSG, "tags are for a known number of partitions, without bounds");
	if (r == 0 && s->n_bounds > PLAN_PARTITIONS_MAX)
		return err_set(
			err, -EBADMSG, "%zu bounds are more than %d", s->n_bounds, PLAN_PARTITIONS_MAX);
	for (size_t i = 0; r == 0 && i < s->n_bounds; i++)
		if (s->order->compare == NULL && s->order->key != QUERN__VALUE_TYPE__BYTES &&
			s->bounds[i].len != 8)
			return err_set(err, -EBADMSG, "a bound of %zu bytes, which should be a number",
				s->bounds[i].len);
	return r;
}

/* The sink of the one of the first `n` stages that writes `shuffle`; NULL: none does. */
static const Quern__Sink *writer_of(const Quern__Run *run, size_t n, uint32_t shuffle)
{
	for (size_t i = 0; i < n; i++) {
		const Quern__Sink *sink = run->stages[i]->sink;

		if (sink->kind == QUERN__SINK__KIND__SHUFFLE && sink->has_shuffle && sink->shuffle == shuffle)
			return sink;
	}
	return NULL;
}

/* Whether a stage from number `i` on reads `shuffle`. */
static bool read_from(const Quern__Run *run, size_t i, uint32_t shuffle)
{
	for (; i < run->n_stages; i++)
		if (stage_reads(run->stages[i], shuffle))
			return true;
	return false;
}

/* The stage that writes a shuffle and one that reads it mean the same by it. */
static int check_input(const Quern__Run *run, size_t stage, const Quern__ShuffleInput *input, struct err *err)
{
	const Quern__Sink *writer = writer_of(run, stage, input->shuffle);

	if (writer == NULL)
		return err_set(err, -EBADMSG, "no stage before it writes shuffle %" PRIu32, input->shuffle);
	if (input->reduce != NULL && input->order != NULL)
		return err_set(err, -EBADMSG, "both a reduction and an order");
	int r = input->order != NULL    ? check_order(input->order, err)
		: input->reduce != NULL ? check_function(input->reduce, ROLE_REDUCE, "a reduction", err)
					: 0;
	if (r < 0)
		return r;
	if ((writer->order != NULL) != (input->order != NULL))
		return err_set(
			err, -EBADMSG, "shuffle %" PRIu32 " is sorted at one end only", input->shuffle);
	if (input->order != NULL && (input->order->tagged != 0) != (writer->order->tagged != 0))
		return err_set(
			err, -EBADMSG, "shuffle %" PRIu32 " is tagged at one end only", input->shuffle);
	if (writer->seed != input->seed)
		return err_set(err, -EBADMSG, "shuffle %" PRIu32 " is hashed in two ways", input->shuffle);
	return 0;
}

/* Records of a group's shuffles come in the order of the same hash. */
static int check_group(const Quern__Source *s, struct err *err)
{
	const Quern__Group *g = s->group;

	if (group_shuffles(g->kind) == 0)
		return err_set(err, -EBADMSG, "a group of unknown kind %d", (int)g->kind);
	if (group_shuffles(g->kind) != s->n_shuffles)
		return err_set(err, -EBADMSG, "a group of %zu shuffles", s->n_shuffles);
	for (size_t i = 0; i < s->n_shuffles; i++)
		if (s->shuffles[i]->order != NULL || s->shuffles[i]->seed != s->shuffles[0]->seed)
			return err_set(err, -EBADMSG, "a group of shuffles that are not hashed alike");
	if (g->function == NULL ? group_must_call(g->kind) : !group_may_call(g->kind))
		return err_set(err, -EBADMSG, "a group %s a function",
			g->function == NULL ? "without" : "that has no use for");
	return g->function == NULL ? 0 : check_function(g->function, ROLE_NONE, "a group", err);
}

static int check_source(const Quern__Run *run, size_t stage, const Quern__Source *s, struct err *err)
{
	int r = source_check(s, err);

	if (r == 0 && s->group == NULL && s->n_shuffles > 1)
		return err_set(err, -EBADMSG, "%zu shuffles at a time", s->n_shuffles);
	for (size_t i = 0; r == 0 && i < s->n_shuffles; i++)
		r = check_input(run, stage, s->shuffles[i], err);
	return r == 0 && s->group != NULL ? check_group(s, err) : r;
}

/* A set that one stage keeps twice would be the same twice. `caches`: ids so far, *n of them. */
static int check_cache(const Quern__Step *s, uint32_t *caches, size_t *n, struct err *err)
{
	if (*n == PLAN_CACHES_MAX)
		return err_set(err, -EBADMSG, "more than %d sets are kept", PLAN_CACHES_MAX);
	for (size_t i = 0; i < *n; i++)
		if (caches[i] == s->cache->id)
			return err_set(err, -EBADMSG, "set %" PRIu32 " is kept twice", s->cache->id);
	caches[(*n)++] = s->cache->id;
	return 0;
}

static int check_step(const Quern__Step *s, uint32_t *caches, size_t *n_caches, struct err *err)
{
	if (!known(&quern__step__kind__descriptor, (int)s->kind))
		return err_set(err, -EBADMSG, "a step of unknown kind %d", (int)s->kind);
	int r = step_check(s, err);
	if (r == 0 && s->cache != NULL)
		r = check_cache(s, caches, n_caches, err);
	if (r < 0 || s->function == NULL)
		return r;
	return check_function(s->function,
		s->kind == QUERN__STEP__KIND__FOLD  ? ROLE_FOLD
		: s->kind == QUERN__STEP__KIND__MAP ? ROLE_MAP
						    : ROLE_NONE,
		"a step", err);
}

/* The partitions of a step's set begin with those of a branch that is not behind its own, and where it says
 * how many branches the set has, its own is one of them. */
static int check_number(const Quern__Step *s, size_t branch, size_t n_branches, struct err *err)
{
	if (step_numbered(s) != (s->has_first != 0))
		return err_set(err, -EBADMSG, "a step whose partitions begin nowhere");
	if (s->has_first && s->first > branch)
		return err_set(err, -EBADMSG, "a step whose partitions begin behind it");
	if (s->has_branches && (s->branches > n_branches - s->first || s->branches <= branch - s->first))
		return err_set(err, -EBADMSG, "a step whose partitions end elsewhere");
	return 0;
}

static int check_branch(const Quern__Run *run, size_t stage, size_t branch, struct err *err)
{
	const Quern__Branch *b = run->stages[stage]->branches[branch];
	uint32_t caches[PLAN_CACHES_MAX];
	size_t n_caches = 0;

	int r = check_source(run, stage, b->source, err);
	for (size_t i = 0; i < b->n_steps && r == 0; i++) {
		r = check_step(b->steps[i], caches, &n_caches, err);
		if (r == 0)
			r = check_number(b->steps[i], branch, run->stages[stage]->n_branches, err);
	}
	return r;
}

static int check_branches(const Quern__Run *run, size_t stage, struct err *err)
{
	const Quern__Stage *s = run->stages[stage];
	size_t n_steps = 0;
	int r = 0;

	if (s->n_branches < 1 || s->n_branches > PLAN_BRANCHES_MAX)
		return err_set(
			err, -EBADMSG, "%zu branches are not from 1 to %d", s->n_branches, PLAN_BRANCHES_MAX);
	for (size_t i = 0; i < s->n_branches; i++)
		n_steps += s->branches[i]->n_steps;
	if (n_steps > PLAN_STEPS_MAX)
		return err_set(err, -EBADMSG, "%zu steps are more than %d", n_steps, PLAN_STEPS_MAX);
	for (size_t i = 0; i < s->n_branches && r == 0; i++)
		r = check_branch(run, stage, i, err);
	return r;
}

static int check_shuffle(const Quern__Run *run, size_t stage, struct err *err)
{
	const Quern__Sink *s = run->stages[stage]->sink;

	if (!s->has_shuffle || !s->has_seed)
		return err_set(err, -EBADMSG, "the shuffle that it writes has no name, or no seed");
	if (writer_of(run, stage, s->shuffle) != NULL)
		return err_set(err, -EBADMSG, "shuffle %" PRIu32 " is written twice", s->shuffle);
	if (!read_from(run, stage + 1, s->shuffle))
		return err_set(err, -EBADMSG, "no stage behind it reads shuffle %" PRIu32, s->shuffle);
	if (s->has_partitions && s->partitions > PLAN_PARTITIONS_MAX)
		return err_set(err, -EBADMSG, "%" PRIu32 " partitions are more than %d", s->partitions,
			PLAN_PARTITIONS_MAX);
	if (s->combine != NULL && s->order != NULL)
		return err_set(err, -EBADMSG, "both a combination and an order");
	if (s->has_compression && s->compression > PLAN_COMPRESSION_MAX)
		return err_set(err, -EBADMSG, "compression %" PRIu32 " is more than %d", s->compression,
			PLAN_COMPRESSION_MAX);
	if (s->order != NULL)
		return check_bounds(s, err);
	if (s->n_bounds > 0)
		return err_set(err, -EBADMSG, "bounds without an order");
	return s->combine == NULL ? 0 : check_function(s->combine, ROLE_REDUCE, "a combination", err);
}

/* What comes to the driver: all of it, one value, or the first records in some order. */
static int check_collect(const Quern__Sink *s, struct err *err)
{
	const Quern__Order *o = s->order;

	if (s->combine != NULL && (o != NULL || s->has_limit))
		return err_set(err, -EBADMSG, "both a combination and an order or a limit");
	if (s->combine != NULL)
		return check_function(s->combine, ROLE_REDUCE, "a combination", err);
	if (o == NULL)
		return 0;
	if (!s->has_limit || s->limit == 0)
		return err_set(err, -EBADMSG, "the first records in an order, but not how many");
	if (!known(&quern__value_type__descriptor, (int)o->key) ||
		!known(&quern__value_type__descriptor, (int)o->value))
		return err_set(err, -EBADMSG, "an order of an unknown type");
	if (o->compare != NULL || (o->value_first && !o->by_value))
		return err_set(err, -EBADMSG, "an order that is not for what comes to the driver");
	return 0;
}

/* The files that a stage writes. */
static int check_files(const Quern__Sink *s, struct err *err)
{
	if (s->path == NULL || s->path[0] == '\0')
		return err_set(err, -EBADMSG, "the path of the output is empty");
	if (!known(&quern__value_type__descriptor, (int)s->key_type) ||
		!known(&quern__value_type__descriptor, (int)s->value_type))
		return err_set(err, -EBADMSG, "values of an unknown type");
	if (!known(&quern__codec__descriptor, (int)s->codec))
		return err_set(err, -EBADMSG, "an unknown kind of compression %d", (int)s->codec);
	if (s->kind == QUERN__SINK__KIND__SEQ && s->codec == QUERN__CODEC__GZIP)
		return err_set(err, -EBADMSG, "files of records that gzip compresses");
	return 0;
}

static int check_sink(const Quern__Run *run, size_t stage, struct err *err)
{
	const Quern__Sink *s = run->stages[stage]->sink;
	bool last = stage == run->n_stages - 1;

	if (!known(&quern__sink__kind__descriptor, (int)s->kind))
		return err_set(err, -EBADMSG, "a sink of unknown kind %d", (int)s->kind);
	if ((s->kind == QUERN__SINK__KIND__SHUFFLE) == last)
		return err_set(err, -EBADMSG,
			last ? "the last stage gives no answer" : "only the last stage gives an answer");
	if (!last)
		return check_shuffle(run, stage, err);
	if (s->kind == QUERN__SINK__KIND__COLLECT)
		return check_collect(s, err);
	if (s->combine != NULL || (s->order != NULL && s->kind != QUERN__SINK__KIND__SAMPLE))
		return err_set(err, -EBADMSG, "a combination or an order of what is not shuffled");
	if (s->kind == QUERN__SINK__KIND__SAMPLE && s->order != NULL)
		return check_order(s->order, err);
	return sink_writes_files(s) ? check_files(s, err) : 0;
}

/* ---- The run ---- */

static int check_stage(const Quern__Run *run, size_t stage, struct err *err)
{
	for (size_t i = 0; i < stage; i++)
		if (run->stages[i]->id == run->stages[stage]->id)
			return err_set(err, -EBADMSG, "its number is another one's as well");
	if (run->stages[stage]->task_cores_milli > PLAN_CORES_MAX * 1000 ||
		run->stages[stage]->task_mem_mb > PLAN_MEMORY_MB_MAX)
		return err_set(err, -EBADMSG, "a task takes more than %d cores or %d MB", PLAN_CORES_MAX,
			PLAN_MEMORY_MB_MAX);
	int r = check_branches(run, stage, err);
	if (r == 0)
		r = check_sink(run, stage, err);
	return r;
}

static int check_accumulators(const Quern__Run *run, struct err *err)
{
	if (run->n_accumulators > TALLY_COUNTS)
		return err_set(err, -EBADMSG, "%zu accumulators are more than %d", run->n_accumulators,
			TALLY_COUNTS);
	for (size_t i = 0; i < run->n_accumulators; i++) {
		const Quern__Accumulator *a = run->accumulators[i];

		if (!known(&quern__count__kind__descriptor, (int)a->kind))
			return err_set(err, -EBADMSG, "an accumulator of unknown kind %d", (int)a->kind);
		if (a->name[0] == '\0' || strlen(a->name) > TALLY_NAME)
			return err_set(err, -EBADMSG, "the name of an accumulator has not 1 to %d bytes",
				TALLY_NAME);
	}
	return 0;
}

static int check_head(const Quern__Run *run, const uint8_t *build_id, size_t build_id_len, struct err *err)
{
	if (build_id != NULL && (run->build_id.len != build_id_len ||
					memcmp(run->build_id.data, build_id, build_id_len) != 0))
		return err_set(err, -EBADMSG, "it is of another build of the job");
	if (run->n_stages < 1 || run->n_stages > PLAN_STAGES_MAX)
		return err_set(
			err, -EBADMSG, "%zu stages are not from 1 to %d", run->n_stages, PLAN_STAGES_MAX);
	if ((run->has_first_partition != 0) != (run->has_partition_count != 0))
		return err_set(err, -EBADMSG, "a range of partitions with one end");
	if (run->has_partition_count && run->partition_count == 0)
		return err_set(err, -EBADMSG, "a range of no partitions");
	return check_accumulators(run, err);
}

int plan_check(const Quern__Run *run, const uint8_t *build_id, size_t build_id_len, struct err *err)
{
	int r = check_head(run, build_id, build_id_len, err);

	for (size_t i = 0; i < run->n_stages && r == 0; i++) {
		r = check_stage(run, i, err);
		if (r < 0)
			r = err_prefix(err, r, "stage %" PRIu32, run->stages[i]->id);
	}
	return r < 0 ? err_prefix(err, r, "run %" PRIu32 " of the job cannot be run", run->id) : 0;
}
