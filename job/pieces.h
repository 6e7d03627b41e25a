/* pieces.h: the files of an input cut into pieces, and consecutive pieces packed into splits: the second half
 * of job/input.h.
 *
 * Two sizes bound a split: its work, in bytes once they are decompressed, which says how long it takes and
 * lets every core have something to do; and its cost, work and openings, which keeps one split from getting
 * all the small files. What cannot be cut (a gzip file, a frame of a zstd file) may be larger. Where files
 * have blocks, a piece is one, or a part of one. */
#ifndef QUERN_JOB_PIECES_H
#define QUERN_JOB_PIECES_H

#include "job/frames.h"
#include "job/input.h"
#include "job/listing.h"
#include "job/places.h"

/* Consecutive bytes of a file, in a split. */
struct piece {
	size_t split, file;
	uint64_t offset, length;
};

/* {0} is empty. */
struct pieces {
	VEC(struct piece) v;
	size_t splits; /* so far */
	/* Of the last split. */
	uint64_t work, cost, bytes;
	struct places places;
	bool full; /* nothing more goes into it */
};

/* Of a split at most. */
struct pieces_sizes {
	uint64_t target; /* that was asked for; 0: none was */
	uint64_t fair;   /* so that there are enough of them */
	uint64_t floor;  /* but so much at least, so that there are not too many */
	uint64_t work, cost;
};

/* What is to be cut, and where: `frames` has an entry per file, which is empty where none was looked for. */
struct pieces_of {
	const struct listing *l;
	const struct input_config *config;
	struct frames *frames;
};

struct pieces_sizes pieces_sizes(const struct listing *l, const struct input_config *config);

/* Larger ones. */
void pieces_sizes_grow(struct pieces_sizes *sizes);

/* Whether a file is one piece, whatever it holds. */
bool pieces_whole(const struct input_config *config, const struct listed *f);

/* Cuts everything, instead of what `ret` had. 0 or -ENOMEM. */
int pieces_cut(const struct pieces_of *of, const struct pieces_sizes *sizes, struct pieces *ret);

void pieces_deinit(struct pieces *p);

#endif
