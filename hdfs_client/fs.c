#include "hdfs_client/fs.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "hdfs_client/fs_parts.h"

static char *login_name(void)
{
	const char *name = getenv("HADOOP_USER_NAME");
	char buf[4096];
	struct passwd pw, *found = NULL;

	if (name == NULL || name[0] == '\0')
		name = getpwuid_r(geteuid(), &pw, buf, sizeof(buf), &found) == 0 && found != NULL
			       ? found->pw_name
			       : "nobody";
	return strdup(name);
}

static int copy_url(const struct hdfs_url *from, struct hdfs_url *to)
{
	to->scheme = from->scheme;
	to->tls = from->tls;
	for (unsigned i = 0; i < from->n; i++) {
		to->namenodes[i] = from->namenodes[i];
		to->namenodes[i].host = strdup(from->namenodes[i].host);
		to->n = i + 1; /* freed in any case */
		if (to->namenodes[i].host == NULL)
			return -ENOMEM;
	}
	to->authority = strdup(from->authority);
	return to->authority == NULL ? -ENOMEM : 0;
}

int hdfs_fs_new(struct event_base *loop, const struct hdfs_url *url, const struct hdfs_access *access,
	struct hdfs_fs **ret, struct err *err)
{
	auto_hdfs_fs struct hdfs_fs *fs = calloc(1, sizeof(*fs));

	if (fs == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	fs->loop = loop;
	fs->access = access;
	fs->user = access->user != NULL ? strdup(access->user) : login_name();
	if (getrandom(&fs->seed, sizeof(fs->seed), GRND_NONBLOCK) < 0)
		fs->seed = (uint64_t)getpid(); /* only for waits that are not all the same */
	if (fs->user == NULL || copy_url(url, &fs->url) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	int r = hdfs_access_resolve(access, &fs->url, err);
	if (r == 0)
		r = http_client_new(loop, 0, &fs->http, err);
	if (r == 0 && access->ca != NULL)
		r = http_client_set_ca(fs->http, access->ca, err);
	if (r < 0)
		return r;
	*ret = fs;
	fs = NULL;
	return 0;
}

void hdfs_fs_close(struct hdfs_fs *fs)
{
	fs->closing = true;
	for (struct hdfs_call *c = fs->calls; c != NULL; c = c->next)
		hdfs_call_cancel(c);
	hdfs_exchange_cancel_all(fs);
}

struct hdfs_fs *hdfs_fs_free(struct hdfs_fs *fs)
{
	if (fs == NULL)
		return NULL;
	fs->closing = true;
	for (struct hdfs_call *c = fs->calls; c != NULL; c = c->next)
		c->cancelled = true;
	fs->http = http_client_free(fs->http); /* ends those that wait for a request */
	while (fs->exchanges != NULL)
		hdfs_exchange_end(fs->exchanges);
	while (fs->calls != NULL) {
		struct hdfs_call *c = fs->calls;

		while (c->child != NULL)
			c = c->child; /* whose end is its parent's as well */
		hdfs_call_finish(c, -ECANCELED);
	}
	for (int i = 0; i < 2; i++)
		free(fs->warnings[i]);
	free(fs->told);
	free(fs->user);
	hdfs_hosts_deinit(&fs->learned);
	hdfs_url_deinit(&fs->url);
	free(fs);
	return NULL;
}

void hdfs_fs_on_waiting(struct hdfs_fs *fs, void (*waiting)(void *arg, const char *text), void *arg)
{
	fs->waiting = waiting;
	fs->waiting_arg = arg;
}

const char *hdfs_fs_warning(struct hdfs_fs *fs)
{
	free(fs->told);
	fs->told = fs->warnings[0];
	fs->warnings[0] = fs->warnings[1];
	fs->warnings[1] = NULL;
	return fs->told;
}

void hdfs_fs_is(struct hdfs_fs *fs, enum hdfs_service_kind kind)
{
	char name[HDFS_NAME_SIZE];

	if (fs->kind == kind)
		return;
	fs->kind = kind;
	if (kind != HDFS_KIND_HTTPFS || fs->warnings[1] != NULL)
		return;
	char **to = &fs->warnings[fs->warnings[0] != NULL];
	if (asprintf(to,
		    "%s is HttpFS: all data goes through one host, and nothing runs where its data is; use "
		    "the NameNode's own address if you can",
		    hdfs_fs_name(fs, "", name)) < 0)
		*to = NULL;
}

const char *hdfs_fs_name(const struct hdfs_fs *fs, const char *path, char ret[HDFS_NAME_SIZE])
{
	(void)snprintf(ret, HDFS_NAME_SIZE, "%s%s%s", fs->url.scheme, fs->url.authority, path);
	return ret;
}

void hdfs_hush(char *text, const char *secret)
{
	size_t len = secret != NULL ? strlen(secret) : 0;

	for (char *at = text; len > 0 && (at = strstr(at, secret)) != NULL;)
		memset(at, '*', len);
}
