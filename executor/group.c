#include "executor/group.h"

#include <errno.h>
#include <stdlib.h>

#include "executor/gate.h"
#include "executor/kept.h"
#include "executor/steps.h"
#include "executor/table.h"
#include "job/stage.h"

/* One merge, read key by key. */
struct side {
	struct quern_values in; /* the values of the current key, for the user's function */
	const struct group *group;
	struct merge *merge;
	struct merge_record at;
	enum { SIDE_GIVEN, SIDE_AT, SIDE_END } state; /* of `at`: it is the next record unless it was given */
};

typedef void pair_fn(struct group *g, const quern_slice *left, const quern_slice *right);

struct group {
	struct group_config config;
	code_fn *fn; /* NULL: none */
	void *arg;   /* owned */
	void (*each)(struct group *g);
	pair_fn *pair;
	struct side left, right;
	uint64_t word; /* of the current key */
	struct buf key;
	struct kept kept; /* the right values of a join */
	struct quern_out *out;
	struct gate gate; /* what is bad about a key leaves the key out */
};

static quern_slice key_of(const struct group *g)
{
	return g->key.len > 0 ? quern_bytes(g->key.data, g->key.len) : quern_str("");
}

/* ---- One side ---- */

/* Whether there is a record that was not given. */
static bool side_look(struct side *s)
{
	if (s->state == SIDE_GIVEN)
		s->state = s->merge != NULL && merge_next(s->merge, &s->at) ? SIDE_AT : SIDE_END;
	return s->state == SIDE_AT;
}

/* Whether it is one of the current key. */
static bool side_has(struct side *s)
{
	const struct group *g = s->group;

	return side_look(s) && s->at.word == g->word && s->at.key.len == g->key.len &&
	       table_same(s->at.key.ptr, (const char *)g->key.data, g->key.len);
}

static bool side_next(struct side *s, quern_slice *value)
{
	if (!side_has(s))
		return false;
	*value = s->at.value;
	s->state = SIDE_GIVEN;
	return true;
}

static bool next_value(struct quern_values *values, quern_slice *value)
{
	return side_next((struct side *)values, value);
}

static void side_skip(struct side *s)
{
	while (side_has(s))
		s->state = SIDE_GIVEN;
}

/* ---- Keys ---- */

/* The side whose next record is of the first key of both; NULL: there is none. */
static const struct side *first_side(struct group *g)
{
	bool left = side_look(&g->left), right = side_look(&g->right);
	const struct merge_record *a = &g->left.at, *b = &g->right.at;

	if (!left || !right)
		return left ? &g->left : right ? &g->right : NULL;
	bool before = a->word != b->word ? a->word < b->word : compare_bytes(a->key, b->key, 0) <= 0;
	return before ? &g->left : &g->right;
}

/* false: there is none. */
static bool next_key(struct group *g)
{
	const struct side *first = first_side(g);

	if (first == NULL)
		return false;
	g->word = first->at.word;
	buf_clear(&g->key);
	if (buf_add(&g->key, first->at.key.ptr, first->at.key.len) == 0)
		return true;
	flow_fail(g->config.flow, -ENOMEM, false, "out of memory for a key of %zu bytes", first->at.key.len);
	return false;
}

/* ---- What is done with a key ---- */

static void each_group(struct group *g)
{
	((quern_group_fn *)g->fn)(key_of(g), &g->left.in, g->out, g->arg);
}

static void each_cogroup(struct group *g)
{
	((quern_cogroup_fn *)g->fn)(key_of(g), &g->left.in, &g->right.in, g->out, g->arg);
}

static void each_subtract(struct group *g)
{
	quern_slice value;

	if (side_has(&g->right))
		return;
	while (side_next(&g->left, &value))
		g->out->emit(g->out, key_of(g), value);
}

static void each_intersect(struct group *g)
{
	if (side_has(&g->left) && side_has(&g->right))
		g->out->emit(g->out, key_of(g), quern_str(""));
}

/* A pair for a function of the job. */
struct pair {
	struct group *group;
	const quern_slice *left, *right;
};

static void call_join(void *pair)
{
	const struct pair *p = pair;
	struct group *g = p->group;

	((quern_join_fn *)g->fn)(key_of(g), p->left, p->right, g->out, g->arg);
}

static void call_cartesian(void *pair)
{
	const struct pair *p = pair;
	struct group *g = p->group;

	((quern_cartesian_fn *)g->fn)(quern_left(*p->left), quern_right(*p->left), quern_left(*p->right),
		quern_right(*p->right), g->out, g->arg);
}

/* One that is bad is left out alone. */
static void pair_user(struct group *g, const quern_slice *left, const quern_slice *right)
{
	struct pair p = { g, left, right };

	gate_call(&g->gate, key_of(g), left != NULL ? *left : *right, call_join, &p);
}

static void pair_both(struct group *g, const quern_slice *left, const quern_slice *right)
{
	quern_pair(g->out, key_of(g), left, right);
}

/* Of a CROSS: values are whole records. */
static void pair_records(struct group *g, const quern_slice *left, const quern_slice *right)
{
	struct pair p = { g, left, right };

	gate_call(&g->gate, quern_left(*left), quern_right(*left), call_cartesian, &p);
}

/* The left values go by while the right ones are held. */
static void join_both(struct group *g)
{
	struct kept *kept = &g->kept;
	const struct flow *flow = g->config.flow;
	quern_slice left, right;

	kept_clear(kept);
	while (side_next(&g->right, &right))
		kept_add(kept, right);
	kept_end(kept);
	while (!flow->stop && side_next(&g->left, &left))
		for (kept_rewind(kept); kept_next(kept, &right);)
			g->pair(g, &left, &right);
}

static void each_join(struct group *g)
{
	const Quern__Group__Kind kind = g->config.plan->kind;
	bool all_left = kind == QUERN__GROUP__KIND__LEFT_JOIN || kind == QUERN__GROUP__KIND__FULL_JOIN;
	bool all_right = kind == QUERN__GROUP__KIND__RIGHT_JOIN || kind == QUERN__GROUP__KIND__FULL_JOIN;
	bool left = side_has(&g->left), right = side_has(&g->right);
	quern_slice value;

	if (left && right)
		join_both(g);
	else if (left && all_left)
		while (side_next(&g->left, &value))
			g->pair(g, &value, NULL);
	else if (right && all_right)
		while (side_next(&g->right, &value))
			g->pair(g, NULL, &value);
}

/* ---- All of it ---- */

static void choose(struct group *g)
{
	switch (g->config.plan->kind) {
	case QUERN__GROUP__KIND__GROUP:
		g->each = each_group;
		break;
	case QUERN__GROUP__KIND__COGROUP:
		g->each = each_cogroup;
		break;
	case QUERN__GROUP__KIND__SUBTRACT:
		g->each = each_subtract;
		break;
	case QUERN__GROUP__KIND__INTERSECT:
		g->each = each_intersect;
		break;
	case QUERN__GROUP__KIND__CROSS:
		g->each = each_join;
		g->pair = pair_records;
		break;
	default:
		g->each = each_join;
		g->pair = g->fn != NULL ? pair_user : pair_both;
	}
}

int group_new(const struct group_config *config, struct group **ret, struct err *err)
{
	const Quern__Group *plan = config->plan;
	auto_group struct group *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (group_shuffles(plan->kind) == 0 || (plan->function == NULL && group_must_call(plan->kind)))
		return err_set(err, -EINVAL, "a group of an unknown kind, or without a function");
	g->config = *config;
	g->key = BUF_INIT(SIZE_MAX / 2);
	g->left = (struct side){ .in = { next_value }, .group = g, .merge = config->sides[0] };
	g->right = (struct side){ .in = { next_value }, .group = g, .merge = config->sides[1] };
	kept_init(&g->kept, config->memory, config->spill, config->keep);
	if (plan->function != NULL) {
		int r = steps_resolve(config->code, plan->function, &g->fn, &g->arg, err);
		if (r < 0)
			return r;
	}
	choose(g);
	*ret = g, g = NULL;
	return 0;
}

static void do_key(void *group)
{
	struct group *g = group;

	g->each(g);
}

void group_run(struct group *g, struct quern_out *out)
{
	g->out = out;
	gate_init(&g->gate, NULL, g->config.flow->task);
	while (!g->config.flow->stop && next_key(g)) {
		if (g->pair != NULL) /* each is worked on by itself */
			g->each(g);
		else
			gate_call(&g->gate, key_of(g), quern_bytes(NULL, 0), do_key, g);
		side_skip(&g->left);
		side_skip(&g->right);
	}
}

struct group *group_free(struct group *g)
{
	if (g == NULL)
		return NULL;
	kept_deinit(&g->kept);
	buf_deinit(&g->key);
	free(g->arg);
	free(g);
	return NULL;
}
