#include "tests/scheduler/sim.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "tests/scheduler/sim_state.h"

enum { END_MS = 4 * 3600 * 1000, LEFT_MS = 120000, /* for what is left to go away */ WATCH_MS = 1000 };

/* ---- Small things ---- */

void sim_check(int r)
{
	if (r == 0)
		return;
	(void)fprintf(stderr, "simulation: error %d\n", r);
	abort();
}

void *sim_alloc(size_t size)
{
	void *p = calloc(1, size > 0 ? size : 1);

	sim_check(p == NULL);
	return p;
}

char *sim_dup(const char *text)
{
	char *p = strdup(text);

	sim_check(p == NULL);
	return p;
}

static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
	return z ^ (z >> 31);
}

uint64_t sim_random(struct sim *sim)
{
	return mix(sim->random += 0x9e3779b97f4a7c15U);
}

uint64_t sim_below(struct sim *sim, uint64_t n)
{
	return n == 0 ? 0 : sim_random(sim) % n;
}

uint64_t sim_spread(struct sim *sim, uint64_t mean)
{
	/* Three quarters of the time within twice the mean, else up to five times. */
	return 1 + sim_below(sim, sim_below(sim, 4) > 0 ? mean * 3 / 2 : mean * 3);
}

uint64_t sim_value(uint64_t a, uint64_t b)
{
	return mix(a * 0x9e3779b97f4a7c15U + b) >> 20;
}

void sim_wrong(struct sim *sim, const char *format, ...)
{
	va_list ap;

	if (sim->report->wrong[0] != '\0')
		return;
	va_start(ap, format);
	(void)vsnprintf(sim->report->wrong, sizeof(sim->report->wrong), format, ap);
	va_end(ap);
}

void sim_trace(
	struct sim *sim, char who, uint64_t index, int kind, const char *text, const void *data, size_t len)
{
	const uint64_t head[4] = { sim->now_ms, (uint64_t)(unsigned char)who, index, (uint64_t)kind };

	sim->report->actions++;
	(void)XXH64_update(sim->hash, head, sizeof(head));
	if (text != NULL)
		(void)XXH64_update(sim->hash, text, strlen(text) + 1);
	if (len > 0)
		(void)XXH64_update(sim->hash, data, len);
}

uint64_t sim_conn(struct sim *sim, uint32_t executor)
{
	sim_check(vec_push(&sim->executor_of_conn, executor));
	return sim->executor_of_conn.n - 1;
}

/* ---- The heap: earliest first, and in the order they were made ---- */

static bool before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->number < b->number;
}

static void heap_push(struct sim *sim, struct sim_event *e)
{
	sim_check(vec_push(&sim->heap, e));
	size_t i = sim->heap.n - 1;
	for (; i > 0 && before(e, sim->heap.at[(i - 1) / 2]); i = (i - 1) / 2)
		sim->heap.at[i] = sim->heap.at[(i - 1) / 2];
	sim->heap.at[i] = e;
}

static struct sim_event *heap_pop(struct sim *sim)
{
	struct sim_event *top = sim->heap.at[0], *e = sim->heap.at[--sim->heap.n];
	size_t n = sim->heap.n, i = 0;

	for (size_t child; (child = 2 * i + 1) < n; i = child) {
		if (child + 1 < n && before(sim->heap.at[child + 1], sim->heap.at[child]))
			child++;
		if (!before(sim->heap.at[child], e))
			break;
		sim->heap.at[i] = sim->heap.at[child];
	}
	if (n > 0)
		sim->heap.at[i] = e;
	return top;
}

static struct sim_event *add(
	struct sim *sim, uint64_t at_ms, void (*happen)(struct sim *sim, struct sim_event *e))
{
	struct sim_event *e = sim_alloc(sizeof(*e));

	e->at_ms = at_ms;
	e->number = sim->next_number++;
	e->happen = happen;
	heap_push(sim, e);
	return e;
}

struct sim_event *sim_after(
	struct sim *sim, uint64_t ms, void (*happen)(struct sim *sim, struct sim_event *e))
{
	return add(sim, sim->now_ms + ms, happen);
}

struct sim_event *sim_send(struct sim *sim, uint64_t ms, uint64_t *last,
	void (*happen)(struct sim *sim, struct sim_event *e), const void *data, size_t len)
{
	uint64_t at = sim->now_ms + ms;

	if (last != NULL) {
		at = *last > at ? *last : at;
		*last = at;
	}
	struct sim_event *e = add(sim, at, happen);
	if (data == NULL)
		return e;
	e->data = sim_alloc(len);
	if (len > 0)
		memcpy(e->data, data, len);
	e->len = len;
	return e;
}

void sim_arm(struct sim *sim, uint64_t ms, uint64_t *armed_ms,
	void (*happen)(struct sim *sim, struct sim_event *e), uint32_t index, uint64_t tag)
{
	if (ms == UINT64_MAX || ms >= *armed_ms)
		return;
	if (ms < sim->now_ms)
		ms = sim->now_ms;
	*armed_ms = ms;
	struct sim_event *e = add(sim, ms, happen);
	e->index = index;
	e->tag = tag;
}

static void drop(struct sim_event *e)
{
	free(e->data);
	free(e->text);
	if (e->result != NULL)
		quern__task_result__free_unpacked(e->result, NULL);
	free(e);
}

/* ---- From beginning to end ---- */

static void watch(struct sim *sim, struct sim_event *e)
{
	struct sched_progress p;

	(void)e;
	sched_get_progress(sim->driver.core, &p);
	(void)fprintf(stderr,
		"%8" PRIu64 " run %u: %u of %u tasks, %u running, %u slots, %u executors, %" PRIu64
		" offers, %" PRIu64 " revives%s\n",
		sim->now_ms, p.run, p.tasks_done, p.tasks, p.tasks_running, p.slots_held, p.executors,
		p.offers, p.revives, p.subscribed ? "" : ", not subscribed");
	(void)sim_after(sim, WATCH_MS, watch);
}

bool sim_go_on(struct sim *sim, uint64_t end_ms, bool (*over)(const struct sim *sim))
{
	while (sim->heap.n > 0 && sim->report->wrong[0] == '\0' && !over(sim)) {
		struct sim_event *e = heap_pop(sim);

		if (e->at_ms > end_ms) {
			drop(e);
			return false;
		}
		sim->now_ms = e->at_ms;
		e->happen(sim, e);
		drop(e);
	}
	return true;
}

void sim_drop_all(struct sim *sim)
{
	while (sim->heap.n > 0)
		drop(heap_pop(sim));
	vec_deinit(&sim->heap);
}

static void run_until(struct sim *sim, uint64_t end_ms, bool (*over)(const struct sim *sim))
{
	struct sched_progress p;

	if (sim_go_on(sim, end_ms, over))
		return;
	sched_get_progress(sim->driver.core, &p);
	sim_wrong(sim, "not over after %" PRIu64 " ms: run %u, %u of %u tasks, %u slots, %u executors",
		end_ms, sim->driver.run, p.tasks_done, p.tasks, p.slots_held, p.executors);
}

static bool driver_is_over(const struct sim *sim)
{
	return sim->driver.stopped;
}

static bool all_gone(const struct sim *sim)
{
	for (size_t i = 0; i < sim->executors.n; i++)
		if (!sim->executors.at[i]->dead)
			return false;
	return true;
}

static void finish(struct sim *sim)
{
	struct sched_progress p;

	sched_get_progress(sim->driver.core, &p);
	sched_get_ledger(sim->driver.core, &sim->report->said);
	sim->report->offers = p.offers;
	sim->report->declined = p.declined;
	sim->report->revives = p.revives;
	sim->report->ms = sim->now_ms;
	sim->report->executors = sim->executors.n;
	sim->report->trace = XXH64_digest(sim->hash);
}

void sim_run(const struct sim_config *config, struct sim_report *ret)
{
	struct sim sim = { .config = config, .report = ret, .random = config->seed, .now_ms = 1000 };

	*ret = (struct sim_report){ 0 };
	sim.hash = XXH64_createState();
	sim_check(sim.hash == NULL);
	(void)XXH64_reset(sim.hash, 0);
	sim_conn(&sim, SIM_NOBODY); /* number 0 is none */
	sim_check(vec_push(&sim.agent_of_link, SIM_NOBODY));
	sim_cluster_start(&sim);
	sim_job_start(&sim);
	sim_driver_start(&sim);
	sim_faults_start(&sim);
	if (config->verbose)
		watch(&sim, NULL);
	run_until(&sim, END_MS, driver_is_over);
	if (ret->wrong[0] == '\0')
		run_until(&sim, sim.now_ms + LEFT_MS, all_gone);
	finish(&sim);
	sim_driver_end(&sim);
	sim_job_end(&sim);
	sim_executors_end(&sim);
	sim_cluster_end(&sim);
	sim_drop_all(&sim);
	vec_deinit(&sim.agent_of_link);
	vec_deinit(&sim.executor_of_conn);
	(void)XXH64_freeState(sim.hash);
}
