/* modes.h: how resources are held. A mode is a policy: a small table of functions that decides; it sends
 * nothing.
 *
 * The words: a *task* is one attempt of the job's. A *slot* is room for one task on an executor, or for a
 * part of one that takes several. A *hold* is
 * a Mesos task that holds resources for one or more slots. In fine mode a hold is one slot that runs one task
 * and ends with it; in coarse mode a hold is all slots of an agent and ends with the job; in adaptive mode a
 * hold is one slot, or as many as the task takes that it was launched for, kept while there is work. The
 * scheduler owns holds, slots and tasks; a mode sees numbers, and keeps what it must remember in itself. */
#ifndef QUERN_MODES_MODES_H
#define QUERN_MODES_MODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct mode; /* the state of a policy: one per application, opaque, made by mode_new() */

struct mode_config {
	uint32_t max_slots; /* of the application (--total-executor-cores / --task-cores); 0: no limit */
	uint32_t min_ratio_percent; /* coarse: start when so much of the request is registered */
	uint64_t
		max_registered_wait_ms; /* coarse: or after this, if min_ratio is met by then; else give up */
	uint64_t lease_idle_ms;         /* adaptive: a slot that is idle for so long goes back */
	uint64_t lease_max_ms;          /* adaptive: and one that was there for so long, between two tasks */
};

/* What the application looks like now; filled by the scheduler before every question. */
struct mode_view {
	uint64_t now_ms;
	uint32_t runnable; /* slots for the tasks that could start this instant and have none yet */
	uint32_t wanted; /* slots that the widest unfinished stage of the current action could use, 0 with no
			    action */
	uint32_t held;   /* slots in holds that were launched and have not ended, and those that wait for an
			    executor (executor_first) */
	uint32_t registered; /* of those, slots whose executor is connected and whose hold is RUNNING */
	uint32_t idle;   /* of those, slots without a task that runnable ones will take as soon as the action
			    may run. When it runs: none, for tasks went where they could */
	uint32_t coming; /* slots in leases that are not RUNNING yet, or that wait for an executor */
	uint32_t widest; /* slots that the largest task of the current action takes, all on one agent */
	bool homeless; /* no agent has that much: coarse, in slots that are registered there; fine, in what it
			  ever offered */
	uint64_t since_ms; /* when the current action was submitted */
	uint64_t more_ms; /* with nothing runnable: how long it takes till more may be, by what the tasks that
			     run took so far; 0: any moment, or nothing is known */
};

/* Room in the offers of one agent, already divided by what a task needs. */
struct mode_offer {
	uint32_t fits;      /* slots that fit, after the executor's own share where it is not running yet */
	uint32_t held_here; /* slots that we hold on this agent */
};

enum mode_start { MODE_RUN, MODE_WAIT, MODE_GIVE_UP };

/* Every member is set. None blocks, allocates, or keeps a pointer to its arguments. All are cheap: they are
 * asked on every event. */
struct mode_ops {
	const char *name; /* as --mode spells it */

	/* true: a hold is launched together with the task it is for, and ends with that task. false: a hold
	 * is launched empty, and tasks come to its slots over the executor's connection. */
	bool task_per_hold;

	/* true: slots are taken for tasks that wait, as many as those take, and given back: an agent is as
	 * good as what it offers. false: they are taken beforehand, all that the action may come to use, and
	 * where there are none no task will ever run. */
	bool as_needed;

	/* true: of an agent without our executor one hold is taken, which brings it, and the others that it
	 * would be taken for are asked for when it is there: what an executor's start takes is not held for
	 * each slot. So where the scheduler may ask for offers whenever it likes. false: all at once. */
	bool executor_first;

	/* How many slots to take of this agent's offers: 0 to o->fits. Taking nothing is a valid answer.
	 * as_needed: asked for one task after the other, o->fits is what it takes; less is nothing. */
	uint32_t (*consider)(struct mode *m, const struct mode_view *v, const struct mode_offer *o);

	/* May the current action's tasks run? *ret_until_ms is when to ask again at the latest; UINT64_MAX:
	 * not before something has changed. MODE_GIVE_UP: the action fails; `why` gets a sentence about what
	 * was asked, what came. Idempotent.
	 */
	enum mode_start (*start)(
		struct mode *m, const struct mode_view *v, uint64_t *ret_until_ms, struct err *why);

	/* Does the application want offers now? false leads to SUPPRESS, true to REVIVE (the scheduler paces
	 * it). Idempotent. */
	bool (*hungry)(struct mode *m, const struct mode_view *v);

	/* Asked where slots are leased as_needed. Of a lease whose slots have been idle since idle_since_ms,
	 * for no runnable task would take them: true = give it back now; false: *ret_until_ms (UINT64_MAX:
	 * never) says when to ask again at the latest. Of one that is between two tasks (idle_since_ms
	 * UINT64_MAX): true = give it back instead of the next one. It has been there for tasks since
	 * held_since_ms. Idempotent. */
	bool (*release)(struct mode *m, const struct mode_view *v, uint64_t idle_since_ms,
		uint64_t held_since_ms, uint64_t *ret_until_ms);
};

extern const struct mode_ops mode_coarse, mode_fine, mode_adaptive;

/* The table of that name, or NULL. */
const struct mode_ops *mode_find(const char *name);

/* NULL-terminated list of names, for messages and --help. */
const char *const *mode_names(void);

/* 0 or -ENOMEM. The configuration is copied. */
int mode_new(const struct mode_config *config, struct mode **ret);
struct mode *mode_free(struct mode *m);

#endif
