#include "mesos/recordio.h"

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_MAX = 20 }; /* digits of a 64-bit length; Mesos writes no sign, no leading blank */

/* Length of the header in `data` (newline included) and of the record behind it. 1: both are there; 0: the
 * header is not whole yet. */
static int parse_header(
	const struct recordio *r, const uint8_t *data, size_t len, size_t *ret_header, size_t *ret_record)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' && i > 0) {
			*ret_header = i + 1;
			*ret_record = (size_t)n;
			return 1;
		}
		if (data[i] < '0' || data[i] > '9' || i == HEADER_MAX)
			return -EPROTO;
		n = n * 10 + (uint64_t)(data[i] - '0');
		if (n > r->max)
			return -EPROTO;
	}
	return 0;
}

static int fail(struct recordio *r, int code, struct err *err)
{
	r->failed = code;
	return err_set(err, code,
		code == -ENOMEM ? "out of memory"
				: "no length of a record where one must be, or one above %zu",
		r->max);
}

/* Gives out the records that are whole in `data`; *ret_used: how far they go. Returns what `record` did; what
 * stands where a length must be is told by r->failed alone, for `record` may return anything. */
static int give(struct recordio *r, const uint8_t *data, size_t len, size_t *ret_used,
	int (*record)(void *arg, const void *data, size_t len), void *arg)
{
	size_t used = 0;
	int result = 0;

	for (;;) {
		size_t header, body;

		int k = parse_header(r, data + used, len - used, &header, &body);
		if (k < 0)
			r->failed = k;
		if (k <= 0 || len - used - header < body)
			break;
		result = record(arg, data + used + header, body);
		used += header + body;
		if (result != 0)
			break;
	}
	*ret_used = used;
	return result;
}

int recordio_feed(struct recordio *r, const void *data, size_t len,
	int (*record)(void *arg, const void *data, size_t len), void *arg, struct err *err)
{
	const uint8_t *at = data;
	size_t used = 0;
	int result;

	if (r->failed != 0)
		return fail(r, r->failed, err);
	if (r->partial.len == 0) { /* the usual case: whole records, straight from the caller's bytes */
		result = give(r, at, len, &used, record, arg);
		if (r->failed != 0)
			return fail(r, r->failed, err);
		if (result != 0)
			return result;
		return buf_add(&r->partial, at + used, len - used) < 0 ? fail(r, -ENOMEM, err) : 0;
	}
	/* Only as much as the record under way needs, so that `partial` stays within its limit. */
	while (len > 0) {
		size_t header, body, want = 1;

		int k = parse_header(r, r->partial.data, r->partial.len, &header, &body);
		if (k < 0)
			return fail(r, k, err);
		if (k > 0)
			want = header + body - r->partial.len;
		size_t n = want < len ? want : len;
		if (buf_add(&r->partial, at, n) < 0)
			return fail(r, -ENOMEM, err);
		at += n;
		len -= n;
		result = give(r, r->partial.data, r->partial.len, &used, record, arg);
		if (r->failed != 0)
			return fail(r, r->failed, err);
		if (used == 0)
			continue;
		buf_clear(&r->partial);
		return result != 0 ? result : recordio_feed(r, at, len, record, arg, err);
	}
	return 0;
}

int recordio_encode(struct buf *out, const void *data, size_t len)
{
	char header[HEADER_MAX + 2];

	size_t n = (size_t)snprintf(header, sizeof(header), "%zu\n", len);
	int r = len > SIZE_MAX - n ? -EMSGSIZE : buf_reserve(out, n + len); /* both or nothing */
	if (r < 0)
		return r;
	(void)buf_add(out, header, n);
	return buf_add(out, data, len);
}

void recordio_deinit(struct recordio *r)
{
	buf_deinit(&r->partial);
}
