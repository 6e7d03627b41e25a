#include "local/master_sorter.h"

#include <string.h>

void master_quantities_add(struct quantities *into, const struct quantities *what)
{
	for (size_t i = 0; i < SCALARS_MAX; i++)
		into->milli[i] += what->milli[i];
}

void master_quantities_subtract(struct quantities *from, const struct quantities *what)
{
	for (size_t i = 0; i < SCALARS_MAX; i++)
		from->milli[i] -= what->milli[i];
}

bool master_quantities_zero(const struct quantities *q)
{
	for (size_t i = 0; i < SCALARS_MAX; i++)
		if (q->milli[i] != 0)
			return false;
	return true;
}

static double share_of(const struct share *c, const struct quantities *total)
{
	double most = 0;

	for (size_t i = 0; i < SCALARS_MAX; i++) {
		if (total->milli[i] <= 0)
			continue;
		double part = (double)c->allocated.milli[i] / (double)total->milli[i];
		most = part > most ? part : most;
	}
	return most;
}

/* DRFSorter::Node::compareDRF() */
static int compare(const struct share *a, const struct share *b)
{
	if (a->active != b->active)
		return a->active ? -1 : 1;
	if (a->value < b->value || a->value > b->value)
		return a->value < b->value ? -1 : 1;
	if (a->count != b->count)
		return a->count < b->count ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int compare_pointers(const void *a, const void *b)
{
	return compare(*(struct share *const *)a, *(struct share *const *)b);
}

static size_t find(const struct sorter *s, const struct share *c)
{
	size_t i = 0;

	while (s->clients.at[i] != c)
		i++;
	return i;
}

int master_sorter_add(struct sorter *s, struct share *c)
{
	s->dirty = true;
	return vec_push(&s->clients, c);
}

void master_sorter_remove(struct sorter *s, struct share *c)
{
	vec_remove(&s->clients, find(s, c));
}

void master_sorter_activate(struct sorter *s, struct share *c, bool active)
{
	s->dirty = s->dirty || c->active != active;
	c->active = active;
}

static void swap(struct share **a, struct share **b)
{
	struct share *t = *a;

	*a = *b;
	*b = t;
}

/* An allocation is what an allocation run does most: the order is mended, not made again. */
void master_sorter_allocated(
	struct sorter *s, struct share *c, const struct quantities *q, const struct quantities *total)
{
	master_quantities_add(&c->allocated, q);
	c->count++;
	if (s->dirty)
		return;
	c->value = share_of(c, total);
	size_t i = find(s, c);
	struct share **at = s->clients.at;
	for (; i > 0 && compare(at[i], at[i - 1]) < 0; i--)
		swap(&at[i], &at[i - 1]);
	for (; i + 1 < s->clients.n && compare(at[i + 1], at[i]) < 0; i++)
		swap(&at[i], &at[i + 1]);
}

void master_sorter_unallocated(struct sorter *s, struct share *c, const struct quantities *q)
{
	master_quantities_subtract(&c->allocated, q);
	s->dirty = true;
}

size_t master_sorter_sort(struct sorter *s, const struct quantities *total)
{
	size_t active = 0;

	if (s->dirty && s->clients.n > 0) {
		for (size_t i = 0; i < s->clients.n; i++)
			s->clients.at[i]->value = share_of(s->clients.at[i], total);
		qsort(s->clients.at, s->clients.n, sizeof(*s->clients.at), compare_pointers);
	}
	s->dirty = false;
	while (active < s->clients.n && s->clients.at[active]->active)
		active++;
	return active;
}

void master_sorter_deinit(struct sorter *s)
{
	vec_deinit(&s->clients);
}
