/* storage.h: where the files of an input are: a table of functions. The local disk is one; another, for the
 * paths that are not local, is given by whoever has it (scheduler/hdfs_storage.h). They are called by one
 * thread, may wait for a disk or a network, and keep nothing of their arguments.
 *
 * Errors are negative errnos with one sentence that names the path: -ENOENT, -ENOTDIR, -EACCES, -ENOMEM, ...
 * What was appended before an error stays. */
#ifndef QUERN_JOB_STORAGE_H
#define QUERN_JOB_STORAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/vec.h"

enum storage_kind { STORAGE_FILE, STORAGE_FOLDER, STORAGE_OTHER };

struct storage_entry {
	char *path; /* as extents have it */
	enum storage_kind kind;
	uint64_t size;
	uint64_t block; /* bytes of the file's blocks, each of which has a place of its own; 0: it has none */
	uint64_t device, id; /* the same for two names of one folder; 0, 0: it has one name */
};

struct storage_entries {
	struct storage_entry *at;
	size_t n, cap;
};

/* Consecutive bytes of a file, and the hosts that have them: names and addresses. */
struct storage_block {
	uint64_t offset, length;
	char **hosts;
	size_t n_hosts;
};

struct storage_blocks {
	struct storage_block *at; /* in the order of the file */
	size_t n, cap;
};

struct storage {
	/* Whether `path` is in it. */
	bool (*has)(const char *path);
	/* Whether a path that does not exist may stand for others. */
	bool (*is_glob)(const char *path);
	/* Links are followed. */
	int (*stat)(void *arg, const char *path, struct storage_entry *ret, struct err *err);
	/* Appends what is in a folder, in any order; those that storage_hides() may be left out. */
	int (*list)(void *arg, const char *folder, struct storage_entries *ret, struct err *err);
	/* Appends what matches, in any order, but as list(); nothing: nothing does. */
	int (*glob)(void *arg, const char *pattern, struct storage_entries *ret, struct err *err);
	/* Whether a file may be read; and where the blocks are of those that have some: appends those of
	 * paths[i] to ret[i]. One call for all files of an input. */
	int (*locate)(
		void *arg, const char *const *paths, size_t n, struct storage_blocks *ret, struct err *err);
	/* Opens a file of which some bytes here and there are wanted. */
	int (*open)(void *arg, const char *path, void **ret, struct err *err);
	/* As pread(). */
	ssize_t (*read)(void *file, void *to, size_t len, uint64_t offset, struct err *err);
	void (*close)(void *file);
	void *arg;
	uint64_t file_cost;  /* what opening a file costs a task, in bytes read meanwhile */
	uint32_t reads_most; /* of single bytes, for all files of an input: some seconds */
};

/* The local disk: has every path. */
extern const struct storage storage_local;

/* Files that are other programs' business, unfinished, hidden, marks: those that begin with '.' or '_'. */
bool storage_hides(const char *path);

/* Leave {0}. */
void storage_entry_deinit(struct storage_entry *e);
void storage_entries_deinit(struct storage_entries *e);
void storage_blocks_deinit(struct storage_blocks *b);

#endif
