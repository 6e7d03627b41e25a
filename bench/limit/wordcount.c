/* wordcount.c: counts the words of a file, and nothing else: the limit that quern's word count is held
 * against.
 *
 *     wordcount THREADS TEXT OUTPUT
 *
 * The text is mapped; each thread counts a share of it in a table of its own whose keys stay in the text;
 * then each thread merges a share of the hashes and writes it. Words are what isspace() of the C locale
 * separates; lines of the output are WORD<TAB>COUNT, in no order. */
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

enum { THREADS_MAX = 64, FIRST_SLOTS = 1 << 16, WRITE_SIZE = 1 << 20 };

struct entry {
	const char *word; /* NULL: free */
	uint32_t len, tag;
	uint64_t count;
};

/* Open addressing, linear probing; the slot is taken from the low bits of the hash, a merge's share from the
 * high ones. */
struct table {
	struct entry *slots;
	size_t mask, used;
};

struct worker {
	pthread_t thread;
	unsigned id, n;
	const char *begin, *end;
	struct table counts;
	struct worker *all;
	int out;
	char buffer[WRITE_SIZE];
	size_t fill;
};

static unsigned char space[256];
static pthread_barrier_t counted;
static pthread_mutex_t writing = PTHREAD_MUTEX_INITIALIZER;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void table_init(struct table *t, size_t slots)
{
	t->slots = calloc(slots, sizeof(*t->slots));
	if (t->slots == NULL)
		die("calloc");
	t->mask = slots - 1;
	t->used = 0;
}

static uint64_t hash(const char *word, size_t len)
{
	return XXH3_64bits(word, len);
}

static void table_grow(struct table *t)
{
	struct table bigger;

	table_init(&bigger, (t->mask + 1) * 2);
	for (size_t i = 0; i <= t->mask; i++) {
		const struct entry *e = &t->slots[i];

		if (e->word == NULL)
			continue;
		size_t at = hash(e->word, e->len) & bigger.mask;
		while (bigger.slots[at].word != NULL)
			at = (at + 1) & bigger.mask;
		bigger.slots[at] = *e;
	}
	bigger.used = t->used;
	free(t->slots);
	*t = bigger;
}

static void table_add(struct table *t, uint64_t h, const char *word, uint32_t len, uint64_t count)
{
	uint32_t tag = (uint32_t)(h >> 32);

	for (size_t at = h & t->mask;; at = (at + 1) & t->mask) {
		struct entry *e = &t->slots[at];

		if (e->word == NULL) {
			*e = (struct entry){ word, len, tag, count };
			if (++t->used * 2 > t->mask)
				table_grow(t);
			return;
		}
		if (e->tag == tag && e->len == len && memcmp(e->word, word, len) == 0) {
			e->count += count;
			return;
		}
	}
}

static void count(struct worker *w)
{
	const char *p = w->begin;

	for (;;) {
		while (p < w->end && space[(unsigned char)*p])
			p++;
		if (p == w->end)
			return;
		const char *word = p;
		while (p < w->end && !space[(unsigned char)*p])
			p++;
		size_t len = (size_t)(p - word);
		table_add(&w->counts, hash(word, len), word, (uint32_t)len, 1);
	}
}

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
	char number[32];
	int digits = snprintf(number, sizeof(number), "\t%llu\n", (unsigned long long)e->count);
	size_t need = e->len + (size_t)digits;

	if (need > sizeof(w->buffer)) {
		(void)fputs("wordcount: a word of more than a megabyte\n", stderr);
		exit(1);
	}
	if (w->fill + need > sizeof(w->buffer))
		flush(w);
	memcpy(w->buffer + w->fill, e->word, e->len);
	memcpy(w->buffer + w->fill + e->len, number, (size_t)digits);
	w->fill += need;
}

/* This worker's share of the hashes, from every table. */
static void merge(struct worker *w)
{
	struct table all;

	table_init(&all, FIRST_SLOTS);
	for (unsigned i = 0; i < w->n; i++) {
		const struct table *t = &w->all[i].counts;

		for (size_t s = 0; s <= t->mask; s++) {
			const struct entry *e = &t->slots[s];

			if (e->word == NULL || ((uint64_t)e->tag * w->n) >> 32 != w->id)
				continue;
			table_add(&all, hash(e->word, e->len), e->word, e->len, e->count);
		}
	}
	for (size_t s = 0; s <= all.mask; s++)
		if (all.slots[s].word != NULL)
			put(w, &all.slots[s]);
	flush(w);
	free(all.slots);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	table_init(&w->counts, FIRST_SLOTS);
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
	const char *text = mmap(NULL, *ret_len, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (text == MAP_FAILED)
		die("mmap");
	(void)close(fd);
	return text;
}

int main(int argc, char **argv)
{
	unsigned n = argc == 4 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
	size_t len;

	if (n < 1 || n > THREADS_MAX) {
		(void)fputs("Usage: wordcount THREADS TEXT OUTPUT\n", stderr);
		return 2;
	}
	for (const char *p = " \t\n\v\f\r"; *p != '\0'; p++)
		space[(unsigned char)*p] = 1;
	const char *text = map(argv[2], &len), *end = text + len, *at = text;
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
	return close(out) < 0 ? 1 : 0;
}
