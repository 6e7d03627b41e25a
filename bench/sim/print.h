/* print.h: a run as a line of results.jsonl. */
#ifndef QUERN_BENCH_SIM_PRINT_H
#define QUERN_BENCH_SIM_PRINT_H

#include <stdio.h>

#include "bench/sim/crowd.h"

/* `texts`: of the stages, as they were given. bytes_per_agent: 0, it was not measured. 0, or 1: it could not
 * be written, and stderr says so. */
int print_run(FILE *out, const struct crowd_config *c, const char *const *texts, const struct crowd_report *r,
	uint64_t bytes_per_agent);

#endif
