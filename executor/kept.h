/* kept.h: the values of one key, taken once and read any number of times: in memory up to a limit, the rest
 * of them in the task's scratch file. */
#ifndef QUERN_EXECUTOR_KEPT_H
#define QUERN_EXECUTOR_KEPT_H

#include "executor/cursor.h"
#include "executor/spill.h"

struct kept {
	size_t memory;
	struct spill *spill; /* borrowed; nobody else writes a run while values are taken */
	struct buf values;   /* those in memory, as job/records.h has them, with empty keys */
	bool spilled;        /* the others: */
	struct stored run;
	const uint8_t *at; /* what is read next of those in memory */
	bool reading;      /* the run, by the cursor */
	struct cursor cursor;
	struct cursor_room room;
};

/* `memory`: bytes of values that it may hold. */
void kept_init(struct kept *k, size_t memory, struct spill *spill, struct keep *keep);
void kept_deinit(struct kept *k);

/* Forgets all values. */
void kept_clear(struct kept *k);

/* Takes a value, after kept_clear(). Failures of this and all below go into the spill's flow. */
void kept_add(struct kept *k, quern_slice value);
/* No value follows. */
void kept_end(struct kept *k);

/* Begins with the first value (again), and gives the next: borrowed until the next call. false: there is
 * none, or the flow has stopped. */
void kept_rewind(struct kept *k);
bool kept_next(struct kept *k, quern_slice *ret);

#endif
