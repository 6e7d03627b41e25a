/* sorter.c: sorts by words: entries by the byte, most significant first, in place; then, where words are
 * equal, by the words that come after them. Few entries are sorted by insertion. Orders that are a function
 * of the job's are sorted by merging. */
#include "executor/sorter.h"

#include <errno.h>
#include <sys/mman.h>

enum {
	FEW_WORDS = 32,  /* entries that insertion sorts as fast */
	FEW_RECORDS = 12 /* and if records have to be looked at */
};

void sorter_init(struct sorter *s, const struct order *order, size_t memory)
{
	const size_t page = 4096;
	size_t size = memory < SORTER_MEMORY_MIN ? SORTER_MEMORY_MIN : memory;

	*s = (struct sorter){ .order = order, .size = size / page * page };
}

void sorter_deinit(struct sorter *s)
{
	if (s->base != NULL)
		(void)munmap(s->base, s->size);
	s->base = NULL;
	sorter_clear(s);
}

void sorter_clear(struct sorter *s)
{
	s->used = s->n = 0;
}

/* Pages that are never touched cost nothing. */
static int take_memory(struct sorter *s)
{
	void *p = mmap(
		NULL, s->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return -ENOMEM;
	(void)madvise(p, s->size, MADV_HUGEPAGE); /* records are looked at in no order */
	s->base = p;
	return 0;
}

int sorter_add(struct sorter *s, uint64_t word, quern_slice key, quern_slice value)
{
	/* A function's order wants as much room again for the entries while they are merged. */
	const size_t entries = s->order->compare != NULL ? 2 : 1;
	const size_t head = SORTER_HEAD + entries * sizeof(struct sorter_entry);
	const size_t left = s->size - s->used - s->n * entries * sizeof(struct sorter_entry);
	uint32_t lengths[2] = { (uint32_t)key.len, (uint32_t)value.len };

	if (left < head || key.len > left - head || value.len > left - head - key.len ||
		key.len > UINT32_MAX || value.len > UINT32_MAX)
		return SORTER_FULL;
	if (s->base == NULL && take_memory(s) < 0)
		return -ENOMEM;
	uint8_t *p = s->base + s->used;
	memcpy(p, lengths, SORTER_HEAD);
	if (key.len > 0)
		memcpy(p + SORTER_HEAD, key.ptr, key.len);
	if (value.len > 0)
		memcpy(p + SORTER_HEAD + key.len, value.ptr, value.len);
	s->n++;
	*sorter_entries(s) = (struct sorter_entry){ word, s->used };
	s->used += SORTER_HEAD + key.len + value.len;
	return SORTER_OK;
}

/* ---- Words ---- */

static void insert_words(struct sorter_entry *e, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct sorter_entry one = e[i];
		size_t to = i;

		for (; to > 0 && e[to - 1].word > one.word; to--)
			e[to] = e[to - 1];
		e[to] = one;
	}
}

/* Moves each entry to where those with its byte are: `at` says where the next one of a byte goes, `end` where
 * they end. */
static void permute(struct sorter_entry *e, unsigned shift, size_t at[256], const size_t end[256])
{
	for (size_t byte = 0; byte < 256; byte++) {
		while (at[byte] < end[byte]) {
			struct sorter_entry one = e[at[byte]];
			uint8_t its = (uint8_t)(one.word >> shift);

			while (its != byte) {
				struct sorter_entry other = e[at[its]];

				e[at[its]++] = one;
				one = other;
				its = (uint8_t)(one.word >> shift);
			}
			e[at[byte]++] = one;
		}
	}
}

/* Counts bytes at `shift`, or at the first one below where not all are the same; 0 at the latest. */
static unsigned count_bytes(const struct sorter_entry *e, size_t n, unsigned shift, size_t count[256])
{
	for (;; shift -= 8) {
		memset(count, 0, 256 * sizeof(count[0]));
		for (size_t i = 0; i < n; i++)
			count[(uint8_t)(e[i].word >> shift)]++;
		if (shift == 0 || count[(uint8_t)(e[0].word >> shift)] < n)
			return shift;
	}
}

/* By the bytes of their words from `shift` down. */
static void sort_words(struct sorter_entry *e, size_t n, unsigned shift)
{
	size_t at[256], end[256], sum = 0;

	if (n <= FEW_WORDS) {
		insert_words(e, n);
		return;
	}
	shift = count_bytes(e, n, shift, at);
	for (size_t byte = 0; byte < 256; byte++) {
		size_t count = at[byte];

		at[byte] = sum;
		sum += count;
		end[byte] = sum;
	}
	permute(e, shift, at, end);
	if (shift == 0)
		return;
	for (size_t byte = 0, from = 0; byte < 256; from = end[byte++])
		if (end[byte] - from > 1)
			sort_words(e + from, end[byte] - from, shift - 8);
}

/* ---- Records ---- */

/* Few records whose words before `place` are equal. */
static void insert_records(const struct sorter *s, struct sorter_entry *e, size_t n, struct order_place place)
{
	quern_slice key, value, key_before, value_before;

	for (size_t i = 1; i < n; i++) {
		struct sorter_entry one = e[i];
		size_t to = i;

		sorter_record(s, one.at, &key, &value);
		for (; to > 0; to--) {
			sorter_record(s, e[to - 1].at, &key_before, &value_before);
			int c = order_compare(s->order, place, key_before, value_before, key, value);
			if (c < 0 || (c == 0 && e[to - 1].at < one.at))
				break;
			e[to] = e[to - 1];
		}
		e[to] = one;
	}
}

/* Fetches the words at `place`; at the end, equal records come in the order in which they came. */
static void load_words(const struct sorter *s, struct sorter_entry *e, size_t n, struct order_place place)
{
	quern_slice key, value;

	for (size_t i = 0; i < n; i++) {
		if (place.part == ORDER_END) {
			e[i].word = e[i].at;
			continue;
		}
		__builtin_prefetch(s->base + e[i + 12 < n ? i + 12 : i].at + place.at + SORTER_HEAD);
		sorter_record(s, e[i].at, &key, &value);
		e[i].word = order_word(s->order, place, key, value);
	}
}

/* Sorts records whose words at `place` are in the entries and whose words before that are equal. The depth of
 * recursion: each level has fewer records, all of which are longer, so it is at most about the square root of
 * the memory. */
static void sort_records(const struct sorter *s, struct sorter_entry *e, size_t n, struct order_place place)
{
	bool all_equal;

	do {
		all_equal = false;
		sort_words(e, n, 56);
		if (place.part == ORDER_END)
			return;
		for (size_t i = 0, end; i < n && !all_equal; i = end) {
			end = i + 1;
			while (end < n && e[end].word == e[i].word)
				end++;
			if (end - i == 1)
				continue;
			struct order_place next = order_next(s->order, place, e[i].word);
			if (end - i <= FEW_RECORDS) {
				insert_records(s, e + i, end - i, next);
				continue;
			}
			load_words(s, e + i, end - i, next);
			all_equal = end - i == n; /* a long common beginning is not worth a level */
			if (all_equal)
				place = next;
			else
				sort_records(s, e + i, end - i, next);
		}
	} while (all_equal);
}

/* ---- By a function ---- */

/* Whether entry `a` belongs behind `b`; of equal records the one that came first is first. */
static bool is_after(const struct sorter *s, const struct sorter_entry *a, const struct sorter_entry *b)
{
	quern_slice key_a, value_a, key_b, value_b;

	sorter_record(s, a->at, &key_a, &value_a);
	sorter_record(s, b->at, &key_b, &value_b);
	int c = order_compare(s->order, order_first(s->order), key_a, value_a, key_b, value_b);
	return c != 0 ? c > 0 : a->at > b->at;
}

/* Merges halves. Whatever the function answers, entries stay within `e`, and it may leave by a jump. */
static void sort_called(const struct sorter *s, struct sorter_entry *e, size_t n, struct sorter_entry *room)
{
	size_t half = n / 2, i = 0, k = half, to = 0;

	if (n < 2)
		return;
	sort_called(s, e, half, room);
	sort_called(s, e + half, n - half, room);
	if (!is_after(s, &e[half - 1], &e[half]))
		return;
	memcpy(room, e, half * sizeof(*e));
	while (i < half && k < n)
		e[to++] = is_after(s, &room[i], &e[k]) ? e[k++] : room[i++];
	memcpy(e + to, room + i, (half - i) * sizeof(*e));
}

void sorter_sort(struct sorter *s)
{
	if (s->n <= 1)
		return;
	struct sorter_entry *e = sorter_entries(s);
	if (s->order->compare != NULL)
		sort_called(s, e, s->n, e - s->n);
	else
		sort_records(s, e, s->n, order_first(s->order));
}
