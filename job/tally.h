/* tally.h: what the functions of one task count beside their records: accumulators, named counters, bad
 * records. They travel with the task's result (plan.proto: Tally) and count once for each task that succeeds.
 */
#ifndef QUERN_JOB_TALLY_H
#define QUERN_JOB_TALLY_H

#include <stddef.h>
#include <stdint.h>
#include <quern/quern.h>

#include "job/code.h"
#include "job/plan.pb-c.h"

enum {
	TALLY_COUNTS = 120, /* accumulators of a job, and so many named counters */
	TALLY_NAME = 100,   /* bytes of a name */
	TALLY_TEXTS = 5,    /* bad records that are shown */
	TALLY_TEXT = 500,   /* bytes of what is shown of one */
};

struct tally_count {
	enum reduction kind; /* REDUCE_CALL: nothing was counted */
	uint64_t bits;
};

struct tally {
	struct tally_count accumulators[TALLY_COUNTS]; /* by id */
	struct tally_count counters[TALLY_COUNTS];
	char names[TALLY_COUNTS][TALLY_NAME + 1]; /* of counters */
	size_t n_accumulators, n_counters;        /* none is beyond */
	uint64_t bad, bad_max;                    /* bad records; may be left out */
	char texts[TALLY_TEXTS][TALLY_TEXT + 1];  /* of the first */
};

/* One more bad record. */
void tally_bad(struct tally *t, const char *text);

/* Whether there is anything in it. */
bool tally_counted(const struct tally *t);

/* As a message: *ret is for quern__tally__free_unpacked(), NULL when there is nothing to tell. 0 or -ENOMEM.
 */
int tally_message(const struct tally *t, Quern__Tally **ret);

/* The reduction by which counts of its kind become one. REDUCE_CALL: there is no such kind. */
static inline enum reduction tally_reduction(const Quern__Count *c)
{
	return c->kind >= QUERN__COUNT__KIND__SUM_U64 && c->kind <= QUERN__COUNT__KIND__MAX_DOUBLE
		       ? (enum reduction)c->kind
		       : REDUCE_CALL;
}

/* What it reduces: "u64", "i64" or "double"; else "nothing". */
const char *tally_type(enum reduction kind);

/* Whether what is said of a count makes sense, whoever says it. */
static inline bool tally_count_valid(const Quern__Count *c)
{
	if (tally_reduction(c) == REDUCE_CALL || (c->name != NULL) == (c->has_id != 0))
		return false;
	if (c->name == NULL)
		return c->id < TALLY_COUNTS;
	return c->kind == QUERN__COUNT__KIND__SUM_I64 && c->name[0] != '\0' && strlen(c->name) <= TALLY_NAME;
}

#endif
