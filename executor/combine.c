#include "executor/combine.h"

#include <errno.h>
#include <stdlib.h>

#include "executor/hash.h"
#include "executor/reduce.h"
#include "executor/runs.h"
#include "executor/table.h"

/* A large table is not in the processor's cache, and each look-up alone would wait for the memory. So records
 * wait a moment, copied, in their order, while what they need is on the way. */
enum {
	PENDING = 32,      /* records that wait at a time */
	PENDING_KEY = 40,  /* bytes of a key that may wait */
	PENDING_VALUE = 56 /* and of a value that is not a number */
};

/* As large as a line of the cache. */
struct pending {
	uint64_t hash;
	uint64_t bits; /* the value of a known reduction; the length of another's */
	union {
		uint8_t key[PENDING_KEY];
		uint64_t words[2]; /* of a short key: key_pack() */
	};
	uint32_t key_len;
};

struct combine {
	struct quern_out in;
	struct table table;
	struct reduce reduce;
	size_t memory;
	bool one_partition;
	struct runs *runs; /* NULL until the first spill */
	const char *scratch_dir;
	struct flow *flow;
	size_t n_pending;
	struct pending pending[PENDING];
	uint8_t values[PENDING][PENDING_VALUE];
};

/* 0 marks a free slot; that two hashes become one is no matter. */
static inline uint64_t not_zero(uint64_t hash)
{
	return hash != 0 ? hash : 1;
}

/* The hash that the table goes by. The high bits, which say the slot, are almost the same for all keys of one
 * partition: the low ones serve there. */
static inline uint64_t table_hash(uint64_t hash, bool one_partition)
{
	return not_zero(one_partition ? hash << 32 | hash >> 32 : hash);
}

static uint64_t runs_hash_many(quern_slice key)
{
	return table_hash(hash_key(key), false);
}

static uint64_t runs_hash_one(quern_slice key)
{
	return table_hash(hash_key(key), true);
}

/* The value of a slot, as bytes; `bits` is room for a number. */
static quern_slice slot_value(const struct combine *c, const struct table_slot *s, uint8_t bits[8])
{
	if (c->reduce.kind == REDUCE_CALL)
		return quern_bytes(s->value.bytes->bytes, s->value.bytes->len);
	put_le64(bits, s->value.bits);
	return quern_bytes(bits, 8);
}

static bool spill(struct combine *c)
{
	uint8_t bits[8];

	if (c->runs == NULL && runs_new(c->scratch_dir, c->one_partition ? runs_hash_one : runs_hash_many,
				       &c->reduce, &c->runs) < 0) {
		flow_fail(c->flow, -ENOMEM, false, "out of memory");
		return false;
	}
	table_sort(&c->table);
	runs_begin(c->runs);
	for (size_t i = 0; i < c->table.n && c->flow->result == 0; i++) {
		const struct table_slot *s = &c->table.slots[i];

		runs_put(c->runs, table_key(s), slot_value(c, s, bits));
	}
	runs_end(c->runs);
	table_clear(&c->table);
	return c->flow->result == 0;
}

/* Makes room for another key: grows within the budget, or spills. `crowded`: there is no slot near its home.
 */
static bool make_room(struct combine *c, bool crowded)
{
	struct table *t = &c->table;
	size_t held = table_bytes(t);

	if (held > c->memory && t->n > 0)
		return spill(c);
	if (!crowded && !table_full(t))
		return true;
	if (held <= c->memory && table_growth(t) <= c->memory - held && table_grow(t) == 0)
		return true;
	return spill(c);
}

/* The first value of a key. */
static void insert(struct combine *c, uint64_t hash, quern_slice key, quern_slice value)
{
	struct table *t = &c->table;

	if (c->flow->stop)
		return;
	if (key.len > TABLE_KEY_MAX) {
		flow_fail(c->flow, -EMSGSIZE, true, "a key of %zu bytes is too long", key.len);
		return;
	}
	if (!make_room(c, false))
		return;
	struct table_slot *s = table_find(t, hash, key);
	if (s == table_end(t)) {
		if (!make_room(c, true))
			return;
		s = table_find(t, hash, key);
	}
	if (s == table_end(t))
		flow_fail(c->flow, -ENOMEM, false, "no room near the slot of a key"); /* not after a spill */
	else if (table_put(t, s, hash, key) < 0)
		flow_fail(c->flow, -ENOMEM, false, "out of memory for a key of %zu bytes", key.len);
	else if (c->reduce.kind != REDUCE_CALL)
		s->value.bits = get_le64(value.ptr);
	else if (table_set_bytes(t, s, false, value) < 0)
		flow_fail(c->flow, -ENOMEM, false, "out of memory for a value of %zu bytes", value.len);
}

/* Another value of a key, for a user's function. */
static void update_call(struct combine *c, struct table_slot *s, quern_slice value)
{
	if (c->flow->stop)
		return;
	quern_slice had = quern_bytes(s->value.bytes->bytes, s->value.bytes->len);
	quern_slice now = reduce_values(&c->reduce, had, value);

	if (c->flow->stop)
		return;
	if (table_set_bytes(&c->table, s, true, now) < 0)
		flow_fail(c->flow, -ENOMEM, false, "out of memory for a value of %zu bytes", now.len);
	else if (table_bytes(&c->table) > c->memory)
		(void)spill(c); /* values that grow leave their old places behind */
}

/* A record of a known reduction. */
static void take_number(struct combine *c, uint64_t hash, quern_slice key, uint64_t bits)
{
	uint8_t value[8];
	struct table_slot *s = table_find(&c->table, hash, key);

	if (s->hash != 0) {
		s->value.bits = reduce_bits(c->reduce.kind, s->value.bits, bits);
		return;
	}
	put_le64(value, bits);
	insert(c, hash, key, quern_bytes(value, sizeof(value)));
}

/* A record of a user's reduction. */
static void take_value(struct combine *c, uint64_t hash, quern_slice key, quern_slice value)
{
	struct table_slot *s = table_find(&c->table, hash, key);

	if (s->hash == 0)
		insert(c, hash, key, value);
	else
		update_call(c, s, value);
}

static void drain_numbers(struct combine *c, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct pending *p = &c->pending[i];

		if (p->key_len <= KEY_SHORT) {
			struct table_slot *s = table_find_short(&c->table, p->hash, p->words);

			if (s->hash != 0) {
				s->value.bits = reduce_bits(c->reduce.kind, s->value.bits, p->bits);
				continue;
			}
		}
		take_number(c, p->hash, quern_bytes(p->key, p->key_len), p->bits);
	}
}

static void drain_values(struct combine *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		table_prefetch_value(&c->table, c->pending[i].hash);
	for (size_t i = 0; i < n; i++) {
		const struct pending *p = &c->pending[i];

		take_value(c, p->hash, quern_bytes(p->key, p->key_len), quern_bytes(c->values[i], p->bits));
	}
}

/* Those that wait, in their order. */
static void drain(struct combine *c)
{
	size_t n = c->n_pending;

	c->n_pending = 0;
	if (c->reduce.kind == REDUCE_CALL)
		drain_values(c, n);
	else
		drain_numbers(c, n);
}

/* Lets a record wait whose value is put in place by the caller. */
static inline void add_pending(struct combine *c, quern_slice key, bool one_partition)
{
	struct pending *p = &c->pending[c->n_pending];
	uint64_t hash;

	p->key_len = (uint32_t)key.len;
	if (key.len <= KEY_SHORT) {
		key_pack(key, p->words);
		hash = key_hash_packed(p->words);
	} else {
		memcpy(p->key, key.ptr, key.len);
		hash = hash_key(key);
	}
	p->hash = table_hash(hash, one_partition);
	table_prefetch(&c->table, p->hash);
	if (++c->n_pending == PENDING)
		drain(c);
}

static inline void emit_number(struct combine *c, quern_slice key, quern_slice value, bool one_partition)
{
	if (value.len != 8) {
		reduce_wrong_length(&c->reduce, value);
	} else if (key.len > PENDING_KEY) {
		drain(c);
		take_number(c, table_hash(hash_key(key), one_partition), key, get_le64(value.ptr));
	} else {
		c->pending[c->n_pending].bits = get_le64(value.ptr);
		add_pending(c, key, one_partition);
	}
}

static void emit_number_many(struct quern_out *out, quern_slice key, quern_slice value)
{
	emit_number((struct combine *)out, key, value, false);
}

static void emit_number_one(struct quern_out *out, quern_slice key, quern_slice value)
{
	emit_number((struct combine *)out, key, value, true);
}

static inline void emit_call(struct combine *c, quern_slice key, quern_slice value, bool one_partition)
{
	if (key.len > PENDING_KEY || value.len > PENDING_VALUE) {
		drain(c);
		take_value(c, table_hash(hash_key(key), one_partition), key, value);
		return;
	}
	c->pending[c->n_pending].bits = value.len;
	if (value.len > 0)
		memcpy(c->values[c->n_pending], value.ptr, value.len);
	add_pending(c, key, one_partition);
}

static void emit_call_many(struct quern_out *out, quern_slice key, quern_slice value)
{
	emit_call((struct combine *)out, key, value, false);
}

static void emit_call_one(struct quern_out *out, quern_slice key, quern_slice value)
{
	emit_call((struct combine *)out, key, value, true);
}

int combine_new(const struct combine_config *config, struct combine **ret, struct err *err)
{
	auto_combine struct combine *c = calloc(1, sizeof(*c));

	if (c == NULL || table_init(&c->table) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	c->memory = config->memory < COMBINE_MEMORY_MIN ? COMBINE_MEMORY_MIN : config->memory;
	c->one_partition = config->one_partition;
	c->scratch_dir = config->scratch_dir;
	c->flow = config->flow;
	int r = reduce_init(&c->reduce, config->code, config->function, config->flow, err);
	if (r < 0)
		return r;
	if (c->reduce.kind == REDUCE_CALL)
		c->in.emit = c->one_partition ? emit_call_one : emit_call_many;
	else
		c->in.emit = c->one_partition ? emit_number_one : emit_number_many;
	*ret = c, c = NULL;
	return 0;
}

struct quern_out *combine_in(struct combine *c)
{
	return &c->in;
}

void combine_finish(struct combine *c, combine_give *give, void *arg)
{
	uint8_t bits[8];

	if (c->flow->result == 0)
		drain(c);
	if (c->flow->result < 0)
		return;
	if (c->runs != NULL) {
		if (c->table.n == 0 || spill(c))
			runs_merge(c->runs, give, arg);
		return;
	}
	table_sort(&c->table);
	for (size_t i = 0; i < c->table.n && !c->flow->stop; i++) {
		const struct table_slot *s = &c->table.slots[i];

		give(arg, s->hash, table_key(s), slot_value(c, s, bits));
	}
}

uint64_t combine_runs(const struct combine *c)
{
	return c->runs == NULL ? 0 : runs_written(c->runs);
}

struct combine *combine_free(struct combine *c)
{
	if (c == NULL)
		return NULL;
	(void)runs_free(c->runs);
	table_deinit(&c->table);
	reduce_deinit(&c->reduce);
	free(c);
	return NULL;
}
