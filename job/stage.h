/* stage.h: what the plan of a stage says, for all who read it. */
#ifndef QUERN_JOB_STAGE_H
#define QUERN_JOB_STAGE_H

#include <stdbool.h>

#include "job/codec.h"
#include "job/plan.pb-c.h"

enum { STAGE_SHUFFLES_MAX = 2 /* that a branch reads */ };

/* Whether a step of it keeps records of a persisted set. */
static inline bool branch_keeps(const Quern__Branch *branch)
{
	for (size_t i = 0; i < branch->n_steps; i++)
		if (branch->steps[i]->cache != NULL)
			return true;
	return false;
}

static inline bool stage_keeps(const Quern__Stage *stage)
{
	for (size_t i = 0; i < stage->n_branches; i++)
		if (branch_keeps(stage->branches[i]))
			return true;
	return false;
}

/* Whether it has files that are not on a disk of this machine: paths of those are absolute, and others begin
 * with a scheme. */
static inline bool stage_remote(const Quern__Stage *stage)
{
	if (stage->sink->path != NULL && stage->sink->path[0] != '/')
		return true;
	for (size_t i = 0; i < stage->n_branches; i++) {
		const Quern__Source *source = stage->branches[i]->source;

		for (size_t k = 0; k < source->n_text; k++)
			if (source->text[k][0] != '/')
				return true;
	}
	return false;
}

/* Whether it fills a folder with files. */
static inline bool sink_writes_files(const Quern__Sink *sink)
{
	return sink->kind == QUERN__SINK__KIND__TEXT || sink->kind == QUERN__SINK__KIND__SEQ ||
	       sink->kind == QUERN__SINK__KIND__RAW;
}

/* What the names of those end with. */
static inline const char *sink_suffix(const Quern__Sink *sink)
{
	return sink->kind == QUERN__SINK__KIND__SEQ ? ".seq" : codec_suffix(sink->codec);
}

/* Whether a branch of it reads the shuffle. */
static inline bool stage_reads(const Quern__Stage *stage, uint32_t shuffle)
{
	for (size_t i = 0; i < stage->n_branches; i++) {
		const Quern__Source *source = stage->branches[i]->source;

		for (size_t k = 0; k < source->n_shuffles; k++)
			if (source->shuffles[k]->shuffle == shuffle)
				return true;
	}
	return false;
}

/* How many shuffles a group of that kind reads; 0: there is no such kind. */
static inline size_t group_shuffles(Quern__Group__Kind kind)
{
	if (kind == QUERN__GROUP__KIND__GROUP)
		return 1;
	return protobuf_c_enum_descriptor_get_value(&quern__group__kind__descriptor, (int)kind) != NULL ? 2
													: 0;
}

/* Whether it may have a function, and whether it must. */
static inline bool group_may_call(Quern__Group__Kind kind)
{
	return kind != QUERN__GROUP__KIND__SUBTRACT && kind != QUERN__GROUP__KIND__INTERSECT;
}

static inline bool group_must_call(Quern__Group__Kind kind)
{
	return kind == QUERN__GROUP__KIND__GROUP || kind == QUERN__GROUP__KIND__COGROUP ||
	       kind == QUERN__GROUP__KIND__CROSS;
}

/* Whether the number of its set's partition matters to a step. */
static inline bool step_numbered(const Quern__Step *step)
{
	switch (step->kind) {
	case QUERN__STEP__KIND__CACHE:
	case QUERN__STEP__KIND__MAP_PARTITIONS:
	case QUERN__STEP__KIND__SAMPLE:
	case QUERN__STEP__KIND__ZIP:
	case QUERN__STEP__KIND__TAG:
		return true;
	default:
		return false;
	}
}

/* Whether a step of it is about the partition as a whole: of its source nothing may be left out. */
static inline bool branch_whole(const Quern__Branch *branch)
{
	for (size_t i = 0; i < branch->n_steps; i++) {
		switch (branch->steps[i]->kind) {
		case QUERN__STEP__KIND__MAP_PARTITIONS:
		case QUERN__STEP__KIND__PIPE:
		case QUERN__STEP__KIND__ZIP:
			return true;
		default:
			break;
		}
	}
	return false;
}

/* The number that a task of the stage has among the partitions of the step's set. */
static inline uint32_t step_partition(const Quern__Step *step, uint32_t task)
{
	return task - step->origin;
}

#endif
