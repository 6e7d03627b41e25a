/* give.h: a record that a step did not make of the one that came just now, on its way to the steps behind: it
 * is the one that is named when a function fails there, and that is left out if it is a bad one. */
#ifndef QUERN_EXECUTOR_GIVE_H
#define QUERN_EXECUTOR_GIVE_H

#include "executor/flow.h"
#include "job/out.h"

/* `from`: where it comes from, in words; `number`: the how manieth of those it is, from 1. */
void give_record(struct flow *flow, const char *from, uint64_t number, struct quern_out *next,
	quern_slice key, quern_slice value);

#endif
