#include "executor/order.h"

#include <stdlib.h>

#include "executor/steps.h"
#include "job/out.h"

int order_init(struct order *o, const struct code *code, const Quern__Order *plan, struct err *err)
{
	*o = order_of(plan);
	return plan->compare == NULL
		       ? 0
		       : steps_resolve(code, plan->compare, (code_fn **)&o->compare, &o->arg, err);
}

void order_deinit(struct order *o)
{
	free(o->arg);
	o->arg = NULL;
}

/* Behind the last word of the key. */
static struct order_place behind_key(const struct order *o)
{
	return (struct order_place){ !o->by_hash && o->by_value ? ORDER_VALUE : ORDER_END, 0 };
}

struct order_place order_next(const struct order *o, struct order_place place, uint64_t word)
{
	uint64_t w = !o->by_hash && o->descending ? ~word : word;

	if (o->compare != NULL)
		return place;
	if (place.part == ORDER_HASH)
		return (struct order_place){ ORDER_KEY, 0 };
	if (place.part == ORDER_TAG)
		return (struct order_place){ o->loose ? ORDER_END : ORDER_KEY, 0 };
	Quern__ValueType type = o->by_hash                ? QUERN__VALUE_TYPE__BYTES
				: place.part == ORDER_KEY ? o->key
							  : o->value;
	if (type == QUERN__VALUE_TYPE__BYTES && (w & 0xff) == ORDER_MORE)
		return (struct order_place){ place.part, place.at + ORDER_WORD };
	return place.part == ORDER_KEY ? behind_key(o) : (struct order_place){ ORDER_END, 0 };
}

/* A sort or a merge is not left by a jump: no record is left out here. */
static int compare_by_function(const struct order *o, quern_slice key_a, quern_slice key_b)
{
	jmp_buf *skip = out_skip(NULL);
	int c = o->compare(key_a, key_b, o->arg);

	(void)out_skip(skip);
	return c;
}

int order_compare(const struct order *o, struct order_place place, quern_slice key_a, quern_slice value_a,
	quern_slice key_b, quern_slice value_b)
{
	int c = 0;

	if (place.part == ORDER_HASH) {
		uint64_t x = hash_key(key_a, o->seed), y = hash_key(key_b, o->seed);

		if (x != y)
			return x < y ? -1 : 1;
		place = (struct order_place){ ORDER_KEY, 0 };
	}
	if (place.part == ORDER_TAG) {
		uint32_t x = tag_partition(key_a), y = tag_partition(key_b);

		if (x != y || o->loose)
			return (x > y) - (x < y);
		place = (struct order_place){ ORDER_KEY, 0 };
	}
	if (o->tagged) {
		key_a = tag_rest(key_a);
		key_b = tag_rest(key_b);
	}
	if (o->compare != NULL)
		c = compare_by_function(o, key_a, key_b);
	else if (place.part == ORDER_KEY)
		c = compare_typed(o->by_hash ? QUERN__VALUE_TYPE__BYTES : o->key, key_a, key_b, place.at);
	if (c == 0 && !o->by_hash && o->by_value && place.part != ORDER_END)
		c = compare_typed(o->value, value_a, value_b, place.part == ORDER_VALUE ? place.at : 0);
	return !o->by_hash && o->descending ? (c < 0) - (c > 0) : c;
}
