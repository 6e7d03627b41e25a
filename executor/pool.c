/* pool.c: workers and what they are at. The zygote's life is nursery.c's.
 *
 * A worker's socket is made here and written to at once; the zygote gets the other end when it forks, so an
 * attempt's bytes wait in the socket for a process that does not exist yet.
 *
 * A worker ends when the zygote says so: its output is complete then. Until then a broken socket only gets it
 * killed. */
#include "executor/pool.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/status.h"
#include "executor/pool_state.h"
#include "executor/strays.h"
#include "executor/worker.pb-c.h"

enum {
	HEADER = 4,
	STRAYS_MS = 2000,
	IDLE_DEATHS_MAX = 5 /* workers that die in a row without any work: no more are kept ready */
};

/* ---- Life of a worker ---- */

static void worker_free(struct pool *p, struct pool_worker *w)
{
	char path[4096];

	DL_DELETE(p->workers, w);
	p->n_workers--;
	if (w->bev != NULL)
		bufferevent_free(w->bev);
	if (w->fork_fd >= 0)
		(void)close(w->fork_fd);
	if (w->fork_stderr >= 0)
		(void)close(w->fork_stderr);
	capture_close(&w->output);
	free(w->last_words);
	if (p->job != NULL && snprintf(path, sizeof(path), "%s/%u", p->job->scratch_dir, (unsigned)w->id) > 0)
		tree_remove(path);
	free(w);
}

static void on_read(struct bufferevent *bev, void *arg);
static void on_event(struct bufferevent *bev, short what, void *arg);

static int open_worker(struct pool *p, struct pool_worker *w)
{
	int fds[2];

	int r = capture_open(&w->output, p->loop, &w->fork_stderr);
	if (r < 0)
		return r;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	(void)evutil_make_socket_nonblocking(fds[0]);
	w->fork_fd = fds[1];
	w->bev = bufferevent_socket_new(p->loop, fds[0], BEV_OPT_CLOSE_ON_FREE);
	if (w->bev == NULL) {
		(void)close(fds[0]);
		return -ENOMEM;
	}
	bufferevent_setcb(w->bev, on_read, NULL, on_event, w);
	return bufferevent_enable(w->bev, EV_READ | EV_WRITE) < 0 ? -ENOMEM : 0;
}

static int worker_new(struct pool *p, struct pool_worker **ret)
{
	struct pool_worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	w->pool = p;
	w->id = ++p->last_id;
	w->fork_fd = w->fork_stderr = -1;
	w->output = CAPTURE_INIT;
	w->last_words = malloc(sizeof(*w->last_words));
	DL_APPEND(p->workers, w);
	p->n_workers++;
	int r = w->last_words == NULL ? -ENOMEM : open_worker(p, w);
	if (r < 0) {
		worker_free(p, w);
		return r;
	}
	nursery_fork(p, w);
	*ret = w;
	return 0;
}

static size_t idle(const struct pool *p)
{
	const struct pool_worker *w;
	size_t n = 0;

	DL_FOREACH(p->workers, w)
	{
		n += !w->busy && !w->leaving;
	}
	return n;
}

static void top_up(struct pool *p)
{
	struct pool_worker *w;

	if (p->job == NULL || p->failed || p->idle_deaths >= IDLE_DEATHS_MAX)
		return;
	/* Without memory or descriptors now, the next attempt tries again. */
	for (size_t ready = idle(p); (p->n_workers < p->warm || ready == 0) && worker_new(p, &w) == 0;
		ready++)
		;
}

/* ---- Results ---- */

static void retire(struct pool *p, struct pool_worker *w)
{
	w->leaving = true;
	nursery_kill(p, w);
}

/* The attempt of `w` is over. `result` is taken; its name is what we know it by, whatever the worker wrote.
 */
static void deliver(struct pool *p, struct pool_worker *w, Quern__TaskResult *result)
{
	result->stage = w->name.stage;
	result->partition = w->name.partition;
	result->attempt = w->name.attempt;
	if (result->state == QUERN__TASK_RESULT__STATE__FAILED && result->stderr_tail == NULL) {
		char *text = capture_text(&w->output);
		if (text != NULL && text[0] != '\0')
			result->stderr_tail = text;
		else
			free(text);
	}
	w->busy = false;
	p->ops->result(p->arg, result);
}

/* The result that the worker could not give: its memory was taken when there was some, for no attempt may end
 * without one. */
static void deliver_failure(struct pool *p, struct pool_worker *w, const char *error)
{
	Quern__TaskResult *result = w->last_words;

	w->last_words = NULL;
	quern__task_result__init(result);
	result->state = QUERN__TASK_RESULT__STATE__FAILED;
	result->error = strdup(error);
	deliver(p, w, result);
}

static void take_result(struct pool *p, struct pool_worker *w, const uint8_t *data, size_t len)
{
	Quern__TaskResult *result = w->busy ? quern__task_result__unpack(NULL, len, data) : NULL;

	if (result == NULL) { /* user code wrote into our socket */
		w->nonsense = true;
		retire(p, w);
		return;
	}
	bool healthy = result->state == QUERN__TASK_RESULT__STATE__DONE ||
		       result->state == QUERN__TASK_RESULT__STATE__FETCH_FAILED;
	p->idle_deaths = p->zygote_deaths = 0;
	if (!healthy)
		retire(p, w); /* who knows what the failure left behind in there */
	deliver(p, w, result);
	top_up(p);
}

static void read_results(struct pool *p, struct pool_worker *w)
{
	struct evbuffer *in = bufferevent_get_input(w->bev);
	uint8_t h[HEADER];

	while (!w->nonsense && evbuffer_copyout(in, h, HEADER) == HEADER) {
		size_t len = (size_t)h[0] | (size_t)h[1] << 8 | (size_t)h[2] << 16 | (size_t)h[3] << 24;

		if (len > RESULT_MAX) {
			w->nonsense = true;
			retire(p, w);
			return;
		}
		if (evbuffer_get_length(in) < HEADER + len)
			return;
		const uint8_t *frame = evbuffer_pullup(in, (ev_ssize_t)(HEADER + len));
		if (frame == NULL)
			return;
		take_result(p, w, frame + HEADER, len);
		(void)evbuffer_drain(in, HEADER + len);
	}
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct pool_worker *w = arg;

	(void)bev;
	read_results(w->pool, w);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct pool_worker *w = arg;

	(void)bev;
	(void)what;
	retire(w->pool, w);
}

static void died_words(const struct pool_worker *w, int status, bool never_was, char *ret, size_t size)
{
	char words[128];

	if (never_was) {
		(void)snprintf(ret, size, "no worker process could be started: %s", strerror(-status));
	} else if (w->nonsense) {
		(void)snprintf(ret, size, "the worker process answered with what is not a result");
	} else {
		status_words(status, words, sizeof(words));
		(void)snprintf(ret, size, "the worker process %s before the task was done", words);
	}
}

/* What it wrote before it died may still be in the socket. A bufferevent's input takes no bytes but its own
 * unless it is told to. */
static void read_rest(struct pool *p, struct pool_worker *w)
{
	struct evbuffer *in = bufferevent_get_input(w->bev);

	(void)evbuffer_unfreeze(in, 0);
	while (evbuffer_read(in, bufferevent_getfd(w->bev), -1) > 0)
		;
	(void)evbuffer_freeze(in, 0);
	read_results(p, w);
}

void pool_worker_ended(struct pool *p, uint32_t id, int status, bool never_was)
{
	struct pool_worker *w;
	char words[256];

	DL_SEARCH_SCALAR(p->workers, w, id, id);
	if (w == NULL)
		return;
	bool expected = w->leaving || w->busy;
	w->leaving = true; /* nothing that the owner does in `result` may give it work */
	if (w->busy)
		read_rest(p, w);
	if (w->busy) {
		died_words(w, status, never_was, words, sizeof(words));
		deliver_failure(p, w, words);
	} else if (!expected) {
		p->idle_deaths++;
	}
	worker_free(p, w);
	top_up(p);
}

void pool_all_ended(struct pool *p, const char *why)
{
	struct pool_worker *w, *next;

	DL_FOREACH(p->workers, w)
	{
		w->leaving |= w->fork_fd < 0;
	}
	DL_FOREACH_SAFE(p->workers, w, next)
	{
		if (w->fork_fd >= 0)
			continue; /* never was forked: the next zygote does it */
		if (w->busy)
			deliver_failure(p, w, why);
		worker_free(p, w);
	}
}

void pool_loaded(struct pool *p)
{
	struct pool_worker *w;

	DL_FOREACH(p->workers, w)
	{
		if (w->fork_fd >= 0 && !w->leaving)
			nursery_fork(p, w);
	}
	top_up(p);
}

void pool_unloadable(struct pool *p, const char *why)
{
	struct pool_worker *w, *next;

	p->failed = true;
	DL_FOREACH_SAFE(p->workers, w, next)
	{
		worker_free(p, w);
	}
	p->ops->unloadable(p->arg, why);
}

/* ---- Attempts ---- */

/* At once as far as the socket takes it, which spares the loop two rounds for each task. An error is found by
 * the bufferevent as well. */
static int send_frame(struct pool_worker *w, const uint8_t *frame, size_t len)
{
	struct evbuffer *out = bufferevent_get_output(w->bev);
	ssize_t n = 0;

	if (evbuffer_get_length(out) == 0)
		n = send(bufferevent_getfd(w->bev), frame, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	size_t sent = n > 0 ? (size_t)n : 0;
	return sent == len || evbuffer_add(out, frame + sent, len - sent) == 0 ? 0 : -ENOMEM;
}

static int send_message(struct pool_worker *w, const Quern__WorkerRequest *request)
{
	size_t len = quern__worker_request__get_packed_size(request);

	if (len > UINT32_MAX)
		return -EMSGSIZE;
	auto_free uint8_t *frame = malloc(HEADER + len);
	if (frame == NULL)
		return -ENOMEM;
	for (int i = 0; i < HEADER; i++)
		frame[i] = (uint8_t)(len >> (8 * i));
	(void)quern__worker_request__pack(request, frame + HEADER);
	int r = send_frame(w, frame, HEADER + len);
	if (request->has_hdfs)
		explicit_bzero(frame, HEADER + len);
	return r;
}

static bool has_stage(const struct pool_worker *w, const Quern__Stage *stage)
{
	return w->has_stage && w->stage == stage->id && w->revision == stage->revision;
}

static bool has_outputs(const struct pool_worker *w, const Quern__Outputs *const *outputs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (i >= w->n_outputs || w->outputs[i].shuffle != outputs[i]->shuffle ||
			w->outputs[i].version != outputs[i]->version)
			return false;
	return true;
}

static void wipe_hdfs(struct pool *p)
{
	if (p->hdfs.data != NULL)
		explicit_bzero(p->hdfs.data, p->hdfs.len);
	free(p->hdfs.data);
	p->hdfs = (ProtobufCBinaryData){ 0 };
}

/* Notes what workers are to have from now on. */
static int note_hdfs(struct pool *p, const ProtobufCBinaryData *hdfs)
{
	if (hdfs->len == 0 || (hdfs->len == p->hdfs.len && memcmp(hdfs->data, p->hdfs.data, hdfs->len) == 0))
		return 0;
	uint8_t *copy = malloc(hdfs->len);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, hdfs->data, hdfs->len);
	wipe_hdfs(p);
	p->hdfs = (ProtobufCBinaryData){ .data = copy, .len = hdfs->len };
	p->hdfs_version++;
	return 0;
}

static int send_request(struct pool_worker *w, const Quern__Task *task, const Quern__Stage *stage,
	bool with_hdfs, const Quern__Outputs *const *outputs, size_t n_outputs, const Quern__TaskCache *cache)
{
	Quern__WorkerRequest request = QUERN__WORKER_REQUEST__INIT;

	/* These messages are large and the worker may have them. They are only read here. */
	if (!has_stage(w, stage))
		request.stage = (Quern__Stage *)(uintptr_t)stage;
	if (!has_outputs(w, outputs, n_outputs)) {
		request.outputs = (Quern__Outputs **)(uintptr_t)outputs;
		request.n_outputs = n_outputs;
	}
	if (with_hdfs && w->hdfs_version != w->pool->hdfs_version) {
		request.has_hdfs = 1;
		request.hdfs = w->pool->hdfs;
		w->hdfs_version = w->pool->hdfs_version;
	}
	request.task = (Quern__Task *)(uintptr_t)task;
	request.cache = (Quern__TaskCache *)(uintptr_t)cache;
	return send_message(w, &request);
}

static void note_request(struct pool_worker *w, const Quern__Task *task, const Quern__Stage *stage,
	const Quern__Outputs *const *outputs, size_t n_outputs)
{
	w->busy = true;
	w->name = (struct exec_name){ task->stage, task->partition, task->attempt };
	w->has_stage = true;
	w->stage = stage->id;
	w->revision = stage->revision;
	if (n_outputs == 0)
		return; /* it keeps those that it has */
	w->n_outputs = n_outputs;
	for (size_t i = 0; i < n_outputs; i++)
		w->outputs[i] = (struct pool_outputs){ outputs[i]->shuffle, outputs[i]->version };
}

/* The idle worker that has been busy last: its memory is the warmest. */
static struct pool_worker *pick(struct pool *p, const Quern__Stage *stage)
{
	struct pool_worker *w, *best = NULL;

	DL_FOREACH(p->workers, w)
	{
		if (w->busy || w->leaving)
			continue;
		if (best == NULL || (w->has_stage && w->stage == stage->id && w->used >= best->used) ||
			w->used > best->used)
			best = w;
	}
	return best;
}

int pool_run(struct pool *p, const Quern__Task *task, const Quern__Stage *stage,
	const ProtobufCBinaryData *hdfs, const Quern__Outputs *const *outputs, size_t n_outputs,
	const Quern__TaskCache *cache)
{
	if (p->failed)
		return 0; /* `unloadable` has been said */
	struct pool_worker *w = pick(p, stage);
	int r = w == NULL ? worker_new(p, &w) : 0;
	if (r == 0)
		r = note_hdfs(p, hdfs);
	if (r < 0)
		return r;
	capture_forget(&w->output);
	r = send_request(w, task, stage, hdfs->len > 0, outputs, n_outputs, cache);
	if (r < 0)
		return r;
	note_request(w, task, stage, outputs, n_outputs);
	w->used = ++p->clock;
	top_up(p);
	return 0;
}

void pool_kill(struct pool *p, const struct exec_name *name)
{
	struct pool_worker *w;

	DL_FOREACH(p->workers, w)
	{
		if (w->busy && memcmp(&w->name, name, sizeof(*name)) == 0) {
			retire(p, w);
			return;
		}
	}
}

void pool_forget(struct pool *p, uint32_t broadcast)
{
	Quern__WorkerRequest request = QUERN__WORKER_REQUEST__INIT;
	struct pool_worker *w;

	request.has_forget = 1;
	request.forget = broadcast;
	DL_FOREACH(p->workers, w)
	{
		if (!w->leaving && send_message(w, &request) < 0)
			retire(p, w);
	}
}

/* The idle worker whose memory is the coldest. */
static struct pool_worker *coldest(struct pool *p)
{
	struct pool_worker *w, *worst = NULL;

	DL_FOREACH(p->workers, w)
	{
		if (!w->busy && !w->leaving && (worst == NULL || w->used < worst->used))
			worst = w;
	}
	return worst;
}

void pool_warm(struct pool *p, uint32_t n)
{
	struct pool_worker *w;
	size_t live = 0;

	p->warm = n + 1;
	DL_FOREACH(p->workers, w)
	{
		live += !w->leaving;
	}
	for (; live > p->warm && (w = coldest(p)) != NULL; live--)
		retire(p, w);
	top_up(p);
}

/* ---- The pool ---- */

int pool_new(struct event_base *loop, const char *program, uint64_t load_ms, const struct pool_ops *ops,
	void *arg, struct pool **ret, struct err *err)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	p->loop = loop;
	p->ops = ops;
	p->arg = arg;
	p->load_ms = load_ms > 0 ? load_ms : POOL_LOAD_MS;
	p->zygote.socket = -1;
	p->zygote.output = CAPTURE_INIT;
	p->warm = 1;
	p->program = strdup(program);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	int r = p->program == NULL ? err_set(err, -ENOMEM, "out of memory") : nursery_start(p, err);
	if (r < 0) {
		(void)pool_free(p);
		return r;
	}
	*ret = p;
	return 0;
}

int pool_load(struct pool *p, const struct pool_job *job)
{
	Quern__ZygoteRequest__Load load = QUERN__ZYGOTE_REQUEST__LOAD__INIT;
	Quern__ZygoteRequest request = QUERN__ZYGOTE_REQUEST__INIT;
	uint8_t bytes[PACKET_MAX];

	/* Nothing of it is written to. */
	load.path = (char *)(uintptr_t)job->path;
	load.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)job->build_id,
		.len = job->build_id_len };
	load.executor_id = (char *)(uintptr_t)job->executor_id;
	load.machine = (char *)(uintptr_t)job->machine;
	load.shuffle_dir = (char *)(uintptr_t)job->shuffle_dir;
	load.scratch_dir = (char *)(uintptr_t)job->scratch_dir;
	load.broadcast_dir = (char *)(uintptr_t)job->broadcast_dir;
	load.files_dir = (char *)(uintptr_t)job->files_dir;
	load.secret = (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)job->secret, .len = LINK_SECRET };
	request.load = &load;
	if (quern__zygote_request__get_packed_size(&request) > sizeof(bytes))
		return -EMSGSIZE;
	size_t len = quern__zygote_request__pack(&request, bytes);
	p->load = quern__zygote_request__unpack(NULL, len, bytes);
	if (p->load == NULL)
		return -ENOMEM;
	p->job = p->load->load;
	if (p->failed)
		return 0; /* there is no zygote any more, and the owner was told */
	nursery_load(p);
	top_up(p);
	return 0;
}

size_t pool_workers(const struct pool *p)
{
	return p->n_workers;
}

int pool_zygote(const struct pool *p)
{
	return p->zygote.pid;
}

struct pool *pool_free(struct pool *p)
{
	if (p == NULL)
		return NULL;
	nursery_end(p);
	if (p->later != NULL)
		event_free(p->later);
	strays_end(STRAYS_MS);
	while (p->workers != NULL)
		worker_free(p, p->workers);
	if (p->load != NULL)
		quern__zygote_request__free_unpacked(p->load, NULL);
	wipe_hdfs(p);
	free(p->program);
	free(p);
	return NULL;
}
