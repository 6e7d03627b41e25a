/* records.h: a sequence of records in bytes: for each, the key's length and the value's length as LEB128
 * varints (at most 10 bytes each), the key, the value. Used for collected data and inside shuffle blocks. */
#ifndef QUERN_JOB_RECORDS_H
#define QUERN_JOB_RECORDS_H

#include <quern/quern.h>

#include "base/buf.h"

/* Appends one record. Errors as buf_reserve(). */
int record_put(struct buf *out, quern_slice key, quern_slice value);

/* Takes the next record from *p (borrowed slices) and moves *p behind it. 1: a record; 0: *p was `end`;
 * -EBADMSG: what is there is not a record. Trusts nothing. */
int record_next(const uint8_t **p, const uint8_t *end, quern_slice *key, quern_slice *value);

#endif
