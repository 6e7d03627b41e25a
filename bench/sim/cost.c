#include "bench/sim/cost.h"

#include <malloc.h>
#include <time.h>

enum { TRIES = 10001 };

static uint64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void cost_init(struct cost *c)
{
	*c = (struct cost){ 0 };
	for (int i = 0; i < TRIES; i++) {
		cost_begin(c);
		cost_end(c);
	}
	*c = (struct cost){ .own_ns = c->total_ns / TRIES };
}

void cost_begin(struct cost *c)
{
	c->began_ns = now_ns();
}

void cost_end(struct cost *c)
{
	c->total_ns += now_ns() - c->began_ns;
	c->times++;
}

uint64_t cost_total(const struct cost *c)
{
	uint64_t own = c->own_ns * c->times;

	return c->total_ns > own ? c->total_ns - own : 0;
}

uint64_t cost_bytes(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}
