/* fold.h: one record per key out of records in which equal keys stand side by side. */
#ifndef QUERN_EXECUTOR_FOLD_H
#define QUERN_EXECUTOR_FOLD_H

#include "executor/reduce.h"
#include "executor/table.h"

/* Takes a record; `word`: its first of the order in which they come (order.h). A failure is put into the
 * flow. */
typedef void record_give(void *arg, uint64_t word, quern_slice key, quern_slice value);

struct fold {
	struct reduce *reduce; /* borrowed */
	bool open;             /* there is a key: */
	uint64_t word;
	uint64_t bits; /* the value of a known reduction */
	uint8_t number[8];
	struct buf key, value;
};

void fold_init(struct fold *f, struct reduce *reduce);
void fold_deinit(struct fold *f);

/* Begins a key with its first value. Failures of this and the next go into the reduction's flow. */
void fold_begin(struct fold *f, uint64_t word, quern_slice key, quern_slice value);

/* Whether there is a key, and it is this one. */
static inline bool fold_same(const struct fold *f, uint64_t word, quern_slice key)
{
	return f->open && f->word == word && f->key.len == key.len &&
	       table_same((const char *)f->key.data, key.ptr, key.len);
}

/* Combines another value of the key. */
void fold_add(struct fold *f, quern_slice value);

/* Ends the key. false: there was none, or something failed. The slices are borrowed until the next
 * fold_begin(). */
bool fold_end(struct fold *f, quern_slice *ret_key, quern_slice *ret_value);

#endif
