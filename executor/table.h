/* table.h: keys and their values by hash: linear probing without wrapping round, the slot of a hash being
 * given by its highest bits. So the slots lie almost in the order of their hashes, and putting them in that
 * order costs next to nothing: that is how combined records come out partition by partition, and how spilled
 * runs can be merged. */
#ifndef QUERN_EXECUTOR_TABLE_H
#define QUERN_EXECUTOR_TABLE_H

#include <quern/quern.h>
#include <stdbool.h>

#include "executor/arena.h"
#include "executor/keep.h"
#include "executor/key.h"

enum {
	TABLE_SLACK = 256,      /* slots behind the last home */
	TABLE_FAR = 128,        /* from its home: a key further away costs too much to find */
	TABLE_KEY_MAX = 1 << 30 /* bytes */
};

/* A value that is not a number of 8 bytes. */
struct table_value {
	size_t len, cap;
	uint8_t bytes[];
};

struct table_slot {
	uint64_t hash; /* 0: free */
	union {
		uint64_t bits;
		struct table_value *bytes;
	} value;
	union {
		struct {
			uint8_t key[KEY_SHORT]; /* zeros behind it; or, of a longer one, a pointer */
			uint32_t key_len;
		};
		uint64_t words[2]; /* all of that: key_pack() */
	};
};

struct table {
	struct table_slot *slots; /* 2^(64 - shift) homes and the slack; the last slot is never used */
	size_t size;              /* bytes of their memory */
	unsigned shift;
	size_t n, most; /* keys; the most of them so far, before the last table_clear() */
	struct keep *keep;
	struct arena arena; /* keys and values */
};

/* `memory`: what it may have, about; `keep` is borrowed. 0 or -ENOMEM. */
int table_init(struct table *t, struct keep *keep, size_t memory);
void table_deinit(struct table *t);

/* Bytes held. */
size_t table_bytes(const struct table *t);

/* Bytes that growing would hold in addition, for a while. */
size_t table_growth(const struct table *t);

/* Whether another key needs table_grow() first. */
bool table_full(const struct table *t);

/* Doubles the slots. 0 or -ENOMEM, and then nothing changed. */
int table_grow(struct table *t);

/* The slot of the key, or the free one where it belongs: the caller makes it a key's with table_put(). The
 * result is table_end() when there is no room near its home: grow and look again. */
static inline struct table_slot *table_find(const struct table *t, uint64_t hash, quern_slice key);
static inline struct table_slot *table_end(const struct table *t);

/* Whether a key should not be put into the slot that table_find() gave: it is the end, or far from its home.
 */
static inline bool table_far(const struct table *t, uint64_t hash, const struct table_slot *s);

/* table_find() for a key of at most KEY_SHORT bytes, as key_pack() makes it. */
static inline struct table_slot *table_find_short(
	const struct table *t, uint64_t hash, const uint64_t words[2]);

/* Makes the processor fetch the slots that table_find() will look at. */
static inline void table_prefetch(const struct table *t, uint64_t hash);

/* And, when they are there, the key that is not short. */
static inline void table_prefetch_key(const struct table *t, uint64_t hash);

/* And the value that is not a number. */
static inline void table_prefetch_value(const struct table *t, uint64_t hash);

/* Makes the free slot `s` the key's. 0 or -ENOMEM. The value is for the caller to set. */
int table_put(struct table *t, struct table_slot *s, uint64_t hash, quern_slice key);

/* Gives slot `s` a copy of `value`, in the place of the one it had, if any (`again`). 0 or -ENOMEM. */
int table_set_bytes(struct table *t, struct table_slot *s, bool again, quern_slice value);

/* Moves the used slots to the front, in the order of the hashes (order.h). The table is good for reading
 * t->n slots and for table_clear() after that. */
void table_sort(struct table *t);

/* Empties; keeps the slots' memory. */
void table_clear(struct table *t);

static inline size_t table_homes(const struct table *t)
{
	return (size_t)1 << (64 - t->shift);
}

static inline struct table_slot *table_end(const struct table *t)
{
	return t->slots + table_homes(t) + TABLE_SLACK - 1;
}

static inline bool table_far(const struct table *t, uint64_t hash, const struct table_slot *s)
{
	return s == table_end(t) || s - (t->slots + (hash >> t->shift)) > TABLE_FAR;
}

static inline quern_slice table_key(const struct table_slot *s)
{
	const char *p = (const char *)s->key;

	if (s->key_len > KEY_SHORT)
		memcpy(&p, s->key, sizeof(p));
	return quern_bytes(p, s->key_len);
}

/* Equality of two strings of one length, most of them words: no call, no byte beyond the end. */
static inline bool table_same(const char *a, const char *b, size_t n)
{
	uint64_t x, y, v, w;

	if (n > 64)
		return memcmp(a, b, n) == 0;
	for (; n > 16; a += 8, b += 8, n -= 8) {
		memcpy(&x, a, 8), memcpy(&y, b, 8);
		if (x != y)
			return false;
	}
	if (n >= 8) {
		memcpy(&x, a, 8), memcpy(&y, b, 8);
		memcpy(&v, a + n - 8, 8), memcpy(&w, b + n - 8, 8);
		return ((x ^ y) | (v ^ w)) == 0;
	}
	if (n >= 4) {
		uint32_t k, l, p, q;

		memcpy(&k, a, 4), memcpy(&l, b, 4);
		memcpy(&p, a + n - 4, 4), memcpy(&q, b + n - 4, 4);
		return ((k ^ l) | (p ^ q)) == 0;
	}
	return n == 0 || (a[0] == b[0] && a[n - 1] == b[n - 1] && a[n / 2] == b[n / 2]);
}

static inline struct table_slot *table_find_short(
	const struct table *t, uint64_t hash, const uint64_t words[2])
{
	struct table_slot *s = t->slots + (hash >> t->shift);

	while (s->hash != 0 && ((s->words[0] ^ words[0]) | (s->words[1] ^ words[1])) != 0)
		s++;
	return s;
}

static inline void table_prefetch(const struct table *t, uint64_t hash)
{
	__builtin_prefetch(t->slots + (hash >> t->shift), 1);
}

/* The first slot with that hash, or a free one. */
static inline const struct table_slot *table_with_hash(const struct table *t, uint64_t hash)
{
	const struct table_slot *s = t->slots + (hash >> t->shift);

	while (s->hash != 0 && s->hash != hash)
		s++;
	return s;
}

static inline void table_prefetch_key(const struct table *t, uint64_t hash)
{
	const struct table_slot *s = table_with_hash(t, hash);

	if (s->hash == hash)
		__builtin_prefetch(table_key(s).ptr);
}

static inline void table_prefetch_value(const struct table *t, uint64_t hash)
{
	const struct table_slot *s = table_with_hash(t, hash);

	if (s->hash == hash)
		__builtin_prefetch(s->value.bytes, 1);
}

static inline struct table_slot *table_find(const struct table *t, uint64_t hash, quern_slice key)
{
	struct table_slot *s = t->slots + (hash >> t->shift);

	while (s->hash != 0 &&
		(s->hash != hash || s->key_len != key.len || !table_same(table_key(s).ptr, key.ptr, key.len)))
		s++;
	return s;
}

#endif
