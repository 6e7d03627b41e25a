#include "executor/broadcast_store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>
#include <xxhash.h>

#include "base/auto.h"
#include "base/link.h"
#include "base/proof.h"
#include "base/serve.h"
#include "base/write.h"

enum { STALL_S = 30 /* without a byte: the other side is as good as gone */, TARGET_SIZE = 64 };

static const char no_memory[] = "out of memory";

/* One on its way. */
struct transfer {
	struct broadcast_store *store;
	uint32_t broadcast;
	uint64_t length, checksum, here; /* bytes */
	int fd;
	XXH3_state_t *hash;
	struct http_request *request; /* NULL: it could not even begin, or has ended */
	struct event *stalled;
	bool forgotten;
	char error[512]; /* the first one */
	struct transfer *prev, *next;
};

struct broadcast_store {
	struct broadcast_store_config c;
	uint8_t secret[LINK_SECRET];
	struct offers *offers;
	struct transfer *transfers;
};

static void target_of(uint32_t broadcast, char ret[TARGET_SIZE])
{
	(void)snprintf(ret, TARGET_SIZE, "/broadcast/%u", (unsigned)broadcast);
}

/* false: the folder's name is too long. */
static bool path_of(
	const struct broadcast_store *s, uint32_t broadcast, const char *suffix, char ret[PATH_MAX])
{
	int n = snprintf(ret, PATH_MAX, "%s/%u%s", s->c.folder, (unsigned)broadcast, suffix);

	return n > 0 && n < PATH_MAX;
}

/* ---- The end of a transfer ---- */

static void transfer_free(struct transfer *t)
{
	DL_DELETE(t->store->transfers, t);
	if (t->fd >= 0)
		(void)close(t->fd);
	(void)XXH3_freeState(t->hash);
	if (t->stalled != NULL)
		event_free(t->stalled);
	free(t);
}

__attribute__((format(printf, 2, 3))) static void wrong(struct transfer *t, const char *format, ...)
{
	va_list ap;

	if (t->error[0] != '\0')
		return;
	va_start(ap, format);
	(void)vsnprintf(t->error, sizeof(t->error), format, ap);
	va_end(ap);
}

/* All of it is here: gives it its name, and offers it. */
static void place(struct transfer *t)
{
	struct broadcast_store *s = t->store;
	char part[PATH_MAX], path[PATH_MAX], target[TARGET_SIZE];

	if (t->here != t->length)
		wrong(t, "%llu bytes came instead of %llu", (unsigned long long)t->here,
			(unsigned long long)t->length);
	else if (XXH3_64bits_digest(t->hash) != t->checksum)
		wrong(t, "its checksum is wrong");
	if (t->error[0] != '\0')
		return;
	if (!path_of(s, t->broadcast, ".part", part) || !path_of(s, t->broadcast, "", path) ||
		rename(part, path) < 0) {
		wrong(t, "cannot name the file: %s", strerror(errno));
		return;
	}
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	target_of(t->broadcast, target);
	/* Without an offer it is here all the same, and others fail to fetch it from here. */
	if (fd >= 0)
		(void)offers_add(s->offers, target, fd, t->length);
}

static void over(struct transfer *t)
{
	struct broadcast_store *s = t->store;
	uint32_t broadcast = t->broadcast;
	bool forgotten = t->forgotten;
	char error[sizeof(t->error)], part[PATH_MAX];

	if (!forgotten)
		place(t);
	memcpy(error, t->error, sizeof(error));
	if ((forgotten || error[0] != '\0') && path_of(s, broadcast, ".part", part))
		(void)unlink(part);
	transfer_free(t);
	if (!forgotten)
		s->c.fetched(s->c.arg, broadcast, error[0] != '\0' ? error : NULL);
}

/* ---- On the way ---- */

static void watch(struct transfer *t)
{
	const struct timeval stall = { .tv_sec = STALL_S };

	if (event_add(t->stalled, &stall) < 0)
		wrong(t, "%s", no_memory);
}

static int on_head(void *arg, const struct http_response *r)
{
	struct transfer *t = arg;

	if (r->status != 200)
		wrong(t, "it answered with HTTP status %ld", r->status);
	watch(t);
	return t->error[0] != '\0' ? -1 : 0;
}

static int on_data(void *arg, const void *data, size_t len)
{
	struct transfer *t = arg;

	if (len > t->length - t->here) {
		wrong(t, "more bytes came than %llu", (unsigned long long)t->length);
		return -1;
	}
	t->here += len;
	(void)XXH3_64bits_update(t->hash, data, len);
	int r = write_all(t->fd, data, len);
	if (r < 0)
		wrong(t, "cannot write it: %s", strerror(-r));
	watch(t);
	return t->error[0] != '\0' ? -1 : 0;
}

static void on_done(void *arg, const struct http_response *r)
{
	struct transfer *t = arg;

	t->request = NULL;
	if (r->result < 0)
		wrong(t, "%s", r->error != NULL ? r->error : strerror(-r->result));
	else if (r->status != 200)
		wrong(t, "it answered with HTTP status %ld", r->status);
	over(t);
}

/* Nothing came for a while; or the transfer could not begin, which is said from the loop as well. */
static void on_stalled(evutil_socket_t fd, short what, void *arg)
{
	struct transfer *t = arg;

	(void)fd;
	(void)what;
	wrong(t, "nothing came for %d s", STALL_S);
	if (t->request != NULL)
		http_cancel(t->request); /* on_done() follows */
	else
		over(t);
}

/* ---- The beginning ---- */

static int request(struct transfer *t, const struct exec_fetch *fetch, struct err *err)
{
	struct broadcast_store *s = t->store;
	const char *host = fetch->address != NULL ? fetch->address : s->c.driver_host;
	unsigned port = fetch->address != NULL ? fetch->port : s->c.driver_port;
	bool v6 = strchr(host, ':') != NULL;
	char proof[PROOF_SIZE], header[PROOF_SIZE + sizeof("Authorization: ")], target[TARGET_SIZE];
	auto_free char *url = NULL;

	target_of(t->broadcast, target);
	if (asprintf(&url, "http://%s%s%s:%u%s", v6 ? "[" : "", host, v6 ? "]" : "", port, target) < 0) {
		url = NULL;
		return err_set(err, -ENOMEM, "%s", no_memory);
	}
	proof_make(s->secret, fetch->executor_id != NULL ? fetch->executor_id : PROOF_DRIVER, proof);
	(void)snprintf(header, sizeof(header), "Authorization: %s", proof);
	const char *const headers[] = { header, NULL };
	const struct http_options options = { .method = "GET",
		.url = url,
		.headers = headers,
		.on_head = on_head,
		.on_data = on_data,
		.done = on_done,
		.arg = t };
	return http_start(s->c.client, &options, &t->request, err);
}

static int begin(struct transfer *t, const struct exec_fetch *fetch, struct err *err)
{
	char part[PATH_MAX];

	t->hash = XXH3_createState();
	if (t->hash == NULL || XXH3_64bits_reset(t->hash) != XXH_OK)
		return err_set(err, -ENOMEM, "%s", no_memory);
	if (!path_of(t->store, t->broadcast, ".part", part))
		return err_set(err, -ENAMETOOLONG, "the sandbox's name is too long");
	t->fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (t->fd < 0)
		return err_errno(err, -errno, "'%s'", part);
	int r = request(t, fetch, err);
	if (r == 0)
		watch(t);
	return r;
}

int broadcast_store_fetch(struct broadcast_store *s, uint32_t broadcast, const struct exec_fetch *fetch)
{
	struct transfer *t = calloc(1, sizeof(*t));
	struct err err = { "" };

	if (t == NULL)
		return -ENOMEM;
	*t = (struct transfer){ .store = s,
		.broadcast = broadcast,
		.length = fetch->length,
		.checksum = fetch->checksum,
		.fd = -1 };
	DL_APPEND(s->transfers, t);
	t->stalled = event_new(s->c.loop, -1, 0, on_stalled, t);
	if (t->stalled == NULL) {
		transfer_free(t);
		return -ENOMEM;
	}
	if (begin(t, fetch, &err) < 0) {
		wrong(t, "%s", err.text);
		event_active(t->stalled, 0, 0);
	}
	return 0;
}

void broadcast_store_forget(struct broadcast_store *s, uint32_t broadcast)
{
	struct transfer *t, *next;
	char path[PATH_MAX], target[TARGET_SIZE];

	DL_FOREACH_SAFE(s->transfers, t, next)
	{
		if (t->broadcast != broadcast)
			continue;
		t->forgotten = true;
		if (t->request != NULL)
			http_cancel(t->request);
	}
	target_of(broadcast, target);
	offers_remove(s->offers, target);
	if (path_of(s, broadcast, "", path))
		(void)unlink(path);
}

int broadcast_store_new(const struct broadcast_store_config *config, struct broadcast_store **ret)
{
	struct broadcast_store *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->c = *config;
	memcpy(s->secret, config->secret, sizeof(s->secret));
	s->c.secret = s->secret;
	if (offers_new(config->server, s->secret, config->executor_id, &s->offers) < 0) {
		free(s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

struct broadcast_store *broadcast_store_free(struct broadcast_store *s)
{
	if (s == NULL)
		return NULL;
	while (s->transfers != NULL)
		transfer_free(s->transfers);
	(void)offers_free(s->offers);
	explicit_bzero(s->secret, sizeof(s->secret));
	free(s);
	return NULL;
}
