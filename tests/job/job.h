/* job.h: what a test takes from tests/job/job.c by kit_symbol(): functions that are the job's. */
#ifndef QUERN_TESTS_JOB_JOB_H
#define QUERN_TESTS_JOB_JOB_H

#include <quern/quern.h>

struct job_functions {
	quern_map_fn *words;          /* a word, 1 */
	quern_map_pair_fn *swap;      /* value, key */
	quern_filter_fn *long_enough; /* values of `arg` (a size_t) bytes */
	quern_filter_pair_fn *even;   /* records of an even length */
	quern_reduce_fn *either;      /* the longer one */
	quern_partition_fn *pass_on;  /* the partition's records */
	quern_zip_fn *number;         /* the number as value */
	quern_partitioner_fn *first;  /* always 0 */
};
extern const struct job_functions job_functions;

#endif
