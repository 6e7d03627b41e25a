/* shuffle_request.h: a request for a segment, as it is on the wire: the one who asks makes it, the one who
 * serves reads it. */
#ifndef QUERN_EXECUTOR_SHUFFLE_REQUEST_H
#define QUERN_EXECUTOR_SHUFFLE_REQUEST_H

#include <stdint.h>

#include "executor/shuffle_file.h"

struct shuffle_request {
	struct shuffle_name name;
	uint32_t partition;
};

/* Reads "/shuffle/SHUFFLE/MAP/ATTEMPT/PARTITION", plain decimal numbers below 2^32 and nothing else. 0 or
 * -EINVAL. Trusts nothing. */
int shuffle_request_parse(const char *target, struct shuffle_request *ret);

/* The same, written: room for 64 bytes. */
void shuffle_request_print(const struct shuffle_request *request, char ret[64]);

#endif
