/* A file that is written by who waits. What it writes goes into a ring; the loop sends it from there
 * (write.h). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/pool.h"
#include "hdfs_client/write.h"

enum { RING = 4 << 20 }; /* bytes: what a DataNode takes while the caller is at something else */

struct hdfs_writer {
	struct hdfs *fs;
	char *path, *name;
	struct hdfs_create how;
	bool begun;                 /* `start` was posted */
	uint64_t before, before_ms; /* hdfs_upload_options */
	struct hdfs_job start, resume, cancel;
	struct hdfs_upload *upload; /* of the loop; NULL: not under way */
	uint8_t *ring;
	/* Under the mutex. */
	uint64_t put, taken;  /* bytes, from the start; at most RING between them */
	bool last;            /* nothing is put any more */
	bool starved;         /* the loop found nothing, and is to be told of more */
	bool over, cancelled; /* the upload; `cancel` has run */
	int result;           /* once it is over */
	struct err err;
};

/* ---- On the loop ---- */

static ssize_t pull(void *arg, void *to, size_t room)
{
	struct hdfs_writer *w = arg;
	struct hdfs_thread *t = w->fs->thread;

	hdfs_thread_lock(t);
	size_t n = (size_t)(w->put - w->taken), at = (size_t)(w->taken % RING);
	bool last = w->last;
	w->starved = n == 0 && !last;
	hdfs_thread_unlock(t);
	if (n == 0)
		return last ? 0 : -EAGAIN;
	n = n < room ? n : room;
	size_t first = n < RING - at ? n : RING - at;
	memcpy(to, w->ring + at, first);
	memcpy((uint8_t *)to + first, w->ring, n - first);
	hdfs_thread_lock(t);
	w->taken += n;
	hdfs_thread_wake(t);
	hdfs_thread_unlock(t);
	return (ssize_t)n;
}

static void on_done(void *arg, int result, const struct err *err)
{
	struct hdfs_writer *w = arg;

	w->upload = NULL;
	w->result = result;
	if (result < 0)
		w->err = *err;
	hdfs_thread_finish(w->fs->thread, &w->over);
}

static void start_upload(void *arg)
{
	struct hdfs_writer *w = arg;
	struct err err;
	int k = hdfs_ready(w->fs, &err);
	const struct hdfs_upload_options o = { .loop = hdfs_thread_loop(w->fs->thread),
		.path = w->path,
		.name = w->name,
		.how = &w->how,
		.before = w->before,
		.before_ms = w->before_ms,
		.patience_ms = hdfs_access_of(w->fs)->patience_ms,
		.avoid = &w->fs->avoid,
		.pull = pull,
		.done = on_done,
		.arg = w };

	if (k == 0)
		k = hdfs_upload_start(w->fs->fs, &o, &w->upload, &err);
	if (k < 0)
		on_done(w, k, &err);
}

static void resume_upload(void *arg)
{
	struct hdfs_writer *w = arg;

	if (w->upload != NULL)
		hdfs_upload_resume(w->upload);
}

static void cancel_upload(void *arg)
{
	struct hdfs_writer *w = arg;

	if (w->upload != NULL)
		hdfs_upload_cancel(w->upload);
	hdfs_thread_finish(w->fs->thread, &w->cancelled);
}

/* ---- The caller ---- */

/* Under the mutex: what the writer came to, if it is over. */
static int result_of(const struct hdfs_writer *w, struct err *err)
{
	if (w->result < 0 && err != NULL)
		*err = w->err;
	return w->result;
}

/* Waits for room. *ret bytes of it, > 0; 0: it is over. Under the mutex. */
static size_t wait_for_room(struct hdfs_writer *w)
{
	while (w->put - w->taken == RING && !w->over)
		hdfs_thread_wait(w->fs->thread);
	return w->over ? 0 : RING - (size_t)(w->put - w->taken);
}

/* There is more, or no more: the loop is told if it waits for that. It has its job back by then: it is
 * starved no sooner. */
static void tell(struct hdfs_writer *w, size_t n, bool last)
{
	hdfs_thread_lock(w->fs->thread);
	w->put += n;
	w->last = last;
	bool starved = w->starved;
	w->starved = false;
	hdfs_thread_unlock(w->fs->thread);
	if (starved)
		hdfs_thread_post(w->fs->thread, &w->resume);
}

int hdfs_write(struct hdfs_writer *w, const void *data, size_t len, struct err *err)
{
	const uint8_t *from = data;

	while (len > 0) {
		hdfs_thread_lock(w->fs->thread);
		size_t n = wait_for_room(w), at = (size_t)(w->put % RING);
		int k = n == 0 ? result_of(w, err) : 0;
		hdfs_thread_unlock(w->fs->thread);
		if (k < 0)
			return k;
		if (n == 0)
			return err_set(err, -EINVAL, "%s: it is finished", w->name);
		n = n < RING - at ? n : RING - at;
		n = n < len ? n : len;
		memcpy(w->ring + at, from, n);
		tell(w, n, false);
		from += n;
		len -= n;
	}
	return 0;
}

void hdfs_end(struct hdfs_writer *w)
{
	tell(w, 0, true);
}

int hdfs_finish(struct hdfs_writer *w, struct err *err)
{
	hdfs_end(w);
	hdfs_thread_lock(w->fs->thread);
	while (!w->over)
		hdfs_thread_wait(w->fs->thread);
	int k = result_of(w, err);
	hdfs_thread_unlock(w->fs->thread);
	return k;
}

/* The folder that `path` is in; the caller frees it. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL || slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* What can be told before the first byte is, while it can be tried again: bytes are sent once. HDFS makes no
 * difference between a folder that is made and one that is there, but for safe mode, rights and quotas. */
static int look_before(struct hdfs_writer *w, struct err *err)
{
	struct hdfs_status s;

	int k = hdfs_stat(w->fs, w->path, &s, err);
	if (k == 0) {
		bool folder = s.kind == HDFS_FOLDER;
		w->before = w->how.append ? s.length : 0;
		w->before_ms = s.modified_ms;
		hdfs_status_deinit(&s);
		if (folder)
			return err_set(err, -EISDIR, "%s: a folder is there", w->name);
		if (!w->how.overwrite && !w->how.append)
			return err_set(err, -EEXIST, "%s: it exists already", w->name);
	} else if (k != -ENOENT || w->how.append)
		return k;
	if (w->how.in_folder) /* the DataNode finds out */
		return 0;
	auto_free char *parent = parent_of(w->path);
	if (parent == NULL)
		return err_set(err, -ENOMEM, "%s: out of memory", w->name);
	return hdfs_mkdirs(w->fs, parent, HDFS_DEFAULT_PERMISSION, err);
}

static int writer_new(
	struct hdfs *fs, const char *path, const struct hdfs_create *how, struct hdfs_writer **ret)
{
	struct hdfs_writer *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -ENOMEM;
	w->fs = fs;
	w->how = *how;
	w->start = (struct hdfs_job){ .run = start_upload, .arg = w };
	w->resume = (struct hdfs_job){ .run = resume_upload, .arg = w };
	w->cancel = (struct hdfs_job){ .run = cancel_upload, .arg = w };
	w->path = strdup(path);
	w->ring = malloc(RING);
	if (asprintf(&w->name, "%s%s", fs->base, path) < 0)
		w->name = NULL;
	if (w->path == NULL || w->ring == NULL || w->name == NULL) {
		(void)hdfs_writer_free(w);
		return -ENOMEM;
	}
	*ret = w;
	return 0;
}

int hdfs_create(struct hdfs *fs, const char *path, const struct hdfs_create *how, struct hdfs_writer **ret,
	struct err *err)
{
	auto_hdfs_writer struct hdfs_writer *w = NULL;

	if (writer_new(fs, path, how, &w) < 0)
		return err_set(err, -ENOMEM, "%s%s: out of memory", fs->base, path);
	int k = look_before(w, err);
	if (k < 0)
		return k;
	w->begun = true;
	hdfs_thread_post(fs->thread, &w->start);
	*ret = w;
	w = NULL;
	return 0;
}

struct hdfs_writer *hdfs_writer_free(struct hdfs_writer *w)
{
	if (w == NULL)
		return NULL;
	if (w->begun) {
		hdfs_thread_call(w->fs->thread, &w->cancel, &w->cancelled);
		hdfs_thread_lock(w->fs->thread);
		while (!w->over)
			hdfs_thread_wait(w->fs->thread);
		hdfs_thread_unlock(w->fs->thread);
	}
	free(w->ring);
	free(w->path);
	free(w->name);
	free(w);
	return NULL;
}
