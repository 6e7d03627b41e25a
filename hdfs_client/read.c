/* A range is asked for (OPEN at the NameNode), then its bytes come (an exchange with the DataNode). After a
 * failure it is looked whether the file still is what it was, and then it starts over with what is missing.
 */
#include "hdfs_client/read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
	BUFFER = 512 << 10, /* what is received at a time */
	WAIT_MIN_MS = 100,  /* before replicas that failed are tried again; doubled */
	WAIT_MAX_MS = 10000,
	IDLE_MIN_MS = 1000,
};

struct hdfs_range {
	struct hdfs_fs *fs;
	struct hdfs_range_options o;
	char *path, *name;
	uint64_t filled;
	uint64_t missing;  /* bytes that the exchange is to bring */
	uint64_t alive_ms; /* when the last byte came */
	uint64_t wait_ms;  /* next time */
	struct hdfs_call *call;
	struct hdfs_exchange *exchange;
	struct hdfs_place place;
	bool too_much, no_memory, cancelled, paused;
	bool excluded; /* DataNodes, when it was asked for the last time */
	bool unheeded; /* and yet one of them was named */
	int why;       /* of the last failure */
	struct err err;
};

static void ask(struct hdfs_range *r);

static struct hdfs_range *range_free(struct hdfs_range *r)
{
	hdfs_place_deinit(&r->place);
	free(r->path);
	free(r->name);
	free(r);
	return NULL;
}

static void finish(struct hdfs_range *r, int result)
{
	r->o.done(r->o.arg, result, &r->err);
	(void)range_free(r);
}

/* ---- After a failure ---- */

static void on_waited(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_range *r = arg;

	(void)answer;
	r->call = NULL;
	if (k < 0) {
		r->err = *err;
		finish(r, k);
	} else
		ask(r);
}

/* Nobody else is there: all over, after a while. */
static void wait_and_repeat(struct hdfs_range *r)
{
	uint64_t waited = hdfs_now_ms() - r->alive_ms;
	const struct hdfs_ask a = { .op = HDFS_OP_WAIT, .length = r->wait_ms };

	if (waited + r->wait_ms > r->o.patience_ms) {
		finish(r, r->why);
		return;
	}
	int k = hdfs_fs_ask(r->fs, &a, on_waited, r, &r->call, &r->err);
	if (k < 0)
		finish(r, k);
	else
		r->wait_ms = r->wait_ms * 2 < WAIT_MAX_MS ? r->wait_ms * 2 : WAIT_MAX_MS;
}

static void on_locations(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_range *r = arg;

	(void)answer;
	r->call = NULL;
	if (k == -ECANCELED) {
		r->err = *err;
		finish(r, k);
	} else
		ask(r);
}

/* A NameNode excludes a DataNode by its address alone, which the file system learns from locations. */
static void ask_others(struct hdfs_range *r)
{
	const struct hdfs_ask a = {
		.op = HDFS_OP_LOCATE, .path = r->path, .offset = r->o.offset + r->filled, .length = 1
	};

	if (r->unheeded) {
		wait_and_repeat(r);
		return;
	}
	hdfs_avoid_add(r->o.avoid, r->place.host, hdfs_now_ms());
	int k = hdfs_fs_ask(r->fs, &a, on_locations, r, &r->call, &r->err);
	if (k < 0)
		finish(r, k);
}

static void on_stat(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_range *r = arg;

	r->call = NULL;
	if (k == -ENOENT)
		finish(r, err_set(&r->err, -ESTALE, "%s: it was deleted while it was read", r->name));
	else if (k < 0) {
		r->err = *err;
		finish(r, k);
	} else if (answer->status.kind != HDFS_FILE || answer->status.length != r->o.size)
		finish(r, err_set(&r->err, -ESTALE, "%s: it has %llu bytes, and had %llu when it was opened",
				  r->name, (unsigned long long)answer->status.length,
				  (unsigned long long)r->o.size));
	else if (r->place.host == NULL) { /* there is no other DataNode */
		hdfs_avoid_deinit(r->o.avoid);
		wait_and_repeat(r);
	} else if (r->place.proxy)
		wait_and_repeat(r);
	else
		ask_others(r);
}

/* Whether it is the file's fault. */
static void look_up(struct hdfs_range *r)
{
	const struct hdfs_ask a = { .op = HDFS_OP_STAT, .path = r->path };
	int k = hdfs_fs_ask(r->fs, &a, on_stat, r, &r->call, &r->err);

	if (k < 0)
		finish(r, k);
}

/* Those that another DataNode would answer with, too. */
static bool is_final(int k)
{
	return k == -ECANCELED || k == -ENOMEM || k == -EACCES || k == -EKEYEXPIRED || k == -EHOSTDOWN ||
	       k == -EROFS || k == -EISDIR;
}

static void fail(struct hdfs_range *r, int k, const struct err *err)
{
	/* That nobody is left says less than what was wrong with the others. */
	if (r->why == 0 || is_final(k) || r->place.host != NULL || !r->excluded) {
		r->why = k;
		r->err = *err;
	}
	if (is_final(k))
		finish(r, k);
	else
		look_up(r);
}

/* ---- Bytes ---- */

static int on_data(void *arg, const void *data, size_t len)
{
	struct hdfs_range *r = arg;

	if (len > r->missing) {
		r->too_much = true;
		return -1;
	}
	if (r->o.bytes(r->o.arg, data, len) < 0) {
		r->no_memory = true;
		return -1;
	}
	r->filled += len;
	r->missing -= len;
	r->alive_ms = hdfs_now_ms();
	r->wait_ms = WAIT_MIN_MS;
	return 0;
}

static void on_bytes(void *arg, int k, bool sent, const struct err *err)
{
	struct hdfs_range *r = arg;
	struct err short_of;

	(void)sent;
	r->exchange = NULL;
	if (r->cancelled)
		finish(r, err_set(&r->err, -ECANCELED, "%s: reading was given up", r->name));
	else if (r->no_memory)
		finish(r, err_set(&r->err, -ENOMEM, "%s: out of memory", r->name));
	else if (r->missing == 0 && !r->too_much) /* however it ended */
		finish(r, 0);
	else if (r->too_much || k == 0)
		fail(r,
			err_set(&short_of, -EBADMSG, "%s: DataNode %s sent %s bytes than it was asked for",
				r->name, r->place.host, r->too_much ? "more" : "fewer"),
			&short_of);
	else
		fail(r, k, err);
}

/* A DataNode that is silent is left in time for the others. */
static uint64_t idle_ms(const struct hdfs_range *r)
{
	uint64_t ms = r->o.patience_ms / 4;

	return ms > IDLE_MIN_MS ? ms : IDLE_MIN_MS;
}

static void on_place(void *arg, int k, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_range *r = arg;

	r->call = NULL;
	if (k < 0) {
		fail(r, k, err);
		return;
	}
	r->place = answer->place;
	answer->place = (struct hdfs_place){ 0 };
	r->unheeded = hdfs_avoid_has(r->o.avoid, r->place.host);
	const struct hdfs_exchange_options x = { .place = &r->place,
		.buffer = BUFFER,
		.idle_ms = idle_ms(r),
		.on_data = on_data,
		.done = on_bytes,
		.arg = r };
	r->too_much = false;
	r->missing = r->o.len - r->filled;
	k = hdfs_exchange_start(r->fs, &x, &r->exchange, &r->err);
	if (k < 0)
		finish(r, k);
	else if (r->paused)
		hdfs_exchange_pause(r->exchange);
}

static int ask_place(struct hdfs_range *r, struct err *err)
{
	const char *exclude[HDFS_AVOID_MAX];
	size_t n = hdfs_avoid_names(r->o.avoid, hdfs_now_ms(), exclude);
	const struct hdfs_ask a = { .op = HDFS_OP_OPEN,
		.path = r->path,
		.offset = r->o.offset + r->filled,
		.length = r->o.len - r->filled,
		.exclude = exclude,
		.n_exclude = n };

	r->excluded = n > 0;
	return hdfs_fs_ask(r->fs, &a, on_place, r, &r->call, err);
}

static void ask(struct hdfs_range *r)
{
	hdfs_place_deinit(&r->place);
	int k = ask_place(r, &r->err);
	if (k < 0)
		finish(r, k);
}

/* ---- The public face ---- */

int hdfs_range_start(
	struct hdfs_fs *fs, const struct hdfs_range_options *o, struct hdfs_range **ret, struct err *err)
{
	struct hdfs_range *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r->fs = fs;
	r->o = *o;
	r->o.patience_ms = o->patience_ms > 0 ? o->patience_ms : HDFS_PATIENCE_MS;
	r->path = strdup(o->path);
	r->name = strdup(o->name);
	r->alive_ms = hdfs_now_ms();
	r->wait_ms = WAIT_MIN_MS;
	int k = r->path == NULL || r->name == NULL ? err_set(err, -ENOMEM, "out of memory")
						   : ask_place(r, err);
	if (k < 0) {
		(void)range_free(r);
		return k;
	}
	*ret = r;
	return 0;
}

void hdfs_range_pause(struct hdfs_range *r)
{
	r->paused = true;
	if (r->exchange != NULL)
		hdfs_exchange_pause(r->exchange);
}

void hdfs_range_resume(struct hdfs_range *r)
{
	r->paused = false;
	r->alive_ms = hdfs_now_ms();
	if (r->exchange != NULL)
		hdfs_exchange_resume(r->exchange);
}

void hdfs_range_cancel(struct hdfs_range *r)
{
	r->cancelled = true;
	if (r->call != NULL)
		hdfs_call_cancel(r->call);
	else
		hdfs_exchange_cancel(r->exchange);
}
