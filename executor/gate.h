/* gate.h: stands before user functions and notes what they are given: a function that fails can be told which
 * record it was, and one that is bad can be left out. One stands between the source and the steps; who calls
 * functions for keys and pairs (group.h), or has records of its own to give (commands, sorts, partitions),
 * has one of its own; and where bad records may be left out one stands behind each step that may emit
 * several. */
#ifndef QUERN_EXECUTOR_GATE_H
#define QUERN_EXECUTOR_GATE_H

#include "job/out.h"

struct gate {
	struct quern_out in;      /* passes records on to `next` */
	struct quern_out *next;   /* borrowed, like `task`; NULL: only gate_call() is used */
	struct out_task *task;    /* NULL: nothing is noted */
	struct out_record record; /* the last one; its number is counted from the gate's beginning */
};

/* Where the task may leave bad records out, quern_bad_record() behind the gate goes on with the next one. */
void gate_init(struct gate *g, struct quern_out *next, struct out_task *task);

/* One that notes nothing, behind a function that emits several records for one: a bad one of them is left out
 * by itself, and the function goes on. false: bad records may not be left out, and there is no gate. */
bool gate_behind(struct gate *g, struct quern_out *next, struct out_task *task);

/* Calls `call`, as work on one record; of a key and all its values, `value` has no ptr. */
void gate_call(struct gate *g, quern_slice key, quern_slice value, void (*call)(void *arg), void *arg);

#endif
