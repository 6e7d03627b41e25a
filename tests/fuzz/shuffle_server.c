/* What a peer sends to the server of map output. With an odd first byte the rest is the target of a request
 * that is allowed, else it is all that is sent. */
#include <assert.h>
#include <event2/event.h>
#include <event2/http.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/proof.h"
#include "executor/shuffle_write.h"
#include "executor/task.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STEPS_MAX = 5000, IDLE_MAX = 200, HEADERS_MAX = 16 << 10, BODY_MAX = 1 << 10 };

static const uint8_t secret[33] = "0123456789abcdef0123456789abcdef";

static char dir[] = "/tmp/quern-fuzz-XXXXXX";

static void remove_folder(void)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "%s/0-0-0.map", dir);
	(void)unlink(path);
	(void)rmdir(dir);
}

/* A folder with the output of one map, for the whole run: "0-0-0.map" with two partitions. */
static const char *folder(void)
{
	static bool made;
	struct keep keep = { 0 };
	const struct shuffle_write_config config = { .dir = dir, .partitions = 2, .level = 1, .keep = &keep };
	struct shuffle_writer *w = NULL;
	struct err err;

	if (made)
		return dir;
	if (mkdtemp(dir) == NULL || shuffle_writer_new(&config, &w, &err) < 0 ||
		shuffle_writer_add(w, 0, quern_str("key"), quern_str("value"), &err) < 0 ||
		shuffle_writer_finish(w, &err) < 0)
		abort();
	(void)shuffle_writer_free(w);
	keep_deinit(&keep);
	(void)atexit(remove_folder);
	made = true;
	return dir;
}

static uint16_t listen_here(struct evhttp *http)
{
	struct sockaddr_in a = { 0 };
	socklen_t len = sizeof(a);
	struct evhttp_bound_socket *socket = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);

	if (socket == NULL ||
		getsockname(evhttp_bound_socket_get_fd(socket), (struct sockaddr *)(void *)&a, &len) < 0)
		abort();
	return ntohs(a.sin_port);
}

/* -1: the system has no sockets or ports left for the moment. */
static int connect_to(uint16_t port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};
	const struct linger at_once = { .l_onoff = 1 }; /* no thousands of sockets in TIME_WAIT */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)(void *)&a, sizeof(a)) < 0) {
		(void)close(fd);
		return -1;
	}
	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return fd;
}

/* Sends, and reads until the server has closed, or has had nothing to say for some time. */
static void exchange(struct event_base *loop, int fd, const uint8_t *data, size_t size)
{
	uint8_t back[4096];
	unsigned idle = 0;

	for (int i = 0; i < STEPS_MAX && idle < IDLE_MAX; i++) {
		ssize_t sent = size > 0 ? send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

		if (sent > 0) {
			data += sent;
			size -= (size_t)sent;
		}
		(void)event_base_loop(loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		ssize_t n = recv(fd, back, sizeof(back), MSG_DONTWAIT);
		if (n == 0)
			return;
		idle = n > 0 || sent > 0 ? 0 : idle + 1;
	}
}

/* What is sent. */
static int request(const uint8_t *data, size_t size, struct buf *ret)
{
	char authorization[PROOF_SIZE];

	if (data[0] % 2 == 0)
		return buf_add(ret, data + 1, size - 1);
	proof_make(secret, "e", authorization);
	int r = buf_add_str(ret, "GET ");
	if (r == 0)
		r = buf_add(ret, data + 1, size - 1);
	return r < 0 ? r
		     : buf_add_fmt(ret, " HTTP/1.1\r\nHost: h\r\nAuthorization: %s\r\n\r\n", authorization);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf struct buf sent = BUF_INIT(1 << 20);
	struct shuffle_server *server = NULL;

	if (size == 0 || request(data, size, &sent) < 0)
		return 0;
	struct event_base *loop = event_base_new();
	struct evhttp *http = loop != NULL ? evhttp_new(loop) : NULL;
	if (http == NULL || shuffle_server_new(folder(), secret, "e", &server) < 0)
		abort();
	evhttp_set_gencb(http, shuffle_server_handle, server);
	evhttp_set_allowed_methods(http, EVHTTP_REQ_GET);
	evhttp_set_max_headers_size(http, HEADERS_MAX);
	evhttp_set_max_body_size(http, BODY_MAX);
	int fd = connect_to(listen_here(http));
	if (fd >= 0) {
		exchange(loop, fd, sent.data, sent.len);
		(void)close(fd);
	}
	(void)event_base_loop(loop, EVLOOP_NONBLOCK);
	evhttp_free(http);
	(void)shuffle_server_free(server);
	event_base_free(loop);
	return 0;
}
