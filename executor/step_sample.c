/* step_sample.c: the step that takes a random part of the records (SAMPLE): each once with some probability,
 * or each so many times as a Poisson distribution says. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "executor/stateful.h"

/* Of larger means exp(-mean) would lose digits: a sum of several has the same distribution. */
#define MEAN_MOST 16.0

struct sample_step {
	struct stateful base;
	struct quern_out *next;
	struct flow *flow;
	uint64_t random;
	double fraction;
};

/* In [0, 1), of the 53 bits that a double has. */
static double uniform(uint64_t *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}

static void take_once(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sample_step *s = (struct sample_step *)out;

	if (uniform(&s->random) < s->fraction)
		s->next->emit(s->next, key, value);
}

/* By products of uniform numbers (Knuth, The Art of Computer Programming, vol. 2, 3.4.1, algorithm Q). */
static uint64_t poisson(uint64_t *random, double mean)
{
	const double end = exp(-mean);
	uint64_t n = 0;

	for (double p = uniform(random); p > end; p *= uniform(random))
		n++;
	return n;
}

static void take_often(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sample_step *s = (struct sample_step *)out;

	for (double left = s->fraction; left > 0; left -= MEAN_MOST) {
		uint64_t n = poisson(&s->random, left < MEAN_MOST ? left : MEAN_MOST);

		for (uint64_t i = 0; i < n && !s->flow->stop; i++)
			s->next->emit(s->next, key, value);
	}
}

static struct stateful *sample_free(struct stateful *s)
{
	free(s);
	return NULL;
}

int step_sample_new(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err)
{
	if (step->sampling == NULL)
		return err_set(err, -EINVAL, "a sample that does not say how large it is");
	struct sample_step *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	s->base = (struct stateful){ .in = { step->sampling->with_replacement ? take_often : take_once },
		.free = sample_free };
	s->next = next;
	s->flow = env->flow;
	s->fraction = step->sampling->fraction;
	/* Mixed twice: partitions and seeds that are neighbours have nothing to do with each other. */
	s->random = step->sampling->seed;
	s->random = random_next(&s->random) + env->partition;
	s->random = random_next(&s->random);
	*ret = &s->base;
	return 0;
}
