#include "scheduler/event_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "base/write.h"

enum {
	FLUSH_MS = 1000,
	FLUSH_BYTES = 256 << 10, /* are written sooner */
	LINES_MAX = 16 << 20,    /* that may wait: more than any step has */
	LEVEL = 3,               /* of zstd */
};

struct event_log {
	char *path;
	int fd; /* -1: it has failed */
	uint64_t start_ms;
	struct buf lines;    /* not written yet */
	ZSTD_CCtx *zstd;     /* NULL: plain text */
	struct buf frame;    /* of zstd */
	struct event *flush; /* while there are lines */
	bool due;            /* it is pending */
	void (*failed)(void *arg, const char *text);
	void *arg;
};

/* ---- The file ---- */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && strcmp(text + len - n, end) == 0;
}

static int open_new(const char *path, struct err *err)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), r = -errno;

	if (fd < 0 && r == -EEXIST && stat(path, &st) == 0) {
		if (!S_ISCHR(st.st_mode))
			return err_set(err, r, "event log '%s' exists: remove it, or name another one", path);
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		r = -errno;
	}
	return fd < 0 ? err_errno(err, r, "event log '%s'", path) : fd;
}

static void fail(struct event_log *log, int r)
{
	struct err err;

	(void)err_errno(&err, r, "warning: the event log '%s' ends here", log->path);
	(void)close(log->fd);
	log->fd = -1;
	log->failed(log->arg, err.text);
}

static int compress(struct event_log *log)
{
	buf_clear(&log->frame);
	int r = buf_reserve(&log->frame, ZSTD_compressBound(log->lines.len));
	if (r < 0)
		return r;
	size_t n = ZSTD_compress2(log->zstd, log->frame.data, ZSTD_compressBound(log->lines.len),
		log->lines.data, log->lines.len);
	if (ZSTD_isError(n))
		return -ENOMEM;
	log->frame.len = n;
	return 0;
}

/* Everything so far. */
static void flush(struct event_log *log)
{
	const struct buf *out = log->zstd != NULL ? &log->frame : &log->lines;

	if (log->fd < 0 || log->lines.len == 0)
		return;
	int r = log->zstd != NULL ? compress(log) : 0;
	if (r == 0)
		r = write_all(log->fd, out->data, out->len);
	buf_clear(&log->lines);
	if (r < 0)
		fail(log, r);
}

static void on_flush(evutil_socket_t fd, short what, void *arg)
{
	struct event_log *log = arg;

	(void)fd;
	(void)what;
	log->due = false;
	flush(log);
}

/* A line was added, or could not be. */
static void added(struct event_log *log, int r)
{
	const struct timeval tv = { .tv_sec = FLUSH_MS / 1000, .tv_usec = FLUSH_MS % 1000 * 1000 };

	if (r < 0)
		fail(log, r);
	else if (log->lines.len >= FLUSH_BYTES)
		flush(log);
	else if (!log->due)
		log->due = event_add(log->flush, &tv) == 0;
}

/* ---- From its first line to its last ---- */

static struct event_log *release(struct event_log *log)
{
	if (log == NULL)
		return NULL;
	if (log->fd >= 0)
		(void)close(log->fd);
	if (log->flush != NULL)
		event_free(log->flush);
	(void)ZSTD_freeCCtx(log->zstd);
	buf_deinit(&log->lines);
	buf_deinit(&log->frame);
	free(log->path);
	free(log);
	return NULL;
}

static int make(struct event_base *loop, const char *path, struct event_log **ret)
{
	struct event_log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return -ENOMEM;
	log->fd = -1;
	log->lines = BUF_INIT(LINES_MAX);
	log->frame = BUF_INIT(2 * LINES_MAX);
	log->path = strdup(path);
	log->flush = event_new(loop, -1, 0, on_flush, log);
	bool whole = log->path != NULL && log->flush != NULL;
	if (whole && ends_with(path, ".zst")) {
		log->zstd = ZSTD_createCCtx();
		whole = log->zstd != NULL &&
			!ZSTD_isError(ZSTD_CCtx_setParameter(log->zstd, ZSTD_c_compressionLevel, LEVEL)) &&
			!ZSTD_isError(ZSTD_CCtx_setParameter(log->zstd, ZSTD_c_checksumFlag, 1));
	}
	*ret = whole ? log : release(log);
	return whole ? 0 : -ENOMEM;
}

int event_log_new(struct event_base *loop, const char *path, uint64_t now_ms, const struct event_job *job,
	void (*failed)(void *arg, const char *text), void *arg, struct event_log **ret, struct err *err)
{
	struct event_log *log;

	int r = make(loop, path, &log);
	if (r < 0)
		return err_set(err, r, "out of memory");
	log->failed = failed;
	log->arg = arg;
	log->start_ms = now_ms;
	log->fd = open_new(path, err);
	if (log->fd < 0) {
		r = log->fd;
		(void)release(log);
		return r;
	}
	added(log, event_line_job(&log->lines, job));
	*ret = log;
	return 0;
}

void event_log_add(void *arg, const struct sched_logged *what)
{
	struct event_log *log = arg;

	if (log->fd >= 0)
		added(log, event_line(&log->lines, what->now_ms - log->start_ms, what));
}

void event_log_done(struct event_log *log, uint64_t now_ms, const char *status,
	const struct sched_ledger *ledger, const struct sched_progress *progress)
{
	if (log->fd >= 0)
		added(log, event_line_done(&log->lines, now_ms - log->start_ms, status, ledger, progress));
}

struct event_log *event_log_free(struct event_log *log)
{
	if (log != NULL)
		flush(log);
	return release(log);
}
