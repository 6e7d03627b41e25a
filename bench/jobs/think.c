/* think.c: an interactive session: think.c SEED QUERIES MEAN_MS N:MS. So many queries, each of N tasks that
 * sleep MS milliseconds; before each one thinks, for a time drawn by SEED from an exponential distribution
 * with that mean. Prints the milliseconds that each query took. What a mode holds meanwhile is held for
 * nobody. */
#include <quern/quern.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void sleep_us(uint64_t us)
{
	struct timespec t = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };

	while (nanosleep(&t, &t) != 0)
		;
}

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* From 0 to 1, neither included; as splitmix64 (Steele, Lea, Flood 2014) gives it. */
static double uniform(uint64_t *state)
{
	uint64_t x = *state += 0x9e3779b97f4a7c15;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return ((double)((x ^ (x >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static void sleeps(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	const uint32_t *ms = arg;

	(void)partition;
	(void)records;
	(void)out;
	sleep_us((uint64_t)*ms * 1000);
}

static int query(quern_job *job, uint32_t tasks, uint32_t ms)
{
	quern_set *set = quern_pieces(quern_range(job, 0, tasks), tasks);
	double start = now_ms();
	uint64_t n;

	if (quern_count(quern_map_partitions(set, sleeps, &(quern_slice){ (const char *)&ms, sizeof(ms) }),
		    &n) != 0)
		return 1;
	printf("%.1f\n", now_ms() - start);
	return 0;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	uint32_t tasks, ms;

	if (argc != 5 || sscanf(argv[4], "%" SCNu32 ":%" SCNu32, &tasks, &ms) != 2 || tasks == 0)
		quern_fail("think.c SEED QUERIES MEAN_MS N:MS");
	uint64_t state = strtoull(argv[1], NULL, 10);
	uint64_t queries = strtoull(argv[2], NULL, 10);
	double mean_us = strtod(argv[3], NULL) * 1000;
	for (uint64_t i = 0; i < queries; i++) {
		sleep_us((uint64_t)(-mean_us * log(uniform(&state))));
		if (query(job, tasks, ms) != 0)
			return 1;
	}
	return 0;
}
