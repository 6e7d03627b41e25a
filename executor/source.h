/* source.h: where the records of a task come from: its split, or its partition of shuffles. */
#ifndef QUERN_EXECUTOR_SOURCE_H
#define QUERN_EXECUTOR_SOURCE_H

#include "executor/inputs.h"
#include "executor/split_read.h"
#include "executor/task.h"

struct source_config {
	const struct task_env *env;
	const struct task *task;
	size_t memory; /* bytes for what is held of shuffles */
	bool sample;   /* of long files only some parts are wanted */
	struct flow *flow;
};

struct source {
	struct source_config config; /* borrowed */

	struct split_reader reader;
	Quern__Split *parts; /* of the split, when a sample is wanted; owned */
	double scale;

	struct inputs inputs; /* its n is 0 unless shuffles are read */
};

/* 0, or a negative errno with a sentence; source_close() in either case. */
int source_open(struct source *s, const struct source_config *config, struct err *err);

/* Gives every record to `in`, until flow->stop. */
void source_run(struct source *s, struct quern_out *in);

/* How many records of the split one that was given stands for: 1 but for a sample. */
double source_scale(const struct source *s);

/* The map output that could not be had, and of which shuffle, when that is why the flow failed; else NULL. */
const Quern__MapOutput *source_lost(const struct source *s, uint32_t *ret_shuffle);

/* So far, of what was read or brought. */
uint64_t source_records(const struct source *s);
uint64_t source_bytes(const struct source *s);

/* Also of one that was never opened, all zeros. */
void source_close(struct source *s);

#endif
