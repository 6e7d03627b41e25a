/* ops.c: what each operation asks in WebHDFS's words, and what it takes from the answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hdfs_client/fs_parts.h"

enum {
	SMALL = 64 << 10,
	LARGE = 256 << 20, /* names in a folder, blocks of a file */
	LISTING_MAX = 1 << 24,
	CHECKSUM_STRIKES = 4,
	TIMEOUT_MS = 60000,
	LONG_MS = 600000, /* what goes through many files or blocks before it answers */
};

/* ---- Asking ---- */

static void ask_list(struct hdfs_call *c, struct hdfs_request *q)
{
	if (c->start_after != NULL && !c->old_form)
		hdfs_request_text(q, "startAfter", c->start_after);
}

static void ask_range(struct hdfs_call *c, struct hdfs_request *q)
{
	if (c->ask.offset > 0)
		hdfs_request_number(q, "offset", c->ask.offset);
	if (c->ask.length < INT64_MAX)
		hdfs_request_number(q, "length", c->ask.length);
}

static void ask_permission(struct hdfs_call *c, struct hdfs_request *q)
{
	if (c->ask.permission >= 0)
		hdfs_request_octal(q, "permission", (unsigned)c->ask.permission);
}

/* A rename that does not move into a folder, and overwrites nothing. */
static void ask_rename(struct hdfs_call *c, struct hdfs_request *q)
{
	hdfs_request_text(q, "destination", c->ask.to);
	hdfs_request_text(q, "renameoptions", "NONE");
}

static void ask_delete(struct hdfs_call *c, struct hdfs_request *q)
{
	hdfs_request_flag(q, "recursive", c->ask.recursive);
}

static void ask_times(struct hdfs_call *c, struct hdfs_request *q)
{
	if (c->ask.modified_ms < INT64_MAX)
		hdfs_request_number(q, "modificationtime", c->ask.modified_ms);
	if (c->ask.accessed_ms < INT64_MAX)
		hdfs_request_number(q, "accesstime", c->ask.accessed_ms);
}

static void ask_replication(struct hdfs_call *c, struct hdfs_request *q)
{
	hdfs_request_number(q, "replication", c->ask.replication);
}

static void ask_concat(struct hdfs_call *c, struct hdfs_request *q)
{
	struct buf list = BUF_INIT(HDFS_HTTP_URL_MAX);
	int r = 0;

	for (size_t i = 0; r == 0 && i < c->ask.n_sources; i++)
		r = buf_add_fmt(&list, "%s%s", i > 0 ? "," : "", c->ask.sources[i]);
	if (r == 0)
		r = buf_add(&list, "", 1);
	if (r < 0)
		q->error = r;
	else
		hdfs_request_text(q, "sources", (const char *)list.data);
	buf_deinit(&list);
}

/* The NameNode knows DataNodes by their addresses here, exactly with the port of data transfer
 * (NamenodeWebHdfsMethods.chooseDatanode); a name would never match. */
static void ask_redirect(struct hdfs_call *c, struct hdfs_request *q)
{
	struct buf list = BUF_INIT(SMALL);
	int r = 0;

	hdfs_request_flag(q, "noredirect", true);
	for (size_t i = 0; r == 0 && i < c->ask.n_exclude; i++) {
		const char *name = c->ask.exclude[i], *user = hdfs_access_host(c->fs->access, name);
		const struct hdfs_learned *l = hdfs_hosts_find(&c->fs->learned, name);
		const char *comma = list.len > 0 ? "," : "";

		if (l != NULL)
			r = buf_add_fmt(&list, "%s%s:%u", comma, l->address, (unsigned)l->port);
		else if (user != NULL) /* the best guess; it may have a port, of another kind */
			r = buf_add_fmt(&list, "%s%.*s", comma, (int)strcspn(user, ":"), user);
	}
	if (r == 0 && list.len > 0)
		r = buf_add(&list, "", 1);
	if (r < 0)
		q->error = r;
	else if (list.len > 0)
		hdfs_request_text(q, "excludedatanodes", (const char *)list.data);
	buf_deinit(&list);
}

static void ask_open(struct hdfs_call *c, struct hdfs_request *q)
{
	ask_range(c, q);
	ask_redirect(c, q);
}

static void ask_create(struct hdfs_call *c, struct hdfs_request *q)
{
	hdfs_request_flag(q, "overwrite", c->ask.overwrite);
	if (c->ask.in_folder)
		hdfs_request_flag(q, "createparent", false);
	ask_permission(c, q);
	if (c->ask.replication > 0)
		ask_replication(c, q);
	if (c->ask.block_size > 0)
		hdfs_request_number(q, "blocksize", c->ask.block_size);
	ask_redirect(c, q);
}

static void ask_token(struct hdfs_call *c, struct hdfs_request *q)
{
	if (c->ask.token != NULL)
		hdfs_request_text(q, "token", c->ask.token);
	if (c->ask.renewer != NULL)
		hdfs_request_text(q, "renewer", c->ask.renewer);
}

/* ---- Taking ---- */

static int take_status(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	return hdfs_answer_status(j, c->ask.path, &c->answer.status, err);
}

static int take_list(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	struct hdfs_listing *l = &c->answer.listing;
	uint64_t more;

	int r = hdfs_answer_listing(j, c->ask.path, l, &more, err);
	if (r < 0)
		return r;
	if (more == 0) {
		hdfs_listing_sort(l);
		return HDFS_TAKEN;
	}
	if (l->n > LISTING_MAX)
		return err_set(err, -EBADMSG, "a folder with more than %d names", LISTING_MAX);
	free(c->start_after);
	c->start_after = strdup(strrchr(l->at[l->n - 1].path, '/') + 1);
	if (c->start_after == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	hdfs_call_anew(c);
	return HDFS_ONWARD;
}

static int take_summary(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	return hdfs_answer_summary(j, &c->answer.summary, err);
}

static int take_blocks(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	int r = hdfs_answer_blocks(j, &c->answer.blocks, err);

	if (r == 0 && hdfs_hosts_learn_blocks(&c->fs->learned, &c->answer.blocks) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return r;
}

static int learn(void *arg, const char *host, const char *address, uint16_t port)
{
	struct hdfs_fs *fs = arg;

	return hdfs_hosts_learn(&fs->learned, host, address, port);
}

static int take_nodes(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	return hdfs_answer_nodes(j, learn, c->fs, err);
}

static int take_home(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	return hdfs_answer_home(j, &c->answer.text, err);
}

static int take_token(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	return hdfs_answer_token(j, &c->answer.text, err);
}

static int take_expiry(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	return hdfs_answer_long(j, &c->answer.expires_ms, err);
}

/* `false` has no reason with it. */
static int take_boolean(struct hdfs_json j, int code, const char *why, struct err *err)
{
	bool yes;
	int r = hdfs_answer_boolean(j, &yes, err);

	return r < 0 || yes ? r : err_set(err, code, "%s", why);
}

static int take_mkdirs(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	(void)c;
	return take_boolean(j, -EIO, "HDFS did not make the folder", err);
}

static int take_delete(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	int r = take_boolean(j, -ENOENT, "no such file or folder", err);

	return r == -ENOENT && c->retry.uncertain ? 0 : r;
}

static int take_replication(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	(void)c;
	return take_boolean(j, -ENOENT, "no such file", err);
}

/* A NameNode says nothing when there were renameoptions. HttpFS has a boolean. */
static int take_rename(struct hdfs_call *c, struct hdfs_json j, struct err *err)
{
	bool yes;

	if (j.len == 0) {
		hdfs_fs_is(c->fs, HDFS_KIND_NAMENODE);
		return HDFS_TAKEN;
	}
	int r = hdfs_answer_boolean(j, &yes, err);
	if (r < 0 || yes)
		return r;
	c->refusal = (struct hdfs_refusal){ .code = -ENOENT,
		.text = "it is not there, or the folder of its new name is not" };
	c->final_look = true;
	return c->info->look_up(c) < 0 ? err_set(err, -ENOMEM, "out of memory") : HDFS_ONWARD;
}

/* ---- Redirects ---- */

static void on_sum_done(void *arg, int r, bool sent, const struct err *err)
{
	struct hdfs_call *c = arg;
	const struct hdfs_json j = { .data = c->body.data, .len = c->body.len };

	(void)sent;
	c->exchange = NULL;
	if (r == 0) {
		r = hdfs_answer_checksum(j, &c->answer.checksum, &c->err);
	} else if ((r == -ECONNREFUSED || r == -ECONNRESET || r == -EHOSTUNREACH || r == -ETIMEDOUT) &&
		   ++c->strikes < CHECKSUM_STRIKES) {
		buf_clear(&c->body); /* the NameNode may choose another DataNode */
		hdfs_call_anew(c);
		return;
	} else {
		c->err = *err;
		c->named = true;
	}
	hdfs_call_finish(c, r);
}

static int on_sum_data(void *arg, const void *data, size_t len)
{
	struct hdfs_call *c = arg;

	return buf_add(&c->body, data, len);
}

static int fetch_checksum(struct hdfs_call *c, struct err *err)
{
	const struct hdfs_exchange_options o = {
		.place = &c->place, .idle_ms = LONG_MS, .on_data = on_sum_data, .done = on_sum_done, .arg = c
	};

	c->body.max = SMALL;
	int r = hdfs_exchange_start(c->fs, &o, &c->exchange, err);
	return r < 0 ? r : HDFS_ONWARD;
}

/* Takes the place over. */
static int take_place(struct hdfs_call *c, struct hdfs_redirect *to, struct err *err)
{
	const struct hdfs_namenode *nn = &c->fs->url.namenodes[c->retry.at];
	bool proxy = to->port == nn->port && strcasecmp(to->host, nn->host) == 0;

	hdfs_fs_is(c->fs, proxy ? HDFS_KIND_HTTPFS : HDFS_KIND_NAMENODE);
	hdfs_place_deinit(&c->place);
	c->place = (struct hdfs_place){
		.op = c->ask.op, .url = to->url, .host = to->host, .port = to->port, .proxy = proxy
	};
	*to = (struct hdfs_redirect){ 0 };
	c->place.path = strdup(c->ask.path);
	if (c->place.path == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (c->ask.op == HDFS_OP_CHECKSUM)
		return fetch_checksum(c, err);
	c->answer.place = c->place;
	c->place = (struct hdfs_place){ 0 };
	return HDFS_TAKEN;
}

/* The same server, which has no other: the same request, without noredirect. */
static int take_served(struct hdfs_call *c, struct err *err)
{
	const struct hdfs_namenode *nn = &c->fs->url.namenodes[c->retry.at];
	const char *token = hdfs_access_token(c->fs->access, c->fs->url.authority);
	struct hdfs_redirect to = { .host = strdup(nn->host), .port = nn->port };
	struct hdfs_request q;
	int r;

	hdfs_request_begin(&q, c->fs->url.tls, nn->host, nn->port, c->ask.path, c->info->name);
	hdfs_request_text(
		&q, token != NULL ? "delegation" : "user.name", token != NULL ? token : c->fs->user);
	ask_range(c, &q);
	r = hdfs_request_end(&q);
	if (r == 0)
		to.url = strdup((const char *)q.url.data);
	hdfs_request_deinit(&q);
	r = to.url == NULL || to.host == NULL ? err_set(err, -ENOMEM, "out of memory")
					      : take_place(c, &to, err);
	hdfs_redirect_deinit(&to);
	return r;
}

int hdfs_take_redirect(struct hdfs_call *c, const struct http_response *response, struct err *err)
{
	const struct hdfs_json j = { .data = response->body, .len = response->body_len };
	struct hdfs_redirect to = { 0 };
	char *location = NULL;
	int r = 0;

	if (c->serves)
		return take_served(c, err);
	if (response->status == 307)
		location = response->location != NULL ? strdup(response->location) : NULL;
	else
		r = hdfs_answer_location(j, &location, err);
	if (r == -EBADMSG && c->ask.op == HDFS_OP_CHECKSUM)
		return hdfs_answer_checksum(j, &c->answer.checksum, err); /* HttpFS has computed it */
	if (r == 0 && location == NULL)
		r = err_set(err, -EBADMSG, "a redirect without a place");
	if (r == 0)
		r = hdfs_redirect_read(location, c->fs->url.tls, c->ask.path, c->info->name, &to, err);
	if (r == 0)
		r = take_place(c, &to, err);
	hdfs_redirect_deinit(&to);
	if (location != NULL)
		explicit_bzero(location, strlen(location));
	free(location);
	return r;
}

/* ---- The table ---- */

#define SHORT_ANSWER .timeout_ms = TIMEOUT_MS, .max_body = SMALL
#define LONG_ANSWER  .timeout_ms = LONG_MS, .idle_ms = TIMEOUT_MS, .max_body = LARGE

const struct hdfs_op_info hdfs_ops[HDFS_N_OPS] = {
	[HDFS_OP_STAT] = { "GETFILESTATUS", NULL, "GET", .repeatable = true, SHORT_ANSWER,
		.take = take_status },
	[HDFS_OP_LIST] = { "LISTSTATUS_BATCH", "LISTSTATUS", "GET", .repeatable = true, LONG_ANSWER,
		.query = ask_list, .take = take_list },
	[HDFS_OP_SUMMARY] = { "GETCONTENTSUMMARY", NULL, "GET", .repeatable = true, .timeout_ms = LONG_MS,
		.max_body = SMALL, .take = take_summary },
	[HDFS_OP_LOCATE] = { "GETFILEBLOCKLOCATIONS", "GET_BLOCK_LOCATIONS", "GET", .repeatable = true,
		LONG_ANSWER, .query = ask_range, .take = take_blocks },
	[HDFS_OP_CHECKSUM] = { "GETFILECHECKSUM", NULL, "GET", .repeatable = true, .redirects = true,
		SHORT_ANSWER, .query = ask_redirect },
	[HDFS_OP_HOME] = { "GETHOMEDIRECTORY", NULL, "GET", .repeatable = true, SHORT_ANSWER,
		.take = take_home },
	[HDFS_OP_MKDIRS] = { "MKDIRS", NULL, "PUT", .repeatable = true, SHORT_ANSWER, .query = ask_permission,
		.take = take_mkdirs },
	[HDFS_OP_RENAME] = { "RENAME", NULL, "PUT", SHORT_ANSWER, .query = ask_rename, .take = take_rename,
		.look_up = hdfs_look_up_rename },
	[HDFS_OP_DELETE] = { "DELETE", NULL, "DELETE", .timeout_ms = LONG_MS, .max_body = SMALL,
		.query = ask_delete, .take = take_delete, .look_up = hdfs_look_up_delete },
	[HDFS_OP_SET_PERMISSION] = { "SETPERMISSION", NULL, "PUT", .repeatable = true, SHORT_ANSWER,
		.query = ask_permission },
	[HDFS_OP_SET_TIMES] = { "SETTIMES", NULL, "PUT", .repeatable = true, SHORT_ANSWER,
		.query = ask_times },
	[HDFS_OP_SET_REPLICATION] = { "SETREPLICATION", NULL, "PUT", .repeatable = true, SHORT_ANSWER,
		.query = ask_replication, .take = take_replication },
	[HDFS_OP_CONCAT] = { "CONCAT", NULL, "POST", SHORT_ANSWER, .query = ask_concat,
		.look_up = hdfs_look_up_concat },
	/* These three change nothing yet: the DataNode does. */
	[HDFS_OP_OPEN] = { "OPEN", NULL, "GET", .repeatable = true, .redirects = true, SHORT_ANSWER,
		.query = ask_open },
	[HDFS_OP_CREATE] = { "CREATE", NULL, "PUT", .repeatable = true, .redirects = true, SHORT_ANSWER,
		.query = ask_create },
	[HDFS_OP_APPEND] = { "APPEND", NULL, "POST", .repeatable = true, .redirects = true, SHORT_ANSWER,
		.query = ask_redirect },
	[HDFS_OP_TOKEN_GET] = { "GETDELEGATIONTOKEN", NULL, "GET", .repeatable = true, .own_name = true,
		SHORT_ANSWER, .query = ask_token, .take = take_token },
	[HDFS_OP_TOKEN_RENEW] = { "RENEWDELEGATIONTOKEN", NULL, "PUT", .repeatable = true, .own_name = true,
		SHORT_ANSWER, .query = ask_token, .take = take_expiry },
	[HDFS_OP_TOKEN_CANCEL] = { "CANCELDELEGATIONTOKEN", NULL, "PUT", .repeatable = true, .own_name = true,
		SHORT_ANSWER, .query = ask_token },
	/* No WebHDFS, so that a token does not do. */
	[HDFS_OP_NODES] = { "jmx", NULL, "GET", .repeatable = true, .own_name = true, LONG_ANSWER,
		.take = take_nodes },
	[HDFS_OP_WAIT] = { "", NULL, "" },
};

/* ---- Answers ---- */

void hdfs_place_deinit(struct hdfs_place *p)
{
	if (p->url != NULL)
		explicit_bzero(p->url, strlen(p->url));
	free(p->url);
	free(p->host);
	free(p->path);
	*p = (struct hdfs_place){ 0 };
}

void hdfs_answer_deinit(struct hdfs_answer *a)
{
	switch (a->op) {
	case HDFS_OP_STAT:
		hdfs_status_deinit(&a->status);
		break;
	case HDFS_OP_LIST:
		hdfs_listing_deinit(&a->listing);
		break;
	case HDFS_OP_LOCATE:
		hdfs_blocks_deinit(&a->blocks);
		break;
	case HDFS_OP_CHECKSUM:
		hdfs_checksum_deinit(&a->checksum);
		break;
	case HDFS_OP_OPEN:
	case HDFS_OP_CREATE:
	case HDFS_OP_APPEND:
		hdfs_place_deinit(&a->place);
		break;
	case HDFS_OP_HOME:
	case HDFS_OP_TOKEN_GET:
		if (a->text != NULL)
			explicit_bzero(a->text, strlen(a->text));
		free(a->text);
		break;
	default:
		break;
	}
	*a = (struct hdfs_answer){ .op = a->op };
}
