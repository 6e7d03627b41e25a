/* runs.h: sorted runs of records in scratch files, and their merge. A run is a segment (block.h) in the order
 * of table_before(), in a file that has no name any more: it is gone with the process. */
#ifndef QUERN_EXECUTOR_RUNS_H
#define QUERN_EXECUTOR_RUNS_H

#include <stdint.h>

#include "base/err.h"
#include "executor/combine.h"
#include "executor/reduce.h"

struct runs;

/* How the hash of the order is made from a key's. */
typedef uint64_t runs_hash(quern_slice key);

/* `scratch_dir` and `reduce` are borrowed. 0 or -ENOMEM. */
int runs_new(const char *scratch_dir, runs_hash *hash, struct reduce *reduce, struct runs **ret);
struct runs *runs_free(struct runs *r);

/* Writing a run: begin, records in order, end. Failures are in reduce->flow. When enough runs of a kind are
 * there, end merges them into a larger one. */
void runs_begin(struct runs *r);
void runs_put(struct runs *r, quern_slice key, quern_slice value);
void runs_end(struct runs *r);

/* Gives every key of all runs once, its values combined, in order. */
void runs_merge(struct runs *r, combine_give *give, void *arg);

/* Runs written so far, merged ones included. */
uint64_t runs_written(const struct runs *r);

#endif
