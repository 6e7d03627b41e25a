/* fs_read.c: `quern fs cat`, `head`, `tail`: bytes of files on standard output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/fs_copy.h"
#include "cli/fs_place.h"

enum {
	SHOWN = 1024, /* bytes, when nobody says how many */
	LOOK_BACK = 1 << 18,
	POLL_S = 1,
};

static int is_file(const struct fs_item *item, struct err *err)
{
	if (item->status.kind != HDFS_FOLDER)
		return 0;
	return err_set(err, -EISDIR, "'%s%s' is a folder", item->base, item->status.path);
}

/* Bytes `from` to `to` on standard output. */
static int show(
	struct fs *f, const struct fs_item *item, uint64_t from, uint64_t to, uint64_t *ret, struct err *err)
{
	return fs_copy_out(
		f, item->fs, item->status.path, from, to, STDOUT_FILENO, "standard output", ret, err);
}

/* ---- cat ---- */

static int cat_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	(void)arg;
	int r = is_file(item, err);
	return r < 0 ? r : show(f, item, 0, UINT64_MAX, NULL, err);
}

static void run_cat(struct fs *f)
{
	fs_each(f, 0, f->n, cat_item, NULL);
}

const struct fs_command fs_cat = { "cat", "URL...", "write files to standard output", NULL, 1, run_cat };

/* ---- Lines ---- */

/* How much of a file is to be shown. */
struct amount {
	bool lines;
	uint64_t n;
};

static struct amount amount(const struct fs *f)
{
	const uint64_t bytes = fs_number(f, 'c', SHOWN);

	return (struct amount){ .lines = f->given['n'], .n = fs_number(f, 'n', bytes) };
}

/* Where line `n` (from 0) begins, or the end of the file. */
static int find_line(const struct fs_item *item, uint64_t size, uint64_t n, uint64_t *ret, struct err *err)
{
	auto_hdfs_file struct hdfs_file *file = NULL;
	auto_free char *piece = malloc(LOOK_BACK);
	uint64_t at = 0;

	if (piece == NULL)
		return fs_no_memory(err);
	int r = hdfs_open(item->fs, item->status.path, 0, LOOK_BACK, &file, NULL, err);
	while (r == 0 && n > 0 && at < size) {
		ssize_t got = hdfs_read(file, piece, LOOK_BACK, at, err);

		if (got <= 0) {
			r = (int)got;
			break;
		}
		for (ssize_t i = 0; i < got && n > 0; i++, at++)
			n -= piece[i] == '\n';
	}
	*ret = at;
	return r;
}

/* Where the last `n` lines begin. What has no newline at its end is a line, too. */
static int find_last_lines(
	const struct fs_item *item, uint64_t size, uint64_t n, uint64_t *ret, struct err *err)
{
	auto_hdfs_file struct hdfs_file *file = NULL;
	auto_free char *piece = malloc(LOOK_BACK);
	uint64_t at = size, seen = 0;

	if (piece == NULL)
		return fs_no_memory(err);
	int r = n > 0 ? hdfs_open(item->fs, item->status.path, size > LOOK_BACK ? size - LOOK_BACK : 0, size,
				&file, NULL, err)
		      : 0;
	while (r == 0 && n > 0 && at > 0) {
		size_t want = at < LOOK_BACK ? (size_t)at : LOOK_BACK, have = 0;

		while (r == 0 && have < want) {
			ssize_t got = hdfs_read(file, piece + have, want - have, at - want + have, err);

			if (got == 0)
				r = err_set(err, -ESTALE, "'%s%s' is shorter than it was", item->base,
					item->status.path);
			else if (got < 0)
				r = (int)got;
			else
				have += (size_t)got;
		}
		for (; r == 0 && want > 0; want--, at--) {
			/* The newline at the end of the file ends the last line, it begins none. */
			if (piece[want - 1] != '\n' || at == size)
				continue;
			if (++seen == n) {
				*ret = at;
				return 0;
			}
		}
	}
	*ret = at;
	return r;
}

/* ---- head ---- */

static const struct argp_option head_options[] = {
	{ .key = 'c', .arg = "N", .doc = "so many bytes (1024)" },
	{ .key = 'n', .arg = "N", .doc = "so many lines, not bytes" },
	{ 0 },
};

static int head_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	const struct amount *a = arg;
	uint64_t to = a->n;

	int r = is_file(item, err);
	if (r == 0 && a->lines)
		r = find_line(item, item->status.length, a->n, &to, err);
	return r < 0 ? r : show(f, item, 0, to, NULL, err);
}

static void run_head(struct fs *f)
{
	struct amount a = amount(f);

	fs_each(f, 0, f->n, head_item, &a);
}

const struct fs_command fs_head = { "head", "URL...", "write the beginning of files to standard output",
	head_options, 1, run_head };

/* ---- tail ---- */

static const struct argp_option tail_options[] = {
	{ .key = 'c', .arg = "N", .doc = "so many bytes (1024)" },
	{ .key = 'n', .arg = "N", .doc = "so many lines, not bytes" },
	{ .key = 'f', .doc = "then what is appended, until it is interrupted" },
	{ 0 },
};

/* Asks each second whether there is more, as Hadoop's client does. */
static int follow(struct fs *f, const struct fs_item *item, uint64_t at, struct err *err)
{
	for (;;) {
		struct hdfs_status s = { 0 };
		uint64_t more = 0;

		(void)sleep(POLL_S);
		int r = hdfs_stat(item->fs, item->status.path, &s, err);
		if (r < 0)
			return r;
		uint64_t size = s.length;
		hdfs_status_deinit(&s);
		if (size < at)
			return err_set(
				err, -ESTALE, "'%s%s' is shorter than it was", item->base, item->status.path);
		if (size > at)
			r = show(f, item, at, UINT64_MAX, &more, err);
		if (r < 0)
			return r;
		at += more;
	}
}

static int tail_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	const struct amount *a = arg;
	uint64_t size = item->status.length, from = size > a->n ? size - a->n : 0, shown = 0;

	int r = is_file(item, err);
	if (r == 0 && a->lines)
		r = find_last_lines(item, size, a->n, &from, err);
	if (r == 0)
		r = show(f, item, from, UINT64_MAX, &shown, err);
	if (r == 0 && f->given['f'])
		r = follow(f, item, from + shown, err);
	return r;
}

static void run_tail(struct fs *f)
{
	struct amount a = amount(f);

	if (f->given['f'] && f->n > 1) {
		(void)fprintf(stderr, "%s: -f follows one file\n", f->name);
		f->status = 2;
		return;
	}
	fs_each(f, 0, f->n, tail_item, &a);
}

const struct fs_command fs_tail = { "tail", "URL...", "write the end of files to standard output",
	tail_options, 1, run_tail };
