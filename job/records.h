/* records.h: a sequence of records in bytes: for each, the key's length and the value's length as LEB128
 * varints (at most 10 bytes each), the key, the value. Used for collected data and inside shuffle blocks.
 *
 * Where a record may be without a key, which is not the same as an empty one, the key's length is one more,
 * and 0 says that there is none: in persisted sets, in files of records (seq), in records that a plan
 * carries. */
#ifndef QUERN_JOB_RECORDS_H
#define QUERN_JOB_RECORDS_H

#include <errno.h>
#include <quern/quern.h>

#include "base/buf.h"

enum { VARINT_MAX = 10 }; /* bytes of a 64-bit number in LEB128 */

/* Writes a number to where there is room for VARINT_MAX bytes; how many it took. */
size_t varint_put(uint8_t *to, uint64_t v);
/* Takes the number at *p and moves *p behind it. false: there is none, or one of more than 64 bits. Trusts
 * nothing. */
bool varint_take(const uint8_t **p, const uint8_t *end, uint64_t *ret);

/* What the two below do with records of any size. */
int record_put_any(struct buf *out, quern_slice key, quern_slice value);
int record_next_any(const uint8_t **p, const uint8_t *end, quern_slice *key, quern_slice *value);

enum { RECORD_SHORT = 0x80 /* bytes: lengths below it are one byte each, and most are */ };

/* Most keys and values are a few bytes: no call, no byte beyond the end. */
static inline void record_copy(uint8_t *to, const char *from, size_t n)
{
	uint64_t first, last;
	uint32_t a, b;

	if (n > 16) {
		memcpy(to, from, n);
	} else if (n >= 8) {
		memcpy(&first, from, 8), memcpy(&last, from + n - 8, 8);
		memcpy(to, &first, 8), memcpy(to + n - 8, &last, 8);
	} else if (n >= 4) {
		memcpy(&a, from, 4), memcpy(&b, from + n - 4, 4);
		memcpy(to, &a, 4), memcpy(to + n - 4, &b, 4);
	} else if (n > 0) {
		char middle = from[n / 2], end = from[n - 1];

		to[0] = (uint8_t)from[0];
		to[n / 2] = (uint8_t)middle;
		to[n - 1] = (uint8_t)end;
	}
}

/* Appends one record. Errors as buf_reserve(). */
static inline int record_put(struct buf *out, quern_slice key, quern_slice value)
{
	size_t n = 2 + key.len + value.len;

	if (key.len >= RECORD_SHORT || value.len >= RECORD_SHORT || out->cap - out->len < n)
		return record_put_any(out, key, value);
	uint8_t *to = out->data + out->len;
	to[0] = (uint8_t)key.len;
	to[1] = (uint8_t)value.len;
	record_copy(to + 2, key.ptr, key.len);
	record_copy(to + 2 + key.len, value.ptr, value.len);
	out->len += n;
	return 0;
}

/* Takes the next record from *p (borrowed slices) and moves *p behind it. 1: a record; 0: *p was `end`;
 * -EBADMSG: what is there is not a record. Trusts nothing. */
static inline int record_next(const uint8_t **p, const uint8_t *end, quern_slice *key, quern_slice *value)
{
	const uint8_t *at = *p;
	size_t left = (size_t)(end - at);

	if (left < 2 || at[0] >= RECORD_SHORT || at[1] >= RECORD_SHORT || left - 2 < (size_t)at[0] + at[1])
		return record_next_any(p, end, key, value);
	*key = quern_bytes(at + 2, at[0]);
	*value = quern_bytes(at + 2 + at[0], at[1]);
	*p = at + 2 + at[0] + at[1];
	return 1;
}

/* The same for records that may be without a key: `key.ptr` is NULL then (job/out.h), and only then. */
int record_put_optional(struct buf *out, quern_slice key, quern_slice value);
/* The bytes that it takes. */
size_t record_size_optional(quern_slice key, quern_slice value);

/* Most lengths take one byte. */
static inline bool record_take_length(const uint8_t **p, const uint8_t *end, uint64_t *ret)
{
	if (*p < end && **p < 0x80) {
		*ret = *(*p)++;
		return true;
	}
	return varint_take(p, end, ret);
}

static inline int record_next_optional(
	const uint8_t **p, const uint8_t *end, quern_slice *key, quern_slice *value)
{
	const uint8_t *at = *p;
	uint64_t head, value_len;

	if (at == end)
		return 0;
	if (!record_take_length(&at, end, &head) || !record_take_length(&at, end, &value_len))
		return -EBADMSG;
	uint64_t left = (uint64_t)(end - at), key_len = head > 0 ? head - 1 : 0;
	if (key_len > left || value_len > left - key_len)
		return -EBADMSG;
	*key = quern_bytes(head > 0 ? at : NULL, key_len);
	*value = quern_bytes(at + key_len, value_len);
	*p = at + key_len + value_len;
	return 1;
}

#endif
