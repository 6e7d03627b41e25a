#include "executor/table.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "job/compare.h"

enum { TABLE_FIRST_BITS = 10 }; /* 2^10 homes at first */
enum { HUGE_PAGE = 2 << 20 };   /* bytes; of x86-64 and arm64 with pages of 4 KiB */

static size_t slots_bytes(unsigned shift)
{
	return (((size_t)1 << (64 - shift)) + TABLE_SLACK) * sizeof(struct table_slot);
}

/* Zeroed slots; large ones on huge pages where the system has them, for every look-up is a TLB miss else. */
static struct table_slot *slots_new(struct keep *keep, unsigned shift, size_t *ret_size)
{
	size_t bytes = slots_bytes(shift), size = bytes;
	struct table_slot *slots = keep_take_slots(keep, bytes, &size);

	if (slots == NULL && bytes < HUGE_PAGE) {
		slots = malloc(bytes);
	} else if (slots == NULL) {
		size = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
		slots = aligned_alloc(HUGE_PAGE, size);
		if (slots != NULL)
			(void)madvise(slots, size, MADV_HUGEPAGE);
	}
	if (slots != NULL)
		memset(slots, 0, bytes);
	*ret_size = size;
	return slots;
}

/* As large as the table of the last task had to become, within a small part of the memory. */
static unsigned first_shift(const struct keep *keep, size_t memory)
{
	unsigned shift = 64 - TABLE_FIRST_BITS;

	while (64 - shift < keep->table_bits && slots_bytes(shift - 1) <= memory / 8)
		shift--;
	return shift;
}

int table_init(struct table *t, struct keep *keep, size_t memory)
{
	*t = (struct table){ .keep = keep, .shift = first_shift(keep, memory) };
	t->slots = slots_new(keep, t->shift, &t->size);
	return t->slots == NULL ? -ENOMEM : 0;
}

/* Remembers how large it had to be. */
static void table_used(struct table *t)
{
	unsigned bits = TABLE_FIRST_BITS;

	if (t->n > t->most)
		t->most = t->n;
	while (((size_t)1 << bits) / 8 * 5 <= t->most)
		bits++;
	t->keep->table_bits = bits;
}

void table_deinit(struct table *t)
{
	if (t->slots != NULL) {
		table_used(t);
		keep_give_slots(t->keep, t->slots, t->size);
	}
	t->slots = NULL;
	t->n = 0;
	arena_deinit(&t->arena);
}

size_t table_bytes(const struct table *t)
{
	return slots_bytes(t->shift) + t->arena.bytes;
}

size_t table_growth(const struct table *t)
{
	return slots_bytes(t->shift - 1);
}

bool table_full(const struct table *t)
{
	return t->n >= table_homes(t) / 8 * 5;
}

/* Keys come in the order of the old slots, so that the new ones are filled from the front to the end. */
static struct table_slot *slots_insert(struct table_slot *slots, unsigned shift, const struct table_slot *s)
{
	struct table_slot *to = slots + (s->hash >> shift);
	const struct table_slot *end = slots + ((size_t)1 << (64 - shift)) + TABLE_SLACK - 1;

	while (to->hash != 0)
		to++;
	if (to == end)
		return NULL;
	*to = *s;
	return to;
}

int table_grow(struct table *t)
{
	unsigned shift = t->shift - 1;
	const struct table_slot *end = table_end(t);

	size_t size;

	struct table_slot *slots = slots_new(t->keep, shift, &size);
	if (slots == NULL)
		return -ENOMEM;
	for (const struct table_slot *s = t->slots; s < end; s++) {
		if (s->hash != 0 && slots_insert(slots, shift, s) == NULL) {
			keep_give_slots(t->keep, slots,
				size); /* so many hashes with equal high bits that more slots are no help */
			return -ENOMEM;
		}
	}
	keep_give_slots(t->keep, t->slots, t->size);
	t->slots = slots;
	t->size = size;
	t->shift = shift;
	return 0;
}

int table_put(struct table *t, struct table_slot *s, uint64_t hash, quern_slice key)
{
	if (key.len > KEY_SHORT) {
		char *copy = arena_take(&t->arena, key.len, 1);

		if (copy == NULL)
			return -ENOMEM;
		memcpy(copy, key.ptr, key.len);
		memcpy(s->key, &copy, sizeof(copy));
		s->key_len = (uint32_t)key.len;
	} else {
		key_pack(key, s->words);
	}
	s->hash = hash;
	t->n++;
	return 0;
}

int table_set_bytes(struct table *t, struct table_slot *s, bool again, quern_slice value)
{
	struct table_value *v = again ? s->value.bytes : NULL;

	if (v == NULL || v->cap < value.len) {
		size_t cap = again ? value.len + value.len / 2 : value.len; /* what grew will grow again */

		v = arena_take(&t->arena, sizeof(*v) + cap, 16);
		if (v == NULL)
			return -ENOMEM;
		v->cap = cap;
	}
	if (value.len > 0)
		memcpy(v->bytes, value.ptr, value.len);
	v->len = value.len;
	s->value.bytes = v;
	return 0;
}

/* As an order by hash (order.h) has it. */
static bool slot_before(const struct table_slot *a, const struct table_slot *b)
{
	return a->hash != b->hash ? a->hash < b->hash : compare_bytes(table_key(a), table_key(b), 0) < 0;
}

void table_sort(struct table *t)
{
	const struct table_slot *end = table_end(t);
	struct table_slot *front = t->slots;

	/* By insertion: a key is at most TABLE_FAR slots from where it belongs. */
	for (struct table_slot *s = t->slots; s < end; s++) {
		if (s->hash == 0)
			continue;

		struct table_slot one = *s, *to = front++;
		while (to > t->slots && slot_before(&one, &to[-1])) {
			*to = to[-1];
			to--;
		}
		*to = one;
	}
}

void table_clear(struct table *t)
{
	table_used(t);
	memset(t->slots, 0, slots_bytes(t->shift));
	t->n = 0;
	arena_deinit(&t->arena);
}
