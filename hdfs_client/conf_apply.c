/* conf_apply.c: what Hadoop's configuration says, as services of struct hdfs_access. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "hdfs_client/conf.h"

enum { KEY_SIZE = 1024, NAMENODES_SIZE = 8192 };

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* Value of "KEY.SUFFIX", or of "KEY" where the suffix is "". */
static int get(const struct hdfs_conf *c, const char *key, const char *suffix, char **ret, struct err *err)
{
	char name[KEY_SIZE];

	int len = snprintf(name, sizeof(name), "%s%s%s", key, suffix[0] != '\0' ? "." : "", suffix);
	if (len < 0 || (size_t)len >= sizeof(name))
		return err_set(err, -EINVAL, "'%.100s.%.100s' is too long", key, suffix);
	return hdfs_conf_get(c, name, ret, err);
}

/* The host of "host:port" or "[v6]:port", brackets included; the caller's. */
static char *host_of(const char *address)
{
	const char *bracket = address[0] == '[' ? strchr(address, ']') : NULL;

	return strndup(address, bracket != NULL ? (size_t)(bracket + 1 - address) : strcspn(address, ":"));
}

/* Appends the HTTP or HTTPS address of one NameNode to `to`; nothing where it is not known. An address that
 * is every address of the machine (0.0.0.0, which is the default) is that of its RPC address, or of `host`.
 */
static int add_namenode(const struct hdfs_conf *c, const char *suffix, const char *host, bool tls,
	struct buf *to, struct err *err)
{
	auto_free char *web = NULL, *rpc = NULL, *rpc_host = NULL;
	int r = get(c, tls ? "dfs.namenode.https-address" : "dfs.namenode.http-address", suffix, &web, err);

	if (r == 0)
		r = get(c, "dfs.namenode.rpc-address", suffix, &rpc, err);
	if (r < 0)
		return r;
	if (rpc != NULL && (rpc_host = host_of(rpc)) == NULL)
		return out_of_memory(err);
	if (rpc_host != NULL)
		host = rpc_host;
	const char *port = "", *comma = to->len > 0 ? "," : "";
	if (web != NULL && strncmp(web, "0.0.0.0", 7) == 0)
		port = web + 7;
	else if (web != NULL)
		host = web;
	if (host == NULL)
		return 0;
	r = buf_add_fmt(to, "%s%s%s", comma, host, port);
	return r == -ENOMEM ? out_of_memory(err)
	       : r < 0      ? err_set(err, -EINVAL, "'%.100s' has too many NameNodes", suffix)
			    : 0;
}

/* Adds `name` for the NameNodes in `at`, if there are any. */
static int add_service(struct hdfs_access *a, const char *name, struct buf *at, bool tls, struct err *err)
{
	if (at->len == 0)
		return 0;
	if (buf_add(at, "", 1) < 0)
		return out_of_memory(err);
	int r = hdfs_access_add_service(a, name, (const char *)at->data, tls, err);
	at->len--;
	return r;
}

/* The NameNodes of a nameservice, as `name`. */
static int add_nameservice(const struct hdfs_conf *c, const char *service, const char *name, bool tls,
	struct hdfs_access *a, struct err *err)
{
	auto_buf struct buf at = BUF_INIT(NAMENODES_SIZE);
	auto_free char *ids = NULL;
	char *save = NULL, suffix[KEY_SIZE];

	int r = get(c, "dfs.ha.namenodes", service, &ids, err);
	if (r == 0 && ids == NULL)
		r = add_namenode(c, service, NULL, tls, &at, err);
	for (char *id = ids != NULL ? strtok_r(ids, ", \t\r\n", &save) : NULL; r == 0 && id != NULL;
		id = strtok_r(NULL, ", \t\r\n", &save)) {
		(void)snprintf(suffix, sizeof(suffix), "%.500s.%.500s", service, id);
		r = add_namenode(c, suffix, NULL, tls, &at, err);
	}
	return r < 0 ? r : add_service(a, name, &at, tls, err);
}

/* Whether `services` (a list with commas) has the name. */
static bool has_name(const char *services, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = services; at != NULL; at = strchr(at, ',')) {
		at += strspn(at, ", \t\r\n");
		if (strncasecmp(at, name, len) == 0 && strchr(", \t\r\n", at[len]) != NULL)
			return true;
	}
	return false;
}

static int add_nameservices(
	const struct hdfs_conf *c, const char *services, bool tls, struct hdfs_access *a, struct err *err)
{
	auto_free char *names = strdup(services);
	char *save = NULL;
	int r = 0;

	if (names == NULL)
		return out_of_memory(err);
	for (char *name = strtok_r(names, ", \t\r\n", &save); r == 0 && name != NULL;
		name = strtok_r(NULL, ", \t\r\n", &save))
		r = add_nameservice(c, name, name, tls, a, err);
	return r;
}

/* hdfs://HOST[:PORT] in fs.defaultFS: PORT is of the RPC, the HTTP address is elsewhere. */
static int add_single(
	const struct hdfs_conf *c, const char *authority, bool tls, struct hdfs_access *a, struct err *err)
{
	auto_buf struct buf at = BUF_INIT(NAMENODES_SIZE);
	auto_free char *host = host_of(authority), *with_port = NULL;

	if (host == NULL || asprintf(&with_port, "%s:8020", host) < 0) {
		with_port = NULL;
		return out_of_memory(err);
	}
	int r = add_namenode(c, "", host, tls, &at, err);
	if (r == 0)
		r = add_service(a, "", &at, tls, err);
	if (r == 0)
		r = add_service(a, authority, &at, tls, err);
	if (r == 0 && strcmp(authority, host) == 0)
		r = add_service(a, with_port, &at, tls, err);
	else if (r == 0 && strcasecmp(authority, with_port) == 0)
		r = add_service(a, host, &at, tls, err);
	return r;
}

static int add_default(
	const struct hdfs_conf *c, const char *services, bool tls, struct hdfs_access *a, struct err *err)
{
	auto_free char *url = NULL, *authority = NULL;
	int r = get(c, "fs.defaultFS", "", &url, err);

	if (r < 0 || url == NULL || !hdfs_url_is(url))
		return r;
	const char *at = strstr(url, "://") + 3;
	authority = strndup(at, strcspn(at, "/"));
	if (authority == NULL)
		return out_of_memory(err);
	if (has_name(services, authority))
		return add_nameservice(c, authority, "", tls, a, err);
	if (strncasecmp(url, "hdfs:", 5) == 0)
		return add_single(c, authority, tls, a, err);
	/* Of a scheme that says where and how; once. */
	return hdfs_access_add_service(a, "", authority, strncasecmp(url, "swebhdfs:", 9) == 0, err);
}

int hdfs_conf_apply(const struct hdfs_conf *c, struct hdfs_access *a, bool *ret_kerberos, struct err *err)
{
	auto_free char *policy = NULL, *services = NULL, *authentication = NULL;
	int r = get(c, "dfs.http.policy", "", &policy, err);

	if (r == 0)
		r = get(c, "dfs.nameservices", "", &services, err);
	if (r == 0)
		r = get(c, "hadoop.security.authentication", "", &authentication, err);
	for (int tls = 0; r == 0 && tls < 2; tls++) {
		if (policy == NULL ? tls : strcasecmp(policy, tls ? "HTTP_ONLY" : "HTTPS_ONLY") == 0)
			continue;
		if (services != NULL)
			r = add_nameservices(c, services, tls, a, err);
		if (r == 0)
			r = add_default(c, services, tls, a, err);
	}
	if (r == 0)
		*ret_kerberos = authentication != NULL && strcasecmp(authentication, "kerberos") == 0;
	return r;
}
