#include "local/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/write.h"
#include "local/extract.h"
#include "local/fetch_uri.h"
#include "local/helper.h"
#include "local/sandbox.h"

enum { REDIRECTS_MAX = 5, COPY_PIECE = 1 << 20 };

static const uint64_t fetch_max_bytes = UINT64_C(64) << 30; /* of one file */
static const struct extract_limits unpack_limits = { .bytes = UINT64_C(256) << 30, .entries = 10000000 };

struct item {
	struct fetch *fetch;
	struct fetch_uri uri;
	char temporary[PATH_MAX]; /* beside the target until it is whole */
	char final[PATH_MAX];
	int fd;
	uint64_t bytes;
	int broken; /* why it could not be written */
	unsigned redirects;
	char *location;
	struct http_request *request;
	struct helper *helper;
};

struct fetch {
	struct event_base *loop;
	struct http_client *http;
	char *dir;
	struct item *items;
	size_t n, pending;
	struct event *over;
	fetch_done *done;
	void *arg;
	int result;
	struct err why;
};

/* --- files: these run in a child when they may take long ------------------------------------------------ */

/* Gives a whole file its name. */
static int place(const struct item *it, struct err *err)
{
	char folder[PATH_MAX];

	(void)snprintf(folder, sizeof(folder), "%s", it->final);
	*strrchr(folder, '/') = '\0';
	int r = sandbox_make(folder, err);
	if (r < 0)
		return r;
	if (chmod(it->temporary, it->uri.executable ? 0755 : 0644) < 0 ||
		rename(it->temporary, it->final) < 0) {
		r = -errno;
		return err_errno(err, r, "Failed to fetch '%.300s'", it->uri.source);
	}
	return 0;
}

static int unpack(const struct item *it, struct err *err)
{
	int r = chdir(it->fetch->dir) < 0 ? -errno : 0;

	if (r < 0)
		return err_errno(err, r, "Failed to extract '%.300s'", it->uri.target);
	r = extract_is_archive(it->final) ? extract_here(it->final, &unpack_limits, err)
					  : extract_gzip(it->final, &unpack_limits, err);
	return r < 0 ? err_prefix(err, r, "Failed to extract '%.300s'", it->uri.target) : 0;
}

/* In the child: what follows a download. */
static int place_and_unpack(void *arg, struct err *err)
{
	const struct item *it = arg;

	int r = place(it, err);
	return r < 0 ? r : unpack(it, err);
}

static int copy_bytes(int from, int to)
{
	ssize_t n;

	do {
		n = copy_file_range(from, NULL, to, NULL, COPY_PIECE, 0);
		if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
	} while (n != 0);
	if (n == 0)
		return 0;
	auto_free char *piece = malloc(COPY_PIECE);
	if (piece == NULL)
		return -ENOMEM;
	while ((n = read(from, piece, COPY_PIECE)) > 0)
		for (ssize_t at = 0, put; at < n; at += put)
			if ((put = write(to, piece + at, (size_t)(n - at))) < 0)
				return -errno;
	return n < 0 ? -errno : 0;
}

/* In the child: a file of this machine. */
static int copy_and_place(void *arg, struct err *err)
{
	const struct item *it = arg;
	struct stat st;

	auto_close int from = open(it->uri.source, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int r = from < 0 || fstat(from, &st) < 0 ? -errno : 0;
	if (r == 0 && !S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "Failed to fetch '%.300s': not a file", it->uri.source);
	int to = r < 0 ? -1 : open(it->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (r == 0)
		r = to < 0 ? -errno : copy_bytes(from, to);
	if (to >= 0 && close(to) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return err_errno(err, r, "Failed to fetch '%.300s'", it->uri.source);
	r = place(it, err);
	return r < 0 || !it->uri.extract ? r : unpack(it, err);
}

/* --- the end of one file, and of all ---------------------------------------------------------------------
 */

static void stop_all(struct fetch *f)
{
	for (size_t i = 0; i < f->n; i++) {
		http_cancel(f->items[i].request);
		helper_cancel(f->items[i].helper);
	}
}

static void item_over(struct item *it, int result, const char *why)
{
	struct fetch *f = it->fetch;

	if (it->fd >= 0)
		(void)close(it->fd);
	it->fd = -1;
	f->pending--;
	if (result < 0)
		(void)unlink(it->temporary);
	if (result < 0 && f->result == 0) {
		f->result = err_set(&f->why, result, "%s", why);
		stop_all(f); /* a container with a file missing will not start: no need for the others */
	}
	if (f->pending == 0)
		event_active(f->over, 0, 0);
}

static void fetch_delete(struct fetch *f)
{
	for (size_t i = 0; i < f->n; i++) {
		if (f->items[i].fd >= 0)
			(void)close(f->items[i].fd);
		fetch_uri_deinit(&f->items[i].uri);
		free(f->items[i].location);
	}
	if (f->over != NULL)
		event_free(f->over);
	free(f->items);
	free(f->dir);
	free(f);
}

static void on_over(evutil_socket_t fd, short what, void *arg)
{
	struct fetch *f = arg;
	fetch_done *done = f->done;
	void *done_arg = f->arg;
	int result = f->result;
	struct err why = f->why;

	(void)fd, (void)what;
	if (f->pending > 0)
		return;
	fetch_delete(f);
	done(done_arg, result, why.text);
}

static void on_helper(void *arg, int result, const char *why)
{
	struct item *it = arg;

	it->helper = NULL;
	item_over(it, result, why);
}

static void item_help(struct item *it, helper_work *work)
{
	struct err err = { "" };

	int r = helper_start(it->fetch->loop, work, it, on_helper, it, &it->helper, &err);
	if (r < 0)
		item_over(it, r, err.text);
}

/* --- downloads -------------------------------------------------------------------------------------------
 */

static int item_request(struct item *it, const char *url, struct err *err);

static bool redirects(long status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int on_head(void *arg, const struct http_response *r)
{
	struct item *it = arg;

	if (redirects(r->status) && r->location != NULL) {
		free(it->location);
		it->location = fetch_uri_redirect(it->uri.source, r->location);
	}
	return 0;
}

static int on_data(void *arg, const void *data, size_t len)
{
	struct item *it = arg;

	it->bytes += len;
	it->broken = it->bytes > fetch_max_bytes ? -EFBIG : write_all(it->fd, data, len);
	return it->broken;
}

/* The answer was a redirection: on to where it leads. */
static void item_redirect(struct item *it)
{
	struct err err = { "" };

	free(it->uri.source);
	it->uri.source = it->location;
	it->location = NULL;
	it->redirects++;
	it->bytes = 0;
	int r = ftruncate(it->fd, 0) < 0 || lseek(it->fd, 0, SEEK_SET) < 0 ? -errno : 0;
	if (r < 0)
		(void)err_errno(&err, r, "Failed to fetch '%.300s'", it->uri.source);
	else
		r = item_request(it, it->uri.source, &err);
	if (r < 0)
		item_over(it, r, err.text);
}

static void on_done(void *arg, const struct http_response *r)
{
	struct item *it = arg;
	struct err err = { "" };
	int result = 0;

	it->request = NULL;
	if (it->fetch->result < 0)
		result = -ECANCELED;
	else if (it->broken < 0)
		result = err_errno(&err, it->broken, "Failed to fetch '%.300s' to '%.300s'", it->uri.source,
			it->temporary);
	else if (r->result < 0)
		result = err_set(&err, r->result, "Failed to fetch '%.300s': %.300s", it->uri.source,
			r->error != NULL ? r->error : "the request was cancelled");
	else if (redirects(r->status) && it->location != NULL && it->redirects < REDIRECTS_MAX) {
		item_redirect(it);
		return;
	} else if (r->status != 200)
		result = err_set(
			&err, -EIO, "Failed to fetch '%.300s': HTTP status %ld", it->uri.source, r->status);
	if (result == 0) {
		result = close(it->fd) < 0 ? -errno : 0;
		it->fd = -1;
		if (result < 0)
			(void)err_errno(&err, result, "Failed to fetch '%.300s'", it->uri.source);
	}
	if (result == 0 && it->uri.extract) {
		item_help(it, place_and_unpack);
		return;
	}
	if (result == 0)
		result = place(it, &err);
	item_over(it, result, err.text);
}

static int item_request(struct item *it, const char *url, struct err *err)
{
	const struct http_options options = {
		.method = "GET",
		.url = url,
		.on_head = on_head,
		.on_data = on_data,
		.done = on_done,
		.arg = it,
	};

	return http_start(it->fetch->http, &options, &it->request, err);
}

static void item_download(struct item *it)
{
	struct err err = { "" };

	it->fd = open(it->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r = it->fd < 0 ? -errno : 0;
	if (r < 0)
		(void)err_errno(&err, r, "Failed to fetch '%.300s'", it->uri.source);
	else
		r = item_request(it, it->uri.source, &err);
	if (r < 0)
		item_over(it, r, err.text);
}

/* --- life ------------------------------------------------------------------------------------------------
 */

static int item_init(
	struct fetch *f, struct item *it, const Mesos__V1__CommandInfo__URI *uri, struct err *err)
{
	size_t index = (size_t)(it - f->items);

	*it = (struct item){ .fetch = f, .fd = -1 };
	int r = fetch_uri_parse(uri, &it->uri, err);
	if (r < 0)
		return r;
	int a = snprintf(it->temporary, sizeof(it->temporary), "%s/.fetch-%zu", f->dir, index);
	int b = snprintf(it->final, sizeof(it->final), "%s/%s", f->dir, it->uri.target);
	if (a < 0 || b < 0 || (size_t)a >= sizeof(it->temporary) || (size_t)b >= sizeof(it->final))
		return err_set(
			err, -EINVAL, "Failed to fetch '%.300s': the name is too long", it->uri.source);
	return 0;
}

static int fetch_init(
	struct fetch *f, const char *dir, Mesos__V1__CommandInfo__URI *const *uris, size_t n, struct err *err)
{
	f->dir = strdup(dir);
	f->items = calloc(n > 0 ? n : 1, sizeof(*f->items));
	f->over = event_new(f->loop, -1, EV_PERSIST, on_over, f);
	if (f->dir == NULL || f->items == NULL || f->over == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (f->n = 0; f->n < n;) {
		struct item *it = &f->items[f->n++];
		int r = item_init(f, it, uris[f->n - 1], err);
		if (r < 0)
			return r;
	}
	return 0;
}

int fetch_start(struct event_base *loop, struct http_client *http, const char *dir,
	Mesos__V1__CommandInfo__URI *const *uris, size_t n, fetch_done *done, void *arg, struct fetch **ret,
	struct err *err)
{
	struct fetch *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	*f = (struct fetch){ .loop = loop, .http = http, .done = done, .arg = arg };
	int r = fetch_init(f, dir, uris, n, err);
	if (r < 0) {
		fetch_delete(f);
		return r;
	}
	f->pending = n;
	for (size_t i = 0; i < n; i++) {
		if (f->result < 0)
			item_over(&f->items[i], -ECANCELED, "");
		else if (f->items[i].uri.http)
			item_download(&f->items[i]);
		else
			item_help(&f->items[i], copy_and_place);
	}
	if (n == 0)
		event_active(f->over, 0, 0);
	*ret = f;
	return 0;
}

void fetch_cancel(struct fetch *f)
{
	if (f->result == 0)
		f->result = err_set(&f->why, -ECANCELED, "Failed to fetch: it was stopped");
	stop_all(f);
}

struct fetch *fetch_free(struct fetch *f)
{
	if (f == NULL)
		return NULL;
	for (size_t i = 0; i < f->n; i++) {
		helper_cancel(f->items[i].helper);
		f->items[i].helper = helper_join(f->items[i].helper);
	}
	fetch_delete(f);
	return NULL;
}
