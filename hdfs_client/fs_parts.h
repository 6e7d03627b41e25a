/* fs_parts.h: behind fs.h. fs.c has the file system itself, call.c the life of one operation (requests and
 * retries), ops.c what is particular to each operation, lookup.c what is asked when an outcome is uncertain,
 * exchange.c the bytes. */
#ifndef QUERN_HDFS_CLIENT_FS_PARTS_H
#define QUERN_HDFS_CLIENT_FS_PARTS_H

#include "base/http.h"
#include "hdfs_client/answer.h"
#include "hdfs_client/fs.h"
#include "hdfs_client/hosts.h"
#include "hdfs_client/redirect.h"
#include "hdfs_client/remote.h"
#include "hdfs_client/request.h"
#include "hdfs_client/retry.h"

enum hdfs_service_kind {
	HDFS_KIND_UNKNOWN,
	HDFS_KIND_NAMENODE,
	HDFS_KIND_HTTPFS, /* one host that all data goes through */
};

struct hdfs_fs {
	struct event_base *loop;
	struct http_client *http;
	const struct hdfs_access *access;
	struct hdfs_url url; /* its NameNodes are those to ask; its path is not used */
	unsigned preferred;  /* the NameNode that answered last */
	char *user;
	enum hdfs_service_kind kind;
	bool no_batch, no_locations; /* an old cluster: it knows the older operation only */
	struct hdfs_hosts learned;
	struct hdfs_call *calls;
	struct hdfs_exchange *exchanges;
	char *warnings[2]; /* not yet told; NULL after the last */
	char *told;
	void (*waiting)(void *arg, const char *text); /* or NULL */
	void *waiting_arg;
	bool told_waiting; /* since the last answer */
	uint64_t seed;
	bool closing;
};

/* For sentences: "hdfs://AUTHORITY/PATH", as it was written. Cut if it is very long. */
enum { HDFS_NAME_SIZE = 512 };
const char *hdfs_fs_name(const struct hdfs_fs *fs, const char *path, char ret[HDFS_NAME_SIZE]);

/* What kind of service it turned out to be; of HttpFS the user is told. */
void hdfs_fs_is(struct hdfs_fs *fs, enum hdfs_service_kind kind);

/* Replaces a secret (or NULL) in a sentence by stars. */
void hdfs_hush(char *text, const char *secret);

/* ---- ask.c ---- */

/* A copy of everything. 0 or -ENOMEM; hdfs_ask_deinit(), which wipes it, in any case. */
int hdfs_ask_copy(struct hdfs_ask *to, const struct hdfs_ask *from);
void hdfs_ask_deinit(struct hdfs_ask *a);

/* ---- call.c ---- */

/* Waits for one thing at a time: its timer, a request, a call or an exchange of its own. */
struct hdfs_call {
	struct hdfs_fs *fs;
	struct hdfs_call *next, *prev;
	const struct hdfs_op_info *info;
	struct hdfs_ask ask; /* with copies of everything */
	void (*done)(void *arg, int r, struct hdfs_answer *answer, const struct err *err);
	void *arg;

	struct event *timer;
	struct http_request *http;
	struct hdfs_call *child;
	struct hdfs_exchange *exchange;
	bool cancelled;

	uint64_t since_ms; /* when it was asked first */
	struct hdfs_retry retry;
	struct hdfs_refusal refusal; /* the last one */
	struct hdfs_answer answer;   /* so far */
	struct err err;

	bool old_form;           /* of LIST and LOCATE */
	char *start_after;       /* LIST: the last name of the batch before */
	bool serves;             /* OPEN: a server that does not know noredirect has begun to send the file */
	struct hdfs_place place; /* CHECKSUM: who computes it */
	struct buf body;         /* CHECKSUM: what the DataNode said */
	unsigned strikes;        /* CHECKSUM: DataNodes that did badly */
	bool checked;            /* RENAME: `to` is not there */
	bool final_look;         /* what is looked up decides between the refusal and success */
	bool from_there;         /* RENAME: found so */
	bool named;              /* the sentence in `err` has the name of the file */
};

/* Ends it: `done`, and frees it. With r < 0 the sentence is in c->err, without the name of the file. */
void hdfs_call_finish(struct hdfs_call *c, int r);

/* Begins (again) with a request, from the loop. */
void hdfs_call_again(struct hdfs_call *c, uint64_t wait_ms);

/* The first request of another operation, or of the next batch: new patience. */
void hdfs_call_anew(struct hdfs_call *c);

/* An outcome is known to be none: goes on, or gives up. */
void hdfs_call_undone(struct hdfs_call *c);

/* Has `stat` look for a path; c->child is set. */
int hdfs_call_stat(struct hdfs_call *c, const char *path,
	void (*done)(void *arg, int r, struct hdfs_answer *answer, const struct err *err));

/* ---- ops.c ---- */

enum { HDFS_TAKEN, HDFS_ONWARD }; /* the call is through; it waits for something else now */

struct hdfs_op_info {
	const char *name, *old_name; /* old_name: of clusters that do not know the first */
	const char *method;
	bool repeatable; /* twice is as good as once */
	bool redirects;  /* to where the bytes are */
	bool own_name;   /* a token does not do: about tokens */
	uint32_t timeout_ms;
	size_t max_body;
	void (*query)(struct hdfs_call *c, struct hdfs_request *q);               /* or NULL */
	int (*take)(struct hdfs_call *c, struct hdfs_json body, struct err *err); /* or NULL */
	int (*look_up)(struct hdfs_call *c); /* not repeatable: begins to look; 0 or -ENOMEM */
};

extern const struct hdfs_op_info hdfs_ops[HDFS_N_OPS];

/* A redirect, in either form, or a server that serves by itself. As `take`. */
int hdfs_take_redirect(struct hdfs_call *c, const struct http_response *r, struct err *err);

/* ---- lookup.c ---- */

int hdfs_look_up_rename(struct hdfs_call *c);
int hdfs_look_up_delete(struct hdfs_call *c);
int hdfs_look_up_concat(struct hdfs_call *c);

/* Before a rename by a server that may be HttpFS, which does not know that `to` is the new name itself. */
int hdfs_check_rename(struct hdfs_call *c);

/* ---- exchange.c ---- */

/* Those of the file system that are left, when it is freed. */
void hdfs_exchange_end(struct hdfs_exchange *x);
void hdfs_exchange_cancel_all(struct hdfs_fs *fs);

#endif
