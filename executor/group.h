/* group.h: what reads shuffles key by key: groups, cogroups, joins and differences (plan.proto: Group). Both
 * sides come in the order of the hashes of their keys, under one seed, so the same key comes up in both at
 * the same time and nothing but the values that a join has to go over again is ever held. */
#ifndef QUERN_EXECUTOR_GROUP_H
#define QUERN_EXECUTOR_GROUP_H

#include "base/auto.h"
#include "executor/merge.h"
#include "job/plan.pb-c.h"

struct group;

struct group_config {
	const struct code *code;
	const Quern__Group *plan;
	struct merge *sides[2]; /* of orders by hash with one seed; the second is NULL for one shuffle.
				   Borrowed, as what follows */
	size_t memory;          /* bytes for the values of a key that a join holds; the others go to: */
	struct spill *spill;    /* which the merges may have written to, but do not any more */
	struct keep *keep;
	struct flow *flow;
};

/* Whether a group of that kind holds values. */
static inline bool group_holds(Quern__Group__Kind kind)
{
	switch (kind) {
	case QUERN__GROUP__KIND__JOIN:
	case QUERN__GROUP__KIND__LEFT_JOIN:
	case QUERN__GROUP__KIND__RIGHT_JOIN:
	case QUERN__GROUP__KIND__FULL_JOIN:
	case QUERN__GROUP__KIND__CROSS:
		return true;
	default:
		return false;
	}
}

/* 0, or a negative errno with a sentence: the function is not in the job. */
int group_new(const struct group_config *config, struct group **ret, struct err *err);

/* Gives `out` what becomes of each key of the merges, which are open, until flow->stop. */
void group_run(struct group *g, struct quern_out *out);

struct group *group_free(struct group *g);

AUTO_FREE(group, struct group, group_free)
#define auto_group AUTO_CLEANUP(auto_group_cleanup_)

#endif
