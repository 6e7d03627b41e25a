#include "cli/fs_copy.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/write.h"
#include "cli/fs_text.h"

enum {
	PIECE = 1 << 20,
	SHOW_AFTER_MS = 1000, /* what is over sooner needs no line */
	NAME_SHOWN = 40,
};

/* ---- Signals ---- */

static volatile sig_atomic_t held, noted;

static void on_signal(int signal)
{
	if (!held || noted != 0)
		_exit(128 + signal);
	noted = signal;
}

void fs_catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal }; /* no SA_RESTART: read() is to return */

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

void fs_hold(bool on)
{
	held = on;
}

int fs_interrupted(void)
{
	return noted;
}

void fs_end_by_pipe(int r)
{
	if (r != -EPIPE)
		return;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)raise(SIGPIPE);
}

/* ---- How far it is ---- */

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int fs_copy_begin(struct fs *f, const char *name, uint64_t all, struct err *err)
{
	struct fs_progress *p = &f->progress;

	if (p->files == 0) {
		redraw_init(&p->line, stderr, false);
		p->began_ms = now_ms();
	}
	free(p->name);
	p->name = fs_escape(name);
	p->done = 0;
	p->all = all;
	p->files++;
	return p->name == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

void fs_copy_end(struct fs *f)
{
	redraw_clear(&f->progress.line);
	free(f->progress.name);
	f->progress.name = NULL;
}

static void show(struct fs_progress *p, size_t more)
{
	char line[256], text[FS_SIZE_TEXT], of[64] = "", others[64] = "", left[32] = "", rate[FS_SIZE_TEXT];

	p->done += more;
	p->total += more;
	if (!p->line.on)
		return;
	uint64_t now = now_ms(), passed = now - p->began_ms;
	if (passed < SHOW_AFTER_MS || !redraw_due(&p->line, now))
		return;
	if (p->all != UINT64_MAX && p->all > 0) {
		fs_size_text(p->all, true, text);
		(void)snprintf(
			of, sizeof(of), " of %s (%.0f %%)", text, (double)p->done * 100 / (double)p->all);
	}
	if (p->files > 1) {
		fs_size_text(p->total, true, text);
		(void)snprintf(others, sizeof(others), "; %" PRIu64 " files, %s", p->files, text);
	} else if (p->all != UINT64_MAX) {
		redraw_remaining(left, sizeof(left), p->done, p->all, passed);
	}
	fs_size_text((uint64_t)((double)p->total * 1000 / (double)passed), true, rate);
	fs_size_text(p->done, true, text);
	(void)snprintf(line, sizeof(line), "%.*s: %s%s%s, %s/s%s", NAME_SHOWN, p->name, text, of, others,
		rate, left);
	redraw_show(&p->line, line, now);
}

/* ---- Bytes ---- */

static int interrupted(struct err *err)
{
	return noted != 0 ? err_set(err, -ECANCELED, "interrupted") : 0;
}

static int write_out(int fd, const char *name, const void *data, size_t len, struct err *err)
{
	int r = write_all(fd, data, len);

	if (fd == STDOUT_FILENO)
		fs_end_by_pipe(r);
	return r < 0 ? err_errno(err, r, "%s", name) : 0;
}

int fs_copy_out(struct fs *f, struct hdfs *fs, const char *path, uint64_t from, uint64_t to, int fd,
	const char *fd_name, uint64_t *ret, struct err *err)
{
	auto_hdfs_file struct hdfs_file *file = NULL;
	auto_free char *piece = malloc(PIECE);
	uint64_t size = 0, at = from;

	if (piece == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	int r = hdfs_open(fs, path, from, to, &file, &size, err);
	if (r == 0 && to > size)
		to = size;
	while (r == 0 && at < to) {
		size_t want = to - at < PIECE ? (size_t)(to - at) : PIECE;
		ssize_t n = hdfs_read(file, piece, want, at, err);

		if (n == 0)
			r = err_set(
				err, -EIO, "%s ended after %" PRIu64 " of %" PRIu64 " bytes", path, at, size);
		else
			r = n < 0 ? (int)n : write_out(fd, fd_name, piece, (size_t)n, err);
		if (r == 0)
			r = interrupted(err);
		if (n > 0) {
			at += (uint64_t)n;
			show(&f->progress, (size_t)n);
		}
	}
	if (ret != NULL)
		*ret = at - from;
	return r;
}

int fs_copy_in(struct fs *f, int fd, const char *name, struct hdfs_writer *w, struct err *err)
{
	auto_free char *piece = malloc(PIECE);
	int r = 0;

	if (piece == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	while (r == 0) {
		ssize_t n = read(fd, piece, PIECE);

		if (n < 0 && errno != EINTR)
			return err_errno(err, -errno, "'%s'", name);
		if (n == 0)
			break;
		if (n > 0)
			r = hdfs_write(w, piece, (size_t)n, err);
		if (r == 0)
			r = interrupted(err);
		if (n > 0)
			show(&f->progress, (size_t)n);
	}
	return r;
}
