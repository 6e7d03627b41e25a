/* hdfs_tokens.c: for each file system: GETDELEGATIONTOKEN, then at once RENEWDELEGATIONTOKEN, for only that
 * says when the token expires; again at three quarters of the time that is left. Near the end of its life a
 * token is not renewed for as long as before: then another one is taken, and the old one kept for the tasks
 * that have it. */
#include "scheduler/hdfs_tokens.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/vec.h"
#include "hdfs_client/fs.h"

enum {
	DAY_MS = 86400000, /* dfs.namenode.delegation.token.renew-interval, where we are not told */
	LEAST_MS = 200,    /* between two renewals */
	AGAIN_MS = 60000,  /* after neither renewing nor taking another one went well */
	PACKED_MAX = 64 << 20,
};

struct file_system {
	struct hdfs_tokens *of;
	char *authority;
	struct hdfs_fs *fs;
	struct event *timer;
	char *token;          /* NULL: none */
	uint64_t interval_ms; /* for which it was good when it was new */
	bool fresh;           /* it was not renewed yet */
	bool settled;         /* it has one, or there is none */
	bool failed;          /* that could not be told */
};

/* One that was replaced, and is cancelled at the end. */
struct old_token {
	struct file_system *of;
	char *token;
};

struct hdfs_tokens {
	struct event_base *loop;
	const struct hdfs_tokens_ops *ops;
	void *arg;
	struct hdfs_access access; /* of the user */
	VEC(struct file_system *) systems;
	VEC(struct old_token) old;
	struct event *later; /* runs on_settled() */
	bool wanting;
	bool ending, freeing;
	unsigned pending; /* operations that the end waits for */
	int failed;       /* of what is wanted */
	char why[sizeof(((struct err *)0)->text)];
};

static void on_got(void *arg, int r, struct hdfs_answer *answer, const struct err *err);
static void on_renewed(void *arg, int r, struct hdfs_answer *answer, const struct err *err);

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static char *wipe(char *secret)
{
	if (secret != NULL)
		explicit_bzero(secret, strlen(secret));
	free(secret);
	return NULL;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void warn(struct hdfs_tokens *t, const struct file_system *s, const char *what, const struct err *err)
{
	struct err text;

	(void)err_set(&text, 0, "the delegation token of '%.200s' could not be %s: %s", s->authority, what,
		err->text);
	t->ops->warn(t->arg, text.text);
}

/* ---- What executors are told ---- */

static int pack(const struct hdfs_tokens *t, struct buf *to, struct err *err)
{
	struct hdfs_access a;

	int r = hdfs_access_copy(&t->access, &a, err);
	if (r < 0)
		return r;
	a.negotiate = false; /* they have no tickets */
	for (size_t i = 0; r == 0 && i < t->systems.n; i++)
		if (t->systems.at[i]->token != NULL)
			r = hdfs_access_add_token(
				&a, t->systems.at[i]->authority, t->systems.at[i]->token, err);
	if (r == 0 && hdfs_access_pack(&a, to) < 0)
		r = out_of_memory(err);
	hdfs_access_deinit(&a);
	return r;
}

static int tell(struct hdfs_tokens *t, struct err *err)
{
	struct buf packed = BUF_INIT(PACKED_MAX);

	int r = pack(t, &packed, err);
	if (r == 0)
		t->ops->changed(t->arg, packed.data, packed.len);
	if (packed.data != NULL)
		explicit_bzero(packed.data, packed.len);
	buf_deinit(&packed);
	return r;
}

/* From the loop: all that was wanted is there, or something of it cannot be had. */
static void on_settled(evutil_socket_t fd, short what, void *arg)
{
	struct hdfs_tokens *t = arg;
	struct err err = { "" };

	(void)fd;
	(void)what;
	if (!t->wanting || t->ending)
		return;
	for (size_t i = 0; t->failed == 0 && i < t->systems.n; i++)
		if (!t->systems.at[i]->settled)
			return;
	t->wanting = false;
	(void)err_set(&err, t->failed, "%s", t->why);
	int r = t->failed < 0 ? t->failed : tell(t, &err);
	t->ops->ready(t->arg, r, r < 0 ? err.text : "");
}

static void fail(struct hdfs_tokens *t, int r, const char *why)
{
	if (t->failed == 0) {
		struct err text;

		t->failed = err_set(&text, r, "%s", why);
		memcpy(t->why, text.text, sizeof(t->why));
	}
}

/* ---- Asking ---- */

typedef void answer_fn(void *arg, int r, struct hdfs_answer *answer, const struct err *err);

static int ask(struct file_system *s, enum hdfs_op op, const char *token, answer_fn *done, struct err *err)
{
	const struct hdfs_ask a = { .op = op, .token = token };

	return hdfs_fs_ask(s->fs, &a, done, s, NULL, err);
}

static void ask_token(struct file_system *s)
{
	struct hdfs_tokens *t = s->of;
	struct err err = { "" };

	t->pending++;
	int r = ask(s, HDFS_OP_TOKEN_GET, NULL, on_got, &err);
	if (r < 0)
		on_got(s, r, NULL, &err);
}

static void wait_for(struct file_system *s, uint64_t ms)
{
	const struct timeval tv = { .tv_sec = (time_t)(ms / 1000),
		.tv_usec = (suseconds_t)(ms % 1000 * 1000) };
	const struct err no_memory = { "out of memory" };

	if (event_add(s->timer, &tv) < 0)
		warn(s->of, s, "renewed", &no_memory);
}

static void renew(struct file_system *s)
{
	struct err err = { "" };

	int r = ask(s, HDFS_OP_TOKEN_RENEW, s->token, on_renewed, &err);
	if (r < 0)
		on_renewed(s, r, NULL, &err);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct file_system *s = arg;

	(void)fd;
	(void)what;
	if (!s->of->ending)
		renew(s);
}

/* ---- Cancelling ---- */

static void one_less(struct hdfs_tokens *t)
{
	if (--t->pending == 0 && t->ending && !t->freeing)
		t->ops->ended(t->arg);
}

static void on_cancelled(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	static const struct err late = { "there was no answer in time" };
	struct file_system *s = arg;

	(void)answer;
	if (r < 0 && r != -EKEYEXPIRED)
		warn(s->of, s, "cancelled, and expires by itself", s->of->freeing ? &late : err);
	one_less(s->of);
}

static void cancel(struct file_system *s, const char *token)
{
	struct err err = { "" };

	int r = ask(s, HDFS_OP_TOKEN_CANCEL, token, on_cancelled, &err);
	if (r < 0)
		warn(s->of, s, "cancelled, and expires by itself", &err);
	else
		s->of->pending++;
}

bool hdfs_tokens_end(struct hdfs_tokens *t)
{
	t->ending = true;
	for (size_t i = 0; i < t->systems.n; i++) {
		(void)event_del(t->systems.at[i]->timer);
		if (t->systems.at[i]->token != NULL)
			cancel(t->systems.at[i], t->systems.at[i]->token);
	}
	for (size_t i = 0; i < t->old.n; i++)
		cancel(t->old.at[i].of, t->old.at[i].token);
	return t->pending > 0;
}

/* ---- Taking and renewing ---- */

static void settled(struct file_system *s)
{
	s->settled = true;
	event_active(s->of->later, 0, 0);
}

/* Keeps a token that was given, which is the caller's if that fails. */
static int keep(struct file_system *s, char *token, struct err *err)
{
	struct hdfs_access look = { 0 };

	int r = hdfs_access_add_token(&look, s->authority, token, err);
	hdfs_access_deinit(&look);
	if (r == 0 && s->token != NULL && vec_push(&s->of->old, ((struct old_token){ s, s->token })) < 0)
		r = out_of_memory(err);
	if (r == 0) {
		s->token = token;
		s->fresh = true;
	}
	return r;
}

/* There is none, or no other one. */
static void got_none(struct file_system *s, int r, const struct err *err)
{
	struct hdfs_tokens *t = s->of;

	if (s->token != NULL) { /* it is good for a while, perhaps */
		warn(t, s, "replaced", err);
		wait_for(s, AGAIN_MS);
		return;
	}
	if (r < 0) {
		s->failed = true;
		fail(t, r, err->text);
		event_active(t->later, 0, 0);
		return;
	}
	settled(s);
}

static void on_got(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct file_system *s = arg;
	struct hdfs_tokens *t = s->of;
	struct err why = { "the cluster gives none any more" };
	char *token = r == 0 ? answer->text : NULL;

	if (r == 0)
		answer->text = NULL;
	else
		why = *err;
	if (token != NULL && t->ending && !t->freeing)
		cancel(s, token);
	if (token != NULL && !t->ending && (r = keep(s, token, &why)) == 0) {
		token = NULL;
		renew(s);
	} else if (!t->ending)
		got_none(s, r, &why);
	(void)wipe(token);
	one_less(t);
}

/* A new one has been renewed for the first time: executors may have it. */
static void is_new(struct file_system *s)
{
	struct err err = { "" };

	s->fresh = false;
	if (!s->settled)
		settled(s);
	else if (tell(s->of, &err) < 0)
		warn(s->of, s, "given to executors", &err);
}

static void on_renewed(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct file_system *s = arg;
	uint64_t now = now_ms();

	(void)err;
	if (s->of->ending)
		return;
	/* Clocks may differ; then its time is what the default is. */
	uint64_t left = r == 0 && answer->expires_ms > now ? answer->expires_ms - now : 0;
	if (s->fresh) {
		s->interval_ms = left = left > 0 ? left : DAY_MS;
		is_new(s);
	} else if (r < 0 || left < s->interval_ms / 2) {
		ask_token(s);
		return;
	}
	uint64_t wait = left / 4 * 3;
	wait_for(s, wait > LEAST_MS ? wait : LEAST_MS);
}

/* ---- Wanting ---- */

static struct file_system *file_system_free(struct file_system *s)
{
	if (s == NULL)
		return NULL;
	(void)hdfs_fs_free(s->fs);
	if (s->timer != NULL)
		event_free(s->timer);
	free(s->authority);
	(void)wipe(s->token);
	free(s);
	return NULL;
}

static int file_system_new(struct hdfs_tokens *t, const struct hdfs_url *url, struct err *err)
{
	struct file_system *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return out_of_memory(err);
	s->of = t;
	s->authority = strdup(url->authority);
	s->timer = event_new(t->loop, -1, 0, on_timer, s);
	int r = s->authority == NULL || s->timer == NULL ? out_of_memory(err)
							 : hdfs_fs_new(t->loop, url, &t->access, &s->fs, err);
	if (r == 0 && vec_push(&t->systems, s) < 0)
		r = out_of_memory(err);
	if (r < 0) {
		(void)file_system_free(s);
		return r;
	}
	ask_token(s);
	return 0;
}

/* Of one file system: asks for its token, if that has not been done, or went wrong the last time. */
static int want(struct hdfs_tokens *t, const struct hdfs_url *url, struct err *err)
{
	/* Who is believed without Kerberos needs none; Hadoop itself would not look at it. */
	if (!t->access.negotiate || hdfs_access_token(&t->access, url->authority) != NULL)
		return 0;
	for (size_t i = 0; i < t->systems.n; i++) {
		struct file_system *s = t->systems.at[i];

		if (strcmp(s->authority, url->authority) != 0)
			continue;
		if (s->failed) {
			s->failed = false;
			ask_token(s);
		}
		return 0;
	}
	return file_system_new(t, url, err);
}

int hdfs_tokens_want(struct hdfs_tokens *t, const char *const *urls, size_t n, struct err *err)
{
	int r = 0;

	t->failed = 0;
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct hdfs_url url;

		r = hdfs_url_parse(urls[i], &url, err);
		if (r == 0)
			r = want(t, &url, err);
		hdfs_url_deinit(&url);
	}
	if (r == 0) {
		t->wanting = true;
		event_active(t->later, 0, 0);
	}
	return r;
}

/* ---- All of it ---- */

int hdfs_tokens_new(struct event_base *loop, const struct hdfs_access *access,
	const struct hdfs_tokens_ops *ops, void *arg, struct hdfs_tokens **ret, struct err *err)
{
	struct hdfs_tokens *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return out_of_memory(err);
	t->loop = loop;
	t->ops = ops;
	t->arg = arg;
	t->later = event_new(loop, -1, 0, on_settled, t);
	int r = t->later == NULL ? out_of_memory(err) : hdfs_access_copy(access, &t->access, err);
	if (r < 0) {
		(void)hdfs_tokens_free(t);
		return r;
	}
	t->access.known = true; /* the action's files have been looked at */
	*ret = t;
	return 0;
}

struct hdfs_tokens *hdfs_tokens_free(struct hdfs_tokens *t)
{
	if (t == NULL)
		return NULL;
	t->ending = t->freeing = true;
	for (size_t i = 0; i < t->systems.n; i++)
		(void)file_system_free(t->systems.at[i]);
	for (size_t i = 0; i < t->old.n; i++)
		(void)wipe(t->old.at[i].token);
	vec_deinit(&t->systems);
	vec_deinit(&t->old);
	if (t->later != NULL)
		event_free(t->later);
	hdfs_access_deinit(&t->access);
	free(t);
	return NULL;
}
