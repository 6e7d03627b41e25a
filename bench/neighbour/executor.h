/* executor.h: runs the batch framework's tasks: each sleeps, or computes, for the time that its data says
 * ("sleep 500", "spin 500": milliseconds), and has finished then. Those of 0 ms finish the moment they are
 * launched. */
#ifndef QUERN_BENCH_NEIGHBOUR_EXECUTOR_H
#define QUERN_BENCH_NEIGHBOUR_EXECUTOR_H

/* As an agent starts it. The exit status of the process. */
int executor_run(void);

#endif
