/* shuffle_file.h: the file of one map attempt, "SHUFFLE-MAP-ATTEMPT.map":
 *
 *     segments     one per partition (block.h), in order, without gaps
 *     entries      one per partition: u64 offset, u64 length, u64 records, u64 raw bytes of the largest
 * block, u64 XXH64 of these 32 bytes, seeded with segment_seed() footer       u64 "QUERNMAP", u32 version 2,
 * u32 shuffle, u32 map, u32 attempt, u32 partitions, u32 0, u64 XXH64 of these 32 bytes
 *
 * all little-endian. A reader needs the footer and one entry: two short reads, however many partitions. */
#ifndef QUERN_EXECUTOR_SHUFFLE_FILE_H
#define QUERN_EXECUTOR_SHUFFLE_FILE_H

#include <stddef.h>
#include <stdint.h>

enum { SHUFFLE_ENTRY = 40, SHUFFLE_FOOTER = 40, SHUFFLE_NAME = 64 /* room for a file's name */ };

struct shuffle_name {
	uint32_t shuffle, map, attempt;
};

struct shuffle_index {
	uint32_t partitions;
	uint64_t entries; /* offset */
};

struct shuffle_segment {
	uint64_t offset, length, records;
	uint64_t largest; /* raw bytes of its largest block */
};

void shuffle_entry_put(uint8_t to[SHUFFLE_ENTRY], const struct shuffle_name *name, uint32_t partition,
	const struct shuffle_segment *s);
void shuffle_footer_put(uint8_t to[SHUFFLE_FOOTER], const struct shuffle_name *name, uint32_t partitions);

/* The parts of a file that is `size` bytes long, from its footer. 0, or -EBADMSG: it is not that of `name`.
 */
int shuffle_footer_parse(const uint8_t from[SHUFFLE_FOOTER], uint64_t size, const struct shuffle_name *name,
	struct shuffle_index *ret);

/* 0, or -EBADMSG: it is not the entry of that partition. */
int shuffle_entry_parse(const uint8_t from[SHUFFLE_ENTRY], const struct shuffle_index *index,
	const struct shuffle_name *name, uint32_t partition, struct shuffle_segment *ret);

/* Opens the file in folder `dir` and reads its footer. 0, *ret_fd is the caller's; -ENOENT and other errors
 * of open(), or -EBADMSG. */
int shuffle_file_open(
	const char *dir, const struct shuffle_name *name, int *ret_fd, struct shuffle_index *ret_index);

/* Reads the entry of a partition. 0, -ENOENT: it has no such partition; -EBADMSG, -EIO. */
int shuffle_file_find(int fd, const struct shuffle_index *index, const struct shuffle_name *name,
	uint32_t partition, struct shuffle_segment *ret);

#endif
