/* recordio.h: records of a Mesos stream, each "<length in decimal>\n<bytes>", taken from bytes in any split.
 */
#ifndef QUERN_MESOS_RECORDIO_H
#define QUERN_MESOS_RECORDIO_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum {
	RECORDIO_MAX = 64 << 20
}; /* bytes of a record that we accept; OFFERS of 10,000 agents are about 6 MB */

struct recordio {
	struct buf partial; /* of the record under way, header included */
	size_t max;
	int failed; /* an earlier error: it stays */
};

#define RECORDIO_INIT(max_) ((struct recordio){ .partial = BUF_INIT((size_t)(max_) + 32), .max = (max_) })

/* Feeds bytes; calls `record` for each record that is complete, in order, borrowed during the call. A
 * non-zero return of `record` stops and is returned; what came behind that record is lost then. -EPROTO: no
 * length where one must be, or one above max. -ENOMEM. After an error the decoder gives that error for ever.
 */
int recordio_feed(struct recordio *r, const void *data, size_t len,
	int (*record)(void *arg, const void *data, size_t len), void *arg, struct err *err);

/* Appends one record to `out`. Errors as buf_reserve(). */
int recordio_encode(struct buf *out, const void *data, size_t len);

void recordio_deinit(struct recordio *r);

#endif
