/* gate.h: stands between a source and the steps, and notes each record that passes: a function that fails can
 * be told which one it was, and one that is bad can be left out. */
#ifndef QUERN_EXECUTOR_GATE_H
#define QUERN_EXECUTOR_GATE_H

#include "job/out.h"

struct gate {
	struct quern_out in;
	struct quern_out *next; /* borrowed, like `task` */
	struct out_task *task;
};

/* The number of records begins again. Where the task may leave bad records out, quern_bad_record() behind the
 * gate goes on with the next one. */
void gate_init(struct gate *g, struct quern_out *next, struct out_task *task);

/* No record follows: what fails from now on is about none. */
void gate_end(struct gate *g);

#endif
