/* sched_branch.c: the branches of a stage: which shuffles each reads, and which tasks and splits are its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "scheduler/sched_parts.h"

/* The shuffles that a branch reads. */
static int find_sources(const struct sched *s, const Quern__Stage *message, const Quern__Source *source,
	struct branch *b, struct err *err)
{
	if (source->n_shuffles > STAGE_SHUFFLES_MAX)
		return err_set(err, -EINVAL, "stage %u reads too many shuffles at a time", message->id);
	b->n_sources = (uint32_t)source->n_shuffles;
	for (uint32_t i = 0; i < b->n_sources; i++) {
		b->sources[i] = sched_shuffle_find(s, source->shuffles[i]->shuffle);
		if (b->sources[i] == NULL)
			return err_set(err, -EINVAL, "stage %u reads shuffle %u, which nothing writes",
				message->id, source->shuffles[i]->shuffle);
		if (b->sources[i]->partitions != b->sources[0]->partitions)
			return err_set(err, -EINVAL, "stage %u reads shuffles that do not fit together",
				message->id);
	}
	return 0;
}

/* Numbers the tasks and splits of the branches. */
static int number_branches(struct stage *stage, size_t n_splits, struct err *err)
{
	uint64_t tasks = 0, splits = 0;

	for (uint32_t i = 0; i < stage->n_branches; i++) {
		struct branch *b = &stage->branches[i];
		uint32_t n = stage->message->branches[i]->tasks;

		if (b->n_sources > 0 && n != b->sources[0]->partitions)
			return err_set(
				err, -EINVAL, "stage %u has not as many tasks as its shuffle", stage->id);
		b->first = (uint32_t)tasks;
		b->first_split = (uint32_t)splits;
		tasks += n;
		splits += b->n_sources == 0 ? n : 0;
		if (tasks > UINT32_MAX)
			return err_set(err, -EINVAL, "stage %u has too many tasks", stage->id);
	}
	return splits == n_splits
		       ? 0
		       : err_set(err, -EINVAL, "stage %u has not as many splits as tasks", stage->id);
}

int sched_branches_make(struct sched *s, struct stage *stage, size_t n_splits, struct err *err)
{
	const Quern__Stage *message = stage->message;
	int r = 0;

	stage->branches = calloc(message->n_branches + 1, sizeof(*stage->branches));
	if (stage->branches == NULL)
		return -ENOMEM;
	stage->n_branches = (uint32_t)message->n_branches;
	for (uint32_t i = 0; r == 0 && i < stage->n_branches; i++)
		r = find_sources(s, message, message->branches[i]->source, &stage->branches[i], err);
	return r < 0 ? r : number_branches(stage, n_splits, err);
}

uint32_t sched_stage_tasks(const struct stage *stage)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < stage->n_branches; i++)
		n += stage->message->branches[i]->tasks;
	return n;
}

struct branch *sched_stage_branch(const struct stage *stage, uint32_t partition)
{
	uint32_t low = 0, high = stage->n_branches;

	/* The last one that begins at or before it: branches without tasks begin where the next one does. */
	while (high - low > 1) {
		uint32_t middle = low + (high - low) / 2;

		if (stage->branches[middle].first <= partition)
			low = middle;
		else
			high = middle;
	}
	return &stage->branches[low];
}

bool sched_stage_may_start(const struct stage *stage)
{
	for (uint32_t i = 0; i < stage->n_branches; i++)
		for (uint32_t k = 0; k < stage->branches[i].n_sources; k++)
			if (!sched_shuffle_complete(stage->branches[i].sources[k]))
				return false;
	return true;
}

bool sched_branches_same(const struct stage *stage, const Quern__Stage *message)
{
	if (stage->n_branches != message->n_branches)
		return false;
	for (size_t i = 0; i < message->n_branches; i++) {
		const Quern__Source *source = message->branches[i]->source;
		const struct branch *b = &stage->branches[i];

		if (b->n_sources != source->n_shuffles)
			return false;
		for (size_t k = 0; k < source->n_shuffles; k++)
			if (b->sources[k]->id != source->shuffles[k]->shuffle)
				return false;
	}
	return true;
}
