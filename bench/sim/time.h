/* time.h: virtual time: what will happen, in order, and random numbers. All that happens follows from the
 * seed. Whatever is simulated is a `struct sim` of its owner's, whose first member is a struct sim_time. The
 * unit of time is its owner's as well.
 *
 * It is for programs that can do nothing without memory: none is the end of the process. */
#ifndef QUERN_BENCH_SIM_TIME_H
#define QUERN_BENCH_SIM_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/vec.h"
#include "job/link.pb-c.h"

struct sim;

/* Something that will happen. What of it means what is for who makes it. */
struct sim_event {
	uint64_t at, number;
	void (*happen)(struct sim *sim, struct sim_event *e);
	uint32_t index; /* whom it is about: an agent, an executor ... */
	void *who;      /* ... or so; borrowed */
	uint64_t tag;   /* what must still be so by then: a connection, a life */
	uint64_t extra;
	uint32_t slots;
	uint8_t *data; /* owned */
	size_t len;
	char *text;                /* owned */
	Quern__TaskResult *result; /* owned */
};

struct sim_time {
	uint64_t now, random; /* the latter begins as the seed */
	VEC(struct sim_event *) heap;
	uint64_t next_number;
};

uint64_t sim_random(struct sim *sim);
/* Less than n; 0 if that is 0. */
uint64_t sim_below(struct sim *sim, uint64_t n);
/* Some time about `mean`: never 0. */
uint64_t sim_spread(struct sim *sim, uint64_t mean);
/* A value of 44 bits of its own for each pair. */
uint64_t sim_value(uint64_t a, uint64_t b);

/* An event `later` than now. */
struct sim_event *sim_after(
	struct sim *sim, uint64_t later, void (*happen)(struct sim *sim, struct sim_event *e));
/* One that carries a message (copied), not before *last, which becomes its time; `last` may be NULL. */
struct sim_event *sim_send(struct sim *sim, uint64_t later, uint64_t *last,
	void (*happen)(struct sim *sim, struct sim_event *e), const void *data, size_t len);
/* Arranges for `happen` at `at`, if *armed is later. It must compare *armed with its own time. */
void sim_arm(struct sim *sim, uint64_t at, uint64_t *armed,
	void (*happen)(struct sim *sim, struct sim_event *e), uint32_t index, uint64_t tag);
/* What happens, until `over` says so: true; or after `end`: false. */
bool sim_go_on(struct sim *sim, uint64_t end, bool (*over)(const struct sim *sim));
/* What would have happened, and the heap. */
void sim_drop_all(struct sim *sim);

void *sim_alloc(size_t size); /* zeroed */
char *sim_dup(const char *text);
void sim_check(int r); /* 0, or the end of the process */

#endif
