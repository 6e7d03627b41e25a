/* drive.c: hdfs_client/hdfs.h from the command line, for transfer_test.py.
 *
 *     drive [-a NAME=ADDRESS]... [-m MEMORY] [-p PATIENCE_MS] WHAT URL ...
 *
 * cat URL [FROM [TO [STEP]]]   bytes of a file, STEP at a time
 * pread URL                    for each "OFFSET LENGTH" of standard input, those bytes
 * put URL [STEP], append URL [STEP]   standard input becomes the file, or its end
 * glob URL                     paths that a pattern stands for
 *
 * Exits with 0, or with an errno and the sentence on standard error. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "hdfs_client/hdfs.h"

struct drive {
	struct hdfs_access access;
	size_t memory;
	struct hdfs *fs;
	char *path;
	char **args; /* behind the URL */
	struct err err;
};

static uint64_t number(const struct drive *d, int i, uint64_t otherwise)
{
	for (int n = 0; n <= i; n++)
		if (d->args[n] == NULL)
			return otherwise;
	return strtoull(d->args[i], NULL, 10);
}

static int out_of_memory(struct drive *d)
{
	return err_set(&d->err, -ENOMEM, "out of memory");
}

/* Writes [from, to), or as much of it as there is. */
static int copy_out(struct drive *d, struct hdfs_file *f, uint64_t from, uint64_t to, size_t step)
{
	auto_free char *buffer = malloc(step);
	ssize_t n = 1;

	if (buffer == NULL)
		return out_of_memory(d);
	while (from < to && n > 0) {
		n = hdfs_read(f, buffer, step < to - from ? step : (size_t)(to - from), from, &d->err);
		if (n > 0 && fwrite(buffer, 1, (size_t)n, stdout) != (size_t)n)
			return err_errno(&d->err, -errno, "standard output");
		from += n > 0 ? (uint64_t)n : 0;
	}
	return n < 0 ? (int)n : 0;
}

static int cat(struct drive *d)
{
	auto_hdfs_file struct hdfs_file *f = NULL;
	uint64_t from = number(d, 0, 0), to = number(d, 1, UINT64_MAX);
	int k = hdfs_open(d->fs, d->path, from, to, &f, NULL, &d->err);

	return k < 0 ? k : copy_out(d, f, from, to, (size_t)number(d, 2, 65536));
}

static int read_ranges(struct drive *d)
{
	auto_hdfs_file struct hdfs_file *f = NULL;
	unsigned long long offset, length;
	int k = hdfs_open(d->fs, d->path, 0, UINT64_MAX, &f, NULL, &d->err);

	while (k == 0 && scanf("%llu %llu", &offset, &length) == 2)
		k = copy_out(d, f, offset, offset + length, 65536);
	return k;
}

static int copy_in(struct drive *d, bool append)
{
	const struct hdfs_create how = { .append = append, .permission = HDFS_DEFAULT_PERMISSION };
	auto_hdfs_writer struct hdfs_writer *w = NULL;
	size_t step = (size_t)number(d, 0, 65536), n;
	auto_free char *buffer = malloc(step);

	if (buffer == NULL)
		return out_of_memory(d);
	int k = hdfs_create(d->fs, d->path, &how, &w, &d->err);
	while (k == 0 && (n = fread(buffer, 1, step, stdin)) > 0)
		k = hdfs_write(w, buffer, n, &d->err);
	return k == 0 ? hdfs_finish(w, &d->err) : k;
}

static int put(struct drive *d)
{
	return copy_in(d, false);
}

static int append(struct drive *d)
{
	return copy_in(d, true);
}

static int glob(struct drive *d)
{
	struct hdfs_listing l = { 0 };
	int k = hdfs_glob(d->fs, d->path, &l, &d->err);

	for (size_t i = 0; i < l.n && k == 0; i++)
		(void)printf("%s\n", l.at[i].path);
	hdfs_listing_deinit(&l);
	return k;
}

static int run(struct drive *d, const char *what, const char *url)
{
	static const struct {
		const char *name;
		int (*run)(struct drive *d);
	} all[] = { { "cat", cat }, { "pread", read_ranges }, { "put", put }, { "append", append },
		{ "glob", glob } };
	auto_hdfs_pool struct hdfs_pool *pool = NULL;

	int k = hdfs_pool_new(&d->access, &pool, &d->err);
	if (k == 0)
		k = hdfs_pool_get(pool, url, &d->fs, &d->path, &d->err);
	if (k < 0)
		return k;
	if (d->memory > 0)
		hdfs_pool_set_memory(pool, d->memory);
	k = err_set(&d->err, -EINVAL, "%s: not known", what);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(what, all[i].name) == 0)
			k = all[i].run(d);
	if (k == 0 && fflush(stdout) != 0)
		k = err_errno(&d->err, -errno, "standard output");
	return k;
}

static int add_host(struct drive *d, char *text)
{
	char *address = strchr(text, '=');

	if (address == NULL)
		return err_set(&d->err, -EINVAL, "%s: not NAME=ADDRESS", text);
	*address++ = '\0';
	return hdfs_access_add_host(&d->access, text, address, &d->err);
}

int main(int argc, char **argv)
{
	struct drive d = { 0 };
	int c, k = 0;

	while (k == 0 && (c = getopt(argc, argv, "a:m:p:")) != -1) {
		if (c == 'a')
			k = add_host(&d, optarg);
		else if (c == 'm')
			d.memory = strtoul(optarg, NULL, 10);
		else if (c == 'p')
			d.access.patience_ms = strtoull(optarg, NULL, 10);
		else
			k = err_set(&d.err, -EINVAL, "usage: see drive.c");
	}
	if (k == 0 && argc - optind < 2)
		k = err_set(&d.err, -EINVAL, "usage: see drive.c");
	d.args = argv + optind + 2;
	if (k == 0)
		k = run(&d, argv[optind], argv[optind + 1]);
	free(d.path);
	hdfs_access_deinit(&d.access);
	if (k < 0)
		(void)fprintf(stderr, "%s\n", d.err.text);
	return -k;
}
