/* fs_usage.c: `quern fs du`, `count`: how much there is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cli/fs_place.h"
#include "cli/fs_text.h"

/* ---- du ---- */

static const struct argp_option du_options[] = {
	{ .key = 's', .doc = "one line for each argument, not for what is in it" },
	{ .key = 'h', .doc = "sizes as 1.2 K, 3 M" },
	{ 0 },
};

/* All rows are there before the first is printed, as columns are as wide as they have to be. */
struct row {
	char size[FS_SIZE_TEXT], space[FS_SIZE_TEXT], *name;
};

struct table {
	VEC(struct row) rows;
};

static int add_row(struct fs *f, struct table *t, const struct fs_item *item, const struct hdfs_status *s,
	struct err *err)
{
	struct hdfs_summary sum = { .length = s->length, .space_consumed = s->length * s->replication };
	struct row row;

	/* Of a file it is known, unless it is erasure coded. */
	int r = s->kind == HDFS_FILE && s->replication > 0 ? 0 : hdfs_summary(item->fs, s->path, &sum, err);
	if (r < 0)
		return r;
	fs_size_text(sum.length, f->given['h'], row.size);
	fs_size_text(sum.space_consumed, f->given['h'], row.space);
	if (asprintf(&row.name, "%s%s", item->base, s->path) < 0)
		return fs_no_memory(err);
	if (vec_push(&t->rows, row) < 0) {
		free(row.name);
		return fs_no_memory(err);
	}
	return 0;
}

static int du_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	auto_listing struct hdfs_listing l = { 0 };

	if (f->given['s'] || item->status.kind != HDFS_FOLDER)
		return add_row(f, arg, item, &item->status, err);
	int r = hdfs_list(item->fs, item->status.path, &l, err);
	for (size_t i = 0; i < l.n && r == 0; i++) {
		struct err own = { "" };

		if (add_row(f, arg, item, &l.at[i], &own) < 0)
			fs_fail(f, &own);
	}
	return r;
}

static void run_du(struct fs *f)
{
	struct table t = { 0 };
	int size = 0, space = 0;

	fs_each(f, 0, f->n, du_item, &t);
	for (size_t i = 0; i < t.rows.n; i++) {
		size = fs_wider(size, t.rows.at[i].size);
		space = fs_wider(space, t.rows.at[i].space);
	}
	for (size_t i = 0; i < t.rows.n; i++) {
		(void)printf("%-*s  %-*s  ", size, t.rows.at[i].size, space, t.rows.at[i].space);
		fs_write_name(stdout, t.rows.at[i].name);
		(void)putchar('\n');
		free(t.rows.at[i].name);
	}
	vec_deinit(&t.rows);
}

const struct fs_command fs_du = { "du", "URL...", "print sizes, and the space consumed with all replicas",
	du_options, 1, run_du };

/* ---- count ---- */

static const struct argp_option count_options[] = {
	{ .key = 'q', .doc = "with the quotas, and what is left of them" },
	{ .key = 'h', .doc = "numbers as 1.2 K, 3 M" },
	{ 0 },
};

/* A quota, and what is left of it: less than nothing if it was set when there was more. `width`: of the
 * first. */
static void print_quota(const struct fs *f, int width, int64_t quota, uint64_t used)
{
	char text[FS_SIZE_TEXT] = "none", left[FS_SIZE_TEXT + 1] = "inf";

	if (quota >= 0) {
		bool over = used > (uint64_t)quota;

		fs_size_text((uint64_t)quota, f->given['h'], text);
		fs_size_text(
			over ? used - (uint64_t)quota : (uint64_t)quota - used, f->given['h'], left + over);
		if (over)
			left[0] = '-';
	}
	(void)printf("%*s %15s ", width, text, left);
}

static int count_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	char folders[FS_SIZE_TEXT], files[FS_SIZE_TEXT], length[FS_SIZE_TEXT];
	struct hdfs_summary sum;

	(void)arg;
	int r = hdfs_summary(item->fs, item->status.path, &sum, err);
	if (r < 0)
		return r;
	if (f->given['q']) {
		print_quota(f, 12, sum.quota, sum.folders + sum.files);
		print_quota(f, 15, sum.space_quota, sum.space_consumed);
	}
	fs_size_text(sum.folders, f->given['h'], folders);
	fs_size_text(sum.files, f->given['h'], files);
	fs_size_text(sum.length, f->given['h'], length);
	(void)printf("%12s %12s %18s ", folders, files, length);
	fs_write_name(stdout, item->base);
	fs_write_name(stdout, item->status.path);
	(void)putchar('\n');
	return 0;
}

static void run_count(struct fs *f)
{
	fs_each(f, 0, f->n, count_item, NULL);
}

const struct fs_command fs_count = { "count", "URL...", "print numbers of folders and files, and their bytes",
	count_options, 1, run_count };
