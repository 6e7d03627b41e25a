#include "executor/runs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/vec.h"
#include "executor/block.h"
#include "executor/table.h"
#include "job/records.h"

enum {
	RUNS_FAN_IN = 16,      /* runs of one level that become one of the next */
	RUNS_BLOCK = 64 << 10, /* raw bytes of a block; a merge holds one of each run */
	RUNS_WRITE = 256 << 10 /* bytes written at a time */
};

struct run {
	int fd;
	unsigned level; /* how often its records were merged */
	uint64_t size;
	uint64_t seed;

	/* While it is merged: */
	struct segment_reader segment;
	struct buf in;          /* the block that is being read */
	const uint8_t *p, *end; /* records of the block taken */
	uint64_t hash;
	quern_slice key, value; /* the record it stands at */
};

struct runs {
	const char *scratch_dir;
	runs_hash *hash;
	struct reduce *reduce;
	struct flow *flow;
	ZSTD_DCtx *zstd;

	VEC(struct run *) all; /* levels do not grow from the first to the last */
	uint64_t written;

	struct run *open; /* being written; not in `all` yet */
	struct segment_writer writer;
	struct buf out;

	VEC(struct run *) heap; /* while merging: the run that stands at the least record is first */
	struct buf key, value;  /* while merging: the record that is being put together */
};

static void run_close(struct run *run)
{
	if (run == NULL)
		return;
	if (run->fd >= 0)
		(void)close(run->fd);
	segment_reader_deinit(&run->segment);
	buf_deinit(&run->in);
	free(run);
}

int runs_new(const char *scratch_dir, runs_hash *hash, struct reduce *reduce, struct runs **ret)
{
	struct runs *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return -ENOMEM;
	r->scratch_dir = scratch_dir;
	r->hash = hash;
	r->reduce = reduce;
	r->flow = reduce->flow;
	r->out = BUF_INIT(SIZE_MAX / 2);
	r->key = BUF_INIT(SIZE_MAX / 2);
	r->value = BUF_INIT(SIZE_MAX / 2);
	r->zstd = ZSTD_createDCtx();
	if (segment_writer_init(&r->writer, RUNS_BLOCK) < 0 || r->zstd == NULL) {
		(void)runs_free(r);
		return -ENOMEM;
	}
	*ret = r;
	return 0;
}

struct runs *runs_free(struct runs *r)
{
	if (r == NULL)
		return NULL;
	for (size_t i = 0; i < r->all.n; i++)
		run_close(r->all.at[i]);
	vec_deinit(&r->all);
	run_close(r->open);
	segment_writer_deinit(&r->writer);
	buf_deinit(&r->out);
	vec_deinit(&r->heap);
	buf_deinit(&r->key);
	buf_deinit(&r->value);
	(void)ZSTD_freeDCtx(r->zstd);
	free(r);
	return NULL;
}

uint64_t runs_written(const struct runs *r)
{
	return r->written;
}

/* An open file in the scratch folder that has no name. */
static int scratch_file(const char *dir)
{
	auto_free char *name = NULL;

	int fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (fd >= 0)
		return fd;
	/* Not every file system can do that. */
	if (asprintf(&name, "%s/run-XXXXXX", dir) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	(void)unlink(name);
	return fd;
}

static void scratch_failed(struct runs *r, int code)
{
	flow_fail(r->flow, code, false, "scratch folder '%s': %s", r->scratch_dir, strerror(-code));
}

void runs_begin(struct runs *r)
{
	struct run *run = calloc(1, sizeof(*run));

	if (run == NULL) {
		flow_fail(r->flow, -ENOMEM, false, "out of memory");
		return;
	}
	run->in = BUF_INIT(SIZE_MAX / 2);
	run->seed = r->written++;
	run->fd = scratch_file(r->scratch_dir);
	if (run->fd < 0)
		scratch_failed(r, run->fd);
	r->open = run;
	buf_clear(&r->out);
	segment_begin(&r->writer, segment_seed(0, 0, 0, (uint32_t)run->seed));
}

static void run_flush(struct runs *r)
{
	for (size_t at = 0; at < r->out.len && r->flow->result == 0;) {
		ssize_t n = write(r->open->fd, r->out.data + at, r->out.len - at);

		if (n >= 0) {
			at += (size_t)n;
			r->open->size += (size_t)n;
		} else if (errno != EINTR) {
			scratch_failed(r, -errno);
		}
	}
	buf_clear(&r->out);
}

void runs_put(struct runs *r, quern_slice key, quern_slice value)
{
	if (r->flow->result < 0)
		return;
	int e = segment_add(&r->writer, key, value, &r->out);
	if (e < 0)
		flow_fail(r->flow, e, false, "cannot spill a record of %zu bytes", key.len + value.len);
	else if (r->out.len >= RUNS_WRITE)
		run_flush(r);
}

/* Reads the next block of a run. */
static void run_load(struct runs *r, struct run *run)
{
	size_t used = 0;
	int e;

	buf_clear(&run->in);
	while ((e = segment_take(&run->segment, run->in.data, run->in.len, &used)) == 0) {
		uint64_t at = run->segment.bytes + run->in.len;

		e = buf_reserve(&run->in, used - run->in.len);
		if (e < 0)
			break;
		ssize_t n = pread(run->fd, run->in.data + run->in.len, used - run->in.len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		e = n < 0 ? -errno : n == 0 ? -EBADMSG : 0;
		if (e < 0)
			break;
		run->in.len += (size_t)n;
	}
	if (e < 0) {
		scratch_failed(r, e);
		return;
	}
	run->p = run->segment.raw.data;
	run->end = run->p + run->segment.raw.len;
}

/* Goes to the run's next record. false: there is none, or the flow failed. */
static bool run_next(struct runs *r, struct run *run)
{
	for (;;) {
		int e = run->p == run->end ? 0 : record_next(&run->p, run->end, &run->key, &run->value);

		if (e == 1) {
			run->hash = r->hash(run->key);
			return true;
		}
		if (e < 0)
			scratch_failed(r, e);
		if (r->flow->result < 0 || run->segment.last)
			return false;
		run_load(r, run);
		if (r->flow->result < 0)
			return false;
	}
}

static bool run_before(const struct run *a, const struct run *b)
{
	return table_before(a->hash, a->key, b->hash, b->key);
}

/* Moves the run at `i` of the heap down to where it belongs. */
static void heap_down(struct runs *r, size_t i)
{
	struct run **heap = r->heap.at;
	struct run *run = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= r->heap.n)
			break;
		if (child + 1 < r->heap.n && run_before(heap[child + 1], heap[child]))
			child++;
		if (!run_before(heap[child], run))
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = run;
}

/* Goes to the next record of the run on top. */
static void heap_advance(struct runs *r)
{
	if (!run_next(r, r->heap.at[0])) {
		r->heap.at[0] = r->heap.at[--r->heap.n];
		if (r->heap.n == 0)
			return;
	}
	heap_down(r, 0);
}

static void set_value(struct runs *r, quern_slice value)
{
	if ((const uint8_t *)value.ptr == r->value.data && value.len == r->value.len)
		return;
	buf_clear(&r->value);
	int e = buf_add(&r->value, value.ptr, value.len);
	if (e < 0)
		flow_fail(r->flow, e, false, "out of memory for a value of %zu bytes", value.len);
}

/* Puts the least key together, and gives it. */
static void merge_key(struct runs *r, combine_give *give, void *arg)
{
	const struct run *top = r->heap.at[0];
	uint64_t hash = top->hash;

	buf_clear(&r->key);
	buf_clear(&r->value);
	int e = buf_add(&r->key, top->key.ptr, top->key.len);
	if (e < 0)
		flow_fail(r->flow, e, false, "out of memory for a key of %zu bytes", top->key.len);
	set_value(r, top->value);
	heap_advance(r);

	quern_slice key = quern_bytes(r->key.data, r->key.len);
	while (r->heap.n > 0 && r->flow->result == 0) {
		top = r->heap.at[0];
		if (top->hash != hash || top->key.len != key.len ||
			!table_same(top->key.ptr, key.ptr, key.len))
			break;
		set_value(r, reduce_values(r->reduce, quern_bytes(r->value.data, r->value.len), top->value));
		heap_advance(r);
	}
	if (r->flow->result == 0)
		give(arg, hash, key, quern_bytes(r->value.data, r->value.len));
}

/* Merges the runs from `first` to the last one. */
static void merge(struct runs *r, size_t first, combine_give *give, void *arg)
{
	r->heap.n = 0;
	for (size_t i = first; i < r->all.n; i++) {
		struct run *run = r->all.at[i];

		segment_reader_deinit(&run->segment);
		segment_reader_init(&run->segment, r->zstd, segment_seed(0, 0, 0, (uint32_t)run->seed));
		run->p = run->end = NULL;
		if (run_next(r, run) && vec_push(&r->heap, run) < 0)
			flow_fail(r->flow, -ENOMEM, false, "out of memory");
	}
	for (size_t i = r->heap.n / 2; i-- > 0;)
		heap_down(r, i);
	while (r->heap.n > 0 && !r->flow->stop)
		merge_key(r, give, arg);
}

static void put_merged(void *arg, uint64_t hash, quern_slice key, quern_slice value)
{
	(void)hash;
	runs_put(arg, key, value);
}

/* Ends the file of the open run, which belongs to `all` from now on. */
static void run_end(struct runs *r, unsigned level)
{
	int e = r->flow->result < 0 ? r->flow->result : segment_end(&r->writer, &r->out);

	if (e < 0) {
		flow_fail(r->flow, e, false, "out of memory");
		return;
	}
	run_flush(r);
	r->open->level = level;
	if (vec_push(&r->all, r->open) < 0)
		flow_fail(r->flow, -ENOMEM, false, "out of memory");
	else
		r->open = NULL;
}

/* Whether the last RUNS_FAN_IN runs are of one level. */
static bool level_full(const struct runs *r)
{
	size_t n = r->all.n;

	return n >= RUNS_FAN_IN && r->all.at[n - RUNS_FAN_IN]->level == r->all.at[n - 1]->level;
}

void runs_end(struct runs *r)
{
	run_end(r, 0);
	while (r->flow->result == 0 && level_full(r)) {
		size_t first = r->all.n - RUNS_FAN_IN;
		unsigned level = r->all.at[first]->level + 1;

		runs_begin(r);
		merge(r, first, put_merged, r);
		for (size_t i = first; i < r->all.n; i++)
			run_close(r->all.at[i]);
		r->all.n = first;
		run_end(r, level);
	}
}

void runs_merge(struct runs *r, combine_give *give, void *arg)
{
	merge(r, 0, give, arg);
}
