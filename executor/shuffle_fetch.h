/* shuffle_fetch.h: one segment on its way: its bytes, decoded block by block. The transfer itself is
 * shuffle_read.c's. */
#ifndef QUERN_EXECUTOR_SHUFFLE_FETCH_H
#define QUERN_EXECUTOR_SHUFFLE_FETCH_H

#include <curl/curl.h>

#include "executor/block.h"
#include "executor/flow.h"
#include "executor/shuffle_request.h"
#include "job/link.pb-c.h"
#include "job/out.h"

enum { FETCH_WINDOW = 512 << 10 }; /* bytes that may wait behind those of one block */

struct fetch {
	const Quern__MapOutput *output;
	const Quern__OutputHost *host;
	struct shuffle_request request;
	struct segment_reader segment;
	struct buf in;
	size_t need;       /* bytes of the block that `in` begins with, as far as known */
	uint64_t records;  /* given */
	unsigned tries;    /* over HTTP, failed without a whole block */
	uint64_t brought;  /* bytes taken up to the last failure */
	uint64_t retry_at; /* ms of the monotonic clock */

	/* During a transfer: */
	CURL *easy;
	struct curl_slist *headers;
	uint64_t skip; /* bytes at its beginning that an earlier try has brought */
	bool paused;
	int result; /* of handling its bytes: 0, or why it was broken off */
	char error[CURL_ERROR_SIZE];
};

/* Gives the records of every block that is whole. 0, -EBADMSG: these are not the segment's bytes, -ENOMEM. */
int fetch_drain(struct fetch *f, struct quern_out *out, struct flow *flow);

/* Whether all of the segment was given, and nothing is left over. */
bool fetch_whole(const struct fetch *f);

/* Reads the segment, what is missing of it, from the file in its host's folder. 0, or a negative errno: it
 * cannot be had that way. */
int fetch_local(struct fetch *f, struct quern_out *out, struct flow *flow);

/* Starts a transfer in `multi`. 0, -ENOMEM, or -EINVAL: the host's address is none. */
int fetch_start(struct fetch *f, CURLM *multi, const uint8_t *secret);

/* Ends a transfer, if there is one; what was not given of its bytes is dropped. */
void fetch_stop(struct fetch *f, CURLM *multi);

/* Frees its buffers. */
void fetch_release(struct fetch *f);

#endif
