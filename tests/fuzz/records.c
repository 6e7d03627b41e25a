/* Records from anywhere: what can be read lies within the bytes, and written again it reads the same. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "job/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_same(quern_slice a, quern_slice b)
{
	assert(a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *p = data, *end = data + size;
	auto_buf struct buf again = BUF_INIT(SIZE_MAX);
	quern_slice key, value, key_again, value_again;
	int r;

	while ((r = record_next(&p, end, &key, &value)) > 0) {
		assert((const uint8_t *)value.ptr + value.len == p && key.ptr + key.len == value.ptr);
		r = record_put(&again, key, value);
		assert(r == 0);
	}
	assert(r == (p == end ? 0 : -EBADMSG));

	const uint8_t *q = again.data, *q_end = q != NULL ? q + again.len : NULL;
	for (p = data; record_next(&p, end, &key, &value) > 0;) {
		r = record_next(&q, q_end, &key_again, &value_again);
		assert(r == 1);
		assert_same(key, key_again);
		assert_same(value, value_again);
	}
	assert(q == q_end);
	return 0;
}
