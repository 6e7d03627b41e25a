#include "hdfs_client/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct scheme {
	const char *begin;
	bool tls, rpc;
} schemes[] = {
	{ "hdfs://", false, true },
	{ "webhdfs://", false, false },
	{ "swebhdfs://", true, false },
};

static const struct scheme *scheme_of(const char *text)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncasecmp(text, schemes[i].begin, strlen(schemes[i].begin)) == 0)
			return &schemes[i];
	return NULL;
}

bool hdfs_url_is(const char *text)
{
	return scheme_of(text) != NULL;
}

static int parse_port(const char *text, size_t len, uint16_t *ret)
{
	unsigned port = 0;

	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]) || i >= 5)
			return -EINVAL;
		port = port * 10 + (unsigned)(text[i] - '0');
	}
	if (port < 1 || port > UINT16_MAX)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

static bool good_host(const char *host, size_t len, bool brackets)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && strchr(brackets ? ":.%" : "-._", host[i]) == NULL)
			return false;
	return len > 0 && len < 256;
}

/* "host", "host:port", "[v6]", "[v6]:port". */
static int parse_namenode(
	const char *text, size_t len, const struct scheme *scheme, struct hdfs_namenode *ret)
{
	bool brackets = len > 0 && text[0] == '[';
	const char *host = text + brackets;
	const char *end = memchr(text, brackets ? ']' : ':', len);
	size_t host_len = (size_t)((end != NULL ? end : text + len) - host);
	const char *rest = end != NULL ? end + brackets : text + len;
	size_t rest_len = (size_t)(text + len - rest);
	uint16_t port = 0;

	if ((brackets && end == NULL) || !good_host(host, host_len, brackets))
		return -EINVAL;
	if (rest_len > 0 && (rest[0] != ':' || parse_port(rest + 1, rest_len - 1, &port) < 0))
		return -EINVAL;
	ret->host = strndup(host, host_len);
	ret->port = scheme->tls ? HDFS_HTTPS_PORT : HDFS_HTTP_PORT;
	if (port != 0 && !scheme->rpc)
		ret->port = port;
	return ret->host == NULL ? -ENOMEM : 0;
}

static int parse_authority(const char *at, const char *end, const struct scheme *scheme, struct hdfs_url *u)
{
	for (;;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma != NULL ? comma : end;

		if (u->n == HDFS_NAMENODES_MAX)
			return -EINVAL;
		int r = parse_namenode(at, (size_t)(stop - at), scheme, &u->namenodes[u->n]);
		if (r < 0)
			return r;
		u->n++;
		if (comma == NULL)
			return 0;
		at = comma + 1;
	}
}

int hdfs_url_parse(const char *text, struct hdfs_url *ret, struct err *err)
{
	const struct scheme *scheme = scheme_of(text);

	*ret = (struct hdfs_url){ 0 };
	if (scheme == NULL)
		return err_set(err, -EINVAL, "'%.200s' is no hdfs://, webhdfs:// or swebhdfs:// URL", text);
	const char *authority = text + strlen(scheme->begin);
	const char *path = strchr(authority, '/');
	int r = path == NULL        ? -EINVAL
		: path == authority ? 0 /* whoever resolves it knows the NameNodes */
				    : parse_authority(authority, path, scheme, ret);
	if (r == -EINVAL)
		return err_set(err, r, "'%.200s': write %sNAMENODE[:PORT][,NAMENODE[:PORT]...]/PATH", text,
			scheme->begin);
	ret->scheme = scheme->begin;
	ret->tls = scheme->tls;
	if (r == 0 && ((ret->path = strdup(path)) == NULL ||
			      (ret->authority = strndup(authority, (size_t)(path - authority))) == NULL))
		r = -ENOMEM;
	for (char *p = ret->authority; p != NULL && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

void hdfs_url_deinit(struct hdfs_url *u)
{
	for (unsigned i = 0; i < u->n; i++)
		free(u->namenodes[i].host);
	free(u->authority);
	free(u->path);
	*u = (struct hdfs_url){ 0 };
}
