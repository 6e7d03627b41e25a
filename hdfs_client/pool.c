#include "hdfs_client/pool.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

/* A file that is read holds so much, unless somebody says otherwise. */
enum { MEMORY = 64 << 20 };

struct hdfs_pool {
	struct hdfs_access access;
	size_t memory;
	void (*waiting)(void *arg, const char *text);
	void *waiting_arg;
	VEC(struct hdfs *) all;
	_Atomic(struct hdfs_thread *) thread; /* who interrupts may be another thread than who calls */
	atomic_bool interrupted;
	struct hdfs_job interrupt;
	struct hdfs *ready; /* of the loop: those with a `fs` */
	char *warning;      /* the last one */
};

int hdfs_pool_new(const struct hdfs_access *access, struct hdfs_pool **ret, struct err *err)
{
	auto_hdfs_pool struct hdfs_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	pool->memory = MEMORY;
	int k = hdfs_access_copy(access, &pool->access, err);
	if (k < 0)
		return k;
	*ret = pool;
	pool = NULL;
	return 0;
}

static void fs_free(struct hdfs *fs)
{
	(void)hdfs_fs_free(fs->fs);
	hdfs_avoid_deinit(&fs->avoid);
	hdfs_url_deinit(&fs->url);
	free(fs->base);
	free(fs);
}

struct hdfs_pool *hdfs_pool_free(struct hdfs_pool *pool)
{
	if (pool == NULL)
		return NULL;
	hdfs_thread_stop(pool->thread); /* from here on the loop's things are ours */
	for (size_t i = 0; i < pool->all.n; i++)
		fs_free(pool->all.at[i]);
	vec_deinit(&pool->all);
	(void)hdfs_thread_free(pool->thread);
	hdfs_access_deinit(&pool->access);
	free(pool->warning);
	free(pool);
	return NULL;
}

void hdfs_pool_set_memory(struct hdfs_pool *pool, size_t bytes)
{
	pool->memory = bytes;
}

void hdfs_pool_on_waiting(struct hdfs_pool *pool, void (*waiting)(void *arg, const char *text), void *arg)
{
	pool->waiting = waiting;
	pool->waiting_arg = arg;
}

static int add(struct hdfs_pool *pool, struct hdfs_url *u, struct hdfs **ret)
{
	struct hdfs *fs = calloc(1, sizeof(*fs));

	if (fs == NULL)
		return -ENOMEM;
	fs->pool = pool;
	if (asprintf(&fs->base, "%s%s", u->scheme, u->authority) < 0) {
		fs->base = NULL;
		fs_free(fs);
		return -ENOMEM;
	}
	if (vec_push(&pool->all, fs) < 0) {
		fs_free(fs);
		return -ENOMEM;
	}
	fs->url = *u;
	*u = (struct hdfs_url){ 0 };
	*ret = fs;
	return 0;
}

/* hdfs://nn:8020 and webhdfs://nn:9870 are two, for all we know; so are hdfs://nn:8020, whose port is that of
 * RPC, and webhdfs://nn:8020. */
static bool is_of(const struct hdfs *fs, const struct hdfs_url *u)
{
	bool same =
		fs->url.tls == u->tls && fs->url.n == u->n && strcmp(fs->url.authority, u->authority) == 0;

	for (unsigned i = 0; same && i < u->n; i++)
		same = fs->url.namenodes[i].port == u->namenodes[i].port;
	return same;
}

static int find_or_add(struct hdfs_pool *pool, struct hdfs_url *u, struct hdfs **ret)
{
	for (size_t i = 0; i < pool->all.n; i++) {
		struct hdfs *fs = pool->all.at[i];

		if (is_of(fs, u)) {
			*ret = fs;
			return 0;
		}
	}
	return add(pool, u, ret);
}

int hdfs_pool_get(
	struct hdfs_pool *pool, const char *url, struct hdfs **ret, char **ret_path, struct err *err)
{
	struct hdfs_url u;
	auto_free char *path = NULL;
	struct hdfs *fs = NULL;

	int k = hdfs_url_parse(url, &u, err);
	if (k == 0 && ret_path != NULL) {
		path = strdup(u.path);
		k = path == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
	}
	if (k == 0 && find_or_add(pool, &u, &fs) < 0)
		k = err_set(err, -ENOMEM, "out of memory");
	hdfs_url_deinit(&u);
	if (k < 0)
		return k;
	*ret = fs;
	if (ret_path != NULL) {
		*ret_path = path;
		path = NULL;
	}
	return 0;
}

const struct hdfs_access *hdfs_access_of(const struct hdfs *fs)
{
	return &fs->pool->access;
}

size_t hdfs_memory_of(const struct hdfs *fs)
{
	return fs->pool->memory;
}

/* ---- The thread ---- */

int hdfs_begin(struct hdfs *fs, struct err *err)
{
	if (fs->pool->thread == NULL) {
		struct hdfs_thread *thread;
		int k = hdfs_thread_new(&thread, err);
		if (k < 0)
			return k;
		fs->pool->thread = thread;
	}
	if (fs->thread == NULL) /* the loop reads it from then on */
		fs->thread = fs->pool->thread;
	return 0;
}

int hdfs_ready(struct hdfs *fs, struct err *err)
{
	struct hdfs_pool *pool = fs->pool;

	if (pool->interrupted)
		return err_set(err, -ECANCELED, "%s: nobody waits for it any longer", fs->base);
	if (fs->fs != NULL)
		return 0;
	int k = hdfs_fs_new(hdfs_thread_loop(fs->thread), &fs->url, &pool->access, &fs->fs, err);
	if (k < 0)
		return k;
	hdfs_fs_on_waiting(fs->fs, pool->waiting, pool->waiting_arg);
	fs->next = pool->ready;
	pool->ready = fs;
	return 0;
}

static void close_all(void *arg)
{
	struct hdfs_pool *pool = arg;

	for (struct hdfs *fs = pool->ready; fs != NULL; fs = fs->next)
		hdfs_fs_close(fs->fs);
}

/* What is begun after `interrupted` was set ends at once; before that, the thread was there. */
void hdfs_pool_interrupt(struct hdfs_pool *pool)
{
	if (atomic_exchange(&pool->interrupted, true))
		return;
	struct hdfs_thread *thread = pool->thread;
	pool->interrupt = (struct hdfs_job){ .run = close_all, .arg = pool };
	if (thread != NULL)
		hdfs_thread_post(thread, &pool->interrupt);
}

/* On the stack of who waits. */
struct waiting {
	struct hdfs *fs;
	const struct hdfs_ask *ask;
	struct hdfs_answer *ret;
	struct err *err;
	int result;
	bool over;
};

static void on_answer(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct waiting *w = arg;

	w->result = k;
	if (k < 0 && w->err != NULL)
		*w->err = *err;
	if (k == 0) {
		*w->ret = *answer;
		*answer = (struct hdfs_answer){ .op = answer->op };
	}
	hdfs_thread_finish(w->fs->thread, &w->over);
}

static void ask_for(void *arg)
{
	struct waiting *w = arg;
	int k = hdfs_ready(w->fs, w->err);

	if (k == 0)
		k = hdfs_fs_ask(w->fs->fs, w->ask, on_answer, w, NULL, w->err);
	if (k == 0)
		return;
	w->result = k;
	hdfs_thread_finish(w->fs->thread, &w->over);
}

int hdfs_wait_for(struct hdfs *fs, const struct hdfs_ask *ask, struct hdfs_answer *ret, struct err *err)
{
	struct waiting w = { .fs = fs, .ask = ask, .ret = ret, .err = err };
	struct hdfs_job job = { .run = ask_for, .arg = &w };

	int k = hdfs_begin(fs, err);
	if (k < 0)
		return k;
	hdfs_thread_call(fs->thread, &job, &w.over);
	return w.result;
}

/* ---- Warnings ---- */

struct warning {
	struct hdfs_pool *pool;
	char *text;
	bool over;
};

static void take_warning(void *arg)
{
	struct warning *w = arg;

	for (size_t i = 0; i < w->pool->all.n && w->text == NULL; i++) {
		struct hdfs *fs = w->pool->all.at[i];
		const char *text = fs->fs != NULL ? hdfs_fs_warning(fs->fs) : NULL;

		if (text != NULL)
			w->text = strdup(text);
	}
	hdfs_thread_finish(w->pool->thread, &w->over);
}

const char *hdfs_pool_warning(struct hdfs_pool *pool)
{
	struct warning w = { .pool = pool };
	struct hdfs_job job = { .run = take_warning, .arg = &w };

	if (pool->thread == NULL)
		return NULL;
	hdfs_thread_call(pool->thread, &job, &w.over);
	free(pool->warning);
	pool->warning = w.text;
	return w.text;
}
