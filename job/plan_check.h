/* plan_check.h: whether a Run that a job's process sent can be run at all. */
#ifndef QUERN_JOB_PLAN_CHECK_H
#define QUERN_JOB_PLAN_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "job/plan.pb-c.h"

enum {
	PLAN_STAGES_MAX = 1000,        /* of a Run */
	PLAN_BRANCHES_MAX = 10000,     /* of a stage */
	PLAN_STEPS_MAX = 10000,        /* of all of its branches */
	PLAN_CACHES_MAX = 100,         /* of them steps of one branch that keep records */
	PLAN_PATHS_MAX = 100000,       /* of a source */
	PLAN_PARTITIONS_MAX = 1000000, /* of a shuffle */
	PLAN_TASKS_MAX = 100000000,    /* of a stage */
	PLAN_ARG_MAX = 8 << 20,        /* bytes of a function's argument */
	PLAN_COMPRESSION_MAX = 19,     /* level of zstd */
	PLAN_CORES_MAX = 10000,        /* of a task */
	PLAN_MEMORY_MB_MAX = 1 << 20,
	PLAN_FRACTION_MAX = 1000,     /* times that a sample takes a record on average */
	PLAN_SEPARATOR_MAX = 1 << 10, /* bytes between key and value of a line */
	PLAN_WIDTH_MAX = 64 << 20,    /* bytes of a record of a fixed width */
};

/* Holds `run` against what plan.proto says of it: 1 to PLAN_STAGES_MAX stages with ids of their own, all but
 * the last with a SHUFFLE sink, which one later stage at least reads; sources that an earlier stage of this
 * Run writes; enums with known values; functions that are a known builtin or an offset; numbers within the
 * limits above; paths that are not empty; records in memory that are such. With `build_id`: the Run is of
 * that object. 0, or -EBADMSG with a sentence. */
int plan_check(const Quern__Run *run, const uint8_t *build_id, size_t build_id_len, struct err *err);

#endif
