#include "executor/sort_step.h"

#include <errno.h>
#include <stdlib.h>

#include "executor/gate.h"
#include "executor/sort.h"

struct sort_step {
	struct stateful step;
	struct gate gate; /* before the next step: a record that is given is one of its own */
	struct order order;
	struct sort sort;
};

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sort_step *s = (struct sort_step *)out;

	sort_record(&s->sort, key, value);
}

static void give(void *arg, uint64_t word, quern_slice key, quern_slice value)
{
	struct sort_step *s = arg;

	(void)word;
	s->gate.in.emit(&s->gate.in, key, value);
}

static void finish(struct stateful *step)
{
	struct sort_step *s = (struct sort_step *)step;

	sort_finish(&s->sort, give, s);
	sort_deinit(&s->sort); /* its memory is for what follows */
}

static struct stateful *sort_step_free(struct stateful *step)
{
	struct sort_step *s = (struct sort_step *)step;

	sort_deinit(&s->sort);
	free(s);
	return NULL;
}

int sort_step_new(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err)
{
	if (step->order == NULL)
		return err_set(err, -EINVAL, "a sort without an order");
	struct sort_step *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	s->step = (struct stateful){ .in = { take }, .finish = finish, .free = sort_step_free };
	gate_init(&s->gate, next, env->flow->task);
	s->order = order_of(step->order);
	const struct sort_config config = { .order = &s->order,
		.memory = env->memory,
		.scratch_dir = env->scratch_dir,
		.keep = env->keep,
		.flow = env->flow };
	sort_init(&s->sort, &config);
	*ret = &s->step;
	return 0;
}
