#include "mesos/zk_url.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char scheme[] = "zk://";

bool zk_url_is(const char *text)
{
	return strncmp(text, scheme, sizeof(scheme) - 1) == 0;
}

/* "host", "host:port", "[v6]", "[v6]:port", of `len` bytes. */
static int parse_host(const char *text, size_t len, struct zk_host *ret, struct err *err)
{
	const bool bracketed = len > 0 && text[0] == '[';
	const char *end = bracketed ? memchr(text, ']', len) : memchr(text, ':', len);
	size_t name = end != NULL ? (size_t)(end - text) : len;
	size_t rest = end != NULL ? name + bracketed : len; /* where ":port" begins */
	unsigned port = rest == len ? ZK_PORT : 0;

	for (size_t i = rest + 1; i < len && i <= rest + 6; i++)
		port = isdigit((unsigned char)text[i]) && port < 65536 ? port * 10 + (unsigned)(text[i] - '0')
								       : 65536;
	if ((bracketed && end == NULL) || name == bracketed || (rest < len && text[rest] != ':') ||
		len > rest + 6 || port < 1 || port > 65535)
		return err_set(err, -EINVAL, "'%.*s' is no HOST:PORT of ZooKeeper", (int)len, text);
	for (size_t i = bracketed; i < name; i++)
		if (!isalnum((unsigned char)text[i]) && strchr(bracketed ? ":.%" : ".-_", text[i]) == NULL)
			return err_set(err, -EINVAL, "'%.*s' is no HOST:PORT of ZooKeeper", (int)len, text);
	ret->name = strndup(text + bracketed, name - bracketed);
	ret->port = (uint16_t)port;
	return ret->name == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int parse_hosts(const char *text, size_t len, struct zk_url *ret, struct err *err)
{
	for (size_t at = 0; at <= len;) {
		const char *comma = memchr(text + at, ',', len - at);
		size_t n = comma != NULL ? (size_t)(comma - text) - at : len - at;

		if (ret->n_hosts == ZK_HOSTS_MAX)
			return err_set(err, -EINVAL, "more than %d hosts of ZooKeeper", ZK_HOSTS_MAX);
		int r = parse_host(text + at, n, &ret->hosts[ret->n_hosts], err);
		if (r < 0)
			return r;
		ret->n_hosts++;
		at += n + 1;
	}
	return 0;
}

/* As ZooKeeper wants it: no empty part, no "." and no "..". */
static bool is_path(const char *path)
{
	for (const char *part = path; *part == '/';) {
		size_t len = strcspn(++part, "/");

		if (len == 0 || (len <= 2 && strncmp(part, "..", len) == 0))
			return false;
		for (size_t i = 0; i < len; i++)
			if ((unsigned char)part[i] <= ' ' || part[i] == 0x7f)
				return false;
		part += len;
	}
	return true;
}

static int parse_path(const char *text, struct zk_url *ret, struct err *err)
{
	size_t len = strlen(text);

	while (len > 0 && text[len - 1] == '/')
		len--;
	if (len == 0)
		return err_set(
			err, -EINVAL, "no path: the masters are below one, as in zk://HOST:PORT/mesos");
	ret->path = strndup(text, len);
	if (ret->path == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	return is_path(ret->path) ? 0 : err_set(err, -EINVAL, "'%s' is no path in ZooKeeper", ret->path);
}

/* The user's name stays: who mistypes it should see it. */
static int show(const char *user, size_t user_len, const char *hosts, size_t hosts_len, struct zk_url *ret)
{
	int r = asprintf(&ret->shown, "%s%.*s%s%.*s%s", scheme, (int)user_len, user, user_len > 0 ? "@" : "",
		(int)hosts_len, hosts, ret->path);

	if (r >= 0)
		return 0;
	ret->shown = NULL;
	return -ENOMEM;
}

int zk_url_parse(const char *text, struct zk_url *ret, struct err *err)
{
	*ret = (struct zk_url){ 0 };
	if (!zk_url_is(text) || strlen(text) > ZK_URL_MAX)
		return err_set(err, -EINVAL, "no zk://HOST:PORT[,HOST:PORT...]/PATH");
	const char *begin = text + sizeof(scheme) - 1, *hosts = begin;
	size_t len = strcspn(begin, "/"), user = 0;

	const char *at = memrchr(begin, '@', len); /* a password may have one in it */
	if (at != NULL) {
		const char *colon = memchr(begin, ':', (size_t)(at - begin));

		if (colon == NULL || colon == begin)
			return err_set(err, -EINVAL, "no USER:PASSWORD before the @");
		user = (size_t)(colon - begin);
		ret->credentials = strndup(begin, (size_t)(at - begin));
		if (ret->credentials == NULL)
			return err_set(err, -ENOMEM, "out of memory");
		hosts = at + 1;
	}
	size_t hosts_len = len - (size_t)(hosts - begin);
	int r = parse_hosts(hosts, hosts_len, ret, err);
	if (r == 0)
		r = parse_path(begin + len, ret, err);
	if (r == 0 && show(begin, user, hosts, hosts_len, ret) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	return r;
}

void zk_url_deinit(struct zk_url *url)
{
	for (size_t i = 0; i < url->n_hosts; i++)
		free(url->hosts[i].name);
	if (url->credentials != NULL)
		explicit_bzero(url->credentials, strlen(url->credentials));
	free(url->credentials);
	free(url->path);
	free(url->shown);
	*url = (struct zk_url){ 0 };
}
