/* shuffle_read.h: one partition of a shuffle, from every map output: those of this machine from their files,
 * the others over HTTP, several at a time, in no particular order. Blocks are given as they arrive; a
 * transfer that breaks off is taken up behind the last whole block, for the bytes of an attempt are always
 * the same. */
#ifndef QUERN_EXECUTOR_SHUFFLE_READ_H
#define QUERN_EXECUTOR_SHUFFLE_READ_H

#include <stdint.h>

#include "base/auto.h"
#include "executor/flow.h"
#include "job/link.pb-c.h"
#include "job/out.h"

struct shuffle_reader;

struct shuffle_read_config {
	const Quern__Outputs *outputs; /* borrowed, like everything here */
	uint32_t partition;
	const char *machine;   /* identity of this machine */
	const uint8_t *secret; /* LINK_SECRET bytes */
	struct flow *flow;
	unsigned retry_ms; /* pause before the first retry, doubled each time; 0: 200 */
};

/* 0, -ENOMEM, or -EINVAL: the table of outputs contradicts itself. */
int shuffle_reader_new(
	const struct shuffle_read_config *config, struct shuffle_reader **ret, struct err *err);

/* Gives every record to `out`, until flow->stop. */
void shuffle_reader_run(struct shuffle_reader *r, struct quern_out *out);

/* The map output that could not be had, when that is why the flow failed; else NULL. */
const Quern__MapOutput *shuffle_reader_lost(const struct shuffle_reader *r);

uint64_t shuffle_reader_records(const struct shuffle_reader *r);
uint64_t shuffle_reader_bytes(const struct shuffle_reader *r); /* as stored */

struct shuffle_reader *shuffle_reader_free(struct shuffle_reader *r);

AUTO_FREE(shuffle_reader, struct shuffle_reader, shuffle_reader_free)
#define auto_shuffle_reader AUTO_CLEANUP(auto_shuffle_reader_cleanup_)

#endif
