/* hdfs.h: HDFS for those who wait: every call blocks until it has an answer.
 *
 * The calls of one pool are made by one thread at a time. Behind them is a thread of the pool's own with an
 * event loop (fs.h, read.h, write.h), so that bytes are read ahead, and written behind, while the caller
 * computes. Nothing starts before the first call; a process forks before, or not at all.
 *
 * Errors are negative errnos with one sentence that names the URL: -ENOENT, -EACCES, -EEXIST, -ENOTDIR,
 * -EISDIR, -ENOTEMPTY, -EDQUOT (a quota), -ENOSPC (no DataNode has room), -EROFS (safe mode, for longer than
 * one waits), -EHOSTDOWN (no NameNode answers, for as long), -EBADMSG (an answer that is none), -ESTALE (the
 * file is another, or shorter, than when it was opened), -EKEYEXPIRED (a token), -ETIMEDOUT, -ENOMEM, -EIO.
 * Outputs are untouched then. */
#ifndef QUERN_HDFS_CLIENT_HDFS_H
#define QUERN_HDFS_CLIENT_HDFS_H

#include <sys/types.h>

#include "base/auto.h"
#include "hdfs_client/access.h"
#include "hdfs_client/types.h"
#include "hdfs_client/url.h"

/* ---- File systems ---- */

struct hdfs_pool; /* file systems by the authority of URLs, each made when it is first asked for */
struct hdfs;      /* one of them: its NameNodes, and connections that are kept; lives as long as its pool */

/* `access` is copied. 0 or -ENOMEM. */
int hdfs_pool_new(const struct hdfs_access *access, struct hdfs_pool **ret, struct err *err);
struct hdfs_pool *hdfs_pool_free(struct hdfs_pool *pool); /* after its files and writers */

/* How many bytes of a file may be read ahead, at least 1 MiB; at first 64 MiB, as `quern fs` wants it. The
 * longer a file is read in order, the more of that is used. */
void hdfs_pool_set_memory(struct hdfs_pool *pool, size_t bytes);

/* `waiting` is called with a sentence when a call has waited ten seconds for a NameNode, and waits on; once
 * until one serves. By the pool's thread, at any time. Before the first call. */
void hdfs_pool_on_waiting(struct hdfs_pool *pool, void (*waiting)(void *arg, const char *text), void *arg);

/* The file system of an hdfs://, webhdfs:// or swebhdfs:// URL, and the path in it, which the caller frees
 * (may be passed as NULL). No request is sent. -EINVAL: the URL is none. */
int hdfs_pool_get(
	struct hdfs_pool *pool, const char *url, struct hdfs **ret, char **ret_path, struct err *err);

/* Ends the call that is under way, and every one that follows, with -ECANCELED: nobody waits any longer. What
 * was sent may take place all the same. By any thread, while the pool lives. */
void hdfs_pool_interrupt(struct hdfs_pool *pool);

/* What the user is told once and that is no error (HttpFS, which all data goes through; a NameNode that was
 * left for another): the sentence, or NULL; each comes once. Borrowed until the next call. */
const char *hdfs_pool_warning(struct hdfs_pool *pool);

AUTO_FREE(hdfs_pool, struct hdfs_pool, hdfs_pool_free)
#define auto_hdfs_pool AUTO_CLEANUP(auto_hdfs_pool_cleanup_)

/* ---- Names ---- */

int hdfs_stat(struct hdfs *fs, const char *path, struct hdfs_status *ret, struct err *err);

/* What is in a folder, in batches where HDFS knows them; of a file, itself. Appends to `ret`. */
int hdfs_list(struct hdfs *fs, const char *path, struct hdfs_listing *ret, struct err *err);

/* What a pattern as of Hadoop's globs stands for: * ? [abc] [^a-b] {a,b} and \ before any of them, none of
 * which matches a slash. A path that exists is itself. Appends; nothing: nothing matches. */
int hdfs_glob(struct hdfs *fs, const char *pattern, struct hdfs_listing *ret, struct err *err);
bool hdfs_is_glob(const char *path);

/* The user's own folder, which the caller frees. */
int hdfs_home(struct hdfs *fs, char **ret, struct err *err);

int hdfs_summary(struct hdfs *fs, const char *path, struct hdfs_summary *ret, struct err *err);
int hdfs_locate(struct hdfs *fs, const char *path, uint64_t offset, uint64_t length, struct hdfs_blocks *ret,
	struct err *err);
/* The same of `n` whole files at a time, which takes as long as some of them do: ret[i] becomes that of
 * paths[i]. */
int hdfs_locate_many(
	struct hdfs *fs, const char *const *paths, size_t n, struct hdfs_blocks *ret, struct err *err);
int hdfs_checksum(struct hdfs *fs, const char *path, struct hdfs_checksum *ret, struct err *err);

/* With the parents that are missing; of a folder that exists: 0. `permission`: HDFS_DEFAULT_PERMISSION lets
 * HDFS choose. */
int hdfs_mkdirs(struct hdfs *fs, const char *path, int permission, struct err *err);

/* `to` is the new name itself and does not exist, also not as a folder: -EEXIST. -ENOENT: `from`, or the
 * folder of `to`. After an answer that was lost the two are looked up, so that 0 means that it took place
 * and an error that it did not; -ECANCELED where that cannot be told, e.g. as both are there. */
int hdfs_rename(struct hdfs *fs, const char *from, const char *to, struct err *err);

/* -ENOENT: it was not there (but not after an answer that was lost); -ENOTEMPTY: a folder with something in
 * it, not recursive. */
int hdfs_delete(struct hdfs *fs, const char *path, bool recursive, struct err *err);
int hdfs_set_permission(struct hdfs *fs, const char *path, uint16_t permission, struct err *err);
/* UINT64_MAX: leaves it as it is. */
int hdfs_set_times(
	struct hdfs *fs, const char *path, uint64_t modified_ms, uint64_t accessed_ms, struct err *err);
int hdfs_set_replication(struct hdfs *fs, const char *path, uint32_t replication, struct err *err);

/* Appends files to `target`, in this order; they are gone then. As HDFS allows it: all in one folder. */
int hdfs_concat(struct hdfs *fs, const char *target, const char *const *sources, size_t n, struct err *err);

/* ---- Reading ---- */

struct hdfs_file;

/* Opens a file for reading. What is read is [from, to) for the most part, in that order: those bytes are
 * read ahead, in parallel; `to` UINT64_MAX: its end. Anything else may be read as well. *ret_size (or NULL):
 * bytes of the whole file. -EISDIR. */
int hdfs_open(struct hdfs *fs, const char *path, uint64_t from, uint64_t to, struct hdfs_file **ret,
	uint64_t *ret_size, struct err *err);

/* As pread(): at least 1 byte and at most `len` from `offset` on, 0 at the end of the file. A DataNode that
 * fails is left for one that has another replica. -ESTALE: the file was deleted, or is another one now, or
 * has another length: said at the latest of the bytes before `to`. */
ssize_t hdfs_read(struct hdfs_file *f, void *to, size_t len, uint64_t offset, struct err *err);
struct hdfs_file *hdfs_close(struct hdfs_file *f); /* takes NULL, returns NULL */

AUTO_FREE(hdfs_file, struct hdfs_file, hdfs_close)
#define auto_hdfs_file AUTO_CLEANUP(auto_hdfs_file_cleanup_)

/* ---- Writing ---- */

struct hdfs_writer;

struct hdfs_create {
	bool overwrite;
	bool append;    /* to a file that exists */
	bool in_folder; /* -ENOENT if the folder that it is in is not there (HttpFS makes it all the same) */
	int permission; /* HDFS_DEFAULT_PERMISSION */
	uint32_t replication; /* 0: as HDFS has it */
	uint64_t block_size;  /* 0: as HDFS has it */
};

/* Begins a file, with the folders that it is in unless they have to be there. -EEXIST: it is there and is not
 * to be overwritten: said here, or by hdfs_finish() when somebody was quicker. */
int hdfs_create(struct hdfs *fs, const char *path, const struct hdfs_create *how, struct hdfs_writer **ret,
	struct err *err);

/* Takes all of it, and returns once there is room for more: nothing is held as a whole. The first error is
 * the error of every call that follows. */
int hdfs_write(struct hdfs_writer *w, const void *data, size_t len, struct err *err);

/* Nothing more is written. hdfs_finish() says so as well, and waits; between the two there is time for
 * others. */
void hdfs_end(struct hdfs_writer *w);

/* 0: the file is whole, and closed, in HDFS. Otherwise there may be a part of it: whoever wants none deletes
 * it. Sent bytes are never sent again: that a connection broke is an error, unless the file turns out to be
 * whole. */
int hdfs_finish(struct hdfs_writer *w, struct err *err);
struct hdfs_writer *hdfs_writer_free(struct hdfs_writer *w); /* takes NULL, returns NULL */

AUTO_FREE(hdfs_writer, struct hdfs_writer, hdfs_writer_free)
#define auto_hdfs_writer AUTO_CLEANUP(auto_hdfs_writer_cleanup_)

/* ---- Delegation tokens ---- */

/* A token for the pool's user, which the caller wipes and frees; or NULL where the cluster gives none, as it
 * has no security. `renewer`: who may renew it, a short Kerberos name. */
int hdfs_token_get(struct hdfs *fs, const char *renewer, char **ret, struct err *err);
int hdfs_token_renew(struct hdfs *fs, const char *token, uint64_t *ret_expires_ms, struct err *err);
int hdfs_token_cancel(struct hdfs *fs, const char *token, struct err *err);

#endif
