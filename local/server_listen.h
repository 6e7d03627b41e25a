/* server_listen.h: a listening TCP socket as the embedded cluster wants it. */
#ifndef QUERN_LOCAL_SERVER_LISTEN_H
#define QUERN_LOCAL_SERVER_LISTEN_H

#include <stdint.h>

#include "base/err.h"

/* Listens on an IPv4 address, port 0 = any; returns the descriptor (non-blocking, closed on exec) and fills
 * in the port, or -errno with a sentence (-EADDRINUSE, -EACCES, -EINVAL: no such address). Connections
 * inherit TCP_NODELAY, because events are small and should not wait for one another, and TCP keepalive. */
int server_listen(const char *address, uint16_t port, uint16_t *ret_port, struct err *err);

#endif
