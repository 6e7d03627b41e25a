#include "bench/sim/time.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct sim_time *time_of(struct sim *sim)
{
	return (struct sim_time *)(void *)sim; /* its first member */
}

void sim_check(int r)
{
	if (r == 0)
		return;
	(void)fprintf(stderr, "simulation: %s\n", strerror(r < 0 ? -r : ENOMEM));
	exit(1);
}

void *sim_alloc(size_t size)
{
	void *p = calloc(1, size > 0 ? size : 1);

	sim_check(p == NULL);
	return p;
}

char *sim_dup(const char *text)
{
	char *p = strdup(text);

	sim_check(p == NULL);
	return p;
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

uint64_t sim_random(struct sim *sim)
{
	return mix(time_of(sim)->random += 0x9e3779b97f4a7c15U);
}

uint64_t sim_below(struct sim *sim, uint64_t n)
{
	return n == 0 ? 0 : sim_random(sim) % n;
}

uint64_t sim_spread(struct sim *sim, uint64_t mean)
{
	/* Three quarters of the time within twice the mean, else up to five times. */
	return 1 + sim_below(sim, sim_below(sim, 4) > 0 ? mean * 3 / 2 : mean * 3);
}

uint64_t sim_value(uint64_t a, uint64_t b)
{
	return mix(a * 0x9e3779b97f4a7c15U + b) >> 20;
}

/* ---- The heap: earliest first, and in the order they were made ---- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->number < b->number;
}

static void heap_push(struct sim_time *t, struct sim_event *e)
{
	sim_check(vec_push(&t->heap, e));
	size_t i = t->heap.n - 1;
	for (; i > 0 && before(e, t->heap.at[(i - 1) / 2]); i = (i - 1) / 2)
		t->heap.at[i] = t->heap.at[(i - 1) / 2];
	t->heap.at[i] = e;
}

static struct sim_event *heap_pop(struct sim_time *t)
{
	struct sim_event *top = t->heap.at[0], *e = t->heap.at[--t->heap.n];
	size_t n = t->heap.n, i = 0;

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && before(t->heap.at[child + 1], t->heap.at[child]))
			child++;
		if (!before(t->heap.at[child], e))
			break;
		t->heap.at[i] = t->heap.at[child];
	}
	if (n > 0)
		t->heap.at[i] = e;
	return top;
}

static struct sim_event *add(
	struct sim *sim, uint64_t at, void (*happen)(struct sim *sim, struct sim_event *e))
{
	struct sim_event *e = sim_alloc(sizeof(*e));

	e->at = at;
	e->number = time_of(sim)->next_number++;
	e->happen = happen;
	heap_push(time_of(sim), e);
	return e;
}

struct sim_event *sim_after(
	struct sim *sim, uint64_t later, void (*happen)(struct sim *sim, struct sim_event *e))
{
	return add(sim, time_of(sim)->now + later, happen);
}

struct sim_event *sim_send(struct sim *sim, uint64_t later, uint64_t *last,
	void (*happen)(struct sim *sim, struct sim_event *e), const void *data, size_t len)
{
	uint64_t at = time_of(sim)->now + later;

	if (last != NULL) {
		at = *last > at ? *last : at;
		*last = at;
	}
	struct sim_event *e = add(sim, at, happen);
	if (data == NULL)
		return e;
	e->data = sim_alloc(len);
	if (len > 0)
		memcpy(e->data, data, len);
	e->len = len;
	return e;
}

void sim_arm(struct sim *sim, uint64_t at, uint64_t *armed,
	void (*happen)(struct sim *sim, struct sim_event *e), uint32_t index, uint64_t tag)
{
	if (at == UINT64_MAX || at >= *armed)
		return;
	if (at < time_of(sim)->now)
		at = time_of(sim)->now;
	*armed = at;
	struct sim_event *e = add(sim, at, happen);
	e->index = index;
	e->tag = tag;
}

static void drop(struct sim_event *e)
{
	free(e->data);
	free(e->text);
	if (e->result != NULL)
		quern__task_result__free_unpacked(e->result, NULL);
	free(e);
}

/* ---- What happens ---- */

bool sim_go_on(struct sim *sim, uint64_t end, bool (*over)(const struct sim *sim))
{
	while (time_of(sim)->heap.n > 0 && !over(sim)) {
		struct sim_event *e = heap_pop(time_of(sim));

		if (e->at > end) {
			drop(e);
			return false;
		}
		time_of(sim)->now = e->at;
		e->happen(sim, e);
		drop(e);
	}
	return true;
}

void sim_drop_all(struct sim *sim)
{
	while (time_of(sim)->heap.n > 0)
		drop(heap_pop(time_of(sim)));
	vec_deinit(&time_of(sim)->heap);
}
