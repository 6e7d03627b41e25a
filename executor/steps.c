#include "executor/steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "executor/gate.h"
#include "executor/pipe.h"
#include "executor/sort_step.h"
#include "executor/tag.h"
#include "job/records.h"
#include "job/stage.h"

struct step {
	struct quern_out in;    /* takes the step's records */
	struct quern_out check; /* a map emits here, and is counted */
	unsigned emitted;       /* by this call of a map; stays at 2 */
	quern_slice zero;       /* of a fold */
	quern_slice key;        /* of the record whose value is mapped */
	union {
		quern_map_fn *map;
		quern_map_pair_fn *map_pair;
		quern_filter_fn *filter;
		quern_filter_pair_fn *filter_pair;
		quern_reduce_fn *fold;
		quern_foreach_fn *foreach;
		code_fn *any;
	} fn;
	void *arg;
	struct quern_out *tee; /* of a step that keeps records; or NULL */
	struct gate gate;      /* behind one that may emit several records for one */
	struct quern_out *next;
	struct flow *flow;
	struct stateful *stateful; /* it is one of those, and nothing of the above counts; or NULL */
};

struct steps {
	struct quern_out *in;
	struct flow *flow;
	size_t n;
	struct step at[];
};

static void flat_map_value(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	(void)key;
	s->fn.map(value, s->next, s->arg);
}

static void flat_map_pair(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	s->fn.map_pair(key, value, s->next, s->arg);
}

static void filter_value(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	if (s->fn.filter(value, s->arg))
		s->next->emit(s->next, key, value);
}

static void filter_pair(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	if (s->fn.filter_pair(key, value, s->arg))
		s->next->emit(s->next, key, value);
}

static void keep(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	if (s->tee != NULL)
		s->tee->emit(s->tee, key, value);
	s->next->emit(s->next, key, value);
}

/* What a map emits. */
static void map_emitted(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)(void *)((char *)out - offsetof(struct step, check));

	if (s->emitted++ == 0)
		s->next->emit(s->next, key, value);
	else
		s->emitted = 2;
}

static void map_done(struct step *s)
{
	if (s->emitted != 1)
		flow_fail_record(s->flow, -EINVAL,
			"the function of a map or a fold emitted %s: it must emit exactly one for each "
			"(quern_flat_map() allows any number)",
			s->emitted == 0 ? "no record" : "more than one record");
}

static void map_value(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	(void)key;
	s->emitted = 0;
	s->fn.map(value, &s->check, s->arg);
	map_done(s);
}

static void map_pair(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	s->emitted = 0;
	s->fn.map_pair(key, value, &s->check, s->arg);
	map_done(s);
}

/* What a function emits that sees values alone: its keys are no matter. */
static void value_emitted(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)(void *)((char *)out - offsetof(struct step, check));

	map_emitted(out, s->key, value);
	(void)key;
}

static void values_emitted(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)(void *)((char *)out - offsetof(struct step, check));

	(void)key;
	s->next->emit(s->next, s->key, value);
}

static void map_values(struct quern_out *out, quern_slice key, quern_slice value)
{
	((struct step *)out)->key = key;
	map_value(out, key, value);
}

static void fold_value(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	s->emitted = 0;
	s->key = key;
	s->fn.fold(s->zero, value, &s->check, s->arg);
	map_done(s);
}

static void flat_map_values(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	s->key = key;
	s->fn.map(value, &s->check, s->arg);
}

static void foreach(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	s->fn.foreach(key, value, s->arg);
}

/* ---- Keys that hold more than a key ---- */

static void untag(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	if (key.len < TAG_SIZE)
		flow_fail(s->flow, -EINVAL, true, "a record without a tag");
	else
		s->next->emit(s->next, tag_key(key), value);
}

/* See step_fuse.c. */
static void split(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;
	const uint8_t *p = (const uint8_t *)key.ptr, *end = key.len > 0 ? p + key.len : p;
	uint64_t n;

	(void)value;
	if (!varint_take(&p, end, &n) || (n > 0 && n - 1 > (size_t)(end - p))) {
		flow_fail(s->flow, -EINVAL, true, "a key that is not a record");
		return;
	}
	const uint8_t *behind = n > 0 ? p + n - 1 : p;
	s->next->emit(s->next, quern_bytes(n > 0 ? p : NULL, (size_t)(behind - p)),
		quern_bytes(behind, (size_t)(end - behind)));
}

/* ---- All of them ---- */

typedef void emit_fn(struct quern_out *out, quern_slice key, quern_slice value);

static emit_fn *emit_of(const Quern__Step *step)
{
	switch (step->kind) {
	case QUERN__STEP__KIND__MAP:
		return step->pairs ? map_pair : map_value;
	case QUERN__STEP__KIND__FLAT_MAP:
		return step->pairs ? flat_map_pair : flat_map_value;
	case QUERN__STEP__KIND__FILTER:
		return step->pairs ? filter_pair : filter_value;
	case QUERN__STEP__KIND__CACHE:
		return keep;
	case QUERN__STEP__KIND__FOLD:
		return fold_value;
	case QUERN__STEP__KIND__MAP_VALUES:
		return map_values;
	case QUERN__STEP__KIND__FLAT_MAP_VALUES:
		return flat_map_values;
	case QUERN__STEP__KIND__FOREACH:
		return foreach;
	case QUERN__STEP__KIND__UNTAG:
		return untag;
	case QUERN__STEP__KIND__SPLIT:
		return split;
	default:
		return NULL;
	}
}

/* Where the function of a step emits that does not emit to the next step itself. */
static emit_fn *check_of(const Quern__Step *step)
{
	switch (step->kind) {
	case QUERN__STEP__KIND__MAP_VALUES:
	case QUERN__STEP__KIND__FOLD:
		return value_emitted;
	case QUERN__STEP__KIND__FLAT_MAP_VALUES:
		return values_emitted;
	default:
		return map_emitted;
	}
}

static bool has_function(const Quern__Step *step)
{
	return step->kind != QUERN__STEP__KIND__CACHE && step->kind != QUERN__STEP__KIND__UNTAG &&
	       step->kind != QUERN__STEP__KIND__SPLIT;
}

int steps_resolve(
	const struct code *code, const Quern__Function *f, code_fn **ret, void **ret_arg, struct err *err)
{
	code_fn *fn;
	void *arg = NULL;

	int r = code_resolve(code, f, &fn, err);
	if (r < 0)
		return r;
	if (f->has_arg) {
		arg = malloc(f->arg.len > 0 ? f->arg.len : 1);
		if (arg == NULL)
			return err_set(err, -ENOMEM, "out of memory");
		if (f->arg.len > 0)
			memcpy(arg, f->arg.data, f->arg.len);
	}
	*ret = fn;
	*ret_arg = arg;
	return 0;
}

/* The kinds that are more than a call per record; NULL: it is none of them. */
static stateful_new_fn *stateful_of(const Quern__Step *step)
{
	switch (step->kind) {
	case QUERN__STEP__KIND__MAP_PARTITIONS:
		return step_partition_new;
	case QUERN__STEP__KIND__SAMPLE:
		return step_sample_new;
	case QUERN__STEP__KIND__PIPE:
		return pipe_step_new;
	case QUERN__STEP__KIND__SORT:
		return sort_step_new;
	case QUERN__STEP__KIND__ZIP:
		return step_zip_new;
	case QUERN__STEP__KIND__TAG:
		return step_tag_new;
	case QUERN__STEP__KIND__CELLS:
		return step_cells_new;
	case QUERN__STEP__KIND__FUSE:
		return step_fuse_new;
	default:
		return NULL;
	}
}

/* Step `i`, which is a call per record. */
static int open_call(struct step *at, const struct step_env *env, const Quern__Step *step, size_t i,
	struct quern_out *next, struct err *err)
{
	at->in.emit = emit_of(step);
	if (at->in.emit == NULL)
		return err_set(err, -EINVAL, "step %zu of the stage is of an unknown kind", i);
	at->check.emit = check_of(step);
	at->zero = quern_bytes(step->zero.data, step->zero.len);
	at->next = next;
	at->flow = env->flow;
	if (!has_function(step))
		return 0;
	if (step->function == NULL)
		return err_set(err, -EINVAL, "step %zu of the stage has no function", i);
	return steps_resolve(env->code, step->function, &at->fn.any, &at->arg, err);
}

/* Whether it may emit more than one record for one: the bad ones of them must not take the others along.
 * Steps that have a gate of their own are not meant. */
static bool emits_several(const Quern__Step *step)
{
	switch (step->kind) {
	case QUERN__STEP__KIND__FLAT_MAP:
	case QUERN__STEP__KIND__FLAT_MAP_VALUES:
	case QUERN__STEP__KIND__SAMPLE:
	case QUERN__STEP__KIND__ZIP:
		return true;
	default:
		return false;
	}
}

/* Makes a step; *next is where it emits, and becomes where it takes records. */
static int open_step(struct step *at, const struct step_env *env, const Quern__Step *step, size_t i,
	struct quern_out **next, struct err *err)
{
	stateful_new_fn *stateful = stateful_of(step);
	struct step_env own = *env;
	int r;

	if (emits_several(step) && gate_behind(&at->gate, *next, env->flow->task))
		*next = &at->gate.in;
	own.partition = step_partition(step, env->task->partition);
	if (stateful != NULL)
		r = stateful(&own, step, *next, &at->stateful, err);
	else
		r = open_call(at, env, step, i, *next, err);
	if (r == 0)
		*next = stateful != NULL ? &at->stateful->in : &at->in;
	return r;
}

int steps_new(const struct step_env *env, Quern__Step *const *step, size_t n, struct quern_out *sink,
	struct steps **ret, struct err *err)
{
	auto_steps struct steps *s = calloc(1, sizeof(*s) + n * sizeof(s->at[0]));

	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	s->n = n;
	s->flow = env->flow;
	s->in = sink;
	for (size_t i = n; i-- > 0;) {
		int r = open_step(&s->at[i], env, step[i], i, &s->in, err);
		if (r < 0)
			return r;
	}
	*ret = s, s = NULL;
	return 0;
}

struct quern_out *steps_in(struct steps *s)
{
	return s->in;
}

void steps_finish(struct steps *s)
{
	for (size_t i = 0; i < s->n && !s->flow->stop; i++) {
		struct stateful *stateful = s->at[i].stateful;

		if (stateful != NULL && stateful->finish != NULL)
			stateful->finish(stateful);
	}
}

void steps_tee(struct steps *s, size_t i, struct quern_out *tee)
{
	s->at[i].tee = tee;
}

struct steps *steps_free(struct steps *s)
{
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < s->n; i++) {
		free(s->at[i].arg);
		if (s->at[i].stateful != NULL)
			s->at[i].stateful = s->at[i].stateful->free(s->at[i].stateful);
	}
	free(s);
	return NULL;
}
