/* main.c: quern-bench-sim: one experiment in virtual time; what came of it goes to stdout as a line of
 * results.jsonl, see print.h. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/sim/crowd.h"
#include "bench/sim/print.h"

enum {
	OPT_AGENTS = 256,
	OPT_CORES,
	OPT_FRAMEWORKS,
	OPT_SLOTS,
	OPT_WITHIN,
	OPT_MODE,
	OPT_REPLICAS,
	OPT_LOCALITY_WAIT,
	OPT_ALLOCATION,
	OPT_LEASE_IDLE,
	OPT_LEASE_MAX,
	OPT_REVIVE,
	OPT_REVIVE_BURST,
	OPT_PLACEMENT,
	OPT_FAILURES,
	OPT_SEED,
	OPT_TIME,
	AGENTS_MAX = 100000,
	SLOTS_MAX = 1000,
	BURST_MAX = 1000000,
	TASKS_MAX = 10000000,
	NEAR_MAX = 1 << 30 /* bytes, of who has which data */
};

struct options {
	struct crowd_config crowd;
	struct lengths stages[CROWD_STAGES];
	const char *texts[CROWD_STAGES];
};

/* ---- Values ---- */

static uint64_t number(
	struct argp_state *state, const char *name, const char *text, uint64_t least, uint64_t most)
{
	char *rest;

	errno = 0;
	unsigned long long n = strtoull(text, &rest, 10);
	if (text[0] < '0' || text[0] > '9' || *rest != '\0' || errno != 0 || n < least || n > most)
		argp_error(state, "--%s: '%s' is no number from %llu to %llu", name, text,
			(unsigned long long)least, (unsigned long long)most);
	return n;
}

static uint64_t time_us(struct argp_state *state, const char *name, const char *text)
{
	static const struct {
		const char *name;
		double us;
	} units[] = { { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "m", 6e7 }, { "h", 3.6e9 } };
	char *rest;
	double n = strtod(text, &rest);

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text[0] >= '0' && text[0] <= '9' && strcmp(rest, units[i].name) == 0 &&
			n * units[i].us < 1e15)
			return (uint64_t)(n * units[i].us + 0.5);
	argp_error(state, "--%s: '%s' is no time (200us, 100ms, 5s)", name, text);
	return 0;
}

static double rate(struct argp_state *state, const char *text)
{
	char *rest;
	double n = strtod(text, &rest);

	if (text[0] == '\0' || *rest != '\0' || !(n >= 0 && n <= 0.5))
		argp_error(state, "--failures: '%s' is no rate from 0 to 0.5", text);
	return n;
}

static enum crowd_placement placement(struct argp_state *state, const char *text)
{
	static const char *const names[] = {
		[CROWD_AS_OFFERED] = "offered", [CROWD_PACK] = "pack", [CROWD_SPREAD] = "spread"
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(text, names[i]) == 0)
			return (enum crowd_placement)i;
	argp_error(state, "--placement: '%s' is not offered, pack or spread", text);
	return CROWD_AS_OFFERED;
}

static void set_time(struct argp_state *state, struct crowd_times *times, const char *text)
{
	const struct {
		const char *name;
		uint64_t *us;
	} all[] = { { "link=", &times->link_us }, { "call=", &times->call_us },
		{ "agent=", &times->agent_us }, { "start=", &times->start_us }, { "task=", &times->task_us },
		{ "begin=", &times->begin_us }, { "submit=", &times->submit_us },
		{ "end=", &times->end_us } };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t n = strlen(all[i].name);

		if (strncmp(text, all[i].name, n) == 0) {
			*all[i].us = time_us(state, "time", text + n);
			return;
		}
	}
	argp_error(state,
		"--time: '%s' is not NAME=TIME, of link, call, agent, start, task, begin, submit, end", text);
}

static void add_stage(struct argp_state *state, struct options *o, const char *text)
{
	struct crowd_config *c = &o->crowd;

	if (c->n_stages == CROWD_STAGES)
		argp_error(state, "there are more than %d stages", CROWD_STAGES);
	if (!lengths_parse(&o->stages[c->n_stages], c->seed, c->n_stages, text) ||
		o->stages[c->n_stages].tasks > TASKS_MAX)
		argp_error(state, "'%s': write N:MS, N:MIN-MAX or N~MS, N at most %d", text, TASKS_MAX);
	o->texts[c->n_stages++] = text;
}

/* ---- The command line ---- */

static const struct argp_option table[] = { { "agents", OPT_AGENTS, "N", 0, "of the cluster (100)", 1 },
	{ "cores", OPT_CORES, "N", 0, "for tasks, of each agent (4)", 1 },
	{ "frameworks", OPT_FRAMEWORKS, "N", 0, "that run the stages, each of them (1)", 1 },
	{ "within", OPT_WITHIN, "TIME", 0, "frameworks begin at random within (0s)", 1 },
	{ "slots", OPT_SLOTS, "N", 0, "cores that a framework may have (as many as there are)", 2 },
	{ "mode", OPT_MODE, "MODE", 0, "coarse, fine, adaptive (adaptive)", 2 },
	{ "lease-idle", OPT_LEASE_IDLE, "TIME", 0, "as of `quern run` (100ms)", 2 },
	{ "lease-max", OPT_LEASE_MAX, "TIME", 0, "as of `quern run` (5s)", 2 },
	{ "revive-interval", OPT_REVIVE, "TIME", 0, "as of `quern run`, 0s for none (20ms)", 2 },
	{ "revive-burst", OPT_REVIVE_BURST, "N", 0, "REVIVEs that may come at that interval (50)", 2 },
	{ "placement", OPT_PLACEMENT, "ORDER", 0,
		"of the agents that offer at once: offered (as their offers come), pack (the least left "
		"first), spread (the most) (offered)",
		2 },
	{ "replicas", OPT_REPLICAS, "N", 0, "of each block that tasks of the first stage read (none)", 2 },
	{ "locality-wait", OPT_LOCALITY_WAIT, "TIME", 0, "for an agent with a replica (1s)", 2 },
	{ "allocation-interval", OPT_ALLOCATION, "TIME", 0, "of the master (1s)", 3 },
	{ "failures", OPT_FAILURES, "RATE", 0,
		"share of tasks that fail; a tenth of that kill their executor, and a hundredth their agent "
		"(0)",
		3 },
	{ "time", OPT_TIME, "NAME=TIME", 0, "what takes how long, see quern-bench(1)", 3 },
	{ "seed", OPT_SEED, "N", 0, "of all that is drawn at random (1)", 3 }, { 0 } };

static error_t parse_cluster(int key, char *arg, struct argp_state *state, struct crowd_config *c)
{
	switch (key) {
	case OPT_AGENTS:
		c->agents = (uint32_t)number(state, "agents", arg, 1, AGENTS_MAX);
		return 0;
	case OPT_CORES:
		c->slots = (uint32_t)number(state, "cores", arg, 1, SLOTS_MAX);
		return 0;
	case OPT_FRAMEWORKS:
		c->frameworks = (uint32_t)number(state, "frameworks", arg, 1, CROWD_FRAMEWORKS);
		return 0;
	case OPT_WITHIN:
		c->within_us = time_us(state, "within", arg);
		return 0;
	case OPT_ALLOCATION:
		c->allocation_interval_ms = time_us(state, "allocation-interval", arg) / 1000;
		if (c->allocation_interval_ms == 0)
			argp_error(state, "--allocation-interval: it is at least 1ms");
		return 0;
	case OPT_FAILURES:
		c->failures = rate(state, arg);
		return 0;
	case OPT_TIME:
		set_time(state, &c->times, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_framework(int key, char *arg, struct argp_state *state, struct crowd_config *c)
{
	switch (key) {
	case OPT_SLOTS:
		c->max_slots = (uint32_t)number(state, "slots", arg, 1, UINT32_MAX);
		return 0;
	case OPT_MODE:
		c->mode = mode_find(arg);
		if (c->mode == NULL)
			argp_error(state, "--mode: there is no mode '%s'", arg);
		return 0;
	case OPT_LEASE_IDLE:
		c->lease_idle_ms = time_us(state, "lease-idle", arg) / 1000;
		return 0;
	case OPT_LEASE_MAX:
		c->lease_max_ms = time_us(state, "lease-max", arg) / 1000;
		return 0;
	case OPT_REVIVE:
		c->revive_interval_ms = time_us(state, "revive-interval", arg) / 1000;
		if (c->revive_interval_ms == 0)
			c->revive_interval_ms = UINT64_MAX;
		return 0;
	case OPT_REVIVE_BURST:
		c->revive_burst = (uint32_t)number(state, "revive-burst", arg, 0, BURST_MAX);
		return 0;
	case OPT_PLACEMENT:
		c->placement = placement(state, arg);
		return 0;
	case OPT_REPLICAS:
		c->replicas = (uint32_t)number(state, "replicas", arg, 0, 100);
		return 0;
	case OPT_LOCALITY_WAIT:
		c->locality_wait_ms = time_us(state, "locality-wait", arg) / 1000;
		return 0;
	default:
		return parse_cluster(key, arg, state, c);
	}
}

static void check(struct argp_state *state, struct crowd_config *c)
{
	if (c->max_slots == 0)
		c->max_slots = c->agents * c->slots;
	if (c->n_stages == 0)
		argp_error(state, "a STAGE is missing: N:MS, for one");
	if (c->replicas > c->agents)
		argp_error(state, "--replicas=%u: there are %u agents", c->replicas, c->agents);
	if (c->replicas > 0 && (uint64_t)c->stages[0].tasks * c->agents > NEAR_MAX / c->frameworks)
		argp_error(state, "--replicas: there are too many tasks and agents for it");
}

/* Stages are drawn by the seed, so that comes first. */
static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case OPT_SEED:
		o->crowd.seed = number(state, "seed", arg, 0, UINT64_MAX >> 1);
		return 0;
	case ARGP_KEY_ARGS:
		for (int i = state->next; i < state->argc; i++)
			add_stage(state, o, state->argv[i]);
		state->next = state->argc;
		return 0;
	case ARGP_KEY_END:
		check(state, &o->crowd);
		return 0;
	default:
		return parse_framework(key, arg, state, &o->crowd);
	}
}

int main(int argc, char **argv)
{
	static const struct argp argp = { .options = table,
		.parser = parse,
		.args_doc = "STAGE...",
		.doc = "One experiment in virtual time: schedulers and a master as they are, agents and "
		       "executors simulated. "
		       "STAGE: tasks of a job and their lengths, N:MS, N:MIN-MAX or, with a heavy tail, "
		       "N~MEDIAN; each stage "
		       "begins when the one before is whole. Prints one line of JSON." };
	struct options o = { .crowd = { .seed = 1,
				     .frameworks = 1,
				     .agents = 100,
				     .slots = 4,
				     .allocation_interval_ms = 1000,
				     .times = crowd_times_default(),
				     .mode = &mode_adaptive,
				     .lease_idle_ms = 100,
				     .lease_max_ms = 5000,
				     .revive_interval_ms = 20,
				     .revive_burst = 50,
				     .locality_wait_ms = 1000,
				     .executor_cpus_milli = 100,
				     .executor_mem_mb = 128 } };
	struct crowd_report *r = calloc(1, sizeof(*r));

	o.crowd.stages = o.stages;
	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0 || r == NULL)
		return 1;
	uint64_t bytes_per_agent = crowd_bytes_per_agent(&o.crowd);
	crowd_run(&o.crowd, r);
	int status = print_run(stdout, &o.crowd, o.texts, r, bytes_per_agent);
	if (status == 0 && r->wrong[0] != '\0') {
		(void)fprintf(stderr, "quern-bench-sim: %s\n", r->wrong);
		status = 1;
	}
	free(r);
	return status;
}
