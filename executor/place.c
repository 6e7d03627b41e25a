#include "executor/place.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/socket.h"
#include "executor/strays.h"
#include "job/files.h"

enum { HEADERS_MAX = 16 << 10, BODY_MAX = 1 << 10, TIMEOUT_S = 120 };

static int make_folder(const char *sandbox, const char *name, char *ret, size_t size, struct err *err)
{
	char path[4096];

	int n = snprintf(path, sizeof(path), "%s/%s", sandbox, name);
	if (n < 0 || (size_t)n >= sizeof(path) || (size_t)n >= size)
		return err_set(err, -ENAMETOOLONG, "the sandbox's name is too long");
	tree_remove(path); /* of an executor that died here */
	if (mkdir(path, 0700) < 0)
		return err_errno(err, -errno, "folder '%s'", path);
	memcpy(ret, path, (size_t)n + 1);
	return 0;
}

/* The running kernel and the file system that we see: two containers of one host see different files. */
static int find_machine(char *ret, size_t size, struct err *err)
{
	char boot[64] = "", files[64] = "";

	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, boot, sizeof(boot) - 1);
	int code = -errno;
	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return err_errno(err, code, "/proc/sys/kernel/random/boot_id");
	boot[strcspn(boot, "\n")] = '\0';
	if (readlink("/proc/self/ns/mnt", files, sizeof(files) - 1) < 0)
		files[0] = '\0';
	(void)snprintf(ret, size, "%s %s", boot, files);
	return 0;
}

/* "host:port" or "[v6]:port", without the port and the brackets. */
static void host_of(const char *endpoint, char *ret, size_t size)
{
	const char *colon = strrchr(endpoint, ':');
	size_t len = colon != NULL ? (size_t)(colon - endpoint) : strlen(endpoint);

	if (len >= 2 && endpoint[0] == '[' && endpoint[len - 1] == ']') {
		endpoint++;
		len -= 2;
	}
	(void)snprintf(ret, size, "%.*s", (int)len, endpoint);
}

static void not_yet(struct evhttp_request *request, void *arg)
{
	(void)arg;
	evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
}

/* `port`: 0 for any. */
static int listen_here(struct event_base *loop, struct place *p, uint16_t port, struct err *err)
{
	p->http = evhttp_new(loop);
	if (p->http == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	evhttp_set_gencb(p->http, not_yet, NULL);
	evhttp_set_allowed_methods(p->http, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(p->http, HEADERS_MAX);
	evhttp_set_max_body_size(p->http, BODY_MAX);
	evhttp_set_timeout(p->http, TIMEOUT_S);
	struct evhttp_bound_socket *socket = evhttp_bind_socket_with_handle(p->http, p->address, port);
	if (socket == NULL)
		socket = evhttp_bind_socket_with_handle(p->http, "0.0.0.0", port);
	if (socket == NULL)
		return err_errno(err, errno != 0 ? -errno : -EIO,
			"listening for those who fetch map output, at port %u (0: any)", port);
	p->port = socket_port(evhttp_bound_socket_get_fd(socket));
	return 0;
}

int place_open(
	struct event_base *loop, const struct environment *environment, struct place *ret, struct err *err)
{
	host_of(environment->agent, ret->address, sizeof(ret->address));
	int r = make_folder(environment->sandbox, "shuffle", ret->shuffle_dir, sizeof(ret->shuffle_dir), err);
	if (r == 0)
		r = make_folder(
			environment->sandbox, "scratch", ret->scratch_dir, sizeof(ret->scratch_dir), err);
	if (r == 0)
		r = make_folder(environment->sandbox, "broadcast", ret->broadcast_dir,
			sizeof(ret->broadcast_dir), err);
	int n = snprintf(ret->files_dir, sizeof(ret->files_dir), "%s/%s", environment->sandbox, FILES_FOLDER);
	if (r == 0 && (n < 0 || (size_t)n >= sizeof(ret->files_dir)))
		r = err_set(err, -ENAMETOOLONG, "the sandbox's name is too long");
	if (r == 0)
		r = find_machine(ret->machine, sizeof(ret->machine), err);
	return r < 0 ? r : listen_here(loop, ret, environment->shuffle_port, err);
}

void place_close(struct place *p)
{
	if (p->http != NULL)
		evhttp_free(p->http);
	p->http = NULL;
	if (p->shuffle_dir[0] != '\0')
		tree_remove(p->shuffle_dir);
	if (p->scratch_dir[0] != '\0')
		tree_remove(p->scratch_dir);
	if (p->broadcast_dir[0] != '\0')
		tree_remove(p->broadcast_dir);
}
