/* shuffle.c: how fast a map file is written and read, beside zstd alone on the same bytes.
 *
 *     bench-shuffle FOLDER PARTITIONS lines|counts FILE
 *
 * The records are those of the first 256 MB of FILE: its lines (no value), or lines of WORD<TAB>COUNT as
 * words and numbers; by partition, as a task has them when it writes them. One map file is written to FOLDER,
 * read back partition by partition, and removed. Beside it, with one context: ZSTD_compressCCtx() of blocks
 * of BLOCK_RAW bytes of the same records, and ZSTD_decompressDCtx(). Prints four figures on a line, in MB of
 * records per second of CPU: writing, zstd compressing, reading, zstd decompressing. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>
#include <zstd.h>

#include "base/link.h"
#include "executor/block.h"
#include "executor/bytes.h"
#include "executor/shuffle_read.h"
#include "executor/shuffle_write.h"
#include "job/records.h"

enum { INPUT_MAX = 256 << 20, LEVEL = SEGMENT_LEVEL, COUNT = 8 };

struct record {
	quern_slice key;
	char count[COUNT];
	uint32_t partition;
};

struct bench {
	const char *folder;
	uint32_t partitions;
	bool counts;
	char *text; /* the keys lie in it */
	struct record *records;
	size_t n, cap;
	struct buf *raw;    /* of each partition: its records (job/records.h) */
	struct buf *packed; /* by zstd */
	size_t raw_len, raw_records;
};

static void die(const char *what, int code)
{
	(void)fprintf(stderr, "bench-shuffle: %s: %s\n", what, strerror(code));
	exit(1);
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size);

	if (p == NULL)
		die("memory", ENOMEM);
	return p;
}

static double cpu_seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static quern_slice value_of(const struct bench *b, const struct record *r)
{
	return quern_bytes(r->count, b->counts ? COUNT : 0);
}

/* ---- The records ---- */

static void add_line(struct bench *b, quern_slice line)
{
	struct record *r = &b->records[b->n++];
	const char *tab = b->counts ? memrchr(line.ptr, '\t', line.len) : NULL;

	if (b->counts && tab == NULL)
		die("a line without a tab", EINVAL);
	r->key = tab != NULL ? quern_bytes(line.ptr, (size_t)(tab - line.ptr)) : line;
	/* strtoull() ends at the newline, or at the zeroes behind the file. */
	put_le64((uint8_t *)r->count, tab != NULL ? strtoull(tab + 1, NULL, 10) : 0);
	r->partition = (uint32_t)(XXH3_64bits(r->key.ptr, r->key.len) % b->partitions);
}

static int by_partition(const void *a, const void *b)
{
	const struct record *x = a, *y = b;

	if (x->partition != y->partition)
		return x->partition > y->partition ? 1 : -1;
	return (x->key.ptr > y->key.ptr) - (x->key.ptr < y->key.ptr); /* the order of the file */
}

static void read_records(struct bench *b, const char *path)
{
	char *text = b->text = allocate(INPUT_MAX + 1, 1), *p = text, *newline;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		die(path, errno);
	const char *end = text + fread(text, 1, INPUT_MAX, f);
	(void)fclose(f);
	for (const char *q = text; q < end; q++)
		b->cap += *q == '\n';
	b->records = allocate(b->cap, sizeof(b->records[0]));
	for (; (newline = memchr(p, '\n', (size_t)(end - p))) != NULL; p = newline + 1)
		add_line(b, quern_bytes(p, (size_t)(newline - p)));
	qsort(b->records, b->n, sizeof(b->records[0]), by_partition);

	b->raw = allocate(b->partitions, sizeof(b->raw[0]));
	b->packed = allocate(b->partitions, sizeof(b->packed[0]));
	for (uint32_t i = 0; i < b->partitions; i++)
		b->raw[i] = b->packed[i] = BUF_INIT(SIZE_MAX / 2);
	for (size_t i = 0; i < b->n; i++) {
		const struct record *r = &b->records[i];

		if (record_put(&b->raw[r->partition], r->key, value_of(b, r)) < 0)
			die("memory", ENOMEM);
	}
	for (uint32_t i = 0; i < b->partitions; i++)
		b->raw_len += b->raw[i].len;
}

/* ---- quern's way ---- */

static const struct shuffle_name name = { 1, 0, 0 };

static double write_file(const struct bench *b)
{
	struct keep keep = { 0 };
	const struct shuffle_write_config config = {
		.dir = b->folder, .name = name, .partitions = b->partitions, .level = LEVEL, .keep = &keep
	};
	auto_shuffle_writer struct shuffle_writer *w = NULL;
	quern_slice key, value;
	struct err err = { "" };
	double begun = cpu_seconds();

	int r = shuffle_writer_new(&config, &w, &err);
	for (uint32_t i = 0; r == 0 && i < b->partitions; i++) {
		const uint8_t *p = b->raw[i].data, *end = p + b->raw[i].len;

		while (r == 0 && p != end && record_next(&p, end, &key, &value) == 1)
			r = shuffle_writer_add(w, i, key, value, &err);
	}
	if (r == 0)
		r = shuffle_writer_finish(w, &err);
	if (r < 0)
		die(err.text, -r);
	keep_deinit(&keep);
	return cpu_seconds() - begun;
}

/* Counts what comes back. */
struct count {
	uint64_t records, bytes;
};

static void read_run(const struct stored *run, struct cursor_room *room, struct count *count)
{
	struct cursor c;
	int r;

	cursor_init(&c, run);
	while ((r = cursor_next(&c, room)) > 0) {
		count->records++;
		count->bytes += c.key.len + c.value.len;
	}
	if (r < 0)
		die("a run", -r);
	cursor_deinit(&c);
}

static void read_partition(
	const Quern__Outputs *outputs, uint32_t partition, struct cursor_room *room, struct count *count)
{
	static const uint8_t secret[LINK_SECRET];
	struct flow flow = { 0 };
	struct err err = { "" };
	struct scratch scratch;
	const struct shuffle_read_config config = { .outputs = outputs,
		.partition = partition,
		.machine = "here",
		.secret = secret,
		.scratch = &scratch,
		.flow = &flow };
	auto_shuffle_reader struct shuffle_reader *r = NULL;
	size_t n;

	scratch_init(&scratch, "/none");
	if (shuffle_reader_new(&config, &r, &err) < 0)
		die(err.text, EINVAL);
	shuffle_reader_bring(r);
	if (flow.result < 0)
		die(flow.err.text, -flow.result);
	const struct stored *runs = shuffle_reader_runs(r, &n);
	for (size_t i = 0; i < n; i++)
		read_run(&runs[i], room, count);
}

static double read_file(const struct bench *b)
{
	Quern__Outputs outputs = QUERN__OUTPUTS__INIT;
	Quern__OutputHost host = QUERN__OUTPUT_HOST__INIT, *hosts[] = { &host };
	Quern__MapOutput output = QUERN__MAP_OUTPUT__INIT, *list[] = { &output };
	struct keep keep = { 0 };
	struct cursor_room room = { BUF_INIT(SIZE_MAX / 2), &keep };
	struct count count = { 0 };
	uint64_t bytes = 0;

	host.executor_id = host.address = (char *)(uintptr_t) "none";
	host.directory = (char *)(uintptr_t)b->folder;
	host.machine = (char *)(uintptr_t) "here";
	outputs.shuffle = name.shuffle;
	outputs.hosts = hosts;
	outputs.outputs = list;
	outputs.n_hosts = outputs.n_outputs = 1;
	double begun = cpu_seconds();
	for (uint32_t i = 0; i < b->partitions; i++)
		read_partition(&outputs, i, &room, &count);
	double took = cpu_seconds() - begun;

	buf_deinit(&room.in);
	keep_deinit(&keep);
	for (size_t i = 0; i < b->n; i++)
		bytes += b->records[i].key.len + value_of(b, &b->records[i]).len;
	if (count.records != b->n || count.bytes != bytes)
		die("what was read is not what was written", EBADMSG);
	return took;
}

/* ---- zstd alone ---- */

static size_t block_len(const struct buf *raw, size_t at)
{
	return raw->len - at < BLOCK_RAW ? raw->len - at : BLOCK_RAW;
}

/* Each block behind its length. */
static double compress(struct bench *b)
{
	ZSTD_CCtx *zstd = ZSTD_createCCtx();
	double begun = cpu_seconds();

	for (uint32_t i = 0; i < b->partitions; i++) {
		const struct buf *raw = &b->raw[i];
		struct buf *to = &b->packed[i];

		buf_clear(to);
		for (size_t at = 0; at < raw->len; at += BLOCK_RAW) {
			size_t room = ZSTD_compressBound(BLOCK_RAW);

			if (buf_reserve(to, 4 + room) < 0)
				die("memory", ENOMEM);
			uint8_t *p = to->data + to->len;
			size_t n = ZSTD_compressCCtx(
				zstd, p + 4, room, raw->data + at, block_len(raw, at), LEVEL);
			if (ZSTD_isError(n))
				die(ZSTD_getErrorName(n), EINVAL);
			put_le32(p, (uint32_t)n);
			to->len += 4 + n;
		}
	}
	double took = cpu_seconds() - begun;
	(void)ZSTD_freeCCtx(zstd);
	return took;
}

static double decompress(const struct bench *b)
{
	ZSTD_DCtx *zstd = ZSTD_createDCtx();
	uint8_t *block = allocate(BLOCK_RAW, 1);
	size_t len = 0;
	double begun = cpu_seconds();

	for (uint32_t i = 0; i < b->partitions; i++) {
		const struct buf *from = &b->packed[i];

		for (size_t at = 0; at < from->len; at += 4 + get_le32(from->data + at)) {
			const uint8_t *p = from->data + at;
			size_t n = ZSTD_decompressDCtx(zstd, block, BLOCK_RAW, p + 4, get_le32(p));

			if (ZSTD_isError(n))
				die(ZSTD_getErrorName(n), EBADMSG);
			len += n;
		}
	}
	double took = cpu_seconds() - begun;
	if (len != b->raw_len)
		die("zstd gave other bytes", EBADMSG);
	free(block);
	(void)ZSTD_freeDCtx(zstd);
	return took;
}

static void tidy(struct bench *b)
{
	char *path;

	if (asprintf(&path, "%s/%u-%u-%u.map", b->folder, name.shuffle, name.map, name.attempt) >= 0) {
		(void)unlink(path);
		free(path);
	}
	for (uint32_t i = 0; i < b->partitions; i++) {
		buf_deinit(&b->raw[i]);
		buf_deinit(&b->packed[i]);
	}
	free(b->raw);
	free(b->packed);
	free(b->records);
	free(b->text);
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };

	if (argc == 5)
		b = (struct bench){ .folder = argv[1],
			.partitions = (uint32_t)strtoul(argv[2], NULL, 10),
			.counts = strcmp(argv[3], "counts") == 0 };
	if (b.partitions < 1 || (!b.counts && strcmp(argv[3], "lines") != 0)) {
		(void)fputs("Usage: bench-shuffle FOLDER PARTITIONS lines|counts FILE\n", stderr);
		return 2;
	}
	read_records(&b, argv[4]);
	double mb = (double)b.raw_len / 1e6;
	(void)compress(&b); /* its buffers are there from now on */
	double wrote = write_file(&b), compressed = compress(&b), read = read_file(&b),
	       plain = decompress(&b);
	(void)printf("%.1f %.1f %.1f %.1f\n", mb / wrote, mb / compressed, mb / read, mb / plain);
	tidy(&b);
	return 0;
}
