#include "job/frames.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
	WINDOW = 4096,         /* bytes read at a time: many headers where blocks are tiny */
	SKIPPABLE_HEADER = 8,  /* bytes: magic number, length */
	BLOCK_HEADER = 3,      /* bytes */
	BLOCK_MAX = 128 << 10, /* bytes of a block's content */
	BLOCK_RLE = 1,         /* a type of block: one byte, repeated */
	BLOCK_RESERVED = 3,    /* no type of block */
	CHECKSUM = 4           /* bytes */
};

static const uint32_t magic = 0xfd2fb528, magic_skippable = 0x184d2a50, skippable_mask = 0xfffffff0;

struct walk {
	const struct frames_file *file;
	struct err *err;
	uint64_t size;
	uint32_t *reads; /* that are left */
	uint64_t at;     /* of the window in the file */
	size_t len;      /* bytes in it */
	uint8_t window[WINDOW];
};

/* The `n` bytes at `at`. 1; 0: they are not in the file, or there are no reads left; or a negative errno. */
static int look(struct walk *w, uint64_t at, size_t n, const uint8_t **ret)
{
	ssize_t got;

	if (at > w->size || w->size - at < n)
		return 0;
	if (at < w->at || at - w->at > w->len || w->len - (at - w->at) < n) {
		if (*w->reads == 0)
			return 0;
		--*w->reads;
		got = w->file->read(w->file->file, w->window, WINDOW, at, w->err);
		if (got < 0)
			return (int)got;
		w->at = at;
		w->len = (size_t)got;
		if (w->len < n)
			return 0;
	}
	*ret = w->window + (at - w->at);
	return 1;
}

static uint32_t le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

/* Bytes of the header that begins with `descriptor` behind the magic number, all included. */
static size_t header_length(uint8_t descriptor)
{
	static const uint8_t dictionary[] = { 0, 1, 2, 4 }, content[] = { 0, 2, 4, 8 };
	bool single = (descriptor >> 5 & 1) != 0;
	unsigned size = descriptor >> 6;
	size_t window = single ? 0 : 1;

	if (size == 0 && single)
		return 5 + dictionary[descriptor & 3] + 1;
	return 5 + window + dictionary[descriptor & 3] + content[size];
}

/* Goes over the blocks from *at on. As frame_end(). */
static int blocks_end(struct walk *w, uint64_t *at)
{
	for (int i = 0; i < FRAMES_BLOCKS_MAX; i++) {
		const uint8_t *p;

		int r = look(w, *at, BLOCK_HEADER, &p);
		if (r <= 0)
			return r;
		uint32_t header = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
		uint32_t type = header >> 1 & 3, size = header >> 3;
		if (type == BLOCK_RESERVED || size > BLOCK_MAX)
			return 0;
		*at += BLOCK_HEADER + (type == BLOCK_RLE ? 1 : size);
		if ((header & 1) != 0)
			return 1;
	}
	return 0;
}

/* Moves *at from the beginning of a frame to its end. 1; 0: that was not found; or a negative errno. */
static int frame_end(struct walk *w, uint64_t *at)
{
	const uint8_t *p;

	int r = look(w, *at, SKIPPABLE_HEADER, &p);
	if (r <= 0)
		return r;
	if ((le32(p) & skippable_mask) == magic_skippable) {
		*at += SKIPPABLE_HEADER + (uint64_t)le32(p + 4);
		return 1;
	}
	if (le32(p) != magic)
		return 0;
	bool checksum = (p[4] >> 2 & 1) != 0;
	*at += header_length(p[4]);
	r = blocks_end(w, at);
	if (r == 1 && checksum)
		*at += CHECKSUM;
	return r;
}

int frames_find(const struct frames_file *file, uint64_t size, uint64_t apart, uint32_t *reads,
	struct frames *ret, struct err *err)
{
	struct walk w = { .file = file, .err = err, .size = size, .reads = reads };
	uint64_t at = 0, last = 0;
	int r;

	/* What is appended is below 2^63, so that nothing here wraps. */
	while ((r = frame_end(&w, &at)) == 1 && at < size) {
		if (at - last < apart)
			continue;
		r = vec_push(&ret->begin, at);
		if (r < 0)
			return err_set(err, r, "out of memory");
		last = at;
	}
	return r < 0 ? r : 0;
}

void frames_deinit(struct frames *f)
{
	vec_deinit(&f->begin);
}
