/* step_zip.c: the step that gives each record its number in the set (ZIP). The driver has had the records of
 * each partition counted before; a partition that has others now would make numbers wrong, so it fails. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "executor/bytes.h"
#include "executor/stateful.h"
#include "executor/steps.h"

struct zip_step {
	struct stateful base;
	struct quern_out *next;
	struct flow *flow;
	quern_zip_fn *fn; /* NULL: the number becomes the key */
	void *arg;
	uint64_t at, end; /* the next number; the first one of the next partition */
};

static void fail_changed(struct zip_step *z)
{
	flow_fail(z->flow, -EINVAL, true,
		"quern_zip_with_index(): the partition does not have as many records as when they were "
		"counted: "
		"persist a set that may differ from one time to the next (quern_persist())");
}

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct zip_step *z = (struct zip_step *)out;
	uint8_t number[8];

	if (z->at == z->end) {
		fail_changed(z);
		return;
	}
	uint64_t at = z->at++;
	if (z->fn != NULL) {
		z->fn(at, key, value, z->next, z->arg);
		return;
	}
	put_le64(number, at);
	z->next->emit(z->next, quern_bytes(number, sizeof(number)), value);
}

static void finish(struct stateful *s)
{
	struct zip_step *z = (struct zip_step *)s;

	if (z->at != z->end)
		fail_changed(z);
}

static struct stateful *zip_free(struct stateful *s)
{
	struct zip_step *z = (struct zip_step *)s;

	free(z->arg);
	free(z);
	return NULL;
}

int step_zip_new(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err)
{
	code_fn *fn = NULL;

	if (step->n_starts < 2 || env->partition > step->n_starts - 2)
		return err_set(err, -EINVAL,
			"quern_zip_with_index(): the set has more partitions than when they were counted");
	struct zip_step *z = calloc(1, sizeof(*z));
	if (z == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	z->base = (struct stateful){ .in = { take }, .finish = finish, .free = zip_free };
	z->next = next;
	z->flow = env->flow;
	z->at = step->starts[env->partition];
	z->end = step->starts[env->partition + 1];
	int r = step->function != NULL ? steps_resolve(env->code, step->function, &fn, &z->arg, err) : 0;
	z->fn = (quern_zip_fn *)fn;
	*ret = r < 0 ? zip_free(&z->base) : &z->base;
	return r;
}
