/* cost.h: what computing costs this thread: CPU time, and memory. */
#ifndef QUERN_BENCH_SIM_COST_H
#define QUERN_BENCH_SIM_COST_H

#include <stdint.h>

/* A stretch of CPU time, many times over; what the clock itself takes is not counted. */
struct cost {
	uint64_t began_ns, total_ns, times, own_ns;
};
void cost_init(struct cost *c); /* learns what the clock takes */
void cost_begin(struct cost *c);
void cost_end(struct cost *c);
/* In nanoseconds. */
uint64_t cost_total(const struct cost *c);

/* Bytes that are allocated now, with what the allocator needs for them; 0: it does not say, as sanitizers'
 * do not. */
uint64_t cost_bytes(void);

#endif
