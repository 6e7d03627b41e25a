#include "scheduler/artifacts.h"

#include <errno.h>
#include <event2/http.h>
#include <fcntl.h>
#include <stdbool.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "base/serve.h"
#include "base/socket.h"
#include "base/vec.h"

enum {
	TOKEN_BYTES = 16,
	TOKEN_TEXT = 2 * TOKEN_BYTES,
	HEADERS_MAX = 16 << 10, /* of a request: anyone may send one */
	BODY_MAX = 1 << 10,
	TIMEOUT_S = 60, /* for which a connection may do nothing */
};

struct artifact {
	char *name;
	int fd;
	off_t size;
};

struct artifacts {
	struct evhttp *http;
	uint16_t port;
	char token[TOKEN_TEXT + 1];
	VEC(struct artifact) files;
};

/* The artifact that a request's path names, or NULL. */
static const struct artifact *find(const struct artifacts *a, const char *path)
{
	if (path == NULL || path[0] != '/' || strlen(path) <= 1 + TOKEN_TEXT + 1 ||
		path[1 + TOKEN_TEXT] != '/' || CRYPTO_memcmp(path + 1, a->token, TOKEN_TEXT) != 0)
		return NULL;
	for (size_t i = 0; i < a->files.n; i++)
		if (strcmp(a->files.at[i].name, path + 1 + TOKEN_TEXT + 1) == 0)
			return &a->files.at[i];
	return NULL;
}

static void serve(struct evhttp_request *request, void *arg)
{
	const struct artifacts *a = arg;
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
	const struct artifact *file = find(a, uri != NULL ? evhttp_uri_get_path(uri) : NULL);
	char length[32];

	if (file == NULL) {
		evhttp_send_error(request, HTTP_NOTFOUND, NULL);
		return;
	}
	if (evhttp_request_get_command(request) != EVHTTP_REQ_HEAD) {
		if (serve_file(request, file->fd, 0, (uint64_t)file->size) < 0)
			evhttp_send_error(request, HTTP_INTERNAL, NULL);
		return;
	}
	/* A fetcher with a cache asks for the size first. */
	(void)snprintf(length, sizeof(length), "%lld", (long long)file->size);
	struct evkeyvalq *head = evhttp_request_get_output_headers(request);
	if (evhttp_add_header(head, "Content-Type", "application/octet-stream") < 0 ||
		evhttp_add_header(head, "Content-Length", length) < 0)
		evhttp_send_error(request, HTTP_INTERNAL, NULL);
	else
		evhttp_send_reply(request, HTTP_OK, NULL, NULL);
}

static int make_token(char token[TOKEN_TEXT + 1])
{
	uint8_t bytes[TOKEN_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return -EIO;
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

AUTO_FREE(artifacts, struct artifacts, artifacts_free)

int artifacts_new(struct event_base *loop, const char *address, struct artifacts **ret, struct err *err)
{
	__attribute__((cleanup(auto_artifacts_cleanup_))) struct artifacts *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->http = evhttp_new(loop)) == NULL)
		return err_set(err, -ENOMEM, "artifacts: out of memory");
	if (make_token(a->token) < 0)
		return err_set(err, -EIO, "artifacts: no random numbers");
	evhttp_set_allowed_methods(a->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(a->http, HEADERS_MAX);
	evhttp_set_max_body_size(a->http, BODY_MAX);
	evhttp_set_timeout(a->http, TIMEOUT_S);
	evhttp_set_gencb(a->http, serve, a);

	struct evhttp_bound_socket *s = evhttp_bind_socket_with_handle(a->http, address, 0);
	if (s == NULL)
		return err_errno(err, -(errno != 0 ? errno : EIO), "cannot listen on %s", address);
	a->port = socket_port(evhttp_bound_socket_get_fd(s));
	*ret = a, a = NULL;
	return 0;
}

int artifacts_add(struct artifacts *a, const char *name, const char *path, struct err *err)
{
	auto_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, -errno, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "'%s': not a regular file", path);

	struct artifact file = { .name = strdup(name), .fd = fd, .size = st.st_size };
	if (file.name == NULL || vec_push(&a->files, file) < 0) {
		free(file.name);
		return err_set(err, -ENOMEM, "artifacts: out of memory");
	}
	fd = -1;
	return 0;
}

char *artifacts_url(const struct artifacts *a, const char *host, const char *name)
{
	char *url;
	bool v6 = strchr(host, ':') != NULL;

	if (asprintf(&url, "http://%s%s%s:%u/%s/%s", v6 ? "[" : "", host, v6 ? "]" : "", a->port, a->token,
		    name) < 0)
		return NULL;
	return url;
}

struct evhttp *artifacts_http(const struct artifacts *a)
{
	return a->http;
}

uint16_t artifacts_port(const struct artifacts *a)
{
	return a->port;
}

struct artifacts *artifacts_free(struct artifacts *a)
{
	if (a == NULL)
		return NULL;
	if (a->http != NULL)
		evhttp_free(a->http);
	for (size_t i = 0; i < a->files.n; i++) {
		free(a->files.at[i].name);
		(void)close(a->files.at[i].fd);
	}
	vec_deinit(&a->files);
	free(a);
	return NULL;
}
