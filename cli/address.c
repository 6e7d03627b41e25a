#include "cli/address.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

/* A connected datagram socket knows its own address, without a packet. */
static int ask_kernel(const struct addrinfo *to, char ret[ADDRESS_SIZE])
{
	auto_close int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage own;
	socklen_t len = sizeof(own);

	if (fd < 0 || connect(fd, to->ai_addr, to->ai_addrlen) < 0 ||
		getsockname(fd, (struct sockaddr *)&own, &len) < 0)
		return -errno;
	return getnameinfo((struct sockaddr *)&own, len, ret, ADDRESS_SIZE, NULL, 0, NI_NUMERICHOST) == 0
		       ? 0
		       : -EHOSTUNREACH;
}

/* "host:port" or "[v6]:port" cut in two. */
static int cut(char *text, char **ret_host, char **ret_port)
{
	char *colon = strrchr(text, ':');

	if (colon == NULL)
		return -EINVAL;
	*colon = '\0';
	*ret_port = colon + 1;
	*ret_host = text;
	size_t len = strlen(text);
	if (text[0] == '[' && text[len - 1] == ']') {
		text[len - 1] = '\0';
		*ret_host = text + 1;
	}
	return 0;
}

int address_towards(const char *endpoint, char ret[ADDRESS_SIZE], struct err *err)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	auto_free char *copy = strdup(endpoint);
	struct addrinfo *list = NULL;
	char *host, *port;
	int r = -EHOSTUNREACH;

	if (copy == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	if (cut(copy, &host, &port) < 0)
		return err_set(err, -EINVAL, "'%s' is no HOST:PORT", endpoint);
	int g = getaddrinfo(host, port, &hints, &list);
	if (g != 0)
		return err_set(err, -EHOSTUNREACH, "%s cannot be found: %s", endpoint, gai_strerror(g));
	for (const struct addrinfo *a = list; a != NULL && r < 0; a = a->ai_next)
		r = ask_kernel(a, ret);
	freeaddrinfo(list);
	return r < 0 ? err_errno(err, r, "no way to %s", endpoint) : 0;
}
