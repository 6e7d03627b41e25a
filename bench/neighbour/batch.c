#include "bench/neighbour/batch.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <uthash.h>

struct task {
	char id[BATCH_ID_SIZE];
	uint64_t running_us; /* since when; 0: not yet */
	UT_hash_handle hh;
};

struct batch {
	struct batch_config config;
	struct task *tasks; /* launched and not over, by id */
	uint64_t launched, finished, lost, first_us, last_us;
};

int batch_new(const struct batch_config *config, struct batch **ret)
{
	struct batch *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return -ENOMEM;
	b->config = *config;
	*ret = b;
	return 0;
}

static void drop(struct batch *b, struct task *t)
{
	HASH_DEL(b->tasks, t);
	free(t);
}

struct batch *batch_free(struct batch *b)
{
	while (b != NULL && b->tasks != NULL)
		drop(b, b->tasks);
	free(b);
	return NULL;
}

/* How many more may be launched now. */
static uint64_t left(const struct batch *b)
{
	uint64_t n = b->config.tasks > 0 ? b->config.tasks - b->launched : BATCH_LAUNCH_MAX;
	uint64_t running = HASH_COUNT(b->tasks);

	if (b->config.limit > 0 && running + n > b->config.limit)
		n = running < b->config.limit ? b->config.limit - running : 0;
	return n < BATCH_LAUNCH_MAX ? n : BATCH_LAUNCH_MAX;
}

uint32_t batch_room(const struct batch *b, double cpus, double mem_mb, bool has_executor)
{
	uint64_t most = left(b);
	uint32_t n = 0;

	if (b->config.executor && !has_executor) {
		cpus -= BATCH_EXECUTOR_MILLI / 1000.0;
		mem_mb -= BATCH_EXECUTOR_MB;
	}
	while (n < most && (n + 1) * (BATCH_TASK_MILLI / 1000.0) <= cpus + 1e-6 &&
		(n + 1) * BATCH_TASK_MB <= mem_mb)
		n++;
	return n;
}

int batch_launch(struct batch *b, uint64_t now_us, char id[BATCH_ID_SIZE])
{
	struct task *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return -ENOMEM;
	if (b->launched == 0)
		b->first_us = now_us;
	(void)snprintf(t->id, sizeof(t->id), "%" PRIu64, b->launched++);
	memcpy(id, t->id, sizeof(t->id));
	HASH_ADD_STR(b->tasks, id, t);
	return 0;
}

static bool is_over(Mesos__V1__TaskState state)
{
	switch (state) {
	case MESOS__V1__TASK_STATE__TASK_STAGING:
	case MESOS__V1__TASK_STATE__TASK_STARTING:
	case MESOS__V1__TASK_STATE__TASK_RUNNING:
	case MESOS__V1__TASK_STATE__TASK_KILLING:
		return false;
	default:
		return true;
	}
}

bool batch_status(struct batch *b, const char *id, Mesos__V1__TaskState state, uint64_t now_us)
{
	struct task *t;

	HASH_FIND_STR(b->tasks, id, t);
	if (t == NULL)
		return false;
	if (state == MESOS__V1__TASK_STATE__TASK_RUNNING && t->running_us == 0)
		t->running_us = now_us;
	if (!is_over(state))
		return false;
	if (state == MESOS__V1__TASK_STATE__TASK_FINISHED)
		b->finished++;
	else
		b->lost++;
	b->last_us = now_us;
	drop(b, t);
	return true;
}

struct batch_count batch_count(const struct batch *b, uint64_t now_us)
{
	struct batch_count c = { .finished = b->finished,
		.lost = b->lost,
		.running = HASH_COUNT(b->tasks),
		.work_us = b->finished * b->config.task_us,
		.elapsed_us = b->last_us - b->first_us };

	for (const struct task *t = b->tasks; t != NULL; t = t->hh.next) {
		uint64_t ran = t->running_us != 0 && now_us > t->running_us ? now_us - t->running_us : 0;

		c.work_us += ran < b->config.task_us ? ran : b->config.task_us;
	}
	return c;
}

bool batch_done(const struct batch *b)
{
	return b->config.tasks > 0 && b->finished + b->lost == b->config.tasks;
}

bool batch_wants(const struct batch *b)
{
	return left(b) > 0;
}
