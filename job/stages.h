/* stages.h: cuts the graph of an action into stages. */
#ifndef QUERN_JOB_STAGES_H
#define QUERN_JOB_STAGES_H

#include "job/graph.h"

/* Makes *ret the Run whose last stage ends in `sink` (borrowed; its types are filled in from the set). Narrow
 * steps are fused, into each branch of a union by themselves; every shuffle ends a stage and begins another,
 * and is written once, however many read it. Stages are in the order in which they are to run. The last one
 * gets a new id, those that write shuffles have theirs for good. Everything is `m`'s or the set's. 0,
 * -ENOMEM, or -E2BIG: more than a plan may have; with a sentence. */
int stages_cut(quern_set *set, const Quern__Sink *sink, struct memory *m, Quern__Run **ret, struct err *err);

/* Gets what a plan cannot be made without knowing something of its records. Non-zero ends the walk, which
 * returns that. */
struct stages_each {
	int (*shuffle)(void *arg, struct set_shuffle *shuffle); /* any */
	int (*zip)(void *arg, quern_set *set);                  /* a step that numbers records */
	void *arg;
};

/* Calls these for everything on the way to `set`, what another one's records come from before it: not for
 * shuffles that an action has had before, nor for what comes before such a shuffle or persisted set, whose
 * records are there: what was known of it then still holds. */
int stages_each(quern_set *set, const struct stages_each *each);

#endif
