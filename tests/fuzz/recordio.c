/* A stream of records: the same records and the same end, however it is split. The first two bytes choose the
 * limit and the splits. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "mesos/recordio.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int on_record(void *arg, const void *data, size_t len)
{
	struct buf *given = arg;

	int r = buf_add_fmt(given, "%zu:", len);
	if (r == 0)
		r = buf_add(given, data, len);
	assert(r == 0);
	return 0;
}

/* Feeds in pieces of 1 to `most` bytes, or whole with 0. */
static int feed(const uint8_t *data, size_t size, size_t max, size_t most, struct buf *given)
{
	struct recordio r = RECORDIO_INIT(max);
	struct err err = { "" };
	size_t at = 0;
	int k = 0;

	for (size_t i = 0; k == 0 && at < size; i++) {
		size_t n = most == 0 ? size : 1 + i % most;

		n = n < size - at ? n : size - at;
		k = recordio_feed(&r, data + at, n, on_record, given, &err);
		at += n;
		assert(r.partial.len <= max + 21);
	}
	assert((k == 0) == (err.text[0] == '\0'));
	recordio_deinit(&r);
	return k;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(SIZE_MAX), split = BUF_INIT(SIZE_MAX);

	if (size < 2)
		return 0;
	const size_t max = (size_t)data[0] * 4, most = data[1] % 32U + 1;
	int k = feed(data + 2, size - 2, max, 0, &whole);
	int j = feed(data + 2, size - 2, max, most, &split);
	assert(k == j);
	assert(whole.len == split.len);
	assert(whole.len == 0 || memcmp(whole.data, split.data, whole.len) == 0);
	buf_deinit(&whole);
	buf_deinit(&split);
	return 0;
}
