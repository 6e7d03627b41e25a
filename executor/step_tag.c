/* step_tag.c: the step that says where in a shuffle a record goes (TAG): in turns, by a function, by the hash
 * of the key, or with all others of its partition. The sink of the stage looks at nothing else (sink.c). */
#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/random.h"
#include "executor/hash.h"
#include "executor/stateful.h"
#include "executor/steps.h"
#include "executor/tag.h"

struct tag_step {
	struct stateful base;
	struct quern_out *next;
	struct flow *flow;
	Quern__Step__Divide divide;
	uint32_t partitions;
	uint32_t to; /* of the next record of ROUND_ROBIN; of all of WHOLE */
	quern_partitioner_fn *fn;
	void *arg;
	struct buf key;
};

static uint32_t choose(struct tag_step *t, quern_slice key)
{
	uint32_t to = t->to;

	switch (t->divide) {
	case QUERN__STEP__DIVIDE__ROUND_ROBIN:
		t->to = to + 1 < t->partitions ? to + 1 : 0;
		return to;
	case QUERN__STEP__DIVIDE__FUNCTION:
		return t->fn(key, t->partitions, t->arg);
	case QUERN__STEP__DIVIDE__HASH:
		return hash_partition(hash_key(key, 0), t->partitions);
	case QUERN__STEP__DIVIDE__WHOLE:
	default:
		return to;
	}
}

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct tag_step *t = (struct tag_step *)out;
	uint8_t tag[TAG_SIZE];

	uint32_t to = choose(t, key);
	if (to >= t->partitions) {
		flow_fail(t->flow, -EINVAL, true,
			"the partitioner chose partition %u: there are %u, and the first is 0", to,
			t->partitions);
		return;
	}
	tag_put(tag, to, key.ptr != NULL);
	buf_clear(&t->key);
	if (buf_add(&t->key, tag, TAG_SIZE) < 0 || buf_add(&t->key, key.ptr, key.len) < 0)
		flow_fail(t->flow, -ENOMEM, false, "out of memory for a key of %zu bytes", key.len);
	else
		t->next->emit(t->next, quern_bytes(t->key.data, t->key.len), value);
}

static struct stateful *tag_free(struct stateful *s)
{
	struct tag_step *t = (struct tag_step *)s;

	free(t->arg);
	buf_deinit(&t->key);
	free(t);
	return NULL;
}

static int open_divide(
	struct tag_step *t, const struct step_env *env, const Quern__Step *step, struct err *err)
{
	uint64_t random = env->partition;
	code_fn *fn = NULL;
	int r;

	switch (step->divide) {
	case QUERN__STEP__DIVIDE__ROUND_ROBIN:
		/* Partitions of few records do not all begin with the same one. */
		t->to = (uint32_t)(random_next(&random) % t->partitions);
		return 0;
	case QUERN__STEP__DIVIDE__FUNCTION:
		if (step->function == NULL)
			return err_set(err, -EINVAL, "a partitioner without a function");
		r = steps_resolve(env->code, step->function, &fn, &t->arg, err);
		t->fn = (quern_partitioner_fn *)fn;
		return r;
	case QUERN__STEP__DIVIDE__HASH:
		return 0;
	case QUERN__STEP__DIVIDE__WHOLE:
		if (env->partition >= step->tasks)
			return err_set(err, -EINVAL, "partition %u of a set that has %u", env->partition,
				step->tasks);
		t->to = (uint32_t)((uint64_t)env->partition * t->partitions / step->tasks);
		return 0;
	default:
		return err_set(err, -EINVAL, "an unknown way to choose partitions");
	}
}

int step_tag_new(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err)
{
	if (step->partitions == 0)
		return err_set(err, -EINVAL, "no partitions to choose from");
	struct tag_step *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	t->base = (struct stateful){ .in = { take }, .free = tag_free };
	t->next = next;
	t->flow = env->flow;
	t->divide = step->divide;
	t->partitions = step->partitions;
	t->key = BUF_INIT(SIZE_MAX / 2);
	int r = open_divide(t, env, step, err);
	*ret = r < 0 ? tag_free(&t->base) : &t->base;
	return r;
}
