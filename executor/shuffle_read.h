/* shuffle_read.h: brings one partition of a shuffle here, from every map output: those of this machine stay
 * in their files, the others come over HTTP into the scratch file, several at a time, in no particular order.
 * A transfer that breaks off is taken up behind the last whole block, for the bytes of an attempt are always
 * the same. Then every output is a run that merge.h can read. */
#ifndef QUERN_EXECUTOR_SHUFFLE_READ_H
#define QUERN_EXECUTOR_SHUFFLE_READ_H

#include <stdint.h>

#include "base/auto.h"
#include "executor/cursor.h"
#include "executor/scratch.h"
#include "job/link.pb-c.h"

struct shuffle_reader;

struct shuffle_read_config {
	const Quern__Outputs *outputs; /* borrowed, like everything here */
	uint32_t partition;
	const char *machine;     /* identity of this machine */
	const uint8_t *secret;   /* LINK_SECRET bytes */
	struct scratch *scratch; /* for what comes from elsewhere */
	struct flow *flow;
	unsigned retry_ms; /* pause before the first retry, doubled each time; 0: 200 */
};

/* 0, -ENOMEM, or -EINVAL: the table of outputs contradicts itself. */
int shuffle_reader_new(
	const struct shuffle_read_config *config, struct shuffle_reader **ret, struct err *err);

/* Brings everything; failures go into the flow. */
void shuffle_reader_bring(struct shuffle_reader *r);

/* What was brought: a run for each output, in the order of the maps, valid as long as the reader is. */
const struct stored *shuffle_reader_runs(const struct shuffle_reader *r, size_t *ret_n);

/* Says in the flow that a run cannot be read, for struct merge_config; `reader` is the struct shuffle_reader.
 * A run that is none of its own is one of the scratch file. */
void shuffle_reader_damaged(void *reader, const struct stored *run, int code);

/* The map output that could not be had, when that is why the flow failed; else NULL. */
const Quern__MapOutput *shuffle_reader_lost(const struct shuffle_reader *r);

uint64_t shuffle_reader_records(const struct shuffle_reader *r); /* brought */
uint64_t shuffle_reader_bytes(const struct shuffle_reader *r);   /* as stored */

struct shuffle_reader *shuffle_reader_free(struct shuffle_reader *r);

AUTO_FREE(shuffle_reader, struct shuffle_reader, shuffle_reader_free)
#define auto_shuffle_reader AUTO_CLEANUP(auto_shuffle_reader_cleanup_)

#endif
