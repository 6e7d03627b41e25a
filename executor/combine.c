#include "executor/combine.h"

#include <errno.h>
#include <stdlib.h>

#include "executor/hash.h"
#include "executor/sort.h"
#include "executor/table.h"

/* A large table is not in the processor's cache, and each look-up alone would wait for the memory. So records
 * wait a moment, copied, in their order, while what they need is on the way. */
enum {
	PENDING = 32,               /* records that wait at a time */
	PENDING_KEY = KEY_COPY_MAX, /* bytes of a key that may wait */
	PENDING_VALUE = 56          /* and of a value that is not a number */
};

enum { JUDGED_AT = 1 << 15 /* keys in the table when it is looked at whether they repeat */ };

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
	struct order order; /* by hash */
	struct sort sort;   /* what the table had no room for, or everything after give_up() */
	size_t memory;
	bool sorting;   /* the table is not used any more */
	uint64_t taken; /* records since the table was empty */
	bool judged;    /* it is not to be looked at again whether keys repeat, before the table is full */
	struct flow *flow;
	size_t n_pending;
	struct pending pending[PENDING];
	uint8_t values[PENDING][PENDING_VALUE];
};

/* The value of a slot, as bytes; `bits` is room for a number. */
static quern_slice slot_value(const struct combine *c, const struct table_slot *s, uint8_t bits[8])
{
	if (c->reduce.kind == REDUCE_CALL)
		return quern_bytes(s->value.bytes->bytes, s->value.bytes->len);
	put_le64(bits, s->value.bits);
	return quern_bytes(bits, 8);
}

/* ---- Keys that hardly repeat ---- */

/* Whether so few of the records met their key in the table that putting them in order, which brings equal
 * keys together as well, is cheaper than looking each up. */
static bool hardly_repeat(const struct combine *c)
{
	return c->table.n > c->taken / 4 * 3;
}

static void emit_sorted(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct combine *c = (struct combine *)out;

	if (c->reduce.kind != REDUCE_CALL && value.len != 8)
		reduce_wrong_length(&c->reduce, value);
	else if (!c->flow->stop)
		sort_add(&c->sort, hash_key(key, c->order.seed), key, value);
}

/* Puts the table's records, in order, into the scratch file, and empties it. */
static void spill_table(struct combine *c)
{
	struct spill *to = &c->sort.spill;
	uint8_t bits[8];

	table_sort(&c->table);
	spill_begin(to);
	for (size_t i = 0; i < c->table.n && c->flow->result == 0; i++) {
		const struct table_slot *s = &c->table.slots[i];

		spill_put(to, table_key(s), slot_value(c, s, bits));
	}
	spill_end(to);
	table_clear(&c->table);
	c->taken = 0;
}

/* Stops combining: from now on records are sorted. Those of the table go first: over the disk, unless there
 * is room for them twice. */
static void give_up(struct combine *c)
{
	uint8_t bits[8];

	if (c->table.n > 0 && table_bytes(&c->table) > c->memory / 4)
		spill_table(c);
	const struct table_slot *end = c->table.n > 0 ? table_end(&c->table) : c->table.slots;
	c->sorting = true;
	c->in.emit = emit_sorted;
	for (const struct table_slot *s = c->table.slots; s < end && !c->flow->stop; s++)
		if (s->hash != 0)
			sort_add(&c->sort, s->hash, table_key(s), slot_value(c, s, bits));
	table_deinit(&c->table);
}

/* ---- Room ---- */

static bool spill(struct combine *c)
{
	bool stop = hardly_repeat(c);

	spill_table(c);
	if (stop && c->flow->result == 0)
		give_up(c);
	return c->flow->result == 0;
}

/* Makes room for another key: grows within the budget, spills, or stops combining. `crowded`: there is no
 * slot near its home. */
static bool make_room(struct combine *c, bool crowded)
{
	struct table *t = &c->table;
	size_t held = table_bytes(t);

	if (held > c->memory && t->n > 0)
		return spill(c);
	if (!crowded && !table_full(t))
		return true;
	if (!c->judged && t->n >= JUDGED_AT) {
		c->judged = true;
		if (hardly_repeat(c)) {
			give_up(c);
			return c->flow->result == 0;
		}
	}
	if (held <= c->memory && table_growth(t) <= c->memory - held && table_grow(t) == 0)
		return true;
	return spill(c);
}

/* The free slot for a key; NULL: records are sorted from now on, or it failed. */
static struct table_slot *find_room(struct combine *c, uint64_t hash, quern_slice key)
{
	for (int crowded = 0; crowded < 2; crowded++) {
		if (!make_room(c, crowded > 0) || c->sorting)
			return NULL;
		struct table_slot *s = table_find(&c->table, hash, key);
		if (!table_far(&c->table, hash, s))
			return s;
	}
	/* Hashes that have so much in common, by whatever chance, that a larger table is no help. */
	give_up(c);
	return NULL;
}

/* The first value of a key. */
static void insert(struct combine *c, uint64_t hash, quern_slice key, quern_slice value)
{
	struct table *t = &c->table;

	if (c->flow->stop)
		return;
	if (c->sorting) {
		sort_add(&c->sort, hash, key, value);
		return;
	}
	if (key.len > TABLE_KEY_MAX) {
		flow_fail_record(c->flow, -EMSGSIZE, "a key of %zu bytes is too long", key.len);
		return;
	}
	struct table_slot *s = find_room(c, hash, key);
	if (c->sorting && !c->flow->stop)
		sort_add(&c->sort, hash, key, value);
	if (s == NULL)
		return;
	if (table_put(t, s, hash, key) < 0)
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

	if (!c->sorting) {
		struct table_slot *s = table_find(&c->table, hash, key);

		if (s->hash != 0) {
			s->value.bits = reduce_bits(c->reduce.kind, s->value.bits, bits);
			return;
		}
	}
	put_le64(value, bits);
	insert(c, hash, key, quern_bytes(value, sizeof(value)));
}

/* A record of a user's reduction. */
static void take_value(struct combine *c, uint64_t hash, quern_slice key, quern_slice value)
{
	struct table_slot *s = c->sorting ? NULL : table_find(&c->table, hash, key);

	if (s == NULL || s->hash == 0)
		insert(c, hash, key, value);
	else
		update_call(c, s, value);
}

static void drain_numbers(struct combine *c, size_t n)
{
	const enum reduction kind = c->reduce.kind;
	const bool sum = kind == REDUCE_SUM_U64 || kind == REDUCE_SUM_I64; /* what most are */

	for (size_t i = 0; i < n && !c->sorting; i++)
		if (c->pending[i].key_len > KEY_SHORT)
			table_prefetch_key(&c->table, c->pending[i].hash);
	for (size_t i = 0; i < n; i++) {
		const struct pending *p = &c->pending[i];

		if (p->key_len <= KEY_SHORT && !c->sorting) {
			struct table_slot *s = table_find_short(&c->table, p->hash, p->words);

			if (s->hash != 0) {
				s->value.bits = sum ? s->value.bits + p->bits
						    : reduce_bits(kind, s->value.bits, p->bits);
				continue;
			}
		}
		take_number(c, p->hash, quern_bytes(p->key, p->key_len), p->bits);
	}
}

static void drain_values(struct combine *c, size_t n)
{
	for (size_t i = 0; i < n && !c->sorting; i++)
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
	c->taken += n;
	if (c->reduce.kind == REDUCE_CALL)
		drain_values(c, n);
	else
		drain_numbers(c, n);
}

/* Lets a record wait whose value is put in place by the caller. */
static inline __attribute__((always_inline)) void add_pending(struct combine *c, quern_slice key)
{
	struct pending *p = &c->pending[c->n_pending];

	p->key_len = (uint32_t)key.len;
	if (key.len <= KEY_SHORT) {
		if ((uintptr_t)key.ptr - c->flow->wide < c->flow->wide_len)
			key_pack_wide(key, p->words);
		else
			key_pack(key, p->words);
		p->hash = hash_packed(p->words, c->order.seed);
	} else {
		key_copy(p->key, key);
		p->hash = hash_key(key, c->order.seed);
	}
	table_prefetch(&c->table, p->hash);
	if (++c->n_pending == PENDING)
		drain(c);
}

static void emit_number(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct combine *c = (struct combine *)out;

	if (value.len != 8) {
		reduce_wrong_length(&c->reduce, value);
	} else if (key.len > PENDING_KEY) {
		drain(c);
		c->taken++;
		take_number(c, hash_key(key, c->order.seed), key, get_le64(value.ptr));
	} else {
		c->pending[c->n_pending].bits = get_le64(value.ptr);
		add_pending(c, key);
	}
}

static void emit_call(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct combine *c = (struct combine *)out;

	if (key.len > PENDING_KEY || value.len > PENDING_VALUE) {
		drain(c);
		c->taken++;
		take_value(c, hash_key(key, c->order.seed), key, value);
		return;
	}
	c->pending[c->n_pending].bits = value.len;
	if (value.len > 0)
		memcpy(c->values[c->n_pending], value.ptr, value.len);
	add_pending(c, key);
}

int combine_new(const struct combine_config *config, struct combine **ret, struct err *err)
{
	auto_combine struct combine *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	c->memory = config->memory < COMBINE_MEMORY_MIN ? COMBINE_MEMORY_MIN : config->memory;
	if (table_init(&c->table, config->keep, c->memory) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	c->flow = config->flow;
	int r = reduce_init(&c->reduce, config->code, config->function, config->flow, err);
	if (r < 0)
		return r;
	c->order = order_hash(config->seed);
	const struct sort_config sort = { .order = &c->order,
		.reduce = &c->reduce,
		.memory = c->memory,
		.scratch_dir = config->scratch_dir,
		.keep = config->keep,
		.flow = config->flow };
	sort_init(&c->sort, &sort);
	c->in.emit = c->reduce.kind == REDUCE_CALL ? emit_call : emit_number;
	*ret = c, c = NULL;
	return 0;
}

struct quern_out *combine_in(struct combine *c)
{
	return &c->in;
}

void combine_finish(struct combine *c, record_give *give, void *arg)
{
	uint8_t bits[8];

	if (c->flow->result == 0)
		drain(c);
	if (c->flow->result == 0 && !c->sorting && c->sort.spill.runs.n > 0 && c->table.n > 0)
		(void)spill(c);
	if (c->flow->result < 0)
		return;
	if (c->sorting || c->sort.spill.runs.n > 0) {
		table_deinit(&c->table);
		sort_finish(&c->sort, give, arg);
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
	return c->sort.spill.written;
}

bool combine_gave_up(const struct combine *c)
{
	return c->sorting;
}

struct combine *combine_free(struct combine *c)
{
	if (c == NULL)
		return NULL;
	sort_deinit(&c->sort);
	table_deinit(&c->table);
	reduce_deinit(&c->reduce);
	free(c);
	return NULL;
}
