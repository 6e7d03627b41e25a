/* steps.h: the narrow steps of a stage, fused: each is a struct quern_out that calls the user's function with
 * the next one, or a stateful step (stateful.h). */
#ifndef QUERN_EXECUTOR_STEPS_H
#define QUERN_EXECUTOR_STEPS_H

#include "base/auto.h"
#include "executor/stateful.h"

struct steps;

/* Chains `n` steps before `sink`, which is borrowed like them and what `env` points at. 0, -ENOMEM, or
 * -EINVAL: a function that is not in the job. At run time a map that does not emit exactly one record fails
 * the flow. */
int steps_new(const struct step_env *env, Quern__Step *const *step, size_t n, struct quern_out *sink,
	struct steps **ret, struct err *err);

/* Where records go in: the first step, or the sink when there is none. */
struct quern_out *steps_in(struct steps *s);

/* No more records come in: each step gives what it still has to give, in their order, until the flow stops.
 */
void steps_finish(struct steps *s);

/* Step `i`, a CACHE one, gives each record to `tee` (borrowed) as well. Without a tee it does nothing. */
void steps_tee(struct steps *s, size_t i, struct quern_out *tee);

struct steps *steps_free(struct steps *s);

AUTO_FREE(steps, struct steps, steps_free)
#define auto_steps AUTO_CLEANUP(auto_steps_cleanup_)

/* Resolves `f` and copies its argument, aligned for any type: *ret_arg is the caller's to free(), NULL for
 * none. Errors as steps_new(). */
int steps_resolve(
	const struct code *code, const Quern__Function *f, code_fn **ret, void **ret_arg, struct err *err);

#endif
