/* fs.h: one HDFS on the event loop: any number of operations at once, over connections that are kept.
 *
 * An operation is an ask and an answer: hdfs_fs_ask() starts it, `done` runs exactly once, from the loop and
 * never from inside the call. NameNodes that are on standby, in safe mode or not there are dealt with behind
 * it, within the access's patience (retry.h). Bytes of files go another way: OPEN, CREATE and APPEND answer
 * with a place, and an exchange with that place moves them.
 *
 * Errors are those of hdfs.h, with one sentence that names the URL, and besides -ECANCELED. Everything
 * belongs to the thread of the loop. Inside a callback everything but hdfs_fs_free() may be called. */
#ifndef QUERN_HDFS_CLIENT_FS_H
#define QUERN_HDFS_CLIENT_FS_H

#include <event2/event.h>
#include <sys/types.h>

#include "base/auto.h"
#include "base/err.h"
#include "hdfs_client/access.h"
#include "hdfs_client/types.h"
#include "hdfs_client/url.h"

struct hdfs_fs;

/* The file system that `url` is in; its path does not matter and nothing is sent. `url` is copied, `access`
 * is borrowed until the end. 0, -ENOMEM, -EINVAL (what the access says of a name or of the CA makes no
 * sense), -EIO (libcurl does not start). */
int hdfs_fs_new(struct event_base *loop, const struct hdfs_url *url, const struct hdfs_access *access,
	struct hdfs_fs **ret, struct err *err);

/* Cancels what is under way (each `done` runs with -ECANCELED), then frees. Takes and returns NULL. */
struct hdfs_fs *hdfs_fs_free(struct hdfs_fs *fs);

/* Cancels what is under way, from the loop, and takes nothing more (-ECANCELED). */
void hdfs_fs_close(struct hdfs_fs *fs);

/* `waiting` is called, on the loop, with a sentence as soon as something has been asked for ten seconds and
 * nobody has served; once until somebody does. */
void hdfs_fs_on_waiting(struct hdfs_fs *fs, void (*waiting)(void *arg, const char *text), void *arg);

/* What the user is told once and that is no error, or NULL: see hdfs_pool_warning(). Borrowed until the next
 * call. */
const char *hdfs_fs_warning(struct hdfs_fs *fs);

AUTO_FREE(hdfs_fs, struct hdfs_fs, hdfs_fs_free)
#define auto_hdfs_fs AUTO_CLEANUP(auto_hdfs_fs_cleanup_)

/* ---- Operations ---- */

enum hdfs_op {                   /* what is asked with it besides the path; what is answered */
	HDFS_OP_STAT,            /* ; status */
	HDFS_OP_LIST,            /* ; listing, whole */
	HDFS_OP_SUMMARY,         /* ; summary */
	HDFS_OP_LOCATE,          /* offset, length; blocks */
	HDFS_OP_CHECKSUM,        /* ; checksum */
	HDFS_OP_HOME,            /* no path; text: the user's folder */
	HDFS_OP_MKDIRS,          /* permission */
	HDFS_OP_RENAME,          /* to */
	HDFS_OP_DELETE,          /* recursive */
	HDFS_OP_SET_PERMISSION,  /* permission */
	HDFS_OP_SET_TIMES,       /* modified_ms, accessed_ms */
	HDFS_OP_SET_REPLICATION, /* replication */
	HDFS_OP_CONCAT,          /* sources, n_sources */
	HDFS_OP_OPEN,            /* offset, length, exclude, n_exclude; place */
	HDFS_OP_CREATE,      /* overwrite, in_folder, permission, replication, block_size, exclude, n_exclude;
				place */
	HDFS_OP_APPEND,      /* exclude, n_exclude; place */
	HDFS_OP_TOKEN_GET,   /* no path; renewer; text: the token, NULL where there are none */
	HDFS_OP_TOKEN_RENEW, /* no path; token; expires_ms */
	HDFS_OP_TOKEN_CANCEL, /* no path; token */
	HDFS_OP_NODES,        /* no path; the NameNode's /jmx: addresses of DataNodes are learned */
	HDFS_N_OPS,
};

/* Borrowed during hdfs_fs_ask() alone. What hdfs.h says of a call holds for its operation too. */
struct hdfs_ask {
	enum hdfs_op op;
	const char *path; /* absolute; any bytes but NUL */
	const char *to;
	const char *const *sources;
	size_t n_sources;
	uint64_t offset, length; /* length UINT64_MAX: to the end */
	bool recursive, overwrite;
	bool in_folder;                    /* CREATE: the folder has to be there */
	int permission;                    /* HDFS_DEFAULT_PERMISSION: as HDFS has it */
	uint32_t replication;              /* 0: as HDFS has it */
	uint64_t block_size;               /* 0: as HDFS has it */
	uint64_t modified_ms, accessed_ms; /* UINT64_MAX: left as it is */
	const char *const *exclude;        /* names of DataNodes (hdfs_replica.host) that did badly */
	size_t n_exclude;
	const char *renewer, *token;
};

/* Where the bytes of a file come from or go to: what OPEN, CREATE or APPEND were answered with. */
struct hdfs_place {
	enum hdfs_op op;
	char *url;  /* there may be a token in it: not for a sentence */
	char *host; /* the DataNode's name, as in hdfs_replica.host; an IPv6 address without brackets */
	uint16_t port;
	char *path; /* the file */
	bool proxy; /* HttpFS: one host for all data */
};

struct hdfs_answer {
	enum hdfs_op op;
	union {
		struct hdfs_status status;
		struct hdfs_listing listing;
		struct hdfs_summary summary;
		struct hdfs_blocks blocks;
		struct hdfs_checksum checksum;
		struct hdfs_place place;
		char *text;
		uint64_t expires_ms; /* since 1970 */
	};
};

struct hdfs_call; /* an operation under way; valid until its `done` returns */

/* Starts. `done`: r is 0 and the answer is there, of which the callee keeps what it takes (and sets to zero
 * there); or r is below 0, `answer` NULL and `err` has the sentence. 0 and *ret (may be passed as NULL when
 * nobody will cancel), or -ENOMEM, -EINVAL (a path that is none), -ECANCELED (the file system is being
 * freed). */
int hdfs_fs_ask(struct hdfs_fs *fs, const struct hdfs_ask *ask,
	void (*done)(void *arg, int r, struct hdfs_answer *answer, const struct err *err), void *arg,
	struct hdfs_call **ret, struct err *err);

/* Its `done` runs with -ECANCELED from the loop, or has run already. What was sent may take place all the
 * same. NULL is allowed. */
void hdfs_call_cancel(struct hdfs_call *call);

/* Leave {0}. */
void hdfs_answer_deinit(struct hdfs_answer *a);
void hdfs_place_deinit(struct hdfs_place *p);

/* ---- Bytes ---- */

struct hdfs_exchange; /* bytes on their way; valid until its `done` returns */

/* One exchange with a place; it is never repeated. When the host of the place is not found or not there, its
 * address is taken from what the NameNode said of the file's blocks, once: that is before a byte moves. */
struct hdfs_exchange_options {
	const struct hdfs_place *place; /* copied */
	size_t buffer;    /* of libcurl, up to 512 KiB for OPEN and 2 MiB for the others; 0: its own choice */
	uint64_t idle_ms; /* -ETIMEDOUT when nothing moved for as long; whole seconds; 0: 60 s. A pause does
			   * not count */

	/* OPEN: the bytes as they come, all of which are taken. Not 0: ends it with -ECANCELED. */
	int (*on_data)(void *arg, const void *data, size_t len);

	/* CREATE, APPEND: fills `to`: at least 1 byte and at most `room`; 0: that was all; -EAGAIN: nothing
	 * now, hdfs_exchange_resume() says when there is; else it ends with -ECANCELED. */
	ssize_t (*pull)(void *arg, void *to, size_t room);

	/* 0: all was received that was announced; or all was sent, and HDFS says that the file is closed.
	 * `sent`: HDFS may have seen the request: false of a host that was not reached. */
	void (*done)(void *arg, int r, bool sent, const struct err *err);
	void *arg;
};

/* Starts. 0 and *ret, or -ENOMEM, -ECANCELED (the file system is being freed). */
int hdfs_exchange_start(struct hdfs_fs *fs, const struct hdfs_exchange_options *options,
	struct hdfs_exchange **ret, struct err *err);

/* OPEN: no more on_data until it is resumed; then, from the loop. */
void hdfs_exchange_pause(struct hdfs_exchange *x);
/* Also after `pull` said -EAGAIN: it is asked again, from the loop. */
void hdfs_exchange_resume(struct hdfs_exchange *x);

/* Its `done` runs with -ECANCELED from the loop, or has run already. NULL is allowed. */
void hdfs_exchange_cancel(struct hdfs_exchange *x);

#endif
