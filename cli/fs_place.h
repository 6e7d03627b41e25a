/* fs_place.h: what the arguments of `quern fs` stand for in HDFS. An argument is a URL, or a path in
 * fs.defaultFS of Hadoop's configuration; one that is not absolute begins in the user's folder. */
#ifndef QUERN_CLI_FS_PLACE_H
#define QUERN_CLI_FS_PLACE_H

#include "cli/fs.h"

/* A path, which need not exist. */
struct fs_place {
	struct hdfs *fs;
	char *base;  /* what is printed before a path, so that it can be pasted back: "hdfs://nn:8020", or ""
		      */
	char *path;  /* absolute; no "//", "." or "..", and no slash at the end */
	bool folder; /* there was a slash at the end */
};

/* -EINVAL, -ENOMEM; fs_place_deinit() in any case. */
int fs_place(struct fs *f, const char *arg, struct fs_place *ret, struct err *err);
void fs_place_deinit(struct fs_place *p);

/* 0: the folder that it would be in is there; -ENOTDIR. `hint`: what follows the sentence when nothing is. */
int fs_need_parent(const struct fs_place *p, const char *hint, struct err *err);

/* The same of a local path or file: URL; borrowed from `arg`. */
const char *fs_local(const char *arg);

/* Something that exists. Whoever is handed one may take what it owns, and leaves zeros. */
struct fs_item {
	struct hdfs *fs;
	char *base;
	struct hdfs_status status;
};

struct fs_items {
	struct fs_item *at;
	size_t n, cap;
};

/* Calls `each` for everything that the arguments `from` to `to` stand for, patterns included. What it returns
 * below 0 is told. */
void fs_each(struct fs *f, size_t from, size_t to,
	int (*each)(struct fs *f, struct fs_item *item, void *arg, struct err *err), void *arg);

/* All of it at once. fs_items_deinit() in any case. */
void fs_gather(struct fs *f, size_t from, size_t to, struct fs_items *ret);
void fs_items_deinit(struct fs_items *items);

/* `name` in a folder, which the caller frees; NULL: out of memory. */
char *fs_join(const char *folder, const char *name);
/* The folder that a path is in, which the caller frees; NULL: out of memory. */
char *fs_parent(const char *path);
/* What is behind the last slash. Borrowed. */
const char *fs_name_of(const char *path);

int fs_no_memory(struct err *err);

#define auto_fs_place __attribute__((cleanup(fs_place_deinit)))
#define auto_fs_items __attribute__((cleanup(fs_items_deinit)))
#define auto_listing  __attribute__((cleanup(hdfs_listing_deinit)))

#endif
