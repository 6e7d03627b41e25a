/* cursor.h: the records of one segment (block.h) that lies in a file, one after the other. */
#ifndef QUERN_EXECUTOR_CURSOR_H
#define QUERN_EXECUTOR_CURSOR_H

#include "executor/block.h"
#include "executor/keep.h"

/* A segment in a file. */
struct stored {
	int fd; /* borrowed */
	uint64_t offset, length;
	uint64_t seed;
	uint64_t largest; /* raw bytes of its largest block, or more: what reading it takes */
};

/* What cursors that are read in turns have in common. */
struct cursor_room {
	struct buf in;     /* a block as it was stored */
	struct keep *keep; /* borrowed */
};

struct cursor {
	const struct stored *stored; /* borrowed */
	struct segment_reader segment;
	struct buf raw;         /* the records of a block */
	const uint8_t *p, *end; /* of which these are left */
	uint32_t left;          /* records that the block should still have */
	quern_slice key, value; /* the record that it stands at; borrowed until cursor_next() */
};

void cursor_init(struct cursor *c, const struct stored *stored);
void cursor_deinit(struct cursor *c);

/* Goes to the next record. 1; 0: there is none; -EBADMSG: the file does not hold what was written, or -errno.
 */
static inline int cursor_next(struct cursor *c, struct cursor_room *room);
/* What it does at the end of a block. */
int cursor_next_block(struct cursor *c, struct cursor_room *room);

static inline int cursor_next(struct cursor *c, struct cursor_room *room)
{
	if (c->p == c->end || c->left == 0)
		return cursor_next_block(c, room);
	c->left--;
	return record_next(&c->p, c->end, &c->key, &c->value);
}

#endif
