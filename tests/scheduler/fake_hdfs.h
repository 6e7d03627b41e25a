/* fake_hdfs.h: an HDFS in memory, behind the functions of hdfs_client/hdfs.h that an output needs: names,
 * folders and empty files, with an order of events that the test decides. Link it instead of hdfs_client. */
#ifndef QUERN_TESTS_SCHEDULER_FAKE_HDFS_H
#define QUERN_TESTS_SCHEDULER_FAKE_HDFS_H

#include <stdbool.h>
#include <stdint.h>

#include "hdfs_client/hdfs.h"

enum { FAKE_NAMES = 64 };

struct fake_entry {
	char path[128];
	bool folder;
	uint64_t id;
};

struct hdfs {
	struct fake_entry at[FAKE_NAMES]; /* in no order; "/" is there without one */
	unsigned n;
	uint64_t ids;
	unsigned calls;   /* so far */
	unsigned fail_at; /* the number of the call that fails, from 1; 0: none; those that follow too if ...
			   */
	bool fail_ever;   /* ... so */
	int fail_with;    /* an errno, negative */
	unsigned before_at;        /* before the call of that number ... */
	void (*before)(void *arg); /* ... somebody else does something */
	void *before_arg;
};

/* A pool of one file system, which every URL is in. */
struct hdfs_pool {
	struct hdfs fs;
};

/* Whether there is something of that name. */
bool fake_has(const struct hdfs *fs, const char *path);

/* What another client does, without an error and without being counted. */
void fake_add(struct hdfs *fs, const char *path, bool folder);
void fake_remove(struct hdfs *fs, const char *path); /* with all that is in it */

#endif
