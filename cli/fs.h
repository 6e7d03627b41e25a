/* fs.h: what the commands of `quern fs` share. A command takes what its arguments stand for one after the
 * other: what fails is told, each in one line, and the rest goes on. */
#ifndef QUERN_CLI_FS_H
#define QUERN_CLI_FS_H

#include <argp.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/redraw.h"
#include "cli/hdfs_options.h"
#include "hdfs_client/hdfs.h"

/* How far copies are, see fs_copy.h. */
struct fs_progress {
	struct redraw line;
	char *name;         /* of the file, escaped */
	uint64_t done, all; /* its bytes; UINT64_MAX: nobody knows */
	uint64_t files;     /* this one included */
	uint64_t total;     /* bytes of all of them so far */
	uint64_t began_ms;  /* the first */
};

/* One run of one command. */
struct fs {
	const char *name; /* "quern fs ls", as messages begin */
	struct hdfs_options options;
	struct hdfs_pool *pool;
	bool given[128];         /* options, by their letters ... */
	const char *values[128]; /* ... and what they were given */
	char **args;
	size_t n;
	bool absent_ok; /* an argument that stands for nothing is no error */
	struct fs_progress progress;
	int status; /* of the process: 0, or 1 once something failed */
};

struct fs_command {
	const char *name, *args, *help;
	const struct argp_option *options; /* letters alone; NULL: none */
	unsigned min;                      /* arguments at least */
	void (*run)(struct fs *f);
};

extern const struct fs_command fs_ls, fs_stat, fs_du, fs_count, fs_test, fs_locate, fs_checksum;
extern const struct fs_command fs_cat, fs_head, fs_tail, fs_get, fs_put;
extern const struct fs_command fs_mkdir, fs_rm, fs_rmdir, fs_mv, fs_touch, fs_chmod;

/* Tells what went wrong; the status is 1 from then on. */
void fs_fail(struct fs *f, const struct err *err);
/* Tells what the client wants to have said (hdfs_pool_warning()). */
void fs_warn(struct fs *f);

/* Sends on what was printed. When nobody reads it any more the program ends as by SIGPIPE. */
void fs_flush(struct fs *f);

/* The whole number behind an option; `otherwise` without it. Ends the program (status 2) when it is none. */
uint64_t fs_number(const struct fs *f, char letter, uint64_t otherwise);

#endif
