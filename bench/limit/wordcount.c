/* wordcount.c: counts the words of a file, and nothing else: the limit that quern's word count is held
 * against, for a few distinct words as for millions.
 *
 *     limit-wordcount THREADS TEXT OUTPUT
 *
 * The text is mapped; each thread counts a share of it in a table of its own whose keys stay in the text.
 * Words wait in a small batch for their slots to come into the cache. A table is ordered by hash, so growing
 * one and merging several are passes from front to back; each thread merges a share of the hashes and writes
 * it. Words are what isspace() of the C locale separates; lines of the output are WORD<TAB>COUNT, in no
 * order. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { THREADS_MAX = 64, FIRST_BITS = 16, WRITE_SIZE = 1 << 20, BATCH = 32, LEN_BITS = 24, AHEAD = 16 };

struct entry {
	uint64_t hash;
	uint64_t where; /* offset in the text << LEN_BITS | length, which is never 0: 0 is a free slot */
	uint64_t count;
};

/* Open addressing, linear probing; a slot is taken from the high bits of the hash. */
struct table {
	struct entry *slots;
	unsigned bits;
	size_t mask, used;
};

struct waiting {
	uint64_t hash, where;
};

struct worker {
	pthread_t thread;
	unsigned id, n;
	const char *begin, *end;
	struct table counts;
	struct waiting batch[BATCH];
	size_t n_batch;
	struct worker *all;
	int out;
	char buffer[WRITE_SIZE];
	size_t fill;
};

static const char *text;
static unsigned char space[256];
static pthread_barrier_t counted;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Zeroed, in large pages where there are any. */
static void table_init(struct table *t, unsigned bits)
{
	size_t len = sizeof(*t->slots) << bits;

	t->slots = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->slots == MAP_FAILED)
		die("mmap");
	(void)madvise(t->slots, len, MADV_HUGEPAGE);
	t->bits = bits;
	t->mask = ((size_t)1 << bits) - 1;
	t->used = 0;
}

static void table_deinit(struct table *t)
{
	(void)munmap(t->slots, sizeof(*t->slots) << t->bits);
}

static size_t table_slot(const struct table *t, uint64_t hash)
{
	return hash >> (64 - t->bits);
}

static const char *word_of(uint64_t where)
{
	return text + (where >> LEN_BITS);
}

static size_t len_of(uint64_t where)
{
	return (size_t)(where & ((1 << LEN_BITS) - 1));
}

static void table_grow(struct table *t)
{
	struct table bigger;

	table_init(&bigger, t->bits + 1);
	for (size_t i = 0; i <= t->mask; i++) {
		const struct entry *e = &t->slots[i];

		if (e->where == 0)
			continue;
		size_t at = table_slot(&bigger, e->hash);
		while (bigger.slots[at].where != 0)
			at = (at + 1) & bigger.mask;
		bigger.slots[at] = *e;
	}
	bigger.used = t->used;
	table_deinit(t);
	*t = bigger;
}

static void table_add(struct table *t, uint64_t hash, uint64_t where, uint64_t count)
{
	for (size_t at = table_slot(t, hash);; at = (at + 1) & t->mask) {
		struct entry *e = &t->slots[at];

		if (e->where == 0) {
			*e = (struct entry){ hash, where, count };
			if (++t->used * 2 > t->mask)
				table_grow(t);
			return;
		}
		if (e->hash == hash && len_of(e->where) == len_of(where) &&
			memcmp(word_of(e->where), word_of(where), len_of(where)) == 0) {
			e->count += count;
			return;
		}
	}
}

/* ---- Counting ---- */

static void add_batch(struct worker *w)
{
	for (size_t i = 0; i < w->n_batch; i++)
		table_add(&w->counts, w->batch[i].hash, w->batch[i].where, 1);
	w->n_batch = 0;
}

static void add_word(struct worker *w, const char *word, const char *end)
{
	size_t len = (size_t)(end - word);
	struct waiting *b = &w->batch[w->n_batch++];

	if (len >> LEN_BITS != 0) {
		(void)fputs("limit-wordcount: a word of more than 16 megabytes\n", stderr);
		exit(1);
	}
	b->hash = XXH3_64bits(word, len);
	b->where = (uint64_t)(word - text) << LEN_BITS | len;
	__builtin_prefetch(&w->counts.slots[table_slot(&w->counts, b->hash)], 1);
	if (w->n_batch == BATCH)
		add_batch(w);
}

/* Which of 64 bytes are spaces, the first in the lowest bit. */
static uint64_t spaces(const char *p)
{
	uint64_t mask = 0;

#ifdef __SSE2__
	for (int i = 0; i < 64; i += 16) {
		__m128i c = _mm_loadu_si128((const __m128i *)(p + i));
		__m128i control = _mm_sub_epi8(c, _mm_set1_epi8('\t')); /* of "\t\n\v\f\r": up to 4 */
		__m128i is = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8(' ')),
			_mm_cmpeq_epi8(_mm_min_epu8(control, _mm_set1_epi8(4)), control));

		mask |= (uint64_t)(unsigned)_mm_movemask_epi8(is) << i;
	}
#else
	for (int i = 0; i < 64; i++)
		mask |= (uint64_t)space[(unsigned char)p[i]] << i;
#endif
	return mask;
}

static void count(struct worker *w)
{
	const char *p = w->begin, *word = NULL; /* NULL: not in a word */
	uint64_t before = 1;                    /* whether the byte before p is a space */

	for (; w->end - p >= 64; p += 64) {
		uint64_t mask = spaces(p), changes = mask ^ (mask << 1 | before);

		before = mask >> 63;
		for (; changes != 0; changes &= changes - 1) {
			const char *at = p + __builtin_ctzll(changes);

			if (word != NULL)
				add_word(w, word, at);
			word = word == NULL ? at : NULL;
		}
	}
	for (; p < w->end; p++) {
		if (space[(unsigned char)*p] && word != NULL)
			add_word(w, word, p);
		if (space[(unsigned char)*p])
			word = NULL;
		else if (word == NULL)
			word = p;
	}
	if (word != NULL)
		add_word(w, word, w->end);
	add_batch(w);
}

/* ---- Merging and writing ---- */

static void flush(struct worker *w)
{
	(void)pthread_mutex_lock(&writing);
	for (size_t at = 0; at < w->fill;) {
		ssize_t n = write(w->out, w->buffer + at, w->fill - at);
		if (n < 0)
			die("write");
		at += (size_t)n;
	}
	(void)pthread_mutex_unlock(&writing);
	w->fill = 0;
}

static void put(struct worker *w, const struct entry *e)
{
	char number[24], *digit = number + sizeof(number);
	size_t len = len_of(e->where);

	*--digit = '\n';
	for (uint64_t n = e->count; n > 0 || digit == number + sizeof(number) - 1; n /= 10)
		*--digit = (char)('0' + n % 10);
	*--digit = '\t';

	size_t digits = (size_t)(number + sizeof(number) - digit);
	if (len + digits > sizeof(w->buffer)) {
		(void)fputs("limit-wordcount: a word of more than a megabyte\n", stderr);
		exit(1);
	}
	if (w->fill + len + digits > sizeof(w->buffer))
		flush(w);
	memcpy(w->buffer + w->fill, word_of(e->where), len);
	memcpy(w->buffer + w->fill + len, digit, digits);
	w->fill += len + digits;
}

/* This worker's share of the hashes, from a table. What belongs to it lies between the slots of the share's
 * ends, or behind the last one without a gap. */
static void merge_table(struct worker *w, const struct table *t, struct table *all)
{
	uint64_t share = UINT64_MAX / w->n, from = share * w->id;
	uint64_t to = w->id + 1 == w->n ? UINT64_MAX : from + share - 1;
	size_t first = table_slot(t, from), slots = table_slot(t, to) - first + 1;

	for (size_t i = 0; i <= t->mask; i++) {
		const struct entry *e = &t->slots[(first + i) & t->mask];
		const struct entry *ahead = &t->slots[(first + i + AHEAD) & t->mask];

		if (e->where == 0 && i >= slots)
			return;
		if (ahead->where != 0)
			__builtin_prefetch(word_of(ahead->where));
		if (e->where != 0 && e->hash >= from && e->hash <= to)
			table_add(all, (e->hash - from) * w->n, e->where, e->count);
	}
}

static void merge(struct worker *w)
{
	struct table all;
	size_t most = 0;
	unsigned bits = FIRST_BITS;

	for (unsigned i = 0; i < w->n; i++)
		most += w->all[i].counts.used / w->n;
	while ((size_t)1 << bits < 2 * most)
		bits++;
	table_init(&all, bits);
	for (unsigned i = 0; i < w->n; i++)
		merge_table(w, &w->all[i].counts, &all);
	for (size_t s = 0; s <= all.mask; s++) {
		const struct entry *ahead = &all.slots[(s + AHEAD) & all.mask];

		if (ahead->where != 0)
			__builtin_prefetch(word_of(ahead->where));
		if (all.slots[s].where != 0)
			put(w, &all.slots[s]);
	}
	flush(w);
	table_deinit(&all);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	table_init(&w->counts, FIRST_BITS);
	count(w);
	(void)pthread_barrier_wait(&counted);
	merge(w);
	return NULL;
}

static const char *map(const char *path, size_t *ret_len)
{
	struct stat st;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &st) < 0)
		die(path);
	*ret_len = (size_t)st.st_size;
	if (st.st_size == 0)
		return "";
	const char *p = mmap(NULL, *ret_len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (p == MAP_FAILED)
		die("mmap");
	(void)close(fd);
	return p;
}

int main(int argc, char **argv)
{
	unsigned n = argc == 4 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	size_t len;

	if (n < 1 || n > THREADS_MAX) {
		(void)fputs("Usage: limit-wordcount THREADS TEXT OUTPUT\n", stderr);
		return 2;
	}
	for (const char *p = " \t\n\v\f\r"; *p != '\0'; p++)
		space[(unsigned char)*p] = 1;
	text = map(argv[2], &len);
	const char *end = text + len, *at = text;
	int out = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC, 0644);
	struct worker *workers = calloc(n, sizeof(*workers));
	if (out < 0 || workers == NULL || pthread_barrier_init(&counted, NULL, n) != 0)
		die(argv[3]);
	for (unsigned i = 0; i < n; i++) {
		const char *to = i + 1 == n ? end : text + len / n * (i + 1);

		while (to < end && !space[(unsigned char)*to])
			to++;
		if (to < at)
			to = at;
		workers[i].id = i;
		workers[i].n = n;
		workers[i].begin = at;
		workers[i].end = at = to;
		workers[i].all = workers;
		workers[i].out = out;
	}
	for (unsigned i = 0; i < n; i++)
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
			die("pthread_create");
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(workers[i].thread, NULL);
	free(workers);
	return close(out) < 0 ? 1 : 0;
}
