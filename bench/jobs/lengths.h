/* lengths.h: how long the tasks of a stage N:MS, N:MIN-MAX or N~MS take; for jobs that sleep, and for the
 * simulator, which has to come to the same.
 *
 * N:MS are N tasks of so many milliseconds; of N:MIN-MAX each length between is as likely; those of N~MS have
 * a heavy tail: MS is their median, as drawn from a log-normal distribution by the seed, and one of them, a
 * straggler, takes ten times that. */
#ifndef QUERN_BENCH_JOBS_LENGTHS_H
#define QUERN_BENCH_JOBS_LENGTHS_H

#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct lengths {
	uint64_t seed;
	uint32_t tasks, ms, most_ms; /* the latter is ms where all are alike */
	bool tail;
};

enum { LENGTHS_STRAGGLER = 10 };

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t lengths_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static inline double lengths_uniform(uint64_t x)
{
	return ((double)(lengths_mix(x) >> 11) + 0.5) / 9007199254740992.0;
}

static inline uint64_t lengths_us(const struct lengths *s, uint32_t task)
{
	uint64_t us = (uint64_t)s->ms * 1000;

	if (!s->tail)
		return us + lengths_mix(s->seed + task) % ((uint64_t)(s->most_ms - s->ms) * 1000 + 1);
	if (task == lengths_mix(s->seed) % s->tasks)
		return us * LENGTHS_STRAGGLER;
	double normal = sqrt(-2 * log(lengths_uniform(s->seed + 2 * task + 1))) *
			cos(6.283185307179586 * lengths_uniform(s->seed + 2 * task + 2));
	return (uint64_t)((double)us * exp(normal));
}

/* Of stage number `stage`, from 0 on, of the seed. false: this is none. */
static inline bool lengths_parse(struct lengths *s, uint64_t seed, uint32_t stage, const char *text)
{
	char kind = 0, dash = 0, rest = 0;

	*s = (struct lengths){ .seed = lengths_mix(seed + stage + 2) };
	int n = sscanf(text, "%" SCNu32 "%c%" SCNu32 "%c%" SCNu32 "%c", &s->tasks, &kind, &s->ms, &dash,
		&s->most_ms, &rest);
	s->tail = kind == '~';
	if (n == 3)
		s->most_ms = s->ms;
	return (n == 3 || (n == 5 && dash == '-' && kind == ':')) && s->tasks > 0 &&
	       (kind == ':' || kind == '~') && s->most_ms >= s->ms;
}

#endif
