#include "cli/fs_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cli/fs_copy.h"
#include "cli/fs_text.h"

int fs_no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

const char *fs_local(const char *arg)
{
	return strncmp(arg, "file:///", 8) == 0 ? arg + 7 : arg;
}

/* In place, as Hadoop does it: by the names alone. */
static void normalize(char *path)
{
	char *to = path;

	for (const char *p = path; *p != '\0';) {
		p += strspn(p, "/");
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.') {
			while (to > path && *--to != '/')
				;
		} else if (len > 0 && !(len == 1 && p[0] == '.')) {
			*to++ = '/';
			memmove(to, p, len);
			to += len;
		}
		p += len;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

/* The URL of an argument, and how much of the argument stands before its path. */
static int url_of(const char *arg, char **ret, size_t *ret_base, struct err *err)
{
	const char *authority = strstr(arg, "://");

	if (hdfs_url_is(arg)) {
		const char *path = strchr(authority + 3, '/');

		*ret_base = path != NULL ? (size_t)(path - arg) : strlen(arg);
		if (asprintf(ret, "%s%s", arg, path != NULL ? "" : "/") < 0)
			*ret = NULL;
	} else if (authority != NULL && arg[strcspn(arg, ":/")] == ':') {
		return err_set(err, -EINVAL, "'%s' is not in HDFS: its files are hdfs://NAMENODE/PATH", arg);
	} else {
		*ret_base = 0;
		if (asprintf(ret, "hdfs://%s%s", arg[0] == '/' ? "" : "/", arg) < 0)
			*ret = NULL;
	}
	return *ret == NULL ? fs_no_memory(err) : 0;
}

/* What is not absolute begins in the user's folder. */
static int at_home(struct fs_place *p, const char *arg, struct err *err)
{
	auto_free char *home = NULL;

	int r = hdfs_home(p->fs, &home, err);
	if (r < 0)
		return r;
	free(p->path);
	p->path = fs_join(home, arg);
	return p->path == NULL ? fs_no_memory(err) : 0;
}

int fs_place(struct fs *f, const char *arg, struct fs_place *ret, struct err *err)
{
	auto_free char *url = NULL;
	size_t base = 0;

	*ret = (struct fs_place){ 0 };
	if (arg[0] == '\0' || !fs_is_utf8(arg))
		return err_set(err, -EINVAL, "'%s': a path in HDFS is UTF-8, and not empty", arg);
	int r = url_of(arg, &url, &base, err);
	if (r == 0)
		r = hdfs_pool_get(f->pool, url, &ret->fs, &ret->path, err);
	if (r < 0)
		return r;
	ret->base = strndup(arg, base);
	if (ret->base == NULL)
		return fs_no_memory(err);
	if (base == 0 && arg[0] != '/')
		r = at_home(ret, arg, err);
	if (r < 0)
		return r;
	normalize(ret->path);
	ret->folder = arg[strlen(arg) - 1] == '/';
	return 0;
}

void fs_place_deinit(struct fs_place *p)
{
	free(p->base);
	free(p->path);
	*p = (struct fs_place){ 0 };
}

int fs_need_parent(const struct fs_place *p, const char *hint, struct err *err)
{
	auto_free char *parent = fs_parent(p->path);
	struct hdfs_status s = { 0 };

	if (parent == NULL)
		return fs_no_memory(err);
	int r = hdfs_stat(p->fs, parent, &s, err);
	if (r == -ENOENT || (r == 0 && s.kind != HDFS_FOLDER))
		r = err_set(err, -ENOTDIR, "'%s%s' is no folder%s", p->base, parent, r < 0 ? hint : "");
	hdfs_status_deinit(&s);
	return r;
}

static void take_listing(struct fs *f, const struct fs_place *place, struct hdfs_listing *l,
	int (*each)(struct fs *f, struct fs_item *item, void *arg, struct err *err), void *arg)
{
	for (size_t i = 0; i < l->n && fs_interrupted() == 0; i++) {
		struct err err = { "" };
		struct fs_item item = { .fs = place->fs, .base = strdup(place->base), .status = l->at[i] };

		l->at[i] = (struct hdfs_status){ 0 };
		int r = item.base == NULL ? fs_no_memory(&err) : each(f, &item, arg, &err);
		if (r < 0)
			fs_fail(f, &err);
		free(item.base);
		hdfs_status_deinit(&item.status);
	}
}

void fs_each(struct fs *f, size_t from, size_t to,
	int (*each)(struct fs *f, struct fs_item *item, void *arg, struct err *err), void *arg)
{
	for (size_t i = from; i < to && fs_interrupted() == 0; i++) {
		auto_fs_place struct fs_place place = { 0 };
		auto_listing struct hdfs_listing found = { 0 };
		struct err err = { "" };

		int r = fs_place(f, f->args[i], &place, &err);
		if (r == 0)
			r = hdfs_glob(place.fs, place.path, &found, &err);
		fs_warn(f);
		if (r == 0 && found.n == 0 && !f->absent_ok)
			r = place.base[0] == '\0' && f->args[i][0] != '/'
				    ? err_set(&err, -ENOENT, "'%s', which is '%s': no such file or folder",
					      f->args[i], place.path)
				    : err_set(&err, -ENOENT, "'%s': no such file or folder", f->args[i]);
		if (r < 0)
			fs_fail(f, &err);
		else
			take_listing(f, &place, &found, each, arg);
	}
}

static int gather(struct fs *f, struct fs_item *item, void *arg, struct err *err)
{
	struct fs_items *items = arg;

	(void)f;
	if (vec_push(items, *item) < 0)
		return fs_no_memory(err);
	*item = (struct fs_item){ 0 };
	return 0;
}

void fs_gather(struct fs *f, size_t from, size_t to, struct fs_items *ret)
{
	*ret = (struct fs_items){ 0 };
	fs_each(f, from, to, gather, ret);
}

void fs_items_deinit(struct fs_items *items)
{
	for (size_t i = 0; i < items->n; i++) {
		free(items->at[i].base);
		hdfs_status_deinit(&items->at[i].status);
	}
	vec_deinit(items);
}

char *fs_join(const char *folder, const char *name)
{
	size_t len = strlen(folder);
	char *ret;

	if (asprintf(&ret, "%s%s%s", folder, len > 0 && folder[len - 1] == '/' ? "" : "/", name) < 0)
		return NULL;
	return ret;
}

char *fs_parent(const char *path)
{
	size_t len = (size_t)(fs_name_of(path) - path);

	return strndup(path, len > 1 ? len - 1 : len);
}

const char *fs_name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}
