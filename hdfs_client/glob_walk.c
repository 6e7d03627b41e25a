/* What patterns stand for: folders are listed where a component is a pattern, and nowhere else. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "hdfs_client/glob.h"
#include "hdfs_client/hdfs.h"
#include "hdfs_client/pool.h"

struct walk {
	struct hdfs *fs;
	const char *pattern; /* the user's, for sentences */
	struct hdfs_listing *found;
	struct err *err;
};

bool hdfs_is_glob(const char *path)
{
	return hdfs_glob_is(path, strlen(path));
}

static int no_memory(const struct walk *w)
{
	return err_set(w->err, -ENOMEM, "%s%s: out of memory", w->fs->base, w->pattern);
}

static int walk_on(const struct walk *w, const char *folder, const char *rest);

/* The path if it exists. */
static int take_path(const struct walk *w, const char *path)
{
	struct hdfs_status s;
	int k = hdfs_stat(w->fs, path, &s, w->err);

	if (k == -ENOENT || k == -ENOTDIR)
		return 0;
	if (k < 0)
		return k;
	if (hdfs_listing_add(w->found, &s) < 0) {
		hdfs_status_deinit(&s);
		return no_memory(w);
	}
	return 0;
}

/* One entry of a folder whose name matches; `rest` follows it. */
static int take_entry(const struct walk *w, struct hdfs_status *s, const char *rest)
{
	if (*rest != '\0')
		return s->kind == HDFS_FILE ? 0 : walk_on(w, s->path, rest);
	return hdfs_listing_add(w->found, s) < 0 ? no_memory(w) : 0;
}

/* `len` bytes of `component` are a pattern of names in `folder`. */
static int walk_folder(const struct walk *w, const char *folder, const char *component, size_t len)
{
	auto_hdfs_name_glob struct hdfs_name_glob *g = NULL;
	struct hdfs_listing l = { 0 };

	int k = hdfs_name_glob_new(component, len, &g, w->err);
	if (k < 0)
		return err_prefix(w->err, k, "%s%s", w->fs->base, w->pattern);
	k = hdfs_list(w->fs, *folder != '\0' ? folder : "/", &l, w->err);
	if (k == -ENOENT || k == -ENOTDIR)
		k = 0;
	for (size_t i = 0; i < l.n && k == 0; i++) {
		const char *name = strrchr(l.at[i].path, '/') + 1;

		/* A file is listed as itself. */
		if (strcmp(l.at[i].path, folder) != 0 && hdfs_name_glob_match(g, name))
			k = take_entry(w, &l.at[i], component + len);
	}
	hdfs_listing_deinit(&l);
	return k;
}

/* `rest`: "" or "/COMPONENT...", behind `folder`, which is a path, "" for the root. */
static int walk_on(const struct walk *w, const char *folder, const char *rest)
{
	auto_buf struct buf path = BUF_INIT(1 << 20);

	if (buf_add_str(&path, folder) < 0)
		return no_memory(w);
	while (*rest != '\0') {
		rest += strspn(rest, "/");
		size_t len = strcspn(rest, "/");
		if (len == 0)
			break;
		if (hdfs_glob_is(rest, len)) {
			if (buf_add(&path, "", 1) < 0)
				return no_memory(w);
			return walk_folder(w, (const char *)path.data, rest, len);
		}
		auto_free char *literal = hdfs_glob_literal(rest, len);
		if (literal == NULL || buf_add_fmt(&path, "/%s", literal) < 0)
			return no_memory(w);
		rest += len;
	}
	if ((path.len == 0 && buf_add_str(&path, "/") < 0) || buf_add(&path, "", 1) < 0)
		return no_memory(w);
	return take_path(w, (const char *)path.data);
}

/* Sorts, and drops what several patterns stood for. */
static void tidy(struct hdfs_listing *l)
{
	size_t n = 0;

	hdfs_listing_sort(l);
	for (size_t i = 0; i < l->n; i++) {
		if (n > 0 && strcmp(l->at[n - 1].path, l->at[i].path) == 0)
			hdfs_status_deinit(&l->at[i]);
		else
			l->at[n++] = l->at[i];
	}
	l->n = n;
}

static int walk_all(const struct walk *w)
{
	auto_hdfs_globs struct hdfs_globs globs = { 0 };

	int k = hdfs_glob_split(w->pattern, &globs, w->err);
	if (k < 0)
		return err_prefix(w->err, k, "%s%s", w->fs->base, w->pattern);
	for (size_t i = 0; i < globs.n && k == 0; i++)
		k = walk_on(w, "", globs.at[i]);
	return k;
}

int hdfs_glob(struct hdfs *fs, const char *pattern, struct hdfs_listing *ret, struct err *err)
{
	struct hdfs_listing found = { 0 };
	const struct walk w = { .fs = fs, .pattern = pattern, .found = &found, .err = err };

	int k = take_path(&w, pattern);
	if (k == 0 && found.n == 0 && strpbrk(pattern, "*?[{\\") != NULL)
		k = walk_all(&w);
	if (k == 0)
		tidy(&found);
	for (size_t i = 0; i < found.n && k == 0; i++)
		k = hdfs_listing_add(ret, &found.at[i]) < 0 ? no_memory(&w) : 0;
	hdfs_listing_deinit(&found);
	return k;
}
