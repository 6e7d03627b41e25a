#include "hdfs_client/access.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/vec.h"
#include "hdfs_client/access.pb-c.h"

enum {
	NAME_MAX_LEN = 1024,
	NAMENODES_MAX_LEN = 8192,
	TOKEN_MAX_LEN = 16 << 10, /* identifiers have some hundred bytes */
	CA_MAX_LEN = 4 << 20,     /* more than all authorities of the web */
	LIST_MAX = 100000,        /* hosts of a cluster */
};

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

static void put(char **where, char *text)
{
	free(*where);
	*where = text;
}

/* A word: what has no spaces, slashes or control characters, and is not too long. */
static bool is_word(const char *text, size_t max)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f || text[i] == '/')
			return false;
	return len > 0 && len <= max;
}

/* ---- What is put in ---- */

int hdfs_access_set_user(struct hdfs_access *a, const char *user, struct err *err)
{
	if (!is_word(user, 256))
		return err_set(err, -EINVAL, "'%.100s' is no name of a user", user);
	char *copy = strdup(user);
	if (copy == NULL)
		return out_of_memory(err);
	put(&a->user, copy);
	return 0;
}

int hdfs_access_set_ca(struct hdfs_access *a, const char *pem, struct err *err)
{
	if (strlen(pem) > CA_MAX_LEN || strstr(pem, "-----BEGIN CERTIFICATE-----") == NULL)
		return err_set(
			err, -EINVAL, "there is no certificate in it (PEM: -----BEGIN CERTIFICATE-----)");
	char *copy = strdup(pem);
	if (copy == NULL)
		return out_of_memory(err);
	put(&a->ca, copy);
	return 0;
}

int hdfs_access_add_host(struct hdfs_access *a, const char *name, const char *address, struct err *err)
{
	if (!is_word(name, NAME_MAX_LEN) || !is_word(address, NAME_MAX_LEN) || a->n_hosts >= LIST_MAX)
		return err_set(err, -EINVAL, "'%.100s=%.100s': write NAME=ADDRESS or NAME=ADDRESS:PORT", name,
			address);
	auto_free char *n = strdup(name), *to = strdup(address);
	for (size_t i = 0; n != NULL && to != NULL && i < a->n_hosts; i++) {
		if (strcasecmp(a->hosts[i].name, name) == 0) {
			put(&a->hosts[i].address, to);
			to = NULL;
			return 0;
		}
	}
	VEC(struct hdfs_host) v = { a->hosts, a->n_hosts, a->cap_hosts };
	if (n == NULL || to == NULL || vec_push(&v, ((struct hdfs_host){ n, to })) < 0)
		return out_of_memory(err);
	a->hosts = v.at, a->n_hosts = v.n, a->cap_hosts = v.cap;
	n = to = NULL;
	return 0;
}

/* The NameNodes of a service, as a URL has them. hdfs_url_deinit() in any case. */
static int parse_namenodes(const char *namenodes, bool tls, struct hdfs_url *ret, struct err *err)
{
	auto_free char *url = NULL;

	*ret = (struct hdfs_url){ 0 };
	if (asprintf(&url, "%s://%s/", tls ? "swebhdfs" : "webhdfs", namenodes) < 0) {
		url = NULL;
		return out_of_memory(err);
	}
	return hdfs_url_parse(url, ret, err);
}

int hdfs_access_add_service(
	struct hdfs_access *a, const char *name, const char *namenodes, bool tls, struct err *err)
{
	struct hdfs_url look = { 0 };
	int r = -EINVAL;

	if ((name[0] == '\0' || is_word(name, NAME_MAX_LEN)) && is_word(namenodes, NAMENODES_MAX_LEN) &&
		a->n_services < LIST_MAX)
		r = parse_namenodes(namenodes, tls, &look, NULL);
	if (r == 0 && look.n == 0)
		r = -EINVAL;
	hdfs_url_deinit(&look);
	if (r == -EINVAL)
		return err_set(
			err, r, "'%.100s' are no HTTP addresses of NameNodes (of '%.100s')", namenodes, name);
	auto_free char *n = strdup(name), *at = strdup(namenodes);
	VEC(struct hdfs_service) v = { a->services, a->n_services, a->cap_services };
	if (r < 0 || n == NULL || at == NULL || vec_push(&v, ((struct hdfs_service){ n, at, tls })) < 0)
		return out_of_memory(err);
	for (char *p = n; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	a->services = v.at, a->n_services = v.n, a->cap_services = v.cap;
	n = at = NULL;
	return 0;
}

/* base64 as URLs have it. */
static bool is_token(const char *token)
{
	size_t len = strspn(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=");

	return len > 0 && len <= TOKEN_MAX_LEN && token[len] == '\0';
}

int hdfs_access_add_token(struct hdfs_access *a, const char *authority, const char *token, struct err *err)
{
	if ((authority[0] != '\0' && !is_word(authority, NAMENODES_MAX_LEN)) || a->n_tokens >= LIST_MAX)
		return err_set(err, -EINVAL, "'%.100s' is no authority of a URL", authority);
	if (!is_token(token))
		return err_set(err, -EINVAL, "what is there for '%.100s' is no delegation token", authority);
	auto_free char *name = strdup(authority);
	char *secret = strdup(token);
	if (name == NULL || secret == NULL) {
		(void)wipe(secret);
		return out_of_memory(err);
	}
	for (char *p = name; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	for (size_t i = 0; i < a->n_tokens; i++) {
		if (strcmp(a->tokens[i].authority, name) == 0) {
			(void)wipe(a->tokens[i].token);
			a->tokens[i].token = secret;
			return 0;
		}
	}
	VEC(struct hdfs_token) v = { a->tokens, a->n_tokens, a->cap_tokens };
	if (vec_push(&v, ((struct hdfs_token){ name, secret })) < 0) {
		(void)wipe(secret);
		return out_of_memory(err);
	}
	a->tokens = v.at, a->n_tokens = v.n, a->cap_tokens = v.cap;
	name = NULL;
	return 0;
}

/* ---- What it says ---- */

/* For a URL that wants TLS, one with TLS; for another one the first, which may have it as well. */
static const struct hdfs_service *find_service(
	const struct hdfs_access *a, const char *authority, bool tls, bool *ret_other)
{
	*ret_other = false;
	for (size_t i = 0; i < a->n_services; i++) {
		const struct hdfs_service *s = &a->services[i];

		if (strcmp(s->name, authority) != 0)
			continue;
		if (s->tls || !tls)
			return s;
		*ret_other = true;
	}
	return NULL;
}

int hdfs_access_resolve(const struct hdfs_access *a, struct hdfs_url *u, struct err *err)
{
	bool other;
	const struct hdfs_service *s = find_service(a, u->authority, u->tls, &other);
	struct hdfs_url found;

	if (s == NULL && u->authority[0] == '\0')
		return err_set(err, -EINVAL,
			"a URL or path without a NameNode: write hdfs://NAMENODE/PATH, or give a "
			"configuration "
			"with fs.defaultFS (--hdfs-conf, HADOOP_CONF_DIR)");
	if (s == NULL && other)
		return err_set(err, -EINVAL,
			"'%.200s' has no HTTPS addresses in the configuration (--hdfs-conf, "
			"HADOOP_CONF_DIR): "
			"write webhdfs:// or hdfs://",
			u->authority);
	if (s == NULL)
		return 0;
	int r = parse_namenodes(s->namenodes, s->tls, &found, err);
	if (r == 0) {
		for (unsigned i = 0; i < HDFS_NAMENODES_MAX; i++) {
			struct hdfs_namenode old = u->namenodes[i];

			u->namenodes[i] = found.namenodes[i];
			found.namenodes[i] = old;
		}
		unsigned n = u->n;
		u->n = found.n;
		found.n = n;
		u->tls = s->tls;
	}
	hdfs_url_deinit(&found);
	return r;
}

const char *hdfs_access_token(const struct hdfs_access *a, const char *authority)
{
	for (size_t i = 0; i < a->n_tokens; i++)
		if (strcmp(a->tokens[i].authority, authority) == 0)
			return a->tokens[i].token;
	return NULL;
}

/* ---- On its way ---- */

/* The packed form borrows everything of `a`; `memory` is for the lists. */
struct packing {
	Quern__HdfsAccess__Host *hosts;
	Quern__HdfsAccess__Service *services;
	Quern__HdfsAccess__Token *tokens;
	void **lists; /* of all three */
};

static int list_all(const struct hdfs_access *a, struct packing *p, Quern__HdfsAccess *m)
{
	size_t n = a->n_hosts + a->n_services + a->n_tokens;

	p->hosts = calloc(a->n_hosts + 1, sizeof(*p->hosts));
	p->services = calloc(a->n_services + 1, sizeof(*p->services));
	p->tokens = calloc(a->n_tokens + 1, sizeof(*p->tokens));
	p->lists = calloc(n + 1, sizeof(*p->lists));
	if (p->hosts == NULL || p->services == NULL || p->tokens == NULL || p->lists == NULL)
		return -ENOMEM;
	m->hosts = (Quern__HdfsAccess__Host **)p->lists;
	m->services = (Quern__HdfsAccess__Service **)(p->lists + a->n_hosts);
	m->tokens = (Quern__HdfsAccess__Token **)(p->lists + a->n_hosts + a->n_services);
	for (; m->n_hosts < a->n_hosts; m->n_hosts++) {
		quern__hdfs_access__host__init(m->hosts[m->n_hosts] = &p->hosts[m->n_hosts]);
		m->hosts[m->n_hosts]->name = a->hosts[m->n_hosts].name;
		m->hosts[m->n_hosts]->address = a->hosts[m->n_hosts].address;
	}
	for (; m->n_services < a->n_services; m->n_services++) {
		quern__hdfs_access__service__init(m->services[m->n_services] = &p->services[m->n_services]);
		m->services[m->n_services]->name = a->services[m->n_services].name;
		m->services[m->n_services]->namenodes = a->services[m->n_services].namenodes;
		m->services[m->n_services]->has_tls = true;
		m->services[m->n_services]->tls = a->services[m->n_services].tls;
	}
	for (; m->n_tokens < a->n_tokens; m->n_tokens++) {
		quern__hdfs_access__token__init(m->tokens[m->n_tokens] = &p->tokens[m->n_tokens]);
		m->tokens[m->n_tokens]->authority = a->tokens[m->n_tokens].authority;
		m->tokens[m->n_tokens]->token = a->tokens[m->n_tokens].token;
	}
	return 0;
}

int hdfs_access_pack(const struct hdfs_access *a, struct buf *to)
{
	Quern__HdfsAccess m = QUERN__HDFS_ACCESS__INIT;
	struct packing p = { 0 };

	m.user = a->user;
	m.ca = a->ca;
	m.has_negotiate = true;
	m.negotiate = a->negotiate;
	m.has_patience_ms = true;
	m.patience_ms = a->patience_ms;
	int r = list_all(a, &p, &m);
	if (r == 0) {
		size_t len = quern__hdfs_access__get_packed_size(&m);

		r = buf_reserve(to, len);
		if (r == 0)
			to->len += quern__hdfs_access__pack(&m, to->data + to->len);
	}
	free(p.hosts);
	free(p.services);
	free(p.tokens);
	free(p.lists);
	return r;
}

static int read_all(const Quern__HdfsAccess *m, struct hdfs_access *ret, struct err *err)
{
	int r = m->user != NULL ? hdfs_access_set_user(ret, m->user, err) : 0;

	if (r == 0 && m->ca != NULL)
		r = hdfs_access_set_ca(ret, m->ca, err);
	for (size_t i = 0; r == 0 && i < m->n_hosts; i++)
		r = hdfs_access_add_host(ret, m->hosts[i]->name, m->hosts[i]->address, err);
	for (size_t i = 0; r == 0 && i < m->n_services; i++)
		r = hdfs_access_add_service(
			ret, m->services[i]->name, m->services[i]->namenodes, m->services[i]->tls, err);
	for (size_t i = 0; r == 0 && i < m->n_tokens; i++)
		r = hdfs_access_add_token(ret, m->tokens[i]->authority, m->tokens[i]->token, err);
	ret->negotiate = m->negotiate;
	ret->patience_ms = m->patience_ms;
	return r == -EINVAL ? -EPROTO : r;
}

int hdfs_access_unpack(const void *data, size_t len, struct hdfs_access *ret, struct err *err)
{
	Quern__HdfsAccess *m = quern__hdfs_access__unpack(NULL, len, data);

	*ret = (struct hdfs_access){ 0 };
	if (m == NULL)
		return err_set(err, -EPROTO, "what came about HDFS cannot be read");
	int r = read_all(m, ret, err);
	for (size_t i = 0; i < m->n_tokens; i++)
		explicit_bzero(m->tokens[i]->token, strlen(m->tokens[i]->token));
	quern__hdfs_access__free_unpacked(m, NULL);
	if (r < 0)
		hdfs_access_deinit(ret);
	return r;
}

int hdfs_access_copy(const struct hdfs_access *a, struct hdfs_access *ret, struct err *err)
{
	int r = 0;

	*ret = (struct hdfs_access){ .negotiate = a->negotiate, .patience_ms = a->patience_ms };
	if (a->user != NULL)
		r = hdfs_access_set_user(ret, a->user, err);
	if (r == 0 && a->ca != NULL)
		r = hdfs_access_set_ca(ret, a->ca, err);
	for (size_t i = 0; r == 0 && i < a->n_hosts; i++)
		r = hdfs_access_add_host(ret, a->hosts[i].name, a->hosts[i].address, err);
	for (size_t i = 0; r == 0 && i < a->n_services; i++)
		r = hdfs_access_add_service(
			ret, a->services[i].name, a->services[i].namenodes, a->services[i].tls, err);
	for (size_t i = 0; r == 0 && i < a->n_tokens; i++)
		r = hdfs_access_add_token(ret, a->tokens[i].authority, a->tokens[i].token, err);
	if (r < 0)
		hdfs_access_deinit(ret);
	return r;
}

void hdfs_access_deinit(struct hdfs_access *a)
{
	for (size_t i = 0; i < a->n_hosts; i++) {
		free(a->hosts[i].name);
		free(a->hosts[i].address);
	}
	for (size_t i = 0; i < a->n_services; i++) {
		free(a->services[i].name);
		free(a->services[i].namenodes);
	}
	for (size_t i = 0; i < a->n_tokens; i++) {
		free(a->tokens[i].authority);
		(void)wipe(a->tokens[i].token);
	}
	free(a->hosts);
	free(a->services);
	free(a->tokens);
	free(a->user);
	free(a->ca);
	*a = (struct hdfs_access){ 0 };
}
