#include "hdfs_client/redirect.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "hdfs_client/request.h"

enum { QUERY_MAX = 64 << 10 };

bool hdfs_host_ok(const char *host)
{
	size_t len = strlen(host);
	bool colon = strchr(host, ':') != NULL;

	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)host[i]) && strchr(colon ? ":.%" : "-._", host[i]) == NULL)
			return false;
	return len > 0 && len < 256 && host[0] != '-' && host[0] != '.';
}

/* HOST[:PORT] up to `end`. */
static int read_authority(const char *at, const char *end, bool tls, struct hdfs_redirect *to)
{
	bool brackets = at < end && *at == '[';
	const char *host = at + brackets;
	const char *stop = memchr(host, brackets ? ']' : ':', (size_t)(end - host));
	const char *rest = stop == NULL ? end : stop + brackets;
	unsigned long port = tls ? 443 : 80;

	if (brackets && stop == NULL)
		return -EBADMSG;
	if (rest < end) {
		if (*rest != ':' || rest + 1 == end || end - rest > 6)
			return -EBADMSG;
		port = 0;
		for (const char *p = rest + 1; p < end; p++) {
			if (!isdigit((unsigned char)*p))
				return -EBADMSG;
			port = port * 10 + (unsigned long)(*p - '0');
		}
	}
	if (port == 0 || port > UINT16_MAX)
		return -EBADMSG;
	to->port = (uint16_t)port;
	to->host = strndup(host, (size_t)((stop == NULL ? end : stop) - host));
	if (to->host == NULL)
		return -ENOMEM;
	return hdfs_host_ok(to->host) && brackets == (strchr(to->host, ':') != NULL) ? 0 : -EBADMSG;
}

/* Whether a query is plain text and asks for the operation that it shall. */
static bool good_query(const char *query, const char *op)
{
	size_t n = strlen(op);
	bool found = false;

	if (strlen(query) > QUERY_MAX)
		return false;
	for (const char *p = query; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '#')
			return false;
	for (const char *p = query; *p != '\0'; p += strcspn(p, "&"), p += *p == '&')
		if (strncasecmp(p, "op=", 3) == 0)
			found = strncasecmp(p + 3, op, n) == 0 && (p[3 + n] == '\0' || p[3 + n] == '&');
	return found;
}

static int make_url(struct hdfs_redirect *to, bool tls, const char *path, const char *query)
{
	struct buf url = BUF_INIT(HDFS_HTTP_URL_MAX);
	bool brackets = strchr(to->host, ':') != NULL;
	int r = buf_add_fmt(&url, "%s://%s%s%s:%u%s", tls ? "https" : "http", brackets ? "[" : "", to->host,
		brackets ? "]" : "", (unsigned)to->port, HDFS_HTTP_ROOT);

	if (r == 0)
		r = hdfs_path_escape(&url, path);
	if (r == 0)
		r = buf_add_fmt(&url, "?%s", query);
	if (r == 0)
		r = buf_add(&url, "", 1);
	if (r < 0)
		buf_deinit(&url);
	to->url = (char *)buf_steal(&url, &(size_t){ 0 });
	return r == -EMSGSIZE ? -EBADMSG : r;
}

int hdfs_redirect_read(const char *location, bool tls, const char *path, const char *op,
	struct hdfs_redirect *ret, struct err *err)
{
	const char *scheme = tls ? "https://" : "http://";
	struct hdfs_redirect to = { 0 };
	int r = -EBADMSG;

	if (strncasecmp(location, scheme, strlen(scheme)) != 0)
		return err_set(err, r, "a redirect that is not to %s", scheme);
	const char *authority = location + strlen(scheme);
	const char *end = authority + strcspn(authority, "/?#");
	const char *query = strchr(authority, '?');
	if (strncmp(end, HDFS_HTTP_ROOT "/", strlen(HDFS_HTTP_ROOT "/")) != 0)
		return err_set(err, r, "a redirect that leaves " HDFS_HTTP_ROOT);
	if (query == NULL || !good_query(query + 1, op))
		return err_set(err, r, "a redirect that is not for %s", op);
	r = read_authority(authority, end, tls, &to);
	if (r == 0)
		r = make_url(&to, tls, path, query + 1);
	if (r < 0) {
		hdfs_redirect_deinit(&to);
		return err_set(err, r, r == -ENOMEM ? "out of memory" : "a redirect to no good host");
	}
	*ret = to;
	return 0;
}

void hdfs_redirect_deinit(struct hdfs_redirect *r)
{
	if (r->url != NULL)
		explicit_bzero(r->url, strlen(r->url));
	free(r->url);
	free(r->host);
	*r = (struct hdfs_redirect){ 0 };
}
