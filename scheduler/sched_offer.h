/* sched_offer.h: the offers of one agent, on their way to an answer: sched_judge.c, sched_offer.c. Not for
 * others: sched.h is. */
#ifndef QUERN_SCHEDULER_SCHED_OFFER_H
#define QUERN_SCHEDULER_SCHED_OFFER_H

#include "scheduler/sched_place.h"

/* The offers of one agent in one role that may be of use. */
struct take {
	struct launches launches;
	struct room room;  /* that is left */
	struct room whole; /* at first, in cores and memory in every mode */
	uint32_t fits;     /* slots, at first */
	uint64_t near;     /* tasks that have their data there */
	uint64_t promised; /* of its leases: slots for such tasks of the stages before */
	double refuse_s;   /* of what is not used */
	bool portless;     /* nothing fits, for the executor that it takes would have no port */
	bool passed;       /* for locality's sake */
};

typedef VEC(struct take) takes;

/* ---- sched_judge.c ---- */

/* Whether the agent's offers in the role (of sched.roles; NULL: one that is not ours) may be of use: 1, and
 * *ret is filled (sched_launches_deinit() it); 0: they are to be declined for ret->refuse_s. -ENOMEM. */
int sched_offer_judge(struct sched *s, struct agent *agent, const char *role, struct take *ret);

/* Why nothing more is taken, where something could be: a limit, or nothing that waits is for it. */
enum reason sched_offer_enough(const struct sched *s);

/* ---- sched_room.c ---- */

/* The role, of sched.roles, that an offer is allocated to; NULL: none of them. */
const char *sched_offer_role(const struct sched *s, const Mesos__V1__Offer *o);
/* What the agent's offers in the take's role hold for a launch: the pool (the caller deinits it, whatever
 * comes), the room, what fits. -EINVAL: they make no sense; -ENOMEM. */
int sched_room_look(struct sched *s, struct take *t);

#endif
