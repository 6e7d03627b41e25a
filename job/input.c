#include "job/input.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "job/pieces.h"

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

/* Says where most of the bytes are. */
static int add_hosts(const struct listing *l, const struct piece *pieces, size_t n, Quern__Split *s)
{
	struct places places = { 0 };
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = places_add(
			&places, &l->files.at[pieces[i].file].blocks, pieces[i].offset, pieces[i].length);
	places_best(&places);
	if (r == 0 && places.v.n > 0 && (s->hosts = calloc(places.v.n, sizeof(*s->hosts))) == NULL)
		r = -ENOMEM;
	for (size_t i = 0; i < places.v.n && r == 0; i++) {
		s->hosts[i] = strdup(places.v.at[i].host);
		if (s->hosts[i] == NULL)
			r = -ENOMEM;
		else
			s->n_hosts++;
	}
	places_deinit(&places);
	return r;
}

/* A split of `n` pieces, as if it had been unpacked. */
static Quern__Split *split_new(const struct listing *l, const struct piece *pieces, size_t n)
{
	Quern__Split *s = malloc(sizeof(*s));
	bool good;

	if (s == NULL)
		return NULL;
	quern__split__init(s);
	if (n > 0)
		s->extents = malloc(n * sizeof(*s->extents));
	good = n == 0 || s->extents != NULL;
	for (size_t i = 0; i < n && good; i++) {
		s->extents[i] = extent_new(l, &pieces[i]);
		good = s->extents[i] != NULL;
		s->n_extents += good;
	}
	if (!good || add_hosts(l, pieces, n, s) < 0) {
		quern__split__free_unpacked(s, NULL);
		return NULL;
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

static int find_frames_of(const struct listed *f, uint32_t *reads, struct frames *ret, struct err *err)
{
	const struct storage *storage = f->storage;
	void *file;

	if (*reads > storage->reads_most)
		*reads = storage->reads_most;
	int r = storage->open(storage->arg, f->path, &file, err);
	if (r < 0)
		return r;
	r = frames_find(&(struct frames_file){ .read = storage->read, .file = file }, f->size,
		INPUT_MIN / LISTING_CODED_WORK, reads, ret, err);
	storage->close(file);
	return r;
}

/* Looks for places to cut the zstd files at that are worth it. */
static int find_frames(const struct pieces_of *of, const struct pieces_sizes *sizes, struct err *err)
{
	const struct listing *l = of->l;
	uint32_t reads = UINT32_MAX;
	int r = 0;

	for (size_t i = 0; i < l->files.n && r == 0; i++) {
		const struct listed *f = &l->files.at[i];

		if (f->codec == QUERN__CODEC__ZSTD && f->work > sizes->work && !pieces_whole(of->config, f) &&
			reads > 0)
			r = find_frames_of(f, &reads, &of->frames[i], err);
	}
	return r;
}

static int make_pieces(
	const struct pieces_of *of, struct pieces_sizes *sizes, struct input_splits *ret, struct err *err)
{
	struct pieces p = { 0 };

	int r = pieces_cut(of, sizes, &p);
	while (r == 0 && p.splits > INPUT_SPLITS_MAX) { /* what does not fill its split may add up */
		pieces_sizes_grow(sizes);
		r = pieces_cut(of, sizes, &p);
	}
	if (r == 0)
		r = make_splits(of->l, &p, ret);
	pieces_deinit(&p);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

static int split_listing(
	const struct listing *l, const struct input_config *config, struct input_splits *ret, struct err *err)
{
	struct pieces_sizes sizes = pieces_sizes(l, config);
	struct input_splits splits = { 0 };
	struct pieces_of of = { .l = l, .config = config };
	int r;

	of.frames = calloc(l->files.n + 1, sizeof(*of.frames));
	if (of.frames == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r = find_frames(&of, &sizes, err);
	if (r == 0)
		r = make_pieces(&of, &sizes, &splits, err);
	for (size_t i = 0; i < l->files.n; i++)
		frames_deinit(&of.frames[i]);
	free(of.frames);
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

static const struct storage *storage_of(const struct input_config *config, const char *path)
{
	return config->remote != NULL && config->remote->has(path) ? config->remote : &storage_local;
}

int input_splits(char *const *paths, size_t n_paths, const struct input_config *config,
	struct input_splits *ret, struct err *err)
{
	struct listing l = { 0 };
	int r = 0;

	for (size_t i = 0; i < n_paths && r == 0; i++)
		r = listing_add(&l, storage_of(config, paths[i]), paths[i], config->recursive, err);
	if (r == 0)
		r = listing_locate(&l, err);
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
