/* packet.h: one protobuf message per packet of a socket between an executor and its zygote, with descriptors.
 */
#ifndef QUERN_EXECUTOR_PACKET_H
#define QUERN_EXECUTOR_PACKET_H

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>

enum { PACKET_MAX = 64 << 10, PACKET_FDS = 2 };

/* Sends; the descriptors stay the caller's. 0 or -errno. */
int packet_send(int socket, const ProtobufCMessage *message, const int *fds, size_t n_fds);

/* Receives one of the given type. 1: *ret, for protobuf_c_message_free_unpacked(), and *ret_n_fds
 * descriptors, close-on-exec, the caller's. 0: the other side has closed. -EAGAIN, -EBADMSG (descriptors that
 * came with it are closed), other -errno. */
int packet_receive(int socket, const ProtobufCMessageDescriptor *type, ProtobufCMessage **ret,
	int fds[PACKET_FDS], size_t *ret_n_fds);

#endif
