/* step_cells.c: the step before the shuffle of a cartesian product (CELLS). Its partitions are the cells of a
 * grid: a record of the left set is in all cells of one row, one of the right set in all of one column, so
 * that each pair meets in one cell. The row is chosen by a hash of the record: each attempt chooses the same.
 *
 * Out come records whose key is that of the cell, a number that the shuffle's hash sends to the cell's
 * partition, and whose value is the record (quern_pair(); without a left one if it has no key). */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/auto.h"
#include "executor/bytes.h"
#include "executor/hash.h"
#include "executor/stateful.h"
#include "executor/task.h"

enum {
	CELLS_MAX = 4096, /* more partitions than that get nothing */
	CELL_KEY = 8      /* bytes */
};

struct cells_step {
	struct stateful base;
	struct quern_out *next;
	struct flow *flow;
	bool columns; /* records go to columns, not to rows */
	uint32_t n_rows, n_columns;
	uint8_t (*keys)[CELL_KEY]; /* of the cells, row by row */
};

static void take(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct cells_step *c = (struct cells_step *)out;
	uint64_t hash = hash_key(value, hash_key(key, 0));
	uint32_t row = hash_partition(hash, c->n_rows), column = hash_partition(hash, c->n_columns);
	uint32_t n = c->columns ? c->n_rows : c->n_columns;

	for (uint32_t i = 0; i < n && !c->flow->stop; i++) {
		uint32_t cell = c->columns ? i * c->n_columns + column : row * c->n_columns + i;

		quern_pair(
			c->next, quern_bytes(c->keys[cell], CELL_KEY), key.ptr != NULL ? &key : NULL, &value);
	}
}

/* Tries numbers until there is one for each cell: about twelve times as many as there are partitions. */
static int find_keys(struct cells_step *c, uint32_t cells, uint32_t partitions, uint64_t seed)
{
	auto_free bool *found = calloc(cells, sizeof(*found));
	uint8_t key[CELL_KEY];

	c->keys = calloc(cells, sizeof(*c->keys));
	if (found == NULL || c->keys == NULL)
		return -ENOMEM;
	for (uint64_t number = 0, left = cells; left > 0; number++) {
		put_le64(key, number);
		uint32_t at = hash_partition(hash_key(quern_bytes(key, CELL_KEY), seed), partitions);

		if (at >= cells || found[at])
			continue;
		memcpy(c->keys[at], key, CELL_KEY);
		found[at] = true;
		left--;
	}
	return 0;
}

static struct stateful *cells_free(struct stateful *s)
{
	struct cells_step *c = (struct cells_step *)s;

	free(c->keys);
	free(c);
	return NULL;
}

int step_cells_new(const struct step_env *env, const Quern__Step *step, struct quern_out *next,
	struct stateful **ret, struct err *err)
{
	const Quern__Sink *sink = env->sink;
	uint32_t partitions = sink->partitions, cells = partitions < CELLS_MAX ? partitions : CELLS_MAX;

	if (sink->kind != QUERN__SINK__KIND__SHUFFLE || cells == 0)
		return err_set(err, -EINVAL, "cells of a shuffle that is none");
	struct cells_step *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = &c->base;
	c->base = (struct stateful){ .in = { take }, .free = cells_free };
	c->next = next;
	c->flow = env->flow;
	c->columns = step->columns;
	c->n_rows = (uint32_t)sqrt((double)cells);
	c->n_columns = cells / c->n_rows;
	return find_keys(c, c->n_rows * c->n_columns, partitions, task_hash_seed(env->code, sink->seed)) == 0
		       ? 0
		       : err_set(err, -ENOMEM, "out of memory");
}
