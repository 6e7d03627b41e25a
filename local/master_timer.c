/* master_timer.c: a binary heap. */
#include "local/master_timer.h"

#include <stdbool.h>

static bool before(const struct timer *a, const struct timer *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->seq < b->seq;
}

static void place(struct timers *timers, size_t slot, struct timer *t)
{
	timers->heap.at[slot - 1] = t;
	t->slot = slot;
}

static void sift_up(struct timers *timers, struct timer *t)
{
	size_t slot = t->slot;

	while (slot > 1 && before(t, timers->heap.at[slot / 2 - 1])) {
		place(timers, slot, timers->heap.at[slot / 2 - 1]);
		slot /= 2;
	}
	place(timers, slot, t);
}

static void sift_down(struct timers *timers, struct timer *t)
{
	size_t slot = t->slot;

	for (size_t child = slot * 2; child <= timers->heap.n; child = slot * 2) {
		if (child < timers->heap.n && before(timers->heap.at[child], timers->heap.at[child - 1]))
			child++;
		if (!before(timers->heap.at[child - 1], t))
			break;
		place(timers, slot, timers->heap.at[child - 1]);
		slot = child;
	}
	place(timers, slot, t);
}

int master_timer_set(struct timers *timers, struct timer *t, uint64_t at_ms)
{
	t->at_ms = at_ms;
	t->seq = timers->seq++;
	if (t->slot == 0) {
		if (vec_push(&timers->heap, t) < 0)
			return -ENOMEM;
		t->slot = timers->heap.n;
	}
	sift_up(timers, t);
	sift_down(timers, t);
	return 0;
}

void master_timer_clear(struct timers *timers, struct timer *t)
{
	if (t->slot == 0)
		return;
	struct timer *last = timers->heap.at[--timers->heap.n];
	if (last != t) {
		place(timers, t->slot, last);
		sift_up(timers, last);
		sift_down(timers, last);
	}
	t->slot = 0;
}

struct timer *master_timer_due(struct timers *timers, uint64_t now_ms)
{
	if (timers->heap.n == 0 || timers->heap.at[0]->at_ms > now_ms)
		return NULL;
	struct timer *t = timers->heap.at[0];
	master_timer_clear(timers, t);
	return t;
}

uint64_t master_timer_next(const struct timers *timers)
{
	return timers->heap.n == 0 ? UINT64_MAX : timers->heap.at[0]->at_ms;
}

void master_timers_deinit(struct timers *timers)
{
	vec_deinit(&timers->heap);
}
