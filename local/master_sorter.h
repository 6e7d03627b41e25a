/* master_sorter.h: dominant resource fairness: who of several clients has the least of what it has most of.
 * The rules are those of src/master/allocator/mesos/sorter/drf/sorter.cpp of Apache Mesos, with every weight
 * 1: the share is the largest fraction of any scalar's total; equal shares go by the number of allocations so
 * far, then by name. */
#ifndef QUERN_LOCAL_MASTER_SORTER_H
#define QUERN_LOCAL_MASTER_SORTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

enum { SCALARS_MAX = 16 }; /* kinds of scalar resources that count for fairness */

/* Thousandths of each kind of scalar, in the order in which the master met their names. */
struct quantities {
	int64_t milli[SCALARS_MAX];
};

void master_quantities_add(struct quantities *into, const struct quantities *what);
void master_quantities_subtract(struct quantities *from, const struct quantities *what);
bool master_quantities_zero(const struct quantities *q);

/* One client, part of what it belongs to. */
struct share {
	const char *name;
	void *owner;
	struct sorter *below; /* a group: those in it; NULL: it is one */
	bool active;          /* others are not in the order, but what they have counts */
	uint64_t count;
	double value;
	struct quantities allocated;
};

struct sorter {
	VEC(struct share *) clients; /* sorted unless dirty: active ones first */
	bool dirty;
};

int master_sorter_add(struct sorter *s, struct share *c);
void master_sorter_remove(struct sorter *s, struct share *c);
void master_sorter_activate(struct sorter *s, struct share *c, bool active);
void master_sorter_allocated(
	struct sorter *s, struct share *c, const struct quantities *q, const struct quantities *total);
void master_sorter_unallocated(struct sorter *s, struct share *c, const struct quantities *q);

/* Brings the clients into order, for `total` of everything. Returns how many are active. */
size_t master_sorter_sort(struct sorter *s, const struct quantities *total);
void master_sorter_deinit(struct sorter *s);

#endif
