#include "scheduler/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/output_kind.h"

static const struct output_kind *kind_of(const char *path)
{
	return hdfs_url_is(path) ? &output_hdfs : &output_local;
}

int output_exists(const char *path, struct err *err)
{
	return err_set(err, -EEXIST, "output '%s' exists already: remove it or name another", path);
}

int output_look(const char *path, struct hdfs_pool *hdfs, struct err *err)
{
	return kind_of(path)->look(path, hdfs, err);
}

int output_open(
	const char *path, const char *suffix, struct hdfs_pool *hdfs, struct output **ret, struct err *err)
{
	auto_output struct output *o = NULL;
	auto_free char *own = strdup(path);
	struct err left = { "" };

	if (own == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	for (size_t n = strlen(own); n > 1 && own[n - 1] == '/' && !hdfs_url_is(own); n--)
		own[n - 1] = '\0';
	if (own[0] == '\0')
		return err_set(err, -EINVAL, "output: the name of the folder is empty");
	int r = kind_of(own)->make(own, hdfs, &o, err);
	if (r < 0)
		return r;
	o->kind = kind_of(own);
	o->path = own;
	o->suffix = suffix;
	own = NULL;
	r = o->kind->look(o->path, hdfs, err);
	if (r < 0)
		return r;
	r = o->kind->open(o, err);
	if (r < 0) {
		if (o->kind->remove(o, &left) < 0) {
			size_t n = strlen(err->text);
			(void)snprintf(err->text + n, sizeof(err->text) - n, "; %s", left.text);
		}
		return r;
	}
	*ret = o, o = NULL;
	return 0;
}

int output_commit(struct output *o, const char *file, uint32_t partition, struct err *err)
{
	auto_free char *proper = NULL;
	unsigned stage, task, attempt;

	/* The name comes from an executor: nothing but this form leaves _temporary. */
	if (sscanf(file, "%9u.%9u.%9u.", &stage, &task, &attempt) != 3)
		stage = task = attempt = 0;
	if (asprintf(&proper, "%u.%u.%u.part-%05u%s", stage, task, attempt, partition, o->suffix) < 0) {
		proper = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	if (strcmp(file, proper) != 0)
		return err_set(
			err, -EINVAL, "output '%s': '%s' is no name of a part %u", o->path, file, partition);
	int r = o->kind->commit(o, file, strstr(proper, "part-"), err);
	return r < 0 ? err_prefix(err, r, "output '%s': cannot put part %u in place", o->path, partition) : 0;
}

int output_finish(struct output *o, struct err *err)
{
	int r = o->kind->finish(o, err);

	o->over = r == 0;
	return r;
}

int output_remove(struct output *o, struct err *err)
{
	int r = o->over ? 0 : o->kind->remove(o, err);

	o->over = o->over || r == 0;
	return r;
}

const char *output_path(const struct output *o)
{
	return o->over ? NULL : o->path;
}

struct output *output_free(struct output *o)
{
	if (o == NULL)
		return NULL;
	if (o->kind != NULL)
		o->kind->free(o);
	free(o->path);
	free(o);
	return NULL;
}
