/* socket.h: what the kernel says of a socket. */
#ifndef QUERN_BASE_SOCKET_H
#define QUERN_BASE_SOCKET_H

#include <stdint.h>

/* The port that it is bound to; 0: none, or not an Internet socket. */
uint16_t socket_port(int fd);

#endif
