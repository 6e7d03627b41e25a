/* one_branch.h: the single branch of a stage that a test makes by hand. */
#ifndef QUERN_TESTS_ONE_BRANCH_H
#define QUERN_TESTS_ONE_BRANCH_H

#include "job/plan.pb-c.h"

struct one_branch {
	Quern__Source source;
	Quern__Branch branch, *branches[1];
	Quern__ShuffleInput input, *inputs[1];
};

/* The stage has that branch, which has nothing in it. */
static inline void one_branch_init(struct one_branch *b, Quern__Stage *stage)
{
	quern__source__init(&b->source);
	quern__branch__init(&b->branch);
	quern__shuffle_input__init(&b->input);
	b->branch.source = &b->source;
	b->branches[0] = &b->branch;
	b->inputs[0] = &b->input;
	stage->branches = b->branches;
	stage->n_branches = 1;
}

/* As the driver has counted them. */
static inline void one_branch_count(struct one_branch *b, uint32_t tasks)
{
	b->branch.has_tasks = 1;
	b->branch.tasks = tasks;
}

/* It reads that shuffle, whose seed is its number. */
static inline void one_branch_read(struct one_branch *b, uint32_t shuffle)
{
	b->input.shuffle = b->input.seed = shuffle;
	b->source.shuffles = b->inputs;
	b->source.n_shuffles = 1;
}

#endif
