/* exchange.c: the bytes of a file, from or to the place that a NameNode named.
 *
 * The place's host is tried by its name first, or as the user's host map has it. When nobody is found there,
 * the NameNode is asked for addresses; what helped once is used at once the next time. All of that is before
 * a byte of the file moves: nothing is ever sent twice. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/fs_parts.h"

enum { CONNECT_TIMEOUT_MS = 10000, IDLE_MS = 60000, REFUSAL_MAX = 64 << 10 };

struct hdfs_exchange {
	struct hdfs_fs *fs;
	struct hdfs_exchange *next, *prev;
	struct hdfs_exchange_options o;
	struct hdfs_place place;
	struct http_request *http;
	struct hdfs_call *locate; /* for the address */
	struct buf refusal;       /* the body of an answer that is not liked */
	struct err err;
	long status;
	int result;
	unsigned asked; /* for addresses: how many ways */
	bool paused, by_address, sent, cancelled;
};

static void free_exchange(struct hdfs_exchange *x)
{
	hdfs_place_deinit(&x->place);
	buf_deinit(&x->refusal);
	free(x);
}

static void finish(struct hdfs_exchange *x, int r)
{
	char name[HDFS_NAME_SIZE];

	if (x->prev != NULL)
		x->prev->next = x->next;
	else
		x->fs->exchanges = x->next;
	if (x->next != NULL)
		x->next->prev = x->prev;
	if (x->cancelled || x->fs->closing)
		r = err_set(&x->err, -ECANCELED, "cancelled");
	hdfs_hush(x->err.text, hdfs_access_token(x->fs->access, x->fs->url.authority));
	if (r < 0)
		(void)err_prefix(&x->err, r, "%s: %s %s:%u", hdfs_fs_name(x->fs, x->place.path, name),
			x->place.proxy ? "HttpFS" : "DataNode", x->place.host, (unsigned)x->place.port);
	x->o.done(x->o.arg, r, x->sent, &x->err);
	free_exchange(x);
}

void hdfs_exchange_end(struct hdfs_exchange *x)
{
	x->cancelled = true;
	if (x->locate != NULL)
		hdfs_call_finish(x->locate, -ECANCELED);
	else
		finish(x, -ECANCELED);
}

static bool is_success(long status)
{
	return status >= 200 && status < 300;
}

static int on_head(void *arg, const struct http_response *r)
{
	struct hdfs_exchange *x = arg;

	x->status = r->status;
	return 0;
}

static int on_data(void *arg, const void *data, size_t len)
{
	struct hdfs_exchange *x = arg;

	if (is_success(x->status))
		return x->o.on_data != NULL ? x->o.on_data(x->o.arg, data, len) : 0;
	return buf_add(&x->refusal, data, len) == -ENOMEM ? -ENOMEM : 0; /* what is too long is no refusal */
}

static ssize_t on_pull(void *arg, void *to, size_t room)
{
	struct hdfs_exchange *x = arg;

	return x->o.pull(x->o.arg, to, room);
}

static int start(struct hdfs_exchange *x);

/* What the NameNode is asked for addresses: where the file's blocks are; all its DataNodes. */
static const enum hdfs_op asked[] = { HDFS_OP_LOCATE, HDFS_OP_NODES };
enum { N_ASKED = 2 };

static bool try_address(struct hdfs_exchange *x);

static void on_told(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct hdfs_exchange *x = arg;

	(void)r;
	(void)answer;
	(void)err;
	x->locate = NULL;
	if (!try_address(x))
		finish(x, x->result);
}

/* Starts over with an address, or asks for one. false: there is none. */
static bool try_address(struct hdfs_exchange *x)
{
	struct hdfs_ask ask = { .path = x->place.path, .length = UINT64_MAX };

	if (x->cancelled || x->fs->closing)
		return false;
	if (hdfs_hosts_find(&x->fs->learned, x->place.host) != NULL) {
		x->by_address = true;
		return start(x) == 0;
	}
	if (x->asked == 0 && x->place.op == HDFS_OP_CREATE)
		x->asked++; /* it has no blocks yet */
	if (x->asked == N_ASKED)
		return false;
	ask.op = asked[x->asked++];
	return hdfs_fs_ask(x->fs, &ask, on_told, x, &x->locate, NULL) == 0;
}

/* Whether a host was not found by its name, and may be by an address. */
static bool is_lost(const struct hdfs_exchange *x)
{
	return !x->sent && !x->by_address && !x->place.proxy &&
	       hdfs_access_host(x->fs->access, x->place.host) == NULL &&
	       (x->result == -EHOSTUNREACH || x->result == -ECONNREFUSED || x->result == -ETIMEDOUT);
}

static void on_done(void *arg, const struct http_response *r)
{
	struct hdfs_exchange *x = arg;
	struct hdfs_learned *l = x->by_address ? hdfs_hosts_find(&x->fs->learned, x->place.host) : NULL;

	x->http = NULL;
	x->sent = r->sent;
	x->result = r->result;
	if (l != NULL)
		l->good = r->sent;
	if (r->result < 0) {
		(void)err_set(&x->err, r->result, "%s", r->error);
		if (!is_lost(x) || !try_address(x))
			finish(x, x->result);
		return;
	}
	if (!is_success(r->status)) {
		struct hdfs_refusal refusal;

		hdfs_refusal_read(r->status, x->refusal.data, x->refusal.len, &refusal);
		if (refusal.code == -EHOSTDOWN)
			refusal.code = -EIO; /* that DataNode's own trouble: another one may do better */
		x->result = err_set(&x->err, refusal.code, "%s", refusal.text);
	}
	finish(x, x->result);
}

/* Where the host is, if that is not where its name says. */
static int find_address(struct hdfs_exchange *x, struct buf *to)
{
	const char *address = hdfs_access_host(x->fs->access, x->place.host);
	const struct hdfs_learned *l = hdfs_hosts_find(&x->fs->learned, x->place.host);

	if (address == NULL && l != NULL && (x->by_address || l->good)) {
		address = l->address;
		x->by_address = true;
	}
	return address == NULL ? 0 : hdfs_connect_to(to, x->place.host, x->place.port, address);
}

static int start(struct hdfs_exchange *x)
{
	static const char *const headers[] = { "Content-Type: application/octet-stream", NULL };
	bool upload = x->place.op == HDFS_OP_CREATE || x->place.op == HDFS_OP_APPEND;
	auto_buf struct buf to = BUF_INIT(1024);
	const char *connect_to[2] = { NULL, NULL };
	const struct http_options o = {
		.method = x->place.op == HDFS_OP_CREATE ? "PUT"
			  : upload                      ? "POST"
							: "GET",
		.url = x->place.url,
		.headers = upload ? headers : NULL,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.idle_ms = (uint32_t)(x->o.idle_ms > 0 ? x->o.idle_ms : IDLE_MS),
		.buffer = (long)x->o.buffer,
		.connect_to = connect_to,
		.once = upload,
		.pull = upload ? on_pull : NULL,
		.on_head = on_head,
		.on_data = on_data,
		.done = on_done,
		.arg = x,
	};

	if (find_address(x, &to) < 0)
		return err_set(&x->err, -ENOMEM, "out of memory");
	connect_to[0] = (const char *)to.data;
	int r = http_start(x->fs->http, &o, &x->http, NULL);
	if (r == 0 && x->paused)
		http_pause(x->http);
	return r < 0 ? err_set(&x->err, r, "no request is possible") : 0;
}

static int copy_place(struct hdfs_place *to, const struct hdfs_place *from)
{
	*to = *from;
	to->url = strdup(from->url);
	to->host = strdup(from->host);
	to->path = strdup(from->path);
	return to->url == NULL || to->host == NULL || to->path == NULL ? -ENOMEM : 0;
}

int hdfs_exchange_start(struct hdfs_fs *fs, const struct hdfs_exchange_options *options,
	struct hdfs_exchange **ret, struct err *err)
{
	if (fs->closing)
		return err_set(err, -ECANCELED, "no more exchanges are taken");
	struct hdfs_exchange *x = calloc(1, sizeof(*x));
	if (x == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	x->fs = fs;
	x->o = *options;
	x->refusal = BUF_INIT(REFUSAL_MAX);
	int r = copy_place(&x->place, options->place);
	x->o.place = &x->place;
	if (r == 0)
		r = start(x);
	if (r < 0) {
		free_exchange(x);
		return err_set(err, r, "no exchange with a DataNode is possible");
	}
	x->next = fs->exchanges;
	if (x->next != NULL)
		x->next->prev = x;
	fs->exchanges = x;
	*ret = x;
	return 0;
}

void hdfs_exchange_pause(struct hdfs_exchange *x)
{
	x->paused = true;
	if (x->http != NULL)
		http_pause(x->http);
}

void hdfs_exchange_resume(struct hdfs_exchange *x)
{
	x->paused = false;
	if (x->http != NULL)
		http_resume(x->http);
}

void hdfs_exchange_cancel_all(struct hdfs_fs *fs)
{
	for (struct hdfs_exchange *x = fs->exchanges; x != NULL; x = x->next)
		hdfs_exchange_cancel(x);
}

void hdfs_exchange_cancel(struct hdfs_exchange *x)
{
	if (x == NULL)
		return;
	x->cancelled = true;
	if (x->http != NULL)
		http_cancel(x->http);
	else
		hdfs_call_cancel(x->locate);
}
