/* master_timer.h: things that are due at a time, in the order in which they are due; of those due at the same
 * time, the one that was set first comes first. The timers are part of what they belong to. */
#ifndef QUERN_LOCAL_MASTER_TIMER_H
#define QUERN_LOCAL_MASTER_TIMER_H

#include <stdint.h>

#include "base/vec.h"

enum timer_kind {
	TIMER_ALLOCATE,     /* of the master */
	TIMER_HEARTBEAT,    /* of a framework */
	TIMER_FAILOVER,     /* of a framework that is away */
	TIMER_AGENT_LOST,   /* of an agent whose link is down */
	TIMER_AGENT_FORGET, /* of an agent that is unreachable */
	TIMER_FILTER,       /* of a filter */
	TIMER_OFFER,        /* of an offer */
};

struct timer {
	enum timer_kind kind;
	size_t slot; /* place in the heap, from 1; 0: not set */
	uint64_t at_ms, seq;
};

struct timers {
	VEC(struct timer *) heap;
	uint64_t seq;
};

/* Sets, or moves. 0 or -ENOMEM. */
int master_timer_set(struct timers *timers, struct timer *t, uint64_t at_ms);
void master_timer_clear(struct timers *timers, struct timer *t);

/* Takes the first timer off that is due; NULL: none is. */
struct timer *master_timer_due(struct timers *timers, uint64_t now_ms);
/* UINT64_MAX: none is set. */
uint64_t master_timer_next(const struct timers *timers);
void master_timers_deinit(struct timers *timers);

#endif
