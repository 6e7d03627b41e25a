/* progress.h: one line on a terminal that says how far the job is (base/redraw.h). */
#ifndef QUERN_SCHEDULER_PROGRESS_H
#define QUERN_SCHEDULER_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/redraw.h"
#include "scheduler/sched.h"

struct progress {
	struct redraw line;
	uint32_t run;    /* the action that the rate is of ... */
	uint64_t run_ms; /* ... and when it was first seen */
};

/* `quiet`: never draw. */
void progress_init(struct progress *p, FILE *out, bool quiet);

/* Redraws, at most ten times a second. */
void progress_show(struct progress *p, const struct sched_progress *now, uint64_t now_ms);

/* Takes the line away; to be called before anything else is printed, and at the end. */
void progress_clear(struct progress *p);

/* "97 % of 1,204 tasks ran where their data is": 1; 0: no task had a place that it preferred. */
int progress_locality(char *ret, size_t size, const struct sched_locality *l);

#endif
