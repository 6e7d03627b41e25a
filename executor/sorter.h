/* sorter.h: records in memory, put in an order: they lie behind each other, with an entry of two numbers for
 * each, and only the entries are moved. One piece of memory for both, records from its front, entries from
 * its end: it is full when they meet, whatever the sizes of the records. */
#ifndef QUERN_EXECUTOR_SORTER_H
#define QUERN_EXECUTOR_SORTER_H

#include <stddef.h>
#include <stdint.h>

#include "executor/order.h"

struct sorter_entry {
	uint64_t word; /* of the order (order.h) */
	uint64_t at;   /* offset of the record; it grows from one record to the next */
};

struct sorter {
	const struct order *order; /* borrowed */
	uint8_t *base;             /* NULL: empty, and nothing was taken yet */
	size_t size;
	size_t used; /* bytes of records */
	size_t n;    /* entries: the last n of those that end at base + size */
};

enum { SORTER_MEMORY_MIN = 64 << 10 };

/* `memory`: bytes that it may hold, less than the minimum is taken for that; none are before the first
 * record. */
void sorter_init(struct sorter *s, const struct order *order, size_t memory);
/* Gives the memory back; it is as after sorter_init(). */
void sorter_deinit(struct sorter *s);

enum { SORTER_OK, SORTER_FULL };

/* Copies a record. `word`: its first one. SORTER_FULL: there is no room; it may be too large even for an
 * empty sorter. -ENOMEM. */
int sorter_add(struct sorter *s, uint64_t word, quern_slice key, quern_slice value);

/* Puts the records in order; equal ones stay in the order in which they came. After that, until
 * sorter_clear(), none can be added. */
void sorter_sort(struct sorter *s);

void sorter_clear(struct sorter *s);

static inline struct sorter_entry *sorter_entries(const struct sorter *s)
{
	return (struct sorter_entry *)(void *)(s->base + s->size) - s->n;
}

enum { SORTER_HEAD = 8 }; /* bytes before a record's: the lengths of key and value */

static inline void sorter_record(const struct sorter *s, uint64_t at, quern_slice *key, quern_slice *value)
{
	const uint8_t *p = s->base + at;
	uint32_t key_len, value_len;

	memcpy(&key_len, p, 4);
	memcpy(&value_len, p + 4, 4);
	*key = quern_bytes(p + SORTER_HEAD, key_len);
	*value = quern_bytes(p + SORTER_HEAD + key_len, value_len);
}

/* The i-th record, in order. Those that follow are on their way to the cache then. */
static inline void sorter_get(const struct sorter *s, size_t i, quern_slice *key, quern_slice *value)
{
	const struct sorter_entry *e = sorter_entries(s);
	size_t ahead = i + 12 < s->n ? i + 12 : i;

	__builtin_prefetch(s->base + e[ahead].at);
	__builtin_prefetch(s->base + e[ahead].at + 64);
	sorter_record(s, e[i].at, key, value);
}

#endif
