/* fs_about.c: `quern fs stat`, `test`, `locate`, `checksum`: what HDFS knows of files. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fs_place.h"
#include "cli/fs_text.h"

/* ---- stat ---- */

static const struct argp_option stat_options[] = {
	{ .key = 'c', .arg = "FORMAT", .doc = "what to print (%y)" },
	{ 0 },
};

static void stat_time(uint64_t ms, bool as_number)
{
	char text[FS_TIME_TEXT];

	if (as_number) {
		(void)printf("%" PRIu64, ms);
		return;
	}
	fs_time_text(ms, true, text);
	(void)fputs(text, stdout);
}

/* One of the letters of `hdfs dfs -stat`. */
static void stat_letter(char letter, const struct hdfs_status *s)
{
	static const char *const kinds[] = {
		[HDFS_FILE] = "regular file", [HDFS_FOLDER] = "directory", [HDFS_SYMLINK] = "symlink"
	};
	char mode[FS_MODE_TEXT];

	switch (letter) {
	case 'a':
		(void)printf("%o", (unsigned)s->permission);
		break;
	case 'A':
		fs_mode_text(s, mode);
		(void)fputs(mode + 1, stdout);
		break;
	case 'b':
		(void)printf("%" PRIu64, s->length);
		break;
	case 'F':
		(void)fputs(kinds[s->kind], stdout);
		break;
	case 'g':
		fs_write_name(stdout, s->group);
		break;
	case 'n':
		fs_write_name(stdout, fs_name_of(s->path));
		break;
	case 'o':
		(void)printf("%" PRIu64, s->block_size);
		break;
	case 'r':
		(void)printf("%u", s->replication);
		break;
	case 'u':
		fs_write_name(stdout, s->owner);
		break;
	case 'x':
	case 'X':
		stat_time(s->accessed_ms, letter == 'X');
		break;
	case 'y':
	case 'Y':
		stat_time(s->modified_ms, letter == 'Y');
		break;
	default: /* itself, "%" too */
		(void)putchar(letter);
		break;
	}
}

static int stat_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	(void)f;
	(void)err;
	for (const char *p = arg; *p != '\0'; p++) {
		if (*p == '%' && p[1] != '\0')
			stat_letter(*++p, &item->status);
		else
			(void)putchar(*p);
	}
	(void)putchar('\n');
	return 0;
}

static void run_stat(struct fs *f)
{
	/* `hdfs dfs -stat` takes a first argument with a "%" for the format: so is it here, if no path can be
	 * meant. */
	bool first = f->n > 1 && f->values['c'] == NULL && strchr(f->args[0], '%') != NULL &&
		     f->args[0][0] != '/' && !hdfs_url_is(f->args[0]);
	const char *format = first ? f->args[0] : f->values['c'] != NULL ? f->values['c'] : "%y";

	fs_each(f, first ? 1 : 0, f->n, stat_item, (char *)format);
}

const struct fs_command fs_stat = { "stat", "[FORMAT] URL...", "print what HDFS knows of a file or folder",
	stat_options, 1, run_stat };

/* ---- test ---- */

static const struct argp_option test_options[] = {
	{ .key = 'e', .doc = "it exists" },
	{ .key = 'f', .doc = "it is a file" },
	{ .key = 'd', .doc = "it is a folder" },
	{ .key = 's', .doc = "it has more than 0 bytes" },
	{ .key = 'z', .doc = "it has 0 bytes" },
	{ 0 },
};

static void run_test(struct fs *f)
{
	struct hdfs_status s = { 0 };
	auto_fs_place struct fs_place place = { 0 };
	struct err err = { "" };

	if (!f->given['e'] && !f->given['f'] && !f->given['d'] && !f->given['s'] && !f->given['z']) {
		(void)fprintf(stderr, "%s: nothing is asked: give -e, -f, -d, -s or -z\n", f->name);
		f->status = 2;
		return;
	}
	int r = fs_place(f, f->args[0], &place, &err);
	if (r == 0)
		r = hdfs_stat(place.fs, place.path, &s, &err);
	if (r == -ENOENT || r == -ENOTDIR)
		f->status = 1; /* that is an answer */
	else if (r < 0)
		fs_fail(f, &err);
	else if ((f->given['f'] && s.kind != HDFS_FILE) || (f->given['d'] && s.kind != HDFS_FOLDER) ||
		 (f->given['s'] && s.length == 0) || (f->given['z'] && s.length != 0))
		f->status = 1;
	hdfs_status_deinit(&s);
}

const struct fs_command fs_test = { "test", "URL", "exit status 0 if what the options ask for is so, else 1",
	test_options, 1, run_test };

/* ---- locate ---- */

static int locate_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	const struct hdfs_status *s = &item->status;
	struct hdfs_blocks blocks = { 0 };

	(void)f;
	(void)arg;
	if (s->kind == HDFS_FOLDER)
		return err_set(err, -EISDIR, "'%s%s' is a folder: files have blocks", item->base, s->path);
	int r = hdfs_locate(item->fs, s->path, 0, UINT64_MAX, &blocks, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < blocks.n; i++) {
		const struct hdfs_block *b = &blocks.at[i];

		(void)printf("%12" PRIu64 " %12" PRIu64 "  ", b->offset, b->length);
		for (size_t k = 0; k < b->n; k++) {
			(void)fputs(k > 0 ? "," : "", stdout);
			fs_write_name(stdout, b->replicas[k].host);
		}
		(void)fputs(b->corrupt ? "corrupt  " : b->n == 0 ? "none  " : "  ", stdout);
		fs_write_name(stdout, item->base);
		fs_write_name(stdout, s->path);
		(void)putchar('\n');
	}
	hdfs_blocks_deinit(&blocks);
	return 0;
}

static void run_locate(struct fs *f)
{
	fs_each(f, 0, f->n, locate_item, NULL);
}

const struct fs_command fs_locate = { "locate", "URL...", "print each block of files: offset, length, hosts",
	NULL, 1, run_locate };

/* ---- checksum ---- */

static int checksum_item(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	struct hdfs_checksum sum = { 0 };

	(void)f;
	(void)arg;
	int r = hdfs_checksum(item->fs, item->status.path, &sum, err);
	if (r < 0)
		return r;
	fs_write_name(stdout, item->base);
	fs_write_name(stdout, item->status.path);
	(void)putchar('\t');
	fs_write_name(stdout, sum.algorithm);
	(void)putchar('\t');
	fs_write_name(stdout, sum.hex);
	(void)putchar('\n');
	hdfs_checksum_deinit(&sum);
	return 0;
}

static void run_checksum(struct fs *f)
{
	fs_each(f, 0, f->n, checksum_item, NULL);
}

const struct fs_command fs_checksum = { "checksum", "URL...", "print the checksums that HDFS has of files",
	NULL, 1, run_checksum };
