/* input.c: cuts the files of an input into splits.
 *
 * The files, in their order, are cut into pieces, and consecutive pieces packed into splits. Two sizes bound
 * a split: its work, in bytes once they are decompressed, which says how long it takes and lets every core
 * have something to do; and its cost, work and openings, which keeps one split from getting all the small
 * files. What cannot be cut (a gzip file, a frame of a zstd file) may be larger. */
#include "job/input.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/vec.h"
#include "job/frames.h"
#include "job/listing.h"

/* ---- Pieces ---- */

/* Consecutive bytes of a file, in a split. */
struct piece {
	size_t split, file;
	uint64_t offset, length;
};

struct pieces {
	VEC(struct piece) v;
	size_t splits;       /* so far */
	uint64_t work, cost; /* of the last split; none before the first */
};

/* Of a split at most. */
struct sizes {
	uint64_t work, cost;
};

/* What is to be cut, and where: `frames` has an entry per file, which is empty where none was looked for. */
struct files {
	const struct listing *l;
	const struct input_config *config;
	struct frames *frames;
};

/* Whether a file is one extent, whatever it holds. */
static bool is_whole(const struct input_config *config, const struct listed *f)
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

static struct sizes sizes_of(const struct listing *l, const struct input_config *config)
{
	uint64_t target = config->target_bytes != 0 ? config->target_bytes : INPUT_TARGET;
	uint64_t tasks = config->pieces != 0        ? config->pieces
			 : config->parallelism != 0 ? config->parallelism
						    : 1;
	uint64_t smallest = config->pieces != 0 ? 1 : INPUT_MIN;
	uint64_t cost = l->work + l->files.n * (uint64_t)INPUT_FILE_COST;

	return (struct sizes){
		.work = most(least(target, most(divide_up(l->work, tasks), smallest)),
			divide_up(l->work, INPUT_SPLITS_MAX)),
		.cost = most(least(target, most(divide_up(cost, tasks), smallest)),
			divide_up(cost, INPUT_SPLITS_MAX)),
	};
}

/* One piece, which goes into a split of its own when it must, or does not fit. */
static int add_piece(
	struct pieces *p, const struct sizes *sizes, bool alone, uint64_t work, struct piece piece)
{
	uint64_t cost = work + INPUT_FILE_COST;

	if (alone || p->splits == 0 || p->work + work > sizes->work || p->cost + cost > sizes->cost) {
		p->splits++;
		p->work = p->cost = 0;
	}
	p->work += work;
	p->cost += cost;
	piece.split = p->splits - 1;
	return vec_push(&p->v, piece);
}

/* Cuts a plain file into `n` equal pieces, so that the last one is not a small rest. */
static int cut_plain(struct pieces *p, const struct sizes *sizes, size_t file, uint64_t size, uint64_t n)
{
	uint64_t offset = 0;
	int r = 0;

	for (uint64_t i = 0; i < n && r == 0; i++) {
		uint64_t length = size / n + (i < size % n);

		r = add_piece(p, sizes, n > 1, length,
			(struct piece){ .file = file, .offset = offset, .length = length });
		offset += length;
	}
	return r;
}

/* Cuts a compressed file into `n` pieces at most, where the first frame begins behind each n-th of it. */
static int cut_coded(
	struct pieces *p, const struct sizes *sizes, const struct files *files, size_t file, uint64_t n)
{
	const struct listed *f = &files->l->files.at[file];
	const struct frames *frames = &files->frames[file];
	uint64_t each = divide_up(f->size, n), offset = 0;
	int r = 0;

	for (size_t i = 0; i <= frames->begin.n && r == 0; i++) {
		uint64_t end = i < frames->begin.n ? frames->begin.at[i] : f->size;

		if (end < f->size && end / each == offset / each)
			continue;
		r = add_piece(p, sizes, n > 1, (end - offset) * LISTING_CODED_WORK,
			(struct piece){ .file = file, .offset = offset, .length = end - offset });
		offset = end;
	}
	return r;
}

static int cut(const struct files *files, const struct sizes *sizes, struct pieces *ret)
{
	const struct listing *l = files->l;
	int r = 0;

	ret->v.n = 0;
	ret->splits = 0;
	for (size_t i = 0; i < l->files.n && r == 0; i++) {
		const struct listed *f = &l->files.at[i];
		uint64_t n = divide_up(f->work, sizes->work);

		if (is_whole(files->config, f))
			r = add_piece(ret, sizes, files->config->file_each, f->work,
				(struct piece){ .file = i, .length = f->size });
		else
			r = f->codec == QUERN__CODEC__PLAIN ? cut_plain(ret, sizes, i, f->size, n)
							    : cut_coded(ret, sizes, files, i, n);
	}
	return r;
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
	e->codec = l->files.at[piece->file].codec;
	e->has_codec = e->codec != QUERN__CODEC__PLAIN;
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

/* Looks for places to cut the zstd files at that are worth it. */
static int find_frames(
	const struct files *files, const struct sizes *sizes, struct frames *ret, struct err *err)
{
	const struct listing *l = files->l;
	uint32_t reads = FRAMES_READS_MAX;
	int r = 0;

	for (size_t i = 0; i < l->files.n && r == 0; i++) {
		const struct listed *f = &l->files.at[i];

		if (f->codec != QUERN__CODEC__ZSTD || f->work <= sizes->work || is_whole(files->config, f))
			continue;
		auto_close int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		r = fd < 0 ? -errno
			   : frames_find(fd, f->size, INPUT_MIN / LISTING_CODED_WORK, &reads, &ret[i]);
		if (r < 0)
			return err_errno(err, r, "the input '%s'", f->path);
	}
	return 0;
}

static int make_pieces(
	const struct files *files, struct sizes *sizes, struct input_splits *ret, struct err *err)
{
	struct pieces p = { 0 };

	int r = cut(files, sizes, &p);
	while (r == 0 && p.splits > INPUT_SPLITS_MAX) { /* what does not fill its split may add up */
		sizes->work += sizes->work / 4 + 1;
		sizes->cost += sizes->cost / 4 + 1;
		r = cut(files, sizes, &p);
	}
	if (r == 0)
		r = make_splits(files->l, &p, ret);
	vec_deinit(&p.v);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

static int split_listing(
	const struct listing *l, const struct input_config *config, struct input_splits *ret, struct err *err)
{
	struct sizes sizes = sizes_of(l, config);
	struct input_splits splits = { 0 };
	struct files files = { .l = l, .config = config };
	int r;

	files.frames = calloc(l->files.n + 1, sizeof(*files.frames));
	if (files.frames == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r = find_frames(&files, &sizes, files.frames, err);
	if (r == 0)
		r = make_pieces(&files, &sizes, &splits, err);
	for (size_t i = 0; i < l->files.n; i++)
		frames_deinit(&files.frames[i]);
	free(files.frames);
	if (r < 0) {
		input_splits_deinit(&splits);
		return r;
	}
	*ret = splits;
	return 0;
}

/* What a file's size and name say against its being of the format. */
static int check_file(const struct listed *f, const struct input_config *config, struct err *err)
{
	bool plain = f->codec == QUERN__CODEC__PLAIN;

	switch (config->format) {
	case QUERN__SOURCE__FORMAT__WHOLE:
		return plain && f->size > INPUT_WHOLE_MAX
			       ? err_set(err, -EFBIG,
					 "the input '%s': %" PRIu64
					 " bytes are more than %d, which a file as one record may have",
					 f->path, f->size, INPUT_WHOLE_MAX)
			       : 0;
	case QUERN__SOURCE__FORMAT__FIXED:
		return plain && f->size % config->width != 0
			       ? err_set(err, -EINVAL,
					 "the input '%s': %" PRIu64
					 " bytes are no whole number of records of %" PRIu32 " bytes",
					 f->path, f->size, config->width)
			       : 0;
	case QUERN__SOURCE__FORMAT__SEQ:
		if (!plain)
			return err_set(err, -EINVAL,
				"the input '%s': a seq file is compressed inside, not as a whole: decompress "
				"it",
				f->path);
		return f->size == 0
			       ? err_set(err, -EINVAL, "the input '%s' is empty, as no seq file is", f->path)
			       : 0;
	default:
		return 0;
	}
}

int input_splits(char *const *paths, size_t n_paths, const struct input_config *config,
	struct input_splits *ret, struct err *err)
{
	struct listing l = { 0 };
	int r = 0;

	for (size_t i = 0; i < n_paths && r == 0; i++)
		r = listing_add(&l, paths[i], err);
	for (size_t i = 0; i < l.files.n && r == 0; i++)
		r = check_file(&l.files.at[i], config, err);
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
