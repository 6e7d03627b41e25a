#include "executor/ranges.h"

void ranges_init(struct ranges *r, const struct order *order, const ProtobufCBinaryData *bounds, size_t n,
	uint32_t partitions)
{
	*r = (struct ranges){ .order = *order, .bounds = bounds, .n = n, .partitions = partitions };
	r->order.by_value = false;
}

/* Whether a key is behind the end of partition `p`. */
static bool behind(const struct ranges *r, uint32_t p, quern_slice key)
{
	uint64_t parts = (uint64_t)(p + 1) * (r->n + 1) / r->partitions;

	if (parts == 0)
		return true; /* there are more partitions than parts */
	const ProtobufCBinaryData *b = &r->bounds[parts - 1];
	quern_slice bound = quern_bytes(b->data, b->len);
	return order_compare(&r->order, order_first(&r->order), key, key, bound, bound) >= 0;
}

uint32_t ranges_next(struct ranges *r, quern_slice key)
{
	while (r->at < r->partitions - 1 && behind(r, r->at, key))
		r->at++;
	return r->at;
}
