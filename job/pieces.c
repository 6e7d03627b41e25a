#include "job/pieces.h"

#include <errno.h>
#include <string.h>

enum { SLOP = 10 /* a tail of a tenth of a split is no split: the one before it takes it along */ };

bool pieces_whole(const struct input_config *config, const struct listed *f)
{
	return config->file_each || config->format == QUERN__SOURCE__FORMAT__WHOLE ||
	       (config->format == QUERN__SOURCE__FORMAT__FIXED && f->codec != QUERN__CODEC__PLAIN);
}

static uint64_t divide_up(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* ---- Sizes ---- */

struct pieces_sizes pieces_sizes(const struct listing *l, const struct input_config *config)
{
	uint64_t target = config->target_bytes != 0 ? config->target_bytes : INPUT_TARGET;
	uint64_t tasks = config->pieces != 0        ? config->pieces
			 : config->parallelism != 0 ? config->parallelism
						    : 1;
	uint64_t smallest = config->pieces != 0 ? 1 : INPUT_MIN;
	uint64_t cost = l->work + l->opening;
	struct pieces_sizes sizes = { .target = target < INPUT_TARGET ? target : 0,
		.fair = most(divide_up(l->work, tasks), smallest),
		.floor = divide_up(l->work, INPUT_SPLITS_MAX) };

	sizes.work = most(least(target, sizes.fair), sizes.floor);
	sizes.cost = most(
		least(target, most(divide_up(cost, tasks), smallest)), divide_up(cost, INPUT_SPLITS_MAX));
	return sizes;
}

void pieces_sizes_grow(struct pieces_sizes *sizes)
{
	sizes->floor += sizes->floor / 4 + 1;
	sizes->work += sizes->work / 4 + 1;
	sizes->cost += sizes->cost / 4 + 1;
}

/* The work of a split that has bytes of this file. A block is a split, however large, unless less was asked
 * for. */
static uint64_t limit_of(const struct pieces_sizes *sizes, const struct listed *f)
{
	uint64_t block = f->block;

	if (block == 0 || f->codec != QUERN__CODEC__PLAIN)
		return sizes->work;
	if (sizes->target != 0)
		block = least(block, sizes->target);
	return most(least(block, sizes->fair), sizes->floor);
}

/* ---- Packing ---- */

/* Whether there is a host that has all of the last split, but none that would have it with this piece. */
static int moves_away(const struct pieces *p, const struct listed *f, const struct piece *piece, bool *ret)
{
	struct places other = { 0 };
	bool had = false, has = false;

	int r = piece->length > 0 ? places_add(&other, &f->blocks, piece->offset, piece->length) : 0;
	for (size_t i = 0; i < p->places.v.n && r == 0; i++) {
		const struct place *a = &p->places.v.at[i];

		if (a->bytes < p->bytes)
			continue;
		had = true;
		for (size_t k = 0; k < other.v.n; k++)
			has = has || (other.v.at[k].bytes == piece->length &&
					     strcmp(other.v.at[k].host, a->host) == 0);
	}
	places_deinit(&other);
	*ret = had && !has && piece->length > 0;
	return r;
}

/* What one piece is added with. */
struct adding {
	struct pieces *p;
	const struct pieces_sizes *sizes;
	const struct listed *f;
	bool alone; /* in a split of its own */
};

/* Whether a piece goes into the last split: the order of the files is kept, so that it goes there or into the
 * next one. One that is half full rather ends than be far from a part of what it has. */
static int fits(const struct adding *a, uint64_t work, uint64_t cost, const struct piece *piece, bool *ret)
{
	const struct pieces *p = a->p;
	uint64_t limit = limit_of(a->sizes, a->f);
	bool away = false;
	int r = 0;

	*ret = !a->alone && !p->full && p->splits > 0 && p->work + work <= limit &&
	       p->cost + cost <= a->sizes->cost;
	if (*ret && a->f->block > 0 && (p->work >= limit / 2 || p->cost >= a->sizes->cost / 2))
		r = moves_away(p, a->f, piece, &away);
	*ret = *ret && !away;
	return r;
}

static int add_piece(const struct adding *a, uint64_t work, struct piece piece)
{
	struct pieces *p = a->p;
	uint64_t cost = work + a->f->storage->file_cost;
	bool in;

	int r = fits(a, work, cost, &piece, &in);
	if (r < 0)
		return r;
	if (!in) {
		p->splits++;
		p->work = p->cost = p->bytes = 0;
		p->places.v.n = 0;
	}
	p->work += work;
	p->cost += cost;
	p->bytes += piece.length;
	p->full = a->alone && a->f->block > 0;
	piece.split = p->splits - 1;
	r = places_add(&p->places, &a->f->blocks, piece.offset, piece.length);
	return r < 0 ? r : vec_push(&p->v, piece);
}

/* ---- Cutting ---- */

/* Cuts a stretch of a plain file into `n` equal pieces, so that the last one is not a small rest. */
static int cut_evenly(const struct adding *a, struct piece stretch, uint64_t n)
{
	uint64_t offset = stretch.offset;
	int r = 0;

	for (uint64_t i = 0; i < n && r == 0; i++) {
		uint64_t length = stretch.length / n + (i < stretch.length % n);

		r = add_piece(a, length,
			(struct piece){ .file = stretch.file, .offset = offset, .length = length });
		offset += length;
	}
	return r;
}

/* Where the block ends that has the byte at `offset`; *block: about which one that is, and then which one it
 * was. */
static uint64_t border(const struct listed *f, size_t *block, uint64_t offset)
{
	const struct storage_blocks *b = &f->blocks;
	uint64_t end;

	while (*block < b->n && b->at[*block].offset + b->at[*block].length <= offset)
		++*block;
	if (*block < b->n && b->at[*block].offset <= offset)
		end = b->at[*block].offset + b->at[*block].length;
	else /* nobody has said */
		end = offset - offset % f->block + f->block;
	return end < f->size ? end : f->size;
}

/* Cuts a plain file where its blocks end. */
static int cut_blocks(struct adding *a, size_t file)
{
	const struct listed *f = a->f;
	uint64_t limit = limit_of(a->sizes, f), slop = limit / SLOP, offset = 0;
	size_t block = 0;
	int r = 0;

	do {
		uint64_t end = border(f, &block, offset), next;

		while (end < f->size && (next = border(f, &block, end)) - offset <= limit)
			end = next; /* short blocks, or splits of many */
		if (f->size - end <= slop)
			end = f->size;
		uint64_t length = end - offset;
		uint64_t n = length <= limit + slop ? 1 : divide_up(length, limit);
		a->alone = length < f->size || n > 1;
		r = cut_evenly(a, (struct piece){ .file = file, .offset = offset, .length = length }, n);
		offset = end;
	} while (offset < f->size && r == 0);
	return r;
}

static int cut_plain(struct adding *a, size_t file)
{
	uint64_t n = divide_up(a->f->work, a->sizes->work);

	if (n == 0)
		return 0; /* an empty one */
	if (a->f->block > 0)
		return cut_blocks(a, file);
	a->alone = n > 1;
	return cut_evenly(a, (struct piece){ .file = file, .length = a->f->size }, n);
}

/* Cuts a compressed file where the first frame begins behind each part of it that is a split's work. */
static int cut_coded(struct adding *a, size_t file, const struct frames *frames)
{
	const struct listed *f = a->f;
	uint64_t n = divide_up(f->work, a->sizes->work), each = divide_up(f->size, n), offset = 0;
	int r = 0;

	a->alone = n > 1;
	for (size_t i = 0; i <= frames->begin.n && r == 0; i++) {
		uint64_t end = i < frames->begin.n ? frames->begin.at[i] : f->size;

		if (end < f->size && end / each == offset / each)
			continue;
		r = add_piece(a, (end - offset) * LISTING_CODED_WORK,
			(struct piece){ .file = file, .offset = offset, .length = end - offset });
		offset = end;
	}
	return r;
}

int pieces_cut(const struct pieces_of *of, const struct pieces_sizes *sizes, struct pieces *ret)
{
	const struct listing *l = of->l;
	int r = 0;

	ret->v.n = 0;
	ret->splits = 0;
	for (size_t i = 0; i < l->files.n && r == 0; i++) {
		const struct listed *f = &l->files.at[i];
		struct adding a = { .p = ret, .sizes = sizes, .f = f, .alone = of->config->file_each };

		if (pieces_whole(of->config, f))
			r = add_piece(&a, f->work, (struct piece){ .file = i, .length = f->size });
		else
			r = f->codec == QUERN__CODEC__PLAIN ? cut_plain(&a, i)
							    : cut_coded(&a, i, &of->frames[i]);
	}
	return r;
}

void pieces_deinit(struct pieces *p)
{
	vec_deinit(&p->v);
	places_deinit(&p->places);
}
