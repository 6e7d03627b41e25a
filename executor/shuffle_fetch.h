/* shuffle_fetch.h: one segment of another machine's on its way into the scratch file: its blocks are checked
 * as they arrive, and stay as they are. Which transfers run is shuffle_read.c's business. */
#ifndef QUERN_EXECUTOR_SHUFFLE_FETCH_H
#define QUERN_EXECUTOR_SHUFFLE_FETCH_H

#include <curl/curl.h>

#include "executor/cursor.h"
#include "executor/scratch.h"
#include "executor/shuffle_request.h"
#include "job/link.pb-c.h"

struct fetch {
	const Quern__MapOutput *output;
	const Quern__OutputHost *host;
	struct shuffle_request request;
	struct stored stored; /* where it lies, once it is here; the file of a map on this machine is ours */
	bool local;
	uint64_t records;

	struct segment_reader segment; /* behind the last block that has arrived */
	bool placed;                   /* there is room for it in the scratch file: `stored` */
	unsigned tries;                /* failed without a whole block */
	uint64_t brought;              /* bytes of whole blocks up to the last failure */
	uint64_t retry_at;             /* ms of the monotonic clock */

	/* During a transfer: */
	struct scratch *scratch;
	struct buf in; /* a block that is not whole */
	CURL *easy;
	struct curl_slist *headers;
	uint64_t skip; /* bytes at its beginning that an earlier try has brought */
	int result;    /* of handling its bytes: 0, or why it was broken off */
	char error[CURL_ERROR_SIZE];
};

/* Whether all of the segment is here. */
bool fetch_whole(const struct fetch *f);

/* Opens the file in the host's folder, which must be on this machine: the segment is there. 0, or a negative
 * errno: it cannot be had that way. */
int fetch_local(struct fetch *f);

/* Starts a transfer in `multi` to the scratch file, which is open. 0, -ENOMEM, or -EINVAL: the host's address
 * is none. */
int fetch_start(struct fetch *f, CURLM *multi, const uint8_t *secret, struct scratch *scratch);

/* Ends a transfer, if there is one; what of its bytes is not a whole block is dropped. */
void fetch_stop(struct fetch *f, CURLM *multi);

/* Frees its buffers, and closes the file of a map on this machine. */
void fetch_release(struct fetch *f);

#endif
