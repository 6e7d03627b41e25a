#include "hdfs_client/hosts.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

/* Where `name` is, or would be. */
static size_t place_of(const struct hdfs_hosts *h, const char *name, bool *ret_found)
{
	size_t from = 0, to = h->n;

	*ret_found = false;
	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int order = strcasecmp(h->at[mid].name, name);

		if (order == 0) {
			*ret_found = true;
			return mid;
		}
		if (order < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return from;
}

int hdfs_hosts_learn(struct hdfs_hosts *h, const char *name, const char *address, uint16_t port)
{
	bool found;
	size_t i = place_of(h, name, &found);

	if (found)
		h->at[i].port = port;
	if (found && strcmp(h->at[i].address, address) == 0)
		return 0;
	struct hdfs_learned l = { .address = strdup(address), .port = port };
	if (l.address == NULL)
		return -ENOMEM;
	if (found) {
		free(h->at[i].address);
		h->at[i].address = l.address;
		h->at[i].good = false;
		return 0;
	}
	l.name = h->n < HDFS_HOSTS_MAX ? strdup(name) : NULL;
	if (l.name == NULL || vec_push(h, l) < 0) {
		free(l.name);
		free(l.address);
		return h->n < HDFS_HOSTS_MAX ? -ENOMEM : 0;
	}
	memmove(&h->at[i + 1], &h->at[i], (h->n - 1 - i) * sizeof(*h->at));
	h->at[i] = l;
	return 0;
}

int hdfs_hosts_learn_blocks(struct hdfs_hosts *h, const struct hdfs_blocks *blocks)
{
	int r = 0;

	for (size_t i = 0; i < blocks->n; i++)
		for (size_t k = 0; r == 0 && k < blocks->at[i].n; k++) {
			const struct hdfs_replica *replica = &blocks->at[i].replicas[k];

			r = hdfs_hosts_learn(h, replica->host, replica->address, replica->port);
		}
	return r;
}

struct hdfs_learned *hdfs_hosts_find(const struct hdfs_hosts *h, const char *name)
{
	bool found;
	size_t i = place_of(h, name, &found);

	return found ? &h->at[i] : NULL;
}

void hdfs_hosts_deinit(struct hdfs_hosts *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->at[i].name);
		free(h->at[i].address);
	}
	vec_deinit(h);
}

const char *hdfs_access_host(const struct hdfs_access *a, const char *name)
{
	for (size_t i = 0; i < a->n_hosts; i++)
		if (strcasecmp(a->hosts[i].name, name) == 0)
			return a->hosts[i].address;
	return NULL;
}

/* The port that an address has at its end, or NULL. */
static const char *port_of(const char *address)
{
	const char *colon = strrchr(address, ':');

	if (colon == NULL || (strchr(address, ':') != colon && (colon == address || colon[-1] != ']')))
		return NULL; /* an IPv6 address without brackets has none */
	return colon[1] != '\0' && strspn(colon + 1, "0123456789") == strlen(colon + 1) ? colon + 1 : NULL;
}

int hdfs_connect_to(struct buf *to, const char *host, uint16_t port, const char *address)
{
	const char *own = port_of(address);
	size_t len = own != NULL ? (size_t)(own - 1 - address) : strlen(address);
	bool b1 = strchr(host, ':') != NULL, b2 = address[0] != '[' && memchr(address, ':', len) != NULL;

	int r = buf_add_fmt(to, "%s%s%s:%u:%s%.*s%s:", b1 ? "[" : "", host, b1 ? "]" : "", (unsigned)port,
		b2 ? "[" : "", (int)len, address, b2 ? "]" : "");
	if (r == 0)
		r = own != NULL ? buf_add_str(to, own) : buf_add_fmt(to, "%u", (unsigned)port);
	return r < 0 ? r : buf_add(to, "", 1);
}
