/* A value that may be two (job/pair.c): what can be taken apart lies within the bytes, and put together again
 * it is the same two. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "job/out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pair {
	struct quern_out out;
	quern_slice value, left, right;
	struct buf again;
};

static void keep(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct pair *p = (struct pair *)out;

	assert(key.len == 0 && key.ptr != NULL);
	int r = buf_add(&p->again, value.ptr, value.len);
	assert(r == 0);
}

static void take_apart(void *pair)
{
	struct pair *p = pair;

	p->left = quern_left(p->value);
	p->right = quern_right(p->value);
}

static void assert_same(quern_slice a, quern_slice b)
{
	assert((a.ptr != NULL) == (b.ptr != NULL));
	assert(a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pair p = { .out = { keep }, .value = quern_bytes(data, size), .again = BUF_INIT(SIZE_MAX) };
	const char *end = p.value.ptr + size;
	struct err err;

	if (out_guard(take_apart, &p, NULL, &err) < 0)
		return 0;
	assert(p.left.ptr == NULL || (p.left.ptr >= p.value.ptr && p.left.ptr + p.left.len <= end));
	assert(p.right.ptr == NULL || (p.right.ptr >= p.value.ptr && p.right.ptr + p.right.len == end));

	quern_slice left = p.left, right = p.right;
	quern_pair(&p.out, quern_str(""), left.ptr != NULL ? &left : NULL, right.ptr != NULL ? &right : NULL);
	p.value = quern_bytes(p.again.data, p.again.len);
	int r = out_guard(take_apart, &p, NULL, &err);
	assert(r == 0);
	assert_same(left, p.left);
	assert_same(right, p.right);
	buf_deinit(&p.again);
	return 0;
}
