/* cache_file.h: a partition of a persisted set, in memory that the executor and its workers share: written by
 * one task, and read in place by any number of later ones.
 *
 * The executor owns the memory: a memfd, empty at first, that a worker opens by its path (/proc/PID/fd/N) and
 * knows by its name, for the number may have come to mean another one meanwhile. So nothing is left of it
 * when the executor goes, however it goes, and a worker that dies leaves nothing half made behind.
 *
 * What is in it is a row of records that may be without a key (job/records.h). Compressed, it is a row of
 * blocks, each of whole records: u32 raw, u32 stored (little-endian), and a zstd frame of `stored` bytes. */
#ifndef QUERN_EXECUTOR_CACHE_FILE_H
#define QUERN_EXECUTOR_CACHE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "executor/flow.h"
#include "job/out.h"

/* Where it is. */
struct cache_place {
	const char *path; /* to open */
	const char *name; /* that the memfd was made with */
};

/* ---- Writing ---- */

struct cache_writer;

/* `left`: bytes that may be used, by this and others that share it; a writer that would need more gives up,
 * which is not a failure, and adds what it used. 0, or a negative errno: there is nowhere to write to. */
int cache_writer_new(
	const struct cache_place *place, bool compressed, uint64_t *left, struct cache_writer **ret);
/* Takes records. What cannot be kept is not missed: nothing here fails a flow. */
struct quern_out *cache_writer_in(struct cache_writer *w);
/* All records are in. true: they are kept, *ret_bytes long, and are sealed. */
bool cache_writer_finish(struct cache_writer *w, uint64_t *ret_bytes);
/* Why it gave up: the partition is larger than what was left. */
bool cache_writer_too_large(const struct cache_writer *w);
/* Takes and returns NULL. */
struct cache_writer *cache_writer_free(struct cache_writer *w);

/* ---- Reading ---- */

struct cache_reader {
	const uint8_t *data; /* mapped */
	size_t len;
	bool compressed, mapped;
	uint8_t *raw; /* of the block that is being read */
	size_t raw_cap;
	void *zstd;
	uint64_t records;
};

/* Maps it. 0, or a negative errno: it is not there, or not `bytes` long. */
int cache_reader_open(
	struct cache_reader *r, const struct cache_place *place, uint64_t bytes, bool compressed);
/* The same for bytes in memory, borrowed. */
void cache_reader_bytes(struct cache_reader *r, const void *data, size_t len, bool compressed);
/* Gives every record to `out`, out of the mapping itself, until the end or flow->stop. What is not a row of
 * records fails the flow. */
void cache_reader_run(struct cache_reader *r, struct quern_out *out, struct flow *flow);
void cache_reader_close(struct cache_reader *r);

#endif
