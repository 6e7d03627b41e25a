/* address.h: under which of its addresses this machine is reached from a cluster. */
#ifndef QUERN_CLI_ADDRESS_H
#define QUERN_CLI_ADDRESS_H

#include "base/err.h"

enum { ADDRESS_SIZE = 64 };

/* The address of the interface that the route to `endpoint` (host:port) begins at. Nothing is sent.
 * -EHOSTUNREACH with a sentence: the name is unknown, or there is no route. */
int address_towards(const char *endpoint, char ret[ADDRESS_SIZE], struct err *err);

#endif
