/* source_splits.h: from a source that reads no shuffle to the input of its tasks. */
#ifndef QUERN_JOB_SOURCE_SPLITS_H
#define QUERN_JOB_SOURCE_SPLITS_H

#include "job/input.h"

enum {
	SOURCE_RECORDS_SPLIT =
		1 << 20 /* bytes of records in a split at most, about: they travel with its task */
};

/* Cuts it up: files as input_splits() does; records and ranges into as many pieces of about one size as the
 * source says, or config->parallelism, but not more than there are records. What the source says of itself is
 * not looked for in `config`. plan_check() has held the source to be right. Errors as input_splits(). */
int source_splits(const Quern__Source *source, const struct input_config *config, struct input_splits *ret,
	struct err *err);

#endif
