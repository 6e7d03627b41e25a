/* sleep.c: tasks that take time and nothing else, so that what a mode makes of it is seen, on however few
 * cores. sleep.c SEED STAGE...: each STAGE is N:MS, N tasks of so many milliseconds; or N~MS, whose lengths
 * have a heavy tail: MS is their median, as drawn from a log-normal distribution by SEED, and one of them, a
 * straggler, takes ten times that. Stages follow one another, each when the one before is whole: 200:50 4:500
 * 200:50 has a waist. Prints how long the tasks sleep, all together, in seconds. */
#include <quern/quern.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct stage {
	uint64_t seed;
	uint32_t tasks, ms;
	bool tail;
};

enum { STRAGGLER = 10 };

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
	return x ^ (x >> 31);
}

static double uniform(uint64_t x)
{
	return ((double)(mix(x) >> 11) + 0.5) / 9007199254740992.0;
}

static uint64_t length_us(const struct stage *s, uint32_t task)
{
	uint64_t us = (uint64_t)s->ms * 1000;

	if (!s->tail)
		return us;
	if (task == mix(s->seed) % s->tasks)
		return us * STRAGGLER;
	double normal = sqrt(-2 * log(uniform(s->seed + 2 * task + 1))) *
			cos(6.283185307179586 * uniform(s->seed + 2 * task + 2));
	return (uint64_t)((double)us * exp(normal));
}

static void sleeps(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	uint64_t us = length_us(arg, partition);
	struct timespec t = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };

	(void)records;
	(void)out;
	while (nanosleep(&t, &t) != 0)
		;
}

static uint64_t total_us(const struct stage *s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->tasks; i++)
		sum += length_us(s, i);
	return sum;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	quern_set *set = NULL;
	uint64_t n, us = 0;

	for (int i = 2; i < argc; i++) {
		struct stage s = { .seed = mix(strtoull(argv[1], NULL, 10) + (uint64_t)i) };
		char kind;

		if (sscanf(argv[i], "%" SCNu32 "%c%" SCNu32, &s.tasks, &kind, &s.ms) != 3 || s.tasks == 0 ||
			(kind != ':' && kind != '~'))
			quern_fail("'%s': write N:MS or N~MS", argv[i]);
		s.tail = kind == '~';
		us += total_us(&s);
		set = set == NULL ? quern_pieces(quern_range(job, 0, s.tasks), s.tasks)
				  : quern_repartition(set, s.tasks);
		set = quern_map_partitions(set, sleeps, &(quern_slice){ (const char *)&s, sizeof(s) });
	}
	if (set == NULL)
		quern_fail("sleep.c SEED STAGE...");
	if (quern_count(set, &n) != 0)
		return 1;
	printf("%.3f\n", (double)us / 1e6);
	return 0;
}
