/* quern/slice.h: bytes that somebody else owns. Included by quern/quern.h, which is all that a job includes.
 */
#ifndef QUERN_SLICE_H
#define QUERN_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes that somebody else owns. In a callback they are valid until it returns; they may be anything, NULs as
 * well, and no NUL follows them. `ptr` may be NULL where `len` is 0. */
typedef struct quern_slice {
	const char *ptr;
	size_t len;
} quern_slice;

/* A slice of these bytes, which stay the caller's. */
static inline quern_slice quern_bytes(const void *ptr, size_t len)
{
	quern_slice s = { (const char *)ptr, len };
	return s;
}

/* A slice of a string, without its NUL. */
static inline quern_slice quern_str(const char *text)
{
	return quern_bytes(text, strlen(text));
}

/* Whether both have the same bytes. */
static inline bool quern_same(quern_slice a, quern_slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

#endif
