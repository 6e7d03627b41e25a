/* event_log_sim.c: the event log of a job in virtual time, on stdout, for tests/bench/eventlog_test.py.
 *
 *     event_log_sim MODE SEED [no-revive] [faults] */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/event_line.h"
#include "tests/scheduler/sim.h"

enum { LOG_MAX = 256 << 20 };

struct log {
	struct buf lines;
	uint64_t start_ms;
	bool begun, failed;
};

static void on_event(void *arg, const struct sched_logged *what)
{
	struct log *log = arg;

	if (!log->begun)
		log->start_ms = what->now_ms;
	log->begun = true;
	log->failed = log->failed || event_line(&log->lines, what->now_ms - log->start_ms, what) < 0;
}

static struct sim_config config_of(int argc, char **argv)
{
	static const struct sim_faults everything = { .fail_permille = 20,
		.kill_executor_ms = 4000,
		.agent_off_ms = 8000,
		.agent_cut_ms = 4000,
		.link_cut_ms = 1500,
		.stream_cut_ms = 6000,
		.master_off_ms = 12000,
		.lag_ms = 5000 };
	struct sim_config c = { .mode = mode_find(argv[1]),
		.seed = strtoull(argv[2], NULL, 10),
		.agents = 10,
		.resources = "cpus:2.1;mem:2048;disk:1000",
		.max_slots = 12,
		.lease_max_ms = 700,
		.job = { .maps = 60,
			.middle = 20,
			.reduces = 40,
			.collects = 80,
			.task_ms = 300,
			.large_percent = 10,
			.middle_slots = 2 } };

	for (int i = 3; i < argc; i++) {
		c.no_revive = c.no_revive || strcmp(argv[i], "no-revive") == 0;
		if (strcmp(argv[i], "faults") == 0)
			c.faults = everything;
	}
	return c;
}

int main(int argc, char **argv)
{
	struct log log = { .lines = BUF_INIT(LOG_MAX) };
	struct sim_report r;

	if (argc < 3 || mode_find(argv[1]) == NULL)
		return 2;
	struct sim_config c = config_of(argc, argv);
	const struct sched_config said = { .mode_config = { .max_slots = c.max_slots },
		.task_cpus_milli = 1000 };
	const struct event_job job = { .name = "simulation", .mode = c.mode->name, .config = &said };
	int status = event_line_job(&log.lines, &job) < 0;
	c.log = on_event;
	c.log_arg = &log;
	sim_run(&c, &r);
	const struct sched_progress p = { .offers = r.offers, .declined = r.declined, .revives = r.revives };
	if (event_line_done(&log.lines, r.ms - log.start_ms, "finished", &r.said, &p) < 0)
		status = 1;
	if (r.wrong[0] != '\0')
		(void)fprintf(stderr, "%s\n", r.wrong);
	if (fwrite(log.lines.data, 1, log.lines.len, stdout) != log.lines.len || fflush(stdout) != 0)
		status = 1;
	buf_deinit(&log.lines);
	return status != 0 || log.failed || r.wrong[0] != '\0';
}
