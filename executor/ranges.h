/* ranges.h: partitions that are ranges of keys. */
#ifndef QUERN_EXECUTOR_RANGES_H
#define QUERN_EXECUTOR_RANGES_H

#include "executor/order.h"

struct ranges {
	struct order order;                /* of the keys alone */
	const ProtobufCBinaryData *bounds; /* in that order; borrowed */
	size_t n;
	uint32_t partitions;
	uint32_t at; /* of the last key */
};

/* The bounds cut the keys into n + 1 parts of about one size: each partition gets as many of them as any
 * other, as far as that goes. */
void ranges_init(struct ranges *r, const struct order *order, const ProtobufCBinaryData *bounds, size_t n,
	uint32_t partitions);

/* The partition of a key that is not before the one asked for last. Equal keys are in one. */
uint32_t ranges_next(struct ranges *r, quern_slice key);

#endif
