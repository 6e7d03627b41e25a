/* What goes between an executor's process, the zygote and the workers: user code has the sockets as well, and
 * may write anything into them. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "executor/packet.h"
#include "executor/worker.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void receive(const uint8_t *data, size_t size, const ProtobufCMessageDescriptor *type)
{
	ProtobufCMessage *message = NULL;
	int sockets[2], fds[PACKET_FDS];
	size_t n_fds = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		abort();
	if (send(sockets[0], data, size, MSG_NOSIGNAL) == (ssize_t)size) {
		int r = packet_receive(sockets[1], type, &message, fds, &n_fds);

		assert(r == 1 || r == -EBADMSG || (r == 0 && size == 0));
		if (r == 1) {
			assert(n_fds == 0);
			protobuf_c_message_free_unpacked(message, NULL);
		}
	}
	(void)close(sockets[0]);
	(void)close(sockets[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	receive(data, size, &quern__zygote_request__descriptor);
	receive(data, size, &quern__zygote_report__descriptor);
	Quern__TaskResult *result = quern__task_result__unpack(NULL, size, data);
	if (result != NULL)
		quern__task_result__free_unpacked(result, NULL);
	return 0;
}
