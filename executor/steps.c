#include "executor/steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct step {
	struct quern_out in;    /* takes the step's records */
	struct quern_out check; /* a map emits here, and is counted */
	unsigned emitted;       /* by this call of a map; stays at 2 */
	quern_slice zero, key;  /* of a fold; of its record */
	union {
		quern_map_fn *map;
		quern_map_pair_fn *map_pair;
		quern_filter_fn *filter;
		quern_filter_pair_fn *filter_pair;
		quern_reduce_fn *fold;
		code_fn *any;
	} fn;
	void *arg;
	struct quern_out *tee; /* of a step that keeps records; or NULL */
	struct quern_out *next;
	struct flow *flow;
};

struct steps {
	struct quern_out *in;
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

/* What a fold emits. */
static void fold_emitted(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)(void *)((char *)out - offsetof(struct step, check));

	(void)key;
	map_emitted(out, s->key, value);
}

static void fold_value(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct step *s = (struct step *)out;

	s->emitted = 0;
	s->key = key;
	s->fn.fold(s->zero, value, &s->check, s->arg);
	map_done(s);
}

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
	default:
		return NULL;
	}
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

int steps_new(const struct code *code, Quern__Step *const *step, size_t n, struct quern_out *sink,
	struct flow *flow, struct steps **ret, struct err *err)
{
	auto_steps struct steps *s = calloc(1, sizeof(*s) + n * sizeof(s->at[0]));

	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	s->n = n;
	s->in = n > 0 ? &s->at[0].in : sink;
	for (size_t i = 0; i < n; i++) {
		struct step *at = &s->at[i];

		at->in.emit = emit_of(step[i]);
		if (at->in.emit == NULL)
			return err_set(err, -EINVAL, "step %zu of the stage is of an unknown kind", i);
		at->check.emit = step[i]->kind == QUERN__STEP__KIND__FOLD ? fold_emitted : map_emitted;
		at->zero = quern_bytes(step[i]->zero.data, step[i]->zero.len);
		at->next = i + 1 < n ? &s->at[i + 1].in : sink;
		at->flow = flow;
		if (step[i]->kind == QUERN__STEP__KIND__CACHE)
			continue;
		int r = step[i]->function != NULL
				? steps_resolve(code, step[i]->function, &at->fn.any, &at->arg, err)
				: err_set(err, -EINVAL, "step %zu of the stage has no function", i);
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

void steps_tee(struct steps *s, size_t i, struct quern_out *tee)
{
	s->at[i].tee = tee;
}

struct steps *steps_free(struct steps *s)
{
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < s->n; i++)
		free(s->at[i].arg);
	free(s);
	return NULL;
}
