/* window.h: which ranges of a file are asked for, and when, so that somebody who reads it in order never
 * waits longer than they must, and no more memory is in use than was allowed. Without I/O, threads or a
 * clock. */
#ifndef QUERN_HDFS_CLIENT_WINDOW_H
#define QUERN_HDFS_CLIENT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HDFS_PIECES = 3,           /* at a time, at most: what two DataNodes fill while a third one is read */
	HDFS_PIECE_MAX = 32 << 20, /* bytes; an OPEN costs a DataNode 3 ms, as long as 3 MB take */
	HDFS_PIECE_MIN = 128 << 10, /* of what is read outside of the part that one wants */
	HDFS_WAITS = 4,             /* of the reader, before one more range is read at the same time */
};

struct hdfs_piece {
	uint64_t offset;
	size_t len;    /* 0: not in use */
	size_t filled; /* bytes that are there */
	bool over;     /* nothing more comes */
};

struct hdfs_window {
	uint64_t from, to;   /* what is read ahead */
	uint64_t size;       /* of the file */
	uint64_t block_size; /* a range that crosses no border is read where the block is; 0: unknown */
	size_t piece_max;    /* bytes of a piece; at most HDFS_PIECES of them are in memory */
	struct hdfs_piece pieces[HDFS_PIECES]; /* a ring, each follows the one before in the file */
	unsigned first, n;                     /* of it */
	unsigned parallel;                     /* that are under way at a time */
	unsigned waits;
	size_t small; /* next piece outside */
};

void hdfs_window_init(
	struct hdfs_window *w, uint64_t from, uint64_t to, uint64_t size, uint64_t block_size, size_t memory);

/* Whether the reader went elsewhere: `offset` is neither in the window nor next to it, or behind a piece that
 * is still on its way. Then all pieces are to be ended, and the window to be reset. */
bool hdfs_window_misses(const struct hdfs_window *w, uint64_t offset);
void hdfs_window_reset(struct hdfs_window *w);

/* Whether a piece before `offset` is not quite over, although all its bytes are there: it will be soon. */
bool hdfs_window_ends(const struct hdfs_window *w, uint64_t offset);

/* The reader is at `offset` < size, which it does not miss: forgets the pieces before it. The one that it is
 * in, the first of the ring; NULL: it has to be asked for. */
struct hdfs_piece *hdfs_window_at(struct hdfs_window *w, uint64_t offset);

/* The next piece to ask for while the reader is at `offset`, which is the ring's last then; or NULL: enough
 * is under way, or there is no room. */
struct hdfs_piece *hdfs_window_next(struct hdfs_window *w, uint64_t offset);

/* The reader has to wait for bytes. */
void hdfs_window_waits(struct hdfs_window *w);

#endif
