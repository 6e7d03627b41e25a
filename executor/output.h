/* output.h: what a task of the last stage makes: a part file, records for the driver, or their number. Each
 * is a struct quern_out; failures go into the flow. */
#ifndef QUERN_EXECUTOR_OUTPUT_H
#define QUERN_EXECUTOR_OUTPUT_H

#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "executor/flow.h"
#include "executor/keep.h"
#include "job/link.pb-c.h"
#include "job/out.h"

/* What a task may send to the driver: a frame of the link (base/link.h) of 64 MiB, less room for its head. */
enum { COLLECT_MAX = 63 << 20 };

struct part; /* PATH/_temporary/STAGE.PARTITION.ATTEMPT.part-NNNNN, or .gz, .zst, .seq, which the driver moves
		(scheduler/output.h), on the local disk or in HDFS (part_file.h) */

/* Makes the file, of the kind that the sink is: text, raw bytes, or records (seq.h). 0, or a negative errno
 * with a sentence. `sink`, `keep` and `flow` are borrowed. */
int part_new(const Quern__Sink *sink, const Quern__Task *task, struct keep *keep, struct flow *flow,
	struct part **ret, struct err *err);
struct quern_out *part_in(struct part *p);

/* Writes what is buffered and closes. *ret is the name below _temporary, borrowed until part_free(); 0, or a
 * negative errno with a sentence. */
int part_finish(struct part *p, const char **ret, struct err *err);
uint64_t part_records(const struct part *p);
uint64_t part_bytes(const struct part *p); /* written to the file, after part_finish() */

/* Removes the file unless it was finished. */
struct part *part_free(struct part *p);

AUTO_FREE(part, struct part, part_free)
#define auto_part AUTO_CLEANUP(auto_part_cleanup_)

/* Keeps records (job/records.h), or counts them. */
struct collect {
	struct quern_out in;
	struct buf data;
	uint64_t records;
	uint64_t limit; /* records after which it stops the flow */
	struct flow *flow;
};

/* `limit`: 0 = all. */
void collect_init(struct collect *c, uint64_t limit, struct flow *flow);
void count_init(struct collect *c, struct flow *flow);
void collect_deinit(struct collect *c);

#endif
