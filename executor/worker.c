#include "executor/worker.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/write.h"
#include "executor/worker.pb-c.h"
#include "job/broadcast.h"

enum { HEADER = 4, READ_SIZE = 16 << 10 };

struct worker {
	const struct task_env *env;
	int socket;
	Quern__Stage *stage;
	Quern__Outputs **outputs;
	size_t n_outputs;
	uint64_t cpu_us;          /* of the process, when the last task ended */
	uint8_t bytes[READ_SIZE]; /* read, `left` of them from `at` on not looked at */
	size_t at, left;
};

/* ---- Frames ---- */

/* Reads what is there, at most `len` bytes. 1, 0 at the end, or -errno. */
static int read_some(int fd, uint8_t *to, size_t len, size_t *ret_n)
{
	ssize_t n;

	while ((n = read(fd, to, len)) < 0 && errno == EINTR)
		;
	if (n <= 0)
		return n < 0 ? -errno : 0;
	*ret_n = (size_t)n;
	return 1;
}

/* A request is small, but for the first of a stage: it comes with one read. 1, 0 at the end, or -errno. */
static int read_all(struct worker *w, uint8_t *to, size_t len)
{
	int r = 1;

	while (r > 0 && len > 0) {
		size_t n = len < w->left ? len : w->left;

		memcpy(to, w->bytes + w->at, n);
		w->at += n;
		w->left -= n;
		if (n == 0 && len >= READ_SIZE) {
			r = read_some(w->socket, to, len, &n);
		} else if (n == 0) {
			w->at = 0;
			r = read_some(w->socket, w->bytes, READ_SIZE, &w->left);
		}
		to += n;
		len -= n;
	}
	return r;
}

/* 1 and *ret, 0 at the end, or -errno. The other side is the executor: it is trusted. */
static int read_request(struct worker *w, Quern__WorkerRequest **ret)
{
	uint8_t h[HEADER];

	int r = read_all(w, h, HEADER);
	if (r <= 0)
		return r;
	size_t len = (size_t)h[0] | (size_t)h[1] << 8 | (size_t)h[2] << 16 | (size_t)h[3] << 24;
	auto_free uint8_t *bytes = malloc(len > 0 ? len : 1);
	if (bytes == NULL)
		return -ENOMEM;
	r = read_all(w, bytes, len);
	if (r <= 0)
		return r;
	*ret = quern__worker_request__unpack(NULL, len, bytes);
	if (*ret != NULL && (*ret)->has_hdfs)
		explicit_bzero(bytes, len);
	return *ret != NULL ? 1 : -EBADMSG;
}

static int write_result(int fd, const Quern__TaskResult *result)
{
	size_t len = quern__task_result__get_packed_size(result);

	if (len > UINT32_MAX)
		return -EMSGSIZE;
	auto_free uint8_t *bytes = malloc(HEADER + len);
	if (bytes == NULL)
		return -ENOMEM;
	for (int i = 0; i < HEADER; i++)
		bytes[i] = (uint8_t)(len >> (8 * i));
	(void)quern__task_result__pack(result, bytes + HEADER);
	return write_all(fd, bytes, HEADER + len);
}

/* ---- One task ---- */

static uint64_t clock_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint64_t cpu_us(const struct rusage *usage)
{
	const struct timeval *user = &usage->ru_utime, *system = &usage->ru_stime;

	return (uint64_t)(user->tv_sec + system->tv_sec) * 1000000 +
	       (uint64_t)(user->tv_usec + system->tv_usec);
}

static int run(struct worker *w, const Quern__Task *task, const Quern__TaskCache *cache)
{
	if (task->branch >= w->stage->n_branches)
		return -EBADMSG;
	const struct task t = { .stage = w->stage,
		.branch = w->stage->branches[task->branch],
		.task = task,
		.outputs = (const Quern__Outputs *const *)w->outputs,
		.n_outputs = w->n_outputs,
		.cache = cache };
	const uint64_t wall = clock_us();
	Quern__TaskResult *result = NULL;
	struct rusage usage = { 0 };

	int r = task_run(w->env, &t, &result);
	if (r < 0)
		return r;
	(void)getrusage(RUSAGE_SELF, &usage);
	const uint64_t cpu = cpu_us(&usage);
	if (!result->has_wall_us) {
		result->has_wall_us = 1;
		result->wall_us = clock_us() - wall;
	}
	if (!result->has_cpu_us) {
		result->has_cpu_us = 1;
		result->cpu_us = cpu - w->cpu_us;
	}
	w->cpu_us = cpu;
	if (!result->has_peak_rss) {
		result->has_peak_rss = 1;
		result->peak_rss = (uint64_t)usage.ru_maxrss * 1024;
	}
	(void)fflush(NULL); /* what user code printed belongs to this task */
	r = write_result(w->socket, result);
	quern__task_result__free_unpacked(result, NULL);
	return r;
}

static void forget_outputs(struct worker *w)
{
	for (size_t i = 0; i < w->n_outputs; i++)
		quern__outputs__free_unpacked(w->outputs[i], NULL);
	free(w->outputs);
	w->outputs = NULL;
	w->n_outputs = 0;
}

/* Takes the stage and the outputs out of the request. */
static int serve(struct worker *w, Quern__WorkerRequest *request)
{
	if (request->stage != NULL) {
		if (w->stage != NULL)
			quern__stage__free_unpacked(w->stage, NULL);
		w->stage = request->stage;
		request->stage = NULL;
	}
	if (request->n_outputs > 0) {
		forget_outputs(w);
		w->outputs = request->outputs;
		w->n_outputs = request->n_outputs;
		request->outputs = NULL;
		request->n_outputs = 0;
	}
	if (request->has_hdfs) {
		int r = keep_set_access(w->env->keep, request->hdfs.data, request->hdfs.len);

		explicit_bzero(request->hdfs.data, request->hdfs.len);
		if (r < 0)
			return r;
	}
	if (request->has_forget)
		broadcast_forget(request->forget);
	if (request->task == NULL)
		return 0;
	return w->stage != NULL ? run(w, request->task, request->cache) : -EBADMSG;
}

int worker_serve(const struct task_env *env, int socket)
{
	struct worker w = { .env = env, .socket = socket };
	Quern__WorkerRequest *request;
	struct rusage usage = { 0 };
	int r;

	(void)getrusage(RUSAGE_SELF, &usage);
	w.cpu_us = cpu_us(&usage);
	while ((r = read_request(&w, &request)) > 0) {
		r = serve(&w, request);
		quern__worker_request__free_unpacked(request, NULL);
		if (r < 0)
			break;
	}
	if (r < 0)
		(void)fprintf(stderr, "quern worker: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
