/* policy.h: what the policies share. Not for others: modes.h is. */
#ifndef QUERN_MODES_POLICY_H
#define QUERN_MODES_POLICY_H

#include "modes/modes.h"

struct mode {
	struct mode_config config;

	uint64_t homeless_ms; /* since when no agent has room for the largest task; UINT64_MAX: not so */

	/* coarse */
	bool begun;         /* it has been asked about an action */
	uint64_t action_ms; /* which one: mode_view.since_ms */
	bool started;       /* that action may run */
	uint64_t empty_ms;  /* started, and nothing registered since then; UINT64_MAX: not so */
	uint32_t settled;   /* slots that an earlier action had to be content with; UINT32_MAX: none had to */
};

/* Of a mode that takes slots as tasks need them (mode_ops.as_needed): slots for the runnable tasks that
 * neither an idle slot nor one that is on its way will take. */
uint32_t policy_lacking(const struct mode_view *v);

/* How many of them are to be had, `fits` at most, within the application's limit. */
uint32_t policy_needed(const struct mode *m, const struct mode_view *v, uint32_t fits);

/* Such a mode's tasks run with the first slot that is there: the mode_ops functions `consider` and `start`.
 */
uint32_t policy_consider_needed(struct mode *m, const struct mode_view *v, const struct mode_offer *o);
enum mode_start policy_start_at_once(
	struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why);

/* When a wait that began then is over. */
uint64_t policy_after(uint64_t since_ms, uint64_t wait_ms);

/* The largest task has had no agent for max_registered_wait_ms: `why` gets a sentence. *ret_until_ms: when
 * that is the case at last, UINT64_MAX: never. */
bool policy_hopeless(struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why);

/* Of a mode whose holds end by themselves, or not at all. */
bool policy_release_never(struct mode *m, const struct mode_view *v, uint64_t idle_since_ms,
	uint64_t held_since_ms, uint64_t *ret_until_ms);

#endif
