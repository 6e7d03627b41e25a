/* fs_copy.h: bytes between HDFS and descriptors, with a line on the terminal that says how far that is; and
 * what must not be left behind when somebody interrupts it. */
#ifndef QUERN_CLI_FS_COPY_H
#define QUERN_CLI_FS_COPY_H

#include "cli/fs.h"

/* ---- Signals ---- */

/* SIGINT and SIGTERM end the program at once, unless something is held that has to be tidied up: then the
 * first one is only noted. SIGPIPE is ignored. */
void fs_catch_signals(void);
void fs_hold(bool held);
int fs_interrupted(void); /* the signal that was noted, or 0 */

/* What writing to standard output gave. -EPIPE: whoever read it has gone, and so does the program, as any
 * does. */
void fs_end_by_pipe(int r);

/* ---- Bytes ---- */

/* A file begins, whose bytes are `all` (UINT64_MAX: nobody knows). 0 or -ENOMEM. */
int fs_copy_begin(struct fs *f, const char *name, uint64_t all, struct err *err);
/* Takes the line away: nothing more is copied. */
void fs_copy_end(struct fs *f);

/* Bytes of a file, from `from` to `to` (UINT64_MAX: its end), into a descriptor. *ret (or NULL): how many
 * they were. `fd_name`: of sentences. -ECANCELED: interrupted; -EIO: it ended too early. When it is standard
 * output, and nobody reads it any more, the program ends as by SIGPIPE. */
int fs_copy_out(struct fs *f, struct hdfs *fs, const char *path, uint64_t from, uint64_t to, int fd,
	const char *fd_name, uint64_t *ret, struct err *err);

/* What a descriptor gives, to its end. `name`: of sentences. */
int fs_copy_in(struct fs *f, int fd, const char *name, struct hdfs_writer *w, struct err *err);

#endif
