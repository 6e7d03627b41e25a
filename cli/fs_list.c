/* fs_list.c: `quern fs ls`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fs_place.h"
#include "cli/fs_text.h"

static const struct argp_option ls_options[] = {
	{ .key = 'R', .doc = "folders with all that is in them" },
	{ .key = 'd', .doc = "folders themselves, not what is in them" },
	{ .key = 'h', .doc = "sizes as 1.2 K, 3 M" },
	{ .key = 'C', .doc = "paths alone" },
	{ .key = 't', .doc = "the newest first" },
	{ .key = 'S', .doc = "the largest first" },
	{ .key = 'u', .doc = "times of the last access, to show and to sort" },
	{ .key = 'r', .doc = "in the opposite order" },
	{ 0 },
};

/* Widths of columns; they only grow. */
struct columns {
	int replication, owner, group, size;
};

static uint64_t time_of(const struct fs *f, const struct hdfs_status *s)
{
	return f->given['u'] ? s->accessed_ms : s->modified_ms;
}

static void widen(const struct fs *f, struct columns *c, const struct hdfs_status *s)
{
	char text[FS_SIZE_TEXT];

	(void)snprintf(text, sizeof(text), "%u", s->replication);
	c->replication = fs_wider(c->replication, text);
	c->owner = fs_wider(c->owner, s->owner);
	c->group = fs_wider(c->group, s->group);
	fs_size_text(s->length, f->given['h'], text);
	c->size = fs_wider(c->size, text);
}

static void print_one(
	const struct fs *f, const struct columns *c, const char *base, const struct hdfs_status *s)
{
	char mode[FS_MODE_TEXT], replication[16] = "-", size[FS_SIZE_TEXT], time[FS_TIME_TEXT];

	if (!f->given['C']) {
		if (s->kind == HDFS_FILE)
			(void)snprintf(replication, sizeof(replication), "%u", s->replication);
		fs_mode_text(s, mode);
		fs_size_text(s->length, f->given['h'], size);
		fs_time_text(time_of(f, s), false, time);
		(void)printf("%s %*s ", mode, c->replication, replication);
		fs_write_name(stdout, s->owner);
		(void)printf("%*s ", c->owner - (int)strlen(s->owner), "");
		fs_write_name(stdout, s->group);
		(void)printf("%*s %*s %s ", c->group - (int)strlen(s->group), "", c->size, size, time);
	}
	fs_write_name(stdout, base);
	fs_write_name(stdout, s->path);
	(void)putchar('\n');
}

/* ---- Order ---- */

static int compare(const void *a, const void *b, void *arg)
{
	const struct hdfs_status *x = a, *y = b;
	const struct fs *f = arg;
	int r = 0;

	if (f->given['t'] && time_of(f, x) != time_of(f, y))
		r = time_of(f, x) > time_of(f, y) ? -1 : 1;
	else if (f->given['S'] && !f->given['t'] && x->length != y->length)
		r = x->length > y->length ? -1 : 1;
	else if (f->given['t'] || f->given['S'])
		return strcmp(x->path, y->path); /* in this order whatever -r says */
	else
		r = strcmp(x->path, y->path);
	return f->given['r'] ? -r : r;
}

/* ---- Folders ---- */

static int list_folder(
	struct fs *f, struct columns *c, struct hdfs *fs, const char *base, const char *path, struct err *err)
{
	auto_listing struct hdfs_listing l = { 0 };

	int r = hdfs_list(fs, path, &l, err);
	if (r < 0)
		return r;
	if (l.n > 1)
		qsort_r(l.at, l.n, sizeof(*l.at), compare, f);
	if (!f->given['R'] && !f->given['C'] && l.n > 0)
		(void)printf("Found %zu items\n", l.n);
	for (size_t i = 0; i < l.n; i++)
		widen(f, c, &l.at[i]);
	for (size_t i = 0; i < l.n; i++) {
		struct err own = { "" };

		print_one(f, c, base, &l.at[i]);
		if (f->given['R'] && l.at[i].kind == HDFS_FOLDER &&
			list_folder(f, c, fs, base, l.at[i].path, &own) < 0)
			fs_fail(f, &own);
	}
	fs_flush(f);
	return 0;
}

static int list_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	struct columns *c = arg;

	if (item->status.kind == HDFS_FOLDER && !f->given['d'])
		return list_folder(f, c, item->fs, item->base, item->status.path, err);
	widen(f, c, &item->status);
	print_one(f, c, item->base, &item->status);
	return 0;
}

static void run_ls(struct fs *f)
{
	/* As wide as Hadoop's client begins. */
	struct columns c = { .replication = 3, .size = 10 };
	char *home[] = { (char[]){ "." } };

	if (f->n == 0) {
		f->args = home;
		f->n = 1;
	}
	fs_each(f, 0, f->n, list_item, &c);
}

const struct fs_command fs_ls = { "ls", "[URL...]", "list folders and files; without a URL, one's own folder",
	ls_options, 0, run_ls };
