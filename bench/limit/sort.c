/* sort.c: sorts the lines of a file, and nothing else: the limit that quern's sort is held against. What
 * `LC_ALL=C sort` gives, to the byte; all in memory.
 *
 *     limit-sort THREADS TEXT OUTPUT
 *
 * A line is 16 bytes while it is sorted: its next 8 bytes as a number, and where in the mapped text it is.
 * 1. Each thread finds the lines of a share of the text.
 * 2. Splitters from a sample cut the lines into BUCKETS ranges; each thread moves its lines there.
 * 3. Threads take range after range, the largest first: sort it by radix, a byte at a time, and write it at
 *    its place in the output, which is known from the lengths of the lines. Lines whose 8 bytes are equal are
 *    sorted by their next 8, and so on. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	THREADS_MAX = 64,
	LEVELS = 10, /* of the tree of splitters */
	BUCKETS = 1 << LEVELS,
	SAMPLES = 64, /* for each bucket */
	PREFIX = 8,
	LEN_BITS = 24,
	FEW = 16,   /* lines that are sorted by insertion */
	AHEAD = 16, /* lines whose bytes are asked for before they are needed */
	SIDE_BY_SIDE = 4,
	WRITE_SIZE = 1 << 20
};

struct line {
	uint64_t prefix; /* the next 8 bytes, big-endian, zeroes behind the end */
	uint64_t where;  /* offset in the text << LEN_BITS | length without the newline */
};

struct worker {
	pthread_t thread;
	unsigned id;
	const char *begin, *end;
	struct line *lines;
	uint16_t *bucket; /* of each */
	size_t n;
	size_t counts[BUCKETS], bytes[BUCKETS];
	size_t places[BUCKETS]; /* where its next line of a bucket goes */
	char buffer[WRITE_SIZE];
};

struct range {
	size_t first, n; /* lines */
	size_t at;       /* offset in the output */
};

static const char *text, *text_end;
static unsigned n_workers;
static struct worker *workers;
static struct line *sorted, *spare;
static uint64_t splitters[BUCKETS]; /* as a tree: below i come 2 i and 2 i + 1 */
static struct range ranges[BUCKETS];
static uint16_t order[BUCKETS]; /* the ranges, the largest first */
static atomic_uint next_range;
static pthread_barrier_t barrier;
static int output;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Zeroed memory that costs nothing until it is touched. */
static void *reserve(size_t n, size_t size)
{
	size_t len = n * size + 1;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	(void)madvise(p, len, MADV_HUGEPAGE);
	return p;
}

static const char *line_text(const struct line *l)
{
	return text + (l->where >> LEN_BITS);
}

static size_t line_len(const struct line *l)
{
	return (size_t)(l->where & ((1 << LEN_BITS) - 1));
}

/* The 8 bytes from `depth` on. */
static uint64_t load(const char *p, size_t len, size_t depth)
{
	uint64_t v = 0;

	if (len <= depth)
		return 0;
	p += depth;
	len -= depth;
	if (text_end - p >= PREFIX) {
		memcpy(&v, p, PREFIX);
		v = __builtin_bswap64(v);
		return len >= PREFIX ? v : v >> (64 - 8 * len) << (64 - 8 * len);
	}
	for (size_t i = 0; i < PREFIX && i < len; i++)
		v |= (uint64_t)(unsigned char)p[i] << (56 - 8 * i);
	return v;
}

/* ---- 1. The lines ---- */

static void find_lines(struct worker *w)
{
	struct line *l = w->lines;

	(void)madvise((void *)((uintptr_t)w->begin & ~(uintptr_t)4095), (size_t)(w->end - w->begin) + 4096,
		MADV_POPULATE_READ);
	for (const char *p = w->begin; p < w->end; l++) {
		const char *newline = memchr(p, '\n', (size_t)(w->end - p));
		size_t len = (size_t)((newline != NULL ? newline : w->end) - p);

		if (len >> LEN_BITS != 0) {
			(void)fputs("limit-sort: a line of more than 16 megabytes\n", stderr);
			exit(1);
		}
		l->prefix = load(p, len, 0);
		l->where = (uint64_t)(p - text) << LEN_BITS | len;
		p += len + 1;
	}
	w->n = (size_t)(l - w->lines);
}

/* ---- 2. Ranges ---- */

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void choose_splitters(void)
{
	static uint64_t sample[BUCKETS * SAMPLES];
	size_t n = 0, total = 0;

	for (unsigned i = 0; i < n_workers; i++)
		total += workers[i].n;
	size_t step = total / (BUCKETS * SAMPLES) + 1;
	for (unsigned i = 0; i < n_workers; i++)
		for (size_t j = 0; j < workers[i].n && n < BUCKETS * SAMPLES; j += step)
			sample[n++] = workers[i].lines[j].prefix;
	qsort(sample, n, sizeof(sample[0]), by_number);
	for (size_t i = 1, level = 1; i < BUCKETS; i++) {
		if (i == level * 2)
			level *= 2;
		/* The node's place among the BUCKETS - 1 in their order. */
		size_t rank = (2 * (i - level) + 1) * (BUCKETS / 2 / level);
		splitters[i] = n > 0 ? sample[rank * n / BUCKETS] : 0;
	}
}

/* How many splitters are not above it, for several lines side by side. */
static void classify(const struct line *l, uint16_t *ret, size_t n)
{
	size_t at[SIDE_BY_SIDE] = { 1, 1, 1, 1 };

	for (int level = 0; level < LEVELS; level++)
		for (size_t i = 0; i < n; i++)
			at[i] = 2 * at[i] + (l[i].prefix >= splitters[at[i]]);
	for (size_t i = 0; i < n; i++)
		ret[i] = (uint16_t)(at[i] - BUCKETS);
}

static void count_buckets(struct worker *w)
{
	size_t i = 0;

	for (; i + SIDE_BY_SIDE <= w->n; i += SIDE_BY_SIDE)
		classify(w->lines + i, w->bucket + i, SIDE_BY_SIDE);
	for (; i < w->n; i++)
		classify(w->lines + i, w->bucket + i, 1);
	for (i = 0; i < w->n; i++) {
		w->counts[w->bucket[i]]++;
		w->bytes[w->bucket[i]] += line_len(&w->lines[i]) + 1;
	}
}

static int by_size(const void *a, const void *b)
{
	size_t x = ranges[*(const uint16_t *)a].n, y = ranges[*(const uint16_t *)b].n;

	return (x < y) - (x > y);
}

static void place_buckets(void)
{
	size_t first = 0, at = 0;

	for (unsigned b = 0; b < BUCKETS; b++) {
		ranges[b] = (struct range){ .first = first, .at = at };
		order[b] = (uint16_t)b;
		for (unsigned i = 0; i < n_workers; i++) {
			workers[i].places[b] = first;
			first += workers[i].counts[b];
			at += workers[i].bytes[b];
		}
		ranges[b].n = first - ranges[b].first;
	}
	qsort(order, BUCKETS, sizeof(order[0]), by_size);
	sorted = reserve(first, sizeof(*sorted));
	spare = reserve(first, sizeof(*spare));
}

static void scatter(struct worker *w)
{
	for (size_t i = 0; i < w->n; i++)
		sorted[w->places[w->bucket[i]]++] = w->lines[i];
	(void)munmap(w->lines, w->n * sizeof(*w->lines));
}

/* ---- 3. Sorting and writing ---- */

static void sort_lines(struct line *l, struct line *tmp, size_t n, size_t depth);

static bool above(const struct line *a, const struct line *b, size_t depth)
{
	if (a->prefix != b->prefix)
		return a->prefix > b->prefix;

	size_t x = line_len(a), y = line_len(b), from = depth + PREFIX, min = x < y ? x : y;
	int c = min > from ? memcmp(line_text(a) + from, line_text(b) + from, min - from) : 0;
	return c != 0 ? c > 0 : x > y;
}

static void insert(struct line *l, size_t n, size_t depth)
{
	for (size_t i = 1; i < n; i++) {
		struct line moved = l[i];
		size_t j = i;

		for (; j > 0 && above(&l[j - 1], &moved, depth); j--)
			l[j] = l[j - 1];
		l[j] = moved;
	}
}

static int by_length(const void *a, const void *b)
{
	size_t x = line_len(a), y = line_len(b);

	return (x > y) - (x < y);
}

/* Lines whose 8 bytes at `depth` are equal: those that end there come first, the shorter before the longer
 * (they differ in zero bytes). */
static void sort_deeper(struct line *l, struct line *tmp, size_t n, size_t depth)
{
	size_t ended = 0, min = SIZE_MAX, max = 0;

	for (size_t i = 0; i < n; i++) {
		size_t len = line_len(&l[i]);

		if (len > depth + PREFIX)
			continue;
		struct line swap = l[ended];
		l[ended++] = l[i];
		l[i] = swap;
		min = len < min ? len : min;
		max = len > max ? len : max;
	}
	if (ended > 0 && min != max)
		qsort(l, ended, sizeof(*l), by_length);
	l += ended;
	n -= ended;
	for (size_t i = 0; i < n; i++) {
		if (i + AHEAD < n)
			__builtin_prefetch(line_text(&l[i + AHEAD]) + depth + PREFIX);
		l[i].prefix = load(line_text(&l[i]), line_len(&l[i]), depth + PREFIX);
	}
	sort_lines(l, tmp, n, depth + PREFIX);
}

/* By the bytes of the prefix from that at `shift` on. */
static void sort_prefix(struct line *l, struct line *tmp, size_t n, size_t depth, int shift)
{
	size_t counts[256] = { 0 }, places[256], at = 0;

	if (n <= FEW) {
		insert(l, n, depth);
		return;
	}
	if (shift < 0) {
		sort_deeper(l, tmp, n, depth);
		return;
	}
	for (size_t i = 0; i < n; i++)
		counts[l[i].prefix >> shift & 255]++;
	if (counts[l[0].prefix >> shift & 255] == n) {
		sort_prefix(l, tmp, n, depth, shift - 8);
		return;
	}
	for (unsigned b = 0; b < 256; b++) {
		places[b] = at;
		at += counts[b];
	}
	for (size_t i = 0; i < n; i++)
		tmp[places[l[i].prefix >> shift & 255]++] = l[i];
	memcpy(l, tmp, n * sizeof(*l));
	for (unsigned b = 0; b < 256; b++)
		if (counts[b] > 1)
			sort_prefix(l + places[b] - counts[b], tmp, counts[b], depth, shift - 8);
}

static void sort_lines(struct line *l, struct line *tmp, size_t n, size_t depth)
{
	uint64_t differ = 0;

	if (n < 2)
		return;
	for (size_t i = 1; i < n; i++)
		differ |= l[i].prefix ^ l[0].prefix;
	/* From the first byte that is not the same in all. */
	sort_prefix(l, tmp, n, depth, differ == 0 ? -8 : 56 - (__builtin_clzll(differ) & ~7));
}

static void write_all(const char *p, size_t len, size_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(output, p, len, (off_t)at);

		if (n < 0)
			die("write");
		p += n;
		at += (size_t)n;
		len -= (size_t)n;
	}
}

static void write_range(struct worker *w, const struct range *r)
{
	const struct line *l = sorted + r->first;
	size_t fill = 0, at = r->at;

	for (size_t i = 0; i < r->n; i++) {
		const char *from = line_text(&l[i]);
		size_t len = line_len(&l[i]);

		if (i + AHEAD < r->n) {
			const char *ahead = line_text(&l[i + AHEAD]);

			__builtin_prefetch(ahead);
			__builtin_prefetch(ahead + 64);
		}
		if (fill + len + 1 > sizeof(w->buffer)) {
			write_all(w->buffer, fill, at);
			at += fill;
			fill = 0;
		}
		if (len + 1 > sizeof(w->buffer)) {
			write_all(from, len, at);
			at += len;
			len = 0;
		}
		memcpy(w->buffer + fill, from, len);
		w->buffer[fill + len] = '\n';
		fill += len + 1;
	}
	write_all(w->buffer, fill, at);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	unsigned i;

	find_lines(w);
	if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		choose_splitters();
	(void)pthread_barrier_wait(&barrier);
	count_buckets(w);
	if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD)
		place_buckets();
	(void)pthread_barrier_wait(&barrier);
	scatter(w);
	(void)pthread_barrier_wait(&barrier);
	while ((i = atomic_fetch_add(&next_range, 1)) < BUCKETS) {
		const struct range *r = &ranges[order[i]];

		sort_lines(sorted + r->first, spare + r->first, r->n, 0);
		write_range(w, r);
	}
	return NULL;
}

static void map(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	text = st.st_size == 0 ? "" : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		die("mmap");
	text_end = text + st.st_size;
	(void)close(fd);
}

/* Cuts the text behind newlines. */
static void share(void)
{
	const char *at = text;
	size_t len = (size_t)(text_end - text);

	for (unsigned i = 0; i < n_workers; i++) {
		const char *to = i + 1 == n_workers ? text_end : text + len / n_workers * (i + 1);

		if (to < at)
			to = at;
		while (to > at && to < text_end && to[-1] != '\n')
			to++;
		workers[i].id = i;
		workers[i].begin = at;
		workers[i].end = at = to;
		workers[i].lines = reserve((size_t)(workers[i].end - workers[i].begin), sizeof(struct line));
		workers[i].bucket = reserve((size_t)(workers[i].end - workers[i].begin), sizeof(uint16_t));
	}
}

int main(int argc, char **argv)
{
	n_workers = argc == 4 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	if (n_workers < 1 || n_workers > THREADS_MAX) {
		(void)fputs("Usage: limit-sort THREADS TEXT OUTPUT\n", stderr);
		return 2;
	}
	map(argv[2]);
	output = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	workers = calloc(n_workers, sizeof(*workers));
	if (output < 0 || workers == NULL || pthread_barrier_init(&barrier, NULL, n_workers) != 0)
		die(argv[3]);
	share();
	for (unsigned i = 0; i < n_workers; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			die("pthread_create");
	for (unsigned i = 0; i < n_workers; i++)
		(void)pthread_join(workers[i].thread, NULL);
	return close(output) < 0 ? 1 : 0;
}
