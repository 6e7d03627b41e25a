#include "bench/sim/print.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static double core_s(uint64_t milli_us) /* thousandths of cores for microseconds, over a thousand */
{
	return (double)milli_us / 1e6;
}

/* A figure that was not measured is absent. */
static void set(json_t *o, const char *name, double value)
{
	(void)json_object_set_new(o, name, json_real(value));
}

static void set_count(json_t *o, const char *name, uint64_t value)
{
	(void)json_object_set_new(o, name, json_integer((json_int_t)value));
}

static void set_measured(json_t *o, const char *name, uint64_t value)
{
	if (value > 0)
		set_count(o, name, value);
}

static double mean_done_s(const struct crowd_config *c, const struct crowd_report *r)
{
	double sum = 0;

	for (uint32_t i = 0; i < c->frameworks; i++)
		sum += (double)r->done_us[i];
	return sum / c->frameworks / 1e6;
}

static json_t *figures(const struct crowd_config *c, const struct crowd_report *r, uint64_t bytes_per_agent)
{
	uint64_t held = r->said.task_core_us + r->said.executor_core_us;
	json_t *f = json_object();

	set(f, "wall_s", (double)r->us / 1e6);
	set(f, "job_mean_s", mean_done_s(c, r));
	set(f, "held_core_s", core_s(held));
	set(f, "used_core_s", core_s(r->said.used_core_us));
	set(f, "master_held_core_s", core_s(r->master_core_us));
	if (held > 0)
		set(f, "utilization", (double)r->said.used_core_us / (double)held);
	set_count(f, "tasks", r->tasks);
	set_count(f, "attempts", r->attempts);
	set_count(f, "executors", r->executors);
	if (c->failures > 0) {
		set_count(f, "failed", r->failed);
		set_count(f, "killed_executors", r->killed_executors);
		set_count(f, "lost_agents", r->lost_agents);
	}
	if (r->said.gaps > 0) {
		set_count(f, "gap_p50_ms", r->said.gap_p50_ms);
		set_count(f, "gap_p99_ms", r->said.gap_p99_ms);
	}
	set_count(f, "offers", r->offers);
	set_count(f, "declined", r->declined);
	set_count(f, "revives", r->revives);
	set_count(f, "allocation_runs", r->allocation_runs);
	set_measured(f, "bytes_per_task", r->bytes_per_task);
	set_measured(f, "bytes_per_agent", bytes_per_agent);
	set_count(f, "scheduler_steps", r->steps);
	set(f, "cpu_scheduler_s", (double)r->cpu_ns / 1e9);
	if (r->tasks > 0)
		set(f, "cpu_per_task_us", (double)r->cpu_ns / 1e3 / (double)r->tasks);
	return f;
}

static json_t *timeline(const struct crowd_report *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_timeline; i++) {
		const struct crowd_step *s = &r->timeline[i];
		json_t *step = json_array();

		(void)json_array_append_new(step, json_real((double)s->us / 1e6));
		(void)json_array_append_new(step, json_real((double)s->held_milli / 1e3));
		(void)json_array_append_new(step, json_real((double)s->used_milli / 1e3));
		(void)json_array_append_new(list, step);
	}
	return list;
}

static json_t *case_text(const struct crowd_config *c, const char *const *texts)
{
	char text[512];
	int n = snprintf(text, sizeof(text), "%" PRIu32 " agents of %" PRIu32 ", %" PRIu32 " framework%s,",
		c->agents, c->slots, c->frameworks, c->frameworks == 1 ? "" : "s");

	for (uint32_t i = 0; i < c->n_stages && n > 0 && (size_t)n < sizeof(text); i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %s", texts[i]);
	return json_string(text);
}

static json_t *run_of(const struct crowd_config *c, const char *const *texts, const struct crowd_report *r,
	uint64_t bytes_per_agent)
{
	bool failed = r->wrong[0] != '\0';
	json_t *o = json_object();

	(void)json_object_set_new(o, "kind", json_string("run"));
	(void)json_object_set_new(o, "workload", json_string("sim"));
	(void)json_object_set_new(o, "case", case_text(c, texts));
	(void)json_object_set_new(o, "mode", json_string(c->mode->name));
	set_count(o, "turn", 1);
	set_count(o, "seed", c->seed);
	set_count(o, "agents", c->agents);
	set_count(o, "slots", (uint64_t)c->agents * c->slots);
	set_count(o, "frameworks", c->frameworks);
	set_count(o, "allocation_interval_ms", c->allocation_interval_ms);
	set_count(o, "status", failed);
	if (failed) {
		(void)json_object_set_new(o, "error", json_string(r->wrong));
		return o;
	}
	set(o, "task_s", r->tasks > 0 ? (double)r->task_us / 1e6 / (double)r->tasks : 0);
	(void)json_object_set_new(o, "figures", figures(c, r, bytes_per_agent));
	(void)json_object_set_new(o, "timeline", timeline(r));
	return o;
}

int print_run(FILE *out, const struct crowd_config *c, const char *const *texts, const struct crowd_report *r,
	uint64_t bytes_per_agent)
{
	json_t *o = run_of(c, texts, r, bytes_per_agent);
	int status = o == NULL ||
		     json_dumpf(o, out, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) != 0;

	json_decref(o);
	if (status == 0 && (fputc('\n', out) == EOF || fflush(out) != 0))
		status = 1;
	if (status != 0)
		(void)fprintf(stderr, "quern-bench-sim: the result could not be written\n");
	return status;
}
