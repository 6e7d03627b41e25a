/* fold.h: one record per key out of records in which equal keys stand side by side. */
#ifndef QUERN_EXECUTOR_FOLD_H
#define QUERN_EXECUTOR_FOLD_H

#include "executor/reduce.h"

/* Takes a record; `word`: its first of the order in which they come (order.h). A failure is put into the
 * flow. */
typedef void record_give(void *arg, uint64_t word, quern_slice key, quern_slice value);

struct fold {
	struct reduce *reduce; /* borrowed */
	record_give *give;
	void *arg;
	bool open; /* there is a key: */
	uint64_t word;
	uint64_t bits; /* the value of a known reduction */
	struct buf key, value;
};

void fold_init(struct fold *f, struct reduce *reduce, record_give *give, void *arg);
void fold_deinit(struct fold *f);

/* A record_give whose `arg` is the fold. */
void fold_take(void *fold, uint64_t word, quern_slice key, quern_slice value);

/* Gives the last key. */
void fold_end(struct fold *f);

#endif
