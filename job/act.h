/* act.h: what the files of actions share (action.c, action_*.c): an action's set and sink become a Run, and
 * results come back. */
#ifndef QUERN_JOB_ACT_H
#define QUERN_JOB_ACT_H

#include "job/graph.h"

/* One run of an action. */
struct action {
	quern_set *set;
	Quern__Sink sink;
	char *name;   /* from act_name(); NULL: no memory */
	bool goes_on; /* the answer is no matter, or not to quern_main() */
	bool again;   /* another run of the same action: what it needs to know beforehand is known */
	bool part;    /* only these partitions: */
	uint32_t first, count;
};

/* An action on `set` that ends so. */
struct action act_of(quern_set *set, Quern__Sink__Kind kind);

/* Its name, for people, as printf() would print it. */
char *act_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs it: 0, or what the action returns: it is reported. Frees the name. */
int act(struct action *a, job_result_fn *result, void *arg);

/* Says what is wrong, here where the user's own words on stderr are; returns what the action returns. */
int act_complain(const char *what);

#endif
