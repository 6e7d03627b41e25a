#include "executor/packet.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * PACKET_FDS)];
};

int packet_send(int socket, const ProtobufCMessage *message, const int *fds, size_t n_fds)
{
	uint8_t bytes[PACKET_MAX];
	union control control;
	struct iovec iov = { .iov_base = bytes };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (protobuf_c_message_get_packed_size(message) > sizeof(bytes))
		return -EMSGSIZE;
	iov.iov_len = protobuf_c_message_pack(message, bytes);
	if (n_fds > 0) {
		memset(&control, 0, sizeof(control));
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
		memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
	}
	ssize_t n;
	while ((n = sendmsg(socket, &m, MSG_NOSIGNAL)) < 0 && errno == EINTR)
		;
	return n < 0 ? -errno : 0;
}

static size_t take_fds(struct msghdr *m, int fds[PACKET_FDS])
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); /* no more than there was room for */
		memcpy(fds, CMSG_DATA(c), n * sizeof(int));
	}
	return n;
}

int packet_receive(int socket, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret,
	int fds[PACKET_FDS], size_t *ret_n_fds)
{
	uint8_t bytes[PACKET_MAX];
	union control control;
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes) };

	ssize_t n;
	while ((n = recvmsg(socket, &m, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR)
		;
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	if (n == 0)
		return 0;
	size_t n_fds = take_fds(&m, fds);
	ProtobufCMessage *message = m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)
					    ? NULL
					    : protobuf_c_message_unpack(type, NULL, (size_t)n, bytes);
	if (message == NULL) {
		while (n_fds > 0)
			(void)close(fds[--n_fds]);
		return -EBADMSG;
	}
	*ret = message;
	*ret_n_fds = n_fds;
	return 1;
}
