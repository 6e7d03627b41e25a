/* What a persisted partition may look like when somebody has scribbled over it: what is read lies within the
 * bytes, ends, and is either all records or found out. The first byte says whether it is compressed, and how
 * many records are wanted. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "executor/cache_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct counter {
	struct quern_out out;
	const struct cache_reader *reader;
	struct flow *flow;
	uint64_t n, limit, sum;
};

/* Reads every byte, and sees that plain ones are where they were given. */
static void count(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct counter *c = (struct counter *)out;

	if (!c->reader->compressed) {
		const uint8_t *p = (const uint8_t *)value.ptr, *begin = c->reader->data;
		assert(p >= begin && value.len <= c->reader->len - (size_t)(p - begin));
		assert(key.ptr == NULL || key.ptr + key.len == value.ptr);
	}
	for (size_t i = 0; i < key.len; i++)
		c->sum += (uint8_t)key.ptr[i];
	for (size_t i = 0; i < value.len; i++)
		c->sum += (uint8_t)value.ptr[i];
	assert(!c->flow->stop);
	if (++c->n == c->limit)
		c->flow->stop = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cache_reader r;
	struct flow flow = { 0 };
	struct counter c = { .out = { count }, .reader = &r, .flow = &flow };

	if (size == 0)
		return 0;
	c.limit = data[0] >> 1;
	cache_reader_bytes(&r, data + 1, size - 1, data[0] & 1);
	cache_reader_run(&r, &c.out, &flow);
	assert(c.n == r.records);
	assert(flow.result == 0 || flow.result == -EBADMSG || flow.result == -ENOMEM);
	assert(c.limit == 0 || c.n <= c.limit);
	cache_reader_close(&r);
	return 0;
}
