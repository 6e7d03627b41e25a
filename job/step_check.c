#include "job/step_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>

#include "job/pipe_check.h"
#include "job/plan_check.h"

enum need { NEVER, MAYBE, ALWAYS };

static enum need needs_function(const Quern__Step *s)
{
	switch (s->kind) {
	case QUERN__STEP__KIND__CACHE:
	case QUERN__STEP__KIND__SAMPLE:
	case QUERN__STEP__KIND__PIPE:
	case QUERN__STEP__KIND__SORT:
	case QUERN__STEP__KIND__UNTAG:
	case QUERN__STEP__KIND__FUSE:
	case QUERN__STEP__KIND__SPLIT:
	case QUERN__STEP__KIND__CELLS:
		return NEVER;
	case QUERN__STEP__KIND__ZIP:
		return MAYBE;
	case QUERN__STEP__KIND__TAG:
		return s->divide == QUERN__STEP__DIVIDE__FUNCTION ? ALWAYS : NEVER;
	default:
		return ALWAYS;
	}
}

static int check_sampling(const Quern__Step *s, struct err *err)
{
	const Quern__Sampling *sampling = s->sampling;

	if (sampling == NULL)
		return err_set(err, -EBADMSG, "a sample that does not say how large it is");
	double most = sampling->with_replacement ? PLAN_FRACTION_MAX : 1;
	if (!(sampling->fraction >= 0 && sampling->fraction <= most)) /* not a number is neither */
		return err_set(err, -EBADMSG, "a sample of %g of the records", sampling->fraction);
	return 0;
}

static int check_starts(const Quern__Step *s, struct err *err)
{
	if (s->n_starts == 0 || s->n_starts > (size_t)PLAN_TASKS_MAX + 1)
		return err_set(err, -EBADMSG, "numbers for %zu partitions", s->n_starts);
	for (size_t i = 1; i < s->n_starts; i++)
		if (s->starts[i] < s->starts[i - 1])
			return err_set(err, -EBADMSG, "numbers that go down");
	return 0;
}

static int check_tag(const Quern__Step *s, struct err *err)
{
	if (protobuf_c_enum_descriptor_get_value(&quern__step__divide__descriptor, (int)s->divide) == NULL)
		return err_set(err, -EBADMSG, "an unknown way %d to choose partitions", (int)s->divide);
	if (s->partitions == 0 || s->partitions > PLAN_PARTITIONS_MAX)
		return err_set(err, -EBADMSG, "tags for %" PRIu32 " partitions, which are not from 1 to %d",
			s->partitions, PLAN_PARTITIONS_MAX);
	return 0;
}

int step_check(const Quern__Step *s, struct err *err)
{
	const bool whole = s->kind == QUERN__STEP__KIND__TAG && s->divide == QUERN__STEP__DIVIDE__WHOLE;
	const enum need need = needs_function(s);

	if (need == ALWAYS && s->function == NULL)
		return err_set(err, -EBADMSG, "a step without a function");
	if ((s->kind == QUERN__STEP__KIND__CACHE) != (s->cache != NULL) ||
		(s->cache != NULL && s->function != NULL))
		return err_set(err, -EBADMSG, "a step that keeps records does nothing else");
	if (need == NEVER && s->function != NULL)
		return err_set(err, -EBADMSG, "a step with a function that it does not call");
	if (whole != (s->has_branches != 0))
		return err_set(err, -EBADMSG, "a step whose partitions end nowhere");
	if ((s->kind == QUERN__STEP__KIND__FOLD) != (s->has_zero != 0) || s->zero.len > PLAN_ARG_MAX)
		return err_set(err, -EBADMSG, "a fold from nothing, from too much, or of what is no fold");
	switch (s->kind) {
	case QUERN__STEP__KIND__SAMPLE:
		return check_sampling(s, err);
	case QUERN__STEP__KIND__PIPE:
		return s->pipe != NULL ? pipe_check(s->pipe, err)
				       : err_set(err, -EBADMSG, "a pipe without a command");
	case QUERN__STEP__KIND__SORT:
		return s->order != NULL && !s->order->tagged && s->order->compare == NULL
			       ? 0
			       : err_set(err, -EBADMSG, "a sort without an order of its own");
	case QUERN__STEP__KIND__ZIP:
		return check_starts(s, err);
	case QUERN__STEP__KIND__TAG:
		return check_tag(s, err);
	default:
		return 0;
	}
}
