/* window.h: which ranges of a file are asked for, and when, so that somebody who reads it in order never
 * waits longer than they must, and how many bytes may wait for them. Without I/O, threads or a clock.
 *
 * A piece is as long as it can be, up to the end of a block: each costs the cluster several requests, and
 * what is read elsewhere than where the block is crosses the network twice. While a piece is read, the next
 * one is asked for as well if the reader has to wait: it then fills the memory, and the two come at the same
 * time. */
#ifndef QUERN_HDFS_CLIENT_WINDOW_H
#define QUERN_HDFS_CLIENT_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HDFS_PIECES = 3,            /* at most: some may be small */
	HDFS_STREAMS = 2,           /* under way at a time */
	HDFS_PIECE_MAX = 128 << 20, /* bytes, as is an ordinary block */
	HDFS_PIECE_MIN = 128 << 10, /* of what is read outside of the part that one wants */
	HDFS_AHEAD_MIN = 1 << 20,   /* that may wait, of a reader that has just come */
	HDFS_SKIP_MAX = 1 << 20,    /* bytes that a reader passes over without leaving the window */
	HDFS_WAITS = 4,             /* of the reader, before a second piece is read at the same time */
};

struct hdfs_piece {
	uint64_t offset, len; /* len 0: not in use */
	uint64_t filled;      /* bytes that have come */
	bool over;            /* nothing more comes */
};

struct hdfs_window {
	uint64_t from, to;                     /* what is read ahead */
	uint64_t size;                         /* of the file */
	uint64_t block_size;                   /* 0: unknown */
	size_t memory;                         /* for bytes that wait */
	uint64_t began, at;                    /* where the reader began to read in order, and is */
	struct hdfs_piece pieces[HDFS_PIECES]; /* a ring, each follows the one before in the file */
	unsigned first, n;                     /* of it */
	unsigned streams;                      /* that may be under way */
	unsigned waits;
	uint64_t small; /* next piece outside */
};

void hdfs_window_init(
	struct hdfs_window *w, uint64_t from, uint64_t to, uint64_t size, uint64_t block_size, size_t memory);

/* Whether a reader who wants `offset` next goes elsewhere: then all pieces are to be ended, and the window is
 * to begin there. */
bool hdfs_window_misses(const struct hdfs_window *w, uint64_t offset);
void hdfs_window_begin(struct hdfs_window *w, uint64_t offset);

/* The piece that the reader is in; NULL: it has to be asked for. */
struct hdfs_piece *hdfs_window_first(struct hdfs_window *w);

/* The next piece to ask for, which is the ring's last then; or NULL: enough is under way, or no more is
 * wanted. */
struct hdfs_piece *hdfs_window_next(struct hdfs_window *w);

/* The reader has to wait for bytes. */
void hdfs_window_waits(struct hdfs_window *w);

/* The reader took, or passed over, bytes of the first piece. true: it was the last of them; the piece is
 * forgotten by hdfs_window_drop(), once it is over. */
bool hdfs_window_take(struct hdfs_window *w, uint64_t n);
void hdfs_window_drop(struct hdfs_window *w);

/* How many bytes may wait altogether while more of `p` is taken in: the more, the longer the reader has read
 * in order. The first piece always has room left. */
size_t hdfs_window_room(const struct hdfs_window *w, const struct hdfs_piece *p);

#endif
