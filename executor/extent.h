/* extent.h: the file that an extent is a part of, on the local disk or in HDFS: the one place where files of
 * an input are opened and read. */
#ifndef QUERN_EXECUTOR_EXTENT_H
#define QUERN_EXECUTOR_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "executor/flow.h"
#include "executor/keep.h"
#include "job/link.pb-c.h"

enum { EXTENT_BEHIND = 64 << 10 /* bytes worth asking for at a time behind an extent of HDFS */ };

/* Whoever has one closes it, because a user function that fails leaves readers by a jump. */
struct extent_file {
	const Quern__Extent *x; /* borrowed */
	int fd;                 /* -1: not open, or in HDFS */
	struct hdfs_file *hdfs; /* NULL: not open, or local */
	uint64_t size;          /* of the file */
};

#define EXTENT_FILE_INIT ((struct extent_file){ .fd = -1 })

/* Opens the regular file in which the extent is. HDFS is reached as `keep` says (may be NULL: not at all),
 * and the bytes of the extent are read ahead. false: the flow has failed. */
bool extent_open(struct extent_file *f, const Quern__Extent *x, struct keep *keep, struct flow *flow);

/* As pread(): some bytes from `offset` on, 0 at the file's end, or a negative errno with a sentence that
 * names the file. */
ssize_t extent_some(const struct extent_file *f, void *to, size_t len, uint64_t offset, struct err *err);

/* As many bytes from `offset` on as there are, at most `len`. How many, or -1: the flow has failed. */
ssize_t extent_read(const struct extent_file *f, void *to, size_t len, uint64_t offset, struct flow *flow);

/* How many of `len` bytes from `offset` on are worth asking for: behind an extent only the rest of a record
 * is wanted, and in HDFS that is another range, of another block. */
size_t extent_worth(const struct extent_file *f, size_t len, uint64_t offset);

/* Fails the flow with an error of extent_some(), or of who decodes what it gave. Another attempt may do
 * better unless the file itself is wrong. */
void extent_failed(const struct extent_file *f, int code, const struct err *err, struct flow *flow);

/* Also of one that is not open. */
void extent_close(struct extent_file *f);

#endif
