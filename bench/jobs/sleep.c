/* sleep.c: tasks that take time and nothing else, so that what a mode makes of it is seen, on however few
 * cores. sleep.c SEED STAGE...: each STAGE is as lengths.h has it, N:MS for one. Stages follow one another,
 * each when the one before is whole: 200:50 4:500 200:50 has a waist. Prints how long the tasks sleep, all
 * together, in seconds. */
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lengths.h"

static void sleeps(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	uint64_t us = lengths_us(arg, partition);
	struct timespec t = { .tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000 };

	(void)records;
	(void)out;
	while (nanosleep(&t, &t) != 0)
		;
}

static uint64_t total_us(const struct lengths *s)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < s->tasks; i++)
		sum += lengths_us(s, i);
	return sum;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	quern_set *set = NULL;
	uint64_t n, us = 0;

	for (int i = 2; i < argc; i++) {
		struct lengths s;

		if (!lengths_parse(&s, strtoull(argv[1], NULL, 10), (uint32_t)i - 2, argv[i]))
			quern_fail("'%s': write N:MS, N:MIN-MAX or N~MS", argv[i]);
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
