/* builtin.h: functions of quern's own that plans name beside the known reductions of quern.h. */
#ifndef QUERN_JOB_BUILTIN_H
#define QUERN_JOB_BUILTIN_H

#include <quern/quern.h>

/* Folds: one more than `a`, a u64. */
quern_reduce_fn quern_count_one;
/* Folds: what quern_stats() knows of no number yet (`a`), with a number. */
quern_reduce_fn quern_stats_u64, quern_stats_i64, quern_stats_double;
/* Reductions: what it knows of two parts of a set; any of the two values. */
quern_reduce_fn quern_stats_merge, quern_keep_first;
/* A map: the value becomes the key, and 1 the value. */
quern_map_fn quern_count_value;

#endif
