/* order.h: the orders in which records leave a shuffle: by the hash of their keys (whoever combines wants
 * equal keys side by side, and partitions are ranges of hashes), by the keys themselves, or by tags that say
 * which partition they go to.
 *
 * An order is a sequence of words: records are compared by the first, then by the second and so on. The first
 * decides almost always, so it is made once and kept beside what it stands for: sorting (sorter.h) and
 * merging (merge.h) compare numbers. A word of bytes has seven of them, and how many there were in its last
 * byte, 8 for more: words are equal and below 8 there only where the strings are equal to their ends. */
#ifndef QUERN_EXECUTOR_ORDER_H
#define QUERN_EXECUTOR_ORDER_H

#include <stdbool.h>

#include "executor/hash.h"
#include "executor/tag.h"
#include "job/code.h"
#include "job/compare.h"

struct order {
	bool by_hash;    /* of hash_key(), then of the keys' bytes; only the seed counts then */
	uint64_t seed;   /* of the hash */
	bool descending; /* keys, and values if they count */
	bool by_value;   /* equal keys in the order of their values */
	bool tagged;     /* keys have tags (tag.h): by those first, ascending; what is said of keys is said of
			    what follows them */
	bool loose;      /* tagged: by those alone */
	Quern__ValueType key; /* BYTES: as memcmp() has them; or numbers of 8 bytes */
	Quern__ValueType value;
	/* Or keys are in the order of a function of the job's. It has one word for all of them, and the
	 * function is asked. */
	quern_compare_fn *compare;
	void *arg; /* its own; owned */
};

/* The order of a sort_by_key, which does not have a function. */
static inline struct order order_of(const Quern__Order *o)
{
	return (struct order){ .descending = o->descending,
		.by_value = o->by_value,
		.tagged = o->tagged,
		.loose = o->loose,
		.key = o->key,
		.value = o->value };
}

/* The order of any sort. 0, or a negative errno with a sentence: the function is not in the job.
 * order_deinit() after that, also of one that is all zeros. */
int order_init(struct order *o, const struct code *code, const Quern__Order *plan, struct err *err);
void order_deinit(struct order *o);

/* The order of the hashes with that seed. */
static inline struct order order_hash(uint64_t seed)
{
	return (struct order){ .by_hash = true, .seed = seed };
}

/* Where in a record a word comes from. */
struct order_place {
	enum { ORDER_HASH, ORDER_TAG, ORDER_KEY, ORDER_VALUE, ORDER_END } part;
	size_t at; /* bytes of that part before it; the tag does not count */
};

enum { ORDER_WORD = 7, ORDER_MORE = 8 /* in the last byte of a word */ };

static inline struct order_place order_first(const struct order *o)
{
	return (struct order_place){ o->by_hash ? ORDER_HASH : o->tagged ? ORDER_TAG : ORDER_KEY, 0 };
}

/* The word of bytes that begins `at` bytes behind the beginning of `s`, which has as many. */
static inline uint64_t order_bytes(quern_slice s, size_t at)
{
	size_t left = s.len - at;

	if (left > ORDER_WORD)
		return (__builtin_bswap64(get_le64(s.ptr + at)) & ~(uint64_t)0xff) | ORDER_MORE;
	return left == 0 ? 0 : __builtin_bswap64(key_first8(s.ptr + at, left)) | left;
}

/* What is to be said of a record that the order cannot have: format of the lengths of its key and value. */
#define ORDER_MISFIT                                                                                         \
	"a record is to be sorted as a number that has no 8 bytes: its key has %zu, its value %zu (see "     \
	"quern_typed())"

/* Whether the record can be put in this order: what is to be a number has 8 bytes. */
static inline bool order_fits(const struct order *o, quern_slice key, quern_slice value)
{
	size_t tag = o->tagged ? TAG_SIZE : 0;

	if (key.len < tag)
		return false;
	return o->by_hash || o->loose ||
	       ((o->compare != NULL || o->key == QUERN__VALUE_TYPE__BYTES || key.len - tag == 8) &&
		       (!o->by_value || o->value == QUERN__VALUE_TYPE__BYTES || value.len == 8));
}

/* The word of a record at `place`, which is not the end. The record fits. */
static inline uint64_t order_word(
	const struct order *o, struct order_place place, quern_slice key, quern_slice value)
{
	uint64_t w;

	if (place.part == ORDER_HASH)
		return hash_key(key, o->seed);
	if (o->by_hash)
		return order_bytes(key, place.at);
	if (place.part == ORDER_TAG)
		return tag_partition(key);
	if (o->compare != NULL)
		return 0;
	if (o->tagged)
		key = tag_rest(key);
	Quern__ValueType type = place.part == ORDER_KEY ? o->key : o->value;
	quern_slice s = place.part == ORDER_KEY ? key : value;
	w = type == QUERN__VALUE_TYPE__BYTES ? order_bytes(s, place.at) : compare_number(type, s);
	return o->descending ? ~w : w;
}

/* The place to look at next when two records have this word at `place`. ORDER_END: they are equal. Of an
 * order with a function it is the same one, for order_compare() alone. */
struct order_place order_next(const struct order *o, struct order_place place, uint64_t word);

/* < 0, 0 or > 0, from `place` on. */
int order_compare(const struct order *o, struct order_place place, quern_slice key_a, quern_slice value_a,
	quern_slice key_b, quern_slice value_b);

#endif
