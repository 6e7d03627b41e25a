/* input.c: cuts the files of an input into splits.
 *
 * The files, in their order, are cut into pieces, and consecutive pieces packed into splits. Two sizes bound
 * a split: its bytes, which say how long it takes and let every core have something to do; and its cost,
 * bytes and openings, which keeps one split from getting all the small files. */
#include "job/input.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "job/listing.h"

/* ---- Pieces ---- */

/* Consecutive bytes of a file, in a split. */
struct piece {
	size_t split, file;
	uint64_t offset, length;
};

struct pieces {
	VEC(struct piece) v;
	size_t splits;        /* so far */
	uint64_t bytes, cost; /* of the last split; none before the first */
};

/* Of a split at most. */
struct sizes {
	uint64_t bytes, cost;
};

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

static struct sizes sizes_of(const struct listing *l, const struct input_config *config)
{
	uint64_t target = config->target_bytes != 0 ? config->target_bytes : INPUT_TARGET;
	uint64_t tasks = config->parallelism != 0 ? config->parallelism : 1;
	uint64_t cost = l->bytes + l->files.n * (uint64_t)INPUT_FILE_COST;

	return (struct sizes){
		.bytes = most(least(target, most(divide_up(l->bytes, tasks), INPUT_MIN)),
			divide_up(l->bytes, INPUT_SPLITS_MAX)),
		.cost = most(least(target, most(divide_up(cost, tasks), INPUT_MIN)),
			divide_up(cost, INPUT_SPLITS_MAX)),
	};
}

/* One piece, which goes into a split of its own when it must, or does not fit. */
static int add_piece(struct pieces *p, const struct sizes *sizes, bool alone, struct piece piece)
{
	uint64_t cost = piece.length + INPUT_FILE_COST;

	if (alone || p->splits == 0 || p->bytes + piece.length > sizes->bytes ||
		p->cost + cost > sizes->cost) {
		p->splits++;
		p->bytes = p->cost = 0;
	}
	p->bytes += piece.length;
	p->cost += cost;
	piece.split = p->splits - 1;
	return vec_push(&p->v, piece);
}

/* Cuts a file into equal pieces that are not too large, so that the last one is not a small rest. */
static int cut_file(struct pieces *p, const struct sizes *sizes, size_t file, uint64_t size)
{
	uint64_t n = divide_up(size, sizes->bytes), offset = 0;
	int r = 0;

	for (uint64_t i = 0; i < n && r == 0; i++) {
		uint64_t length = size / n + (i < size % n);

		r = add_piece(
			p, sizes, n > 1, (struct piece){ .file = file, .offset = offset, .length = length });
		offset += length;
	}
	return r;
}

static int cut(const struct listing *l, const struct sizes *sizes, struct pieces *ret)
{
	ret->v.n = 0;
	ret->splits = 0;
	for (size_t i = 0; i < l->files.n; i++) {
		int r = cut_file(ret, sizes, i, l->files.at[i].size);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- Splits ---- */

static Quern__Extent *extent_new(const struct listing *l, const struct piece *piece)
{
	Quern__Extent *e = malloc(sizeof(*e));

	if (e == NULL)
		return NULL;
	quern__extent__init(e);
	e->path = strdup(l->files.at[piece->file].path);
	e->offset = piece->offset;
	e->length = piece->length;
	if (e->path == NULL) {
		free(e);
		return NULL;
	}
	return e;
}

/* A split of `n` pieces, as if it had been unpacked. */
static Quern__Split *split_new(const struct listing *l, const struct piece *pieces, size_t n)
{
	Quern__Split *s = malloc(sizeof(*s));

	if (s == NULL)
		return NULL;
	quern__split__init(s);
	if (n > 0)
		s->extents = malloc(n * sizeof(*s->extents));
	for (size_t i = 0; i < n; i++) {
		Quern__Extent *e = s->extents != NULL ? extent_new(l, &pieces[i]) : NULL;

		if (e == NULL) {
			quern__split__free_unpacked(s, NULL);
			return NULL;
		}
		s->extents[s->n_extents++] = e;
	}
	return s;
}

static int make_splits(const struct listing *l, const struct pieces *p, struct input_splits *ret)
{
	size_t first = 0;

	ret->at = calloc(p->splits > 0 ? p->splits : 1, sizeof(Quern__Split *));
	if (ret->at == NULL)
		return -ENOMEM;
	do {
		size_t end = first;

		while (end < p->v.n && p->v.at[end].split == ret->n)
			end++;
		ret->at[ret->n] = split_new(l, p->v.at != NULL ? &p->v.at[first] : NULL, end - first);
		if (ret->at[ret->n] == NULL)
			return -ENOMEM;
		ret->n++;
		first = end;
	} while (ret->n < p->splits);
	ret->files = l->files.n;
	ret->bytes = l->bytes;
	return 0;
}

static int split_listing(
	const struct listing *l, const struct input_config *config, struct input_splits *ret, struct err *err)
{
	struct sizes sizes = sizes_of(l, config);
	struct input_splits splits = { 0 };
	struct pieces p = { 0 };

	int r = cut(l, &sizes, &p);
	while (r == 0 && p.splits > INPUT_SPLITS_MAX) { /* what does not fill its split may add up */
		sizes.bytes += sizes.bytes / 4 + 1;
		sizes.cost += sizes.cost / 4 + 1;
		r = cut(l, &sizes, &p);
	}
	if (r == 0)
		r = make_splits(l, &p, &splits);
	vec_deinit(&p.v);
	if (r < 0) {
		input_splits_deinit(&splits);
		return err_set(err, r, "out of memory");
	}
	*ret = splits;
	return 0;
}

int input_splits(char *const *paths, size_t n_paths, const struct input_config *config,
	struct input_splits *ret, struct err *err)
{
	struct listing l = { 0 };
	int r = 0;

	for (size_t i = 0; i < n_paths && r == 0; i++)
		r = listing_add(&l, paths[i], err);
	if (r == 0)
		r = split_listing(&l, config, ret, err);
	listing_deinit(&l);
	return r;
}

void input_splits_deinit(struct input_splits *s)
{
	for (size_t i = 0; i < s->n; i++)
		quern__split__free_unpacked(s->at[i], NULL);
	free(s->at);
	*s = (struct input_splits){ 0 };
}
