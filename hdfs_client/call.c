/* call.c: one operation, from the ask to the answer: a request, its outcome, and what retry.h makes of it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hdfs_client/fs_parts.h"

enum {
	CONNECT_TIMEOUT_MS = 10000,
	TELL_AFTER_MS = 10000, /* who waits so long wants to know what for */
};

static uint64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* ---- What was asked ---- */

static int check_path(const struct hdfs_fs *fs, const char *path, struct err *err)
{
	char name[HDFS_NAME_SIZE];

	if (hdfs_path_ok(path))
		return 0;
	return err_set(err, -EINVAL,
		"%s: no path that HDFS has: it begins with a slash, has no '.' or '..' between slashes, and "
		"at "
		"most %d bytes",
		hdfs_fs_name(fs, path, name), HDFS_PATH_MAX);
}

static int check_ask(const struct hdfs_fs *fs, const struct hdfs_ask *a, struct err *err)
{
	int r = a->path != NULL ? check_path(fs, a->path, err) : 0;

	if (r == 0 && a->op == HDFS_OP_RENAME)
		r = check_path(fs, a->to, err);
	for (size_t i = 0; r == 0 && i < a->n_sources; i++) {
		r = check_path(fs, a->sources[i], err);
		if (r == 0 && strchr(a->sources[i], ',') != NULL)
			r = err_set(err, -EINVAL,
				"'%.200s': HDFS cannot append a file with a comma in its name",
				a->sources[i]);
	}
	return r;
}

/* ---- Beginning and end ---- */

static void free_call(struct hdfs_call *c)
{
	if (c->timer != NULL)
		event_free(c->timer);
	hdfs_ask_deinit(&c->ask);
	hdfs_answer_deinit(&c->answer);
	hdfs_place_deinit(&c->place);
	free(c->start_after);
	buf_deinit(&c->body);
	free(c);
}

/* "hdfs://nn/a: " before the sentence; of a rename both names. */
static void name_it(struct hdfs_call *c)
{
	char from[HDFS_NAME_SIZE], to[HDFS_NAME_SIZE];

	hdfs_hush(c->err.text, hdfs_access_token(c->fs->access, c->fs->url.authority));
	hdfs_hush(c->err.text, c->ask.token);
	if (c->named)
		return;
	if (c->ask.op == HDFS_OP_RENAME)
		(void)err_prefix(&c->err, 0, "%s, to be '%s'", hdfs_fs_name(c->fs, c->ask.path, from),
			hdfs_fs_name(c->fs, c->ask.to, to));
	else
		(void)err_prefix(&c->err, 0, "%s", hdfs_fs_name(c->fs, c->ask.path, from));
}

void hdfs_call_finish(struct hdfs_call *c, int r)
{
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		c->fs->calls = c->next;
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (r == -ECANCELED && c->cancelled)
		(void)err_set(&c->err, r, "cancelled");
	if (r < 0)
		name_it(c);
	c->answer.op = c->ask.op;
	c->done(c->arg, r, r < 0 ? NULL : &c->answer, &c->err);
	free_call(c);
}

void hdfs_call_again(struct hdfs_call *c, uint64_t wait_ms)
{
	const struct timeval tv = { .tv_sec = (time_t)(wait_ms / 1000),
		.tv_usec = (suseconds_t)(wait_ms % 1000 * 1000) };

	if (wait_ms == 0 || event_add(c->timer, &tv) < 0)
		event_active(c->timer, 0, 0);
}

static uint64_t patience_ms(const struct hdfs_fs *fs)
{
	uint64_t patience = fs->access->patience_ms > 0 ? fs->access->patience_ms : HDFS_PATIENCE_MS;

	return patience < UINT32_MAX ? patience : UINT32_MAX;
}

void hdfs_call_anew(struct hdfs_call *c)
{
	c->since_ms = now_ms();
	hdfs_retry_init(&c->retry, c->fs->url.n, c->fs->preferred, c->info->repeatable, patience_ms(c->fs),
		++c->fs->seed, c->since_ms);
	hdfs_call_again(c, 0);
}

/* ---- An outcome ---- */

/* Why nobody has answered yet. `asked`: who was asked. */
static int say_why(struct hdfs_call *c, unsigned asked)
{
	const struct hdfs_namenode *nn = &c->fs->url.namenodes[asked];

	if (c->refusal.code == -EROFS)
		return err_set(&c->err, -EROFS, "%s", c->refusal.text);
	if (c->fs->url.n > 1)
		return err_set(&c->err, -EHOSTDOWN, "none of the NameNodes serves: the last, %s:%u: %s",
			nn->host, (unsigned)nn->port, c->refusal.text);
	return err_set(&c->err, -EHOSTDOWN, "the NameNode %s:%u does not serve: %s", nn->host,
		(unsigned)nn->port, c->refusal.text);
}

static void give_up(struct hdfs_call *c, unsigned asked)
{
	hdfs_call_finish(c, say_why(c, asked));
}

/* Another try; tells, once, that this takes long. */
static void ask_again(struct hdfs_call *c, unsigned asked, uint64_t wait_ms)
{
	struct hdfs_fs *fs = c->fs;
	char text[sizeof(c->err.text) + 100];

	if (fs->waiting != NULL && !fs->told_waiting && now_ms() - c->since_ms >= TELL_AFTER_MS) {
		fs->told_waiting = true;
		(void)say_why(c, asked);
		name_it(c);
		(void)snprintf(text, sizeof(text), "%s; it is waited for, %.0f s at most (--hdfs-patience)",
			c->err.text, (double)patience_ms(fs) / 1000);
		fs->waiting(fs->waiting_arg, text);
	}
	hdfs_call_again(c, wait_ms);
}

static void refuse(struct hdfs_call *c)
{
	(void)err_set(&c->err, c->refusal.code, "%s", c->refusal.text);
	hdfs_call_finish(c, c->refusal.code);
}

static void look_up(struct hdfs_call *c, bool final)
{
	c->final_look = final;
	if (c->info->look_up(c) < 0) {
		(void)err_set(&c->err, -ENOMEM, "out of memory");
		hdfs_call_finish(c, -ENOMEM);
	}
}

void hdfs_call_undone(struct hdfs_call *c)
{
	unsigned asked = c->retry.at;
	uint64_t wait;

	if (c->final_look)
		refuse(c);
	else if (hdfs_retry_undone(&c->retry, now_ms(), &wait) == HDFS_NEXT_ASK)
		ask_again(c, asked, wait);
	else
		give_up(c, asked);
}

/* What a request that failed comes to; fills c->refusal. */
static enum hdfs_outcome outcome_of_failure(struct hdfs_call *c, const struct http_response *r)
{
	c->refusal = (struct hdfs_refusal){ .code = -EHOSTDOWN };
	(void)snprintf(c->refusal.text, sizeof(c->refusal.text), "%s", r->error);
	switch (r->result) {
	case -ENOMEM:
		c->refusal.code = -ENOMEM;
		return HDFS_ANSWERED;
	case -EMSGSIZE:
		c->refusal.code = -EBADMSG;
		return HDFS_ANSWERED;
	case -EKEYREJECTED:
		(void)snprintf(c->refusal.text, sizeof(c->refusal.text),
			"%s (over TLS a server proves its name by a certificate of an authority that is "
			"trusted: "
			"--hdfs-ca-file)",
			r->error);
		return HDFS_HOPELESS;
	case -EHOSTUNREACH:
		return HDFS_HOPELESS;
	default:
		return r->sent ? HDFS_LOST : HDFS_UNREACHED;
	}
}

static bool is_success(const struct hdfs_call *c, long status)
{
	return (status >= 200 && status < 300) || (c->info->redirects && status == 307);
}

static enum hdfs_outcome outcome_of(struct hdfs_call *c, const struct http_response *r)
{
	c->refusal = (struct hdfs_refusal){ 0 };
	if (c->serves)
		return HDFS_ANSWERED;
	if (r->result < 0)
		return outcome_of_failure(c, r);
	if (is_success(c, r->status))
		return HDFS_ANSWERED;
	hdfs_refusal_read(r->status, r->body, r->body_len, &c->refusal);
	return c->refusal.outcome;
}

/* An answer that is liked. */
static void take(struct hdfs_call *c, const struct http_response *r)
{
	const struct hdfs_json body = { .data = r->body, .len = r->body_len };
	int k = HDFS_TAKEN;

	c->fs->preferred = c->retry.at;
	if (c->info->redirects)
		k = hdfs_take_redirect(c, r, &c->err);
	else if (c->info->take != NULL)
		k = c->info->take(c, body, &c->err);
	if (k != HDFS_ONWARD)
		hdfs_call_finish(c, k);
}

/* An answer that is not. */
static void take_refusal(struct hdfs_call *c)
{
	c->fs->preferred = c->retry.at;
	if (c->refusal.code == -EOPNOTSUPP && c->info->old_name != NULL && !c->old_form) {
		*(c->ask.op == HDFS_OP_LIST ? &c->fs->no_batch : &c->fs->no_locations) = true;
		hdfs_call_anew(c);
	} else if (c->retry.uncertain && c->info->look_up != NULL && !c->final_look) {
		look_up(c, true); /* perhaps it says so because it took place the first time */
	} else if (c->retry.uncertain && c->ask.op == HDFS_OP_TOKEN_CANCEL &&
		   c->refusal.code == -EKEYEXPIRED) {
		hdfs_call_finish(c, 0);
	} else {
		refuse(c);
	}
}

static void on_done(void *arg, const struct http_response *r)
{
	struct hdfs_call *c = arg;
	unsigned asked = c->retry.at;
	uint64_t wait;

	c->http = NULL;
	if (c->cancelled) {
		hdfs_call_finish(c, -ECANCELED);
		return;
	}
	switch (hdfs_retry_step(&c->retry, outcome_of(c, r), now_ms(), &wait)) {
	case HDFS_NEXT_TAKE:
		c->fs->told_waiting = false;
		if (c->refusal.code == 0)
			take(c, r);
		else
			take_refusal(c);
		return;
	case HDFS_NEXT_ASK:
		ask_again(c, asked, wait);
		return;
	case HDFS_NEXT_LOOK_UP:
		look_up(c, false);
		return;
	case HDFS_NEXT_GIVE_UP:
		give_up(c, asked);
	}
}

/* A server that knows no noredirect, and no other host for the data, sends the file: not this way. */
static int on_head(void *arg, const struct http_response *r)
{
	struct hdfs_call *c = arg;
	const char *type = r->content_type != NULL ? r->content_type : "";

	c->serves = c->ask.op == HDFS_OP_OPEN && r->status == 200 &&
		    strncasecmp(type, "application/json", strlen("application/json")) != 0;
	return c->serves ? -ECANCELED : 0;
}

/* ---- A request ---- */

static void set_who(const struct hdfs_call *c, struct hdfs_request *q, bool *ret_negotiate)
{
	const char *token = c->info->own_name ? NULL : hdfs_access_token(c->fs->access, c->fs->url.authority);

	*ret_negotiate = token == NULL && c->fs->access->negotiate;
	if (token != NULL)
		hdfs_request_text(q, "delegation", token);
	else if (!*ret_negotiate)
		hdfs_request_text(q, "user.name", c->fs->user);
}

static int start_request(struct hdfs_call *c, struct hdfs_request *q, bool negotiate)
{
	const struct hdfs_namenode *nn = &c->fs->url.namenodes[c->retry.at];
	const char *address = hdfs_access_host(c->fs->access, nn->host);
	auto_buf struct buf to = BUF_INIT(1024);
	const char *connect_to[2] = { NULL, NULL };
	const struct http_options o = {
		.method = c->info->method,
		.body = c->info->method[0] == 'P' ? "" : NULL, /* PUT and POST have one, of no bytes */
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.timeout_ms = (long)c->info->timeout_ms,
		.max_body = c->info->max_body,
		.connect_to = connect_to,
		.negotiate = negotiate,
		.once = !c->info->repeatable,
		.url = (const char *)q->url.data,
		.on_head = c->info->redirects ? on_head : NULL,
		.done = on_done,
		.arg = c,
	};

	if (address != NULL && hdfs_connect_to(&to, nn->host, nn->port, address) < 0)
		return -ENOMEM;
	connect_to[0] = (const char *)to.data;
	return http_start(c->fs->http, &o, &c->http, NULL);
}

static void send_request(struct hdfs_call *c)
{
	const struct hdfs_namenode *nn = &c->fs->url.namenodes[c->retry.at];
	struct hdfs_request q;
	bool negotiate;

	c->old_form = (c->ask.op == HDFS_OP_LIST && c->fs->no_batch) ||
		      (c->ask.op == HDFS_OP_LOCATE && c->fs->no_locations);
	if (c->ask.op == HDFS_OP_NODES)
		hdfs_request_nodes(&q, c->fs->url.tls, nn->host, nn->port);
	else
		hdfs_request_begin(&q, c->fs->url.tls, nn->host, nn->port, c->ask.path,
			c->old_form ? c->info->old_name : c->info->name);
	set_who(c, &q, &negotiate);
	if (c->info->query != NULL)
		c->info->query(c, &q);
	int r = hdfs_request_end(&q);
	if (r == 0)
		r = start_request(c, &q, negotiate);
	hdfs_request_deinit(&q);
	if (r < 0) {
		(void)err_set(
			&c->err, r, r == -EMSGSIZE ? "too much for one request" : "no request is possible");
		hdfs_call_finish(c, r == -EMSGSIZE ? -EINVAL : r);
	}
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct hdfs_call *c = arg;

	(void)fd;
	(void)what;
	if (c->cancelled) {
		hdfs_call_finish(c, -ECANCELED);
	} else if (c->ask.op == HDFS_OP_RENAME && !c->checked && c->fs->kind != HDFS_KIND_NAMENODE) {
		if (hdfs_check_rename(c) < 0) {
			(void)err_set(&c->err, -ENOMEM, "out of memory");
			hdfs_call_finish(c, -ENOMEM);
		}
	} else {
		send_request(c);
	}
}

/* ---- The public face ---- */

int hdfs_fs_ask(struct hdfs_fs *fs, const struct hdfs_ask *ask,
	void (*done)(void *arg, int r, struct hdfs_answer *answer, const struct err *err), void *arg,
	struct hdfs_call **ret, struct err *err)
{
	if (fs->closing)
		return err_set(err, -ECANCELED, "no more operations are taken");
	int r = check_ask(fs, ask, err);
	if (r < 0)
		return r;
	struct hdfs_call *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	c->fs = fs;
	c->info = &hdfs_ops[ask->op];
	c->done = done;
	c->arg = arg;
	c->answer.op = ask->op;
	c->timer = event_new(fs->loop, -1, 0, on_timer, c);
	if (hdfs_ask_copy(&c->ask, ask) < 0 || c->timer == NULL) {
		free_call(c);
		return err_set(err, -ENOMEM, "out of memory");
	}
	c->next = fs->calls;
	if (c->next != NULL)
		c->next->prev = c;
	fs->calls = c;
	hdfs_call_anew(c);
	if (ret != NULL)
		*ret = c;
	return 0;
}

int hdfs_call_stat(struct hdfs_call *c, const char *path,
	void (*done)(void *arg, int r, struct hdfs_answer *answer, const struct err *err))
{
	const struct hdfs_ask ask = { .op = HDFS_OP_STAT, .path = path };

	return hdfs_fs_ask(c->fs, &ask, done, c, &c->child, NULL);
}

void hdfs_call_cancel(struct hdfs_call *c)
{
	if (c == NULL)
		return;
	c->cancelled = true;
	if (c->child != NULL)
		hdfs_call_cancel(c->child);
	else if (c->exchange != NULL)
		hdfs_exchange_cancel(c->exchange);
	else if (c->http != NULL)
		http_cancel(c->http);
	else
		event_active(c->timer, 0, 0);
}
