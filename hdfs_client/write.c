/* An upload is asked for (CREATE or APPEND at the NameNode, which changes nothing there), then the bytes go
 * to the DataNode, which makes the file. After an answer that was lost it is looked whether the file is
 * whole. */
#include "hdfs_client/write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUFFER = 512 << 10, /* what is sent at a time */
	WAIT_MIN_MS = 100,  /* before DataNodes that were not reached are tried again; doubled */
	WAIT_MAX_MS = 10000,
	IDLE_MIN_MS = 1000,
};

struct hdfs_upload {
	struct hdfs_fs *fs;
	struct hdfs_upload_options o;
	struct hdfs_create how;
	char *path, *name;
	uint64_t pulled;
	bool all; /* pulled */
	uint64_t since_ms, wait_ms;
	struct hdfs_call *call;
	struct hdfs_exchange *exchange;
	struct hdfs_place place;
	bool cancelled;
	int why; /* of the last failure */
	struct err err;
};

static void ask(struct hdfs_upload *u);

static struct hdfs_upload *upload_free(struct hdfs_upload *u)
{
	hdfs_place_deinit(&u->place);
	free(u->path);
	free(u->name);
	free(u);
	return NULL;
}

static void finish(struct hdfs_upload *u, int result)
{
	u->o.done(u->o.arg, result, &u->err);
	(void)upload_free(u);
}

static void finish_cancelled(struct hdfs_upload *u)
{
	finish(u, err_set(&u->err, -ECANCELED, "%s: writing was given up", u->name));
}

/* ---- After a failure ---- */

/* All was sent, and what came of it is not known. */
static void on_stat(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_upload *u = arg;

	(void)err; /* the first failure says more */
	u->call = NULL;
	bool whole = k == 0 && answer->status.kind == HDFS_FILE &&
		     answer->status.length == u->o.before + u->pulled &&
		     answer->status.modified_ms != u->o.before_ms; /* the old one may be as long */
	if (u->cancelled)
		finish_cancelled(u);
	else
		finish(u, whole ? 0 : u->why);
}

static void look_up(struct hdfs_upload *u)
{
	const struct hdfs_ask a = { .op = HDFS_OP_STAT, .path = u->path };

	if (hdfs_fs_ask(u->fs, &a, on_stat, u, &u->call, NULL) < 0)
		finish(u, u->why);
}

static void on_waited(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_upload *u = arg;

	(void)answer;
	u->call = NULL;
	if (k < 0) {
		u->err = *err;
		finish(u, k);
	} else
		ask(u);
}

static void wait_and_repeat(struct hdfs_upload *u)
{
	const struct hdfs_ask a = { .op = HDFS_OP_WAIT, .length = u->wait_ms };
	int k = hdfs_fs_ask(u->fs, &a, on_waited, u, &u->call, &u->err);

	if (k < 0)
		finish(u, k);
	else
		u->wait_ms = u->wait_ms * 2 < WAIT_MAX_MS ? u->wait_ms * 2 : WAIT_MAX_MS;
}

/* The host was not reached, nothing was pulled: another one, or all of them again after a while. */
static void try_another(struct hdfs_upload *u)
{
	uint64_t now = hdfs_now_ms();

	if (now - u->since_ms + u->wait_ms > u->o.patience_ms) {
		finish(u, u->why);
	} else if (u->place.proxy || u->place.host == NULL || hdfs_avoid_has(u->o.avoid, u->place.host)) {
		hdfs_avoid_deinit(u->o.avoid);
		wait_and_repeat(u);
	} else {
		hdfs_avoid_add(u->o.avoid, u->place.host, now);
		ask(u);
	}
}

/* Whether the answer itself says that the file is not there as it should be: of an exchange that was not
 * broken. */
static bool is_answer(int k)
{
	return k != -EIO && k != -ETIMEDOUT && k != -ECONNRESET && k != -ECONNREFUSED && k != -EBADMSG;
}

/* ---- Bytes ---- */

static ssize_t pull(void *arg, void *to, size_t room)
{
	struct hdfs_upload *u = arg;
	ssize_t n = u->o.pull(u->o.arg, to, room);

	if (n > 0)
		u->pulled += (uint64_t)n;
	if (n == 0)
		u->all = true;
	return n;
}

static void on_sent(void *arg, int k, bool sent, const struct err *err)
{
	struct hdfs_upload *u = arg;

	u->exchange = NULL;
	u->why = k;
	if (k < 0)
		u->err = *err;
	if (u->cancelled)
		finish_cancelled(u);
	else if (k == 0)
		finish(u, u->all ? 0
				 : err_set(&u->err, -EBADMSG,
					   "%s: DataNode %s answered before it had all of it", u->name,
					   u->place.host));
	else if (!sent && u->pulled == 0 && !u->all)
		try_another(u);
	else if (u->all && !is_answer(k))
		look_up(u);
	else
		finish(u, k);
}

static void on_place(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_upload *u = arg;

	u->call = NULL;
	if (u->cancelled) {
		finish_cancelled(u);
		return;
	}
	if (k < 0) {
		u->why = k;
		u->err = *err;
		if (k == -EIO && u->o.avoid->n > 0) /* as all are excluded, perhaps */
			try_another(u);
		else
			finish(u, k);
		return;
	}
	u->place = answer->place;
	answer->place = (struct hdfs_place){ 0 };
	/* While it leaves another DataNode that is silent, which takes it 75 s, it takes nothing. */
	uint64_t idle_ms = u->o.patience_ms > IDLE_MIN_MS ? u->o.patience_ms : IDLE_MIN_MS;
	const struct hdfs_exchange_options x = { .place = &u->place,
		.buffer = BUFFER,
		.idle_ms = idle_ms,
		.pull = pull,
		.done = on_sent,
		.arg = u };
	k = hdfs_exchange_start(u->fs, &x, &u->exchange, &u->err);
	if (k < 0)
		finish(u, k);
}

static int ask_place(struct hdfs_upload *u, struct err *err)
{
	const char *exclude[HDFS_AVOID_MAX];
	const struct hdfs_ask a = { .op = u->how.append ? HDFS_OP_APPEND : HDFS_OP_CREATE,
		.path = u->path,
		.overwrite = u->how.overwrite,
		.in_folder = u->how.in_folder,
		.permission = u->how.permission,
		.replication = u->how.replication,
		.block_size = u->how.block_size,
		.n_exclude = hdfs_avoid_names(u->o.avoid, hdfs_now_ms(), exclude),
		.exclude = exclude };

	return hdfs_fs_ask(u->fs, &a, on_place, u, &u->call, err);
}

static void ask(struct hdfs_upload *u)
{
	hdfs_place_deinit(&u->place);
	int k = ask_place(u, &u->err);
	if (k < 0)
		finish(u, k);
}

/* ---- The public face ---- */

int hdfs_upload_start(
	struct hdfs_fs *fs, const struct hdfs_upload_options *o, struct hdfs_upload **ret, struct err *err)
{
	struct hdfs_upload *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	u->fs = fs;
	u->o = *o;
	u->o.patience_ms = o->patience_ms > 0 ? o->patience_ms : HDFS_PATIENCE_MS;
	u->how = *o->how;
	u->path = strdup(o->path);
	u->name = strdup(o->name);
	u->since_ms = hdfs_now_ms();
	u->wait_ms = WAIT_MIN_MS;
	int k = u->path == NULL || u->name == NULL ? err_set(err, -ENOMEM, "out of memory")
						   : ask_place(u, err);
	if (k < 0) {
		(void)upload_free(u);
		return k;
	}
	*ret = u;
	return 0;
}

void hdfs_upload_resume(struct hdfs_upload *u)
{
	if (u->exchange != NULL)
		hdfs_exchange_resume(u->exchange);
}

void hdfs_upload_cancel(struct hdfs_upload *u)
{
	u->cancelled = true;
	if (u->call != NULL)
		hdfs_call_cancel(u->call);
	else
		hdfs_exchange_cancel(u->exchange);
}
