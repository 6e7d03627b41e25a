/* What a peer sends over a link: before it has proved anything (the first byte is even) or after. */
#include <assert.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <openssl/hmac.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/link.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NONCE = 32, MAC = 32, FRAME_MAX = 1 << 16, STEPS_MAX = 100000 };

static const uint8_t secret[LINK_SECRET + 1] = "0123456789abcdef0123456789abcdef";

static void on_up(void *arg, struct link *link, const char *name)
{
	(void)arg;
	assert(strlen(name) <= LINK_NAME_MAX);
	(void)link_send(link, "hello", 5);
}

static void on_frame(void *arg, struct link *link, const void *data, size_t len)
{
	uint8_t sum = 0;

	(void)arg;
	assert(len > 0 && len <= FRAME_MAX);
	for (size_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
	if (sum == 13)
		(void)link_free(link); /* the owner may do that here */
	else
		(void)link_send(link, data, len);
}

static void on_down(void *arg, struct link *link, const char *why)
{
	(void)arg, (void)link;
	assert(why[0] != '\0');
}

static const struct link_ops ops = { .up = on_up, .frame = on_frame, .down = on_down };

static void turn(struct event_base *loop)
{
	(void)event_base_loop(loop, EVLOOP_ONCE | EVLOOP_NONBLOCK);
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

/* The client's part of the handshake, by the name "peer". */
static bool shake_hands(struct event_base *loop, int fd)
{
	uint8_t theirs[NONCE], hello[NONCE + 2 + 4 + MAC] = { 0 };
	uint8_t text[12 + 2 * NONCE + 4];
	unsigned len = MAC;
	ssize_t n = -1;

	for (int i = 0; i < STEPS_MAX && n < 0; i++) {
		turn(loop);
		n = recv(fd, theirs, NONCE, MSG_DONTWAIT);
	}
	if (n != NONCE)
		return false;
	hello[NONCE] = 4;
	memcpy(hello + NONCE + 2, "peer", 4);
	memcpy(text, "quern client", 12);
	memcpy(text + 12, theirs, NONCE);
	memcpy(text + 12 + NONCE, hello, NONCE);
	memcpy(text + 12 + 2 * NONCE, "peer", 4);
	(void)HMAC(EVP_sha256(), secret, LINK_SECRET, text, sizeof(text), hello + NONCE + 6, &len);
	return send(fd, hello, sizeof(hello), MSG_NOSIGNAL) == (ssize_t)sizeof(hello);
}

/* Sends, reads what comes back, and goes on until the server has closed. */
static void exchange(struct event_base *loop, int fd, const uint8_t *data, size_t size)
{
	uint8_t back[4096];
	bool ended = false;

	for (int i = 0; i < STEPS_MAX; i++) {
		if (size > 0) {
			ssize_t n = send(fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

			if (n > 0) {
				data += n;
				size -= (size_t)n;
			}
		} else if (!ended) {
			ended = true;
			(void)shutdown(fd, SHUT_WR);
		}
		turn(loop);
		ssize_t n = recv(fd, back, sizeof(back), MSG_DONTWAIT);
		if (n == 0 || (n < 0 && ended && i > 1000))
			return;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct link_config config = { .secret = secret, .max_frame = FRAME_MAX, .ops = &ops };
	struct link_server *server = NULL;
	struct err err;

	if (size == 0)
		return 0;
	struct event_base *loop = event_base_new();
	if (loop == NULL || link_listen(loop, "127.0.0.1", 0, &config, &server, &err) < 0)
		abort();
	int fd = connect_to(link_server_port(server));
	if (fd >= 0 && (data[0] % 2 == 0 || shake_hands(loop, fd)))
		exchange(loop, fd, data + 1, size - 1);
	if (fd >= 0)
		(void)close(fd);
	turn(loop);
	(void)link_server_free(server);
	event_base_free(loop);
	return 0;
}
