#include "base/socket.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

uint16_t socket_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_storage room;
	} a;
	socklen_t len = sizeof(a);

	memset(&a, 0, sizeof(a));
	if (getsockname(fd, &a.any, &len) < 0)
		return 0;
	switch (a.any.sa_family) {
	case AF_INET:
		return ntohs(a.v4.sin_port);
	case AF_INET6:
		return ntohs(a.v6.sin6_port);
	default:
		return 0;
	}
}
