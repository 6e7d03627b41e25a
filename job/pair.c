/* pair.c: two values in one: a varint (job/records.h) of twice the length of the left one plus 1, or 0 when
 * that is absent, plus 1 when the right one is there; then the left one, then the right one up to the end. */
#include <stdlib.h>

#include "job/out.h"
#include "job/records.h"

enum { PAIR_SMALL = 512 /* bytes of a value that is made on the stack */ };

static size_t put(uint8_t *to, const quern_slice *left, const quern_slice *right)
{
	uint64_t head = (left != NULL ? ((uint64_t)left->len + 1) * 2 : 0) + (right != NULL);
	size_t n = varint_put(to, head);

	if (left != NULL && left->len > 0)
		memcpy(to + n, left->ptr, left->len);
	n += left != NULL ? left->len : 0;
	if (right != NULL && right->len > 0)
		memcpy(to + n, right->ptr, right->len);
	return n + (right != NULL ? right->len : 0);
}

void quern_pair(quern_out *out, quern_slice key, const quern_slice *left, const quern_slice *right)
{
	size_t most = VARINT_MAX + (left != NULL ? left->len : 0) + (right != NULL ? right->len : 0);
	uint8_t small[PAIR_SMALL], *large = NULL;

	if (most > sizeof(small) && (large = malloc(most)) == NULL)
		quern_fail("quern_pair(): out of memory for %zu bytes", most);
	uint8_t *to = large != NULL ? large : small;
	quern_emit(out, key, quern_bytes(to, put(to, left, right)));
	free(large);
}

/* false: it is none. */
static bool take(quern_slice pair, quern_slice *left, quern_slice *right)
{
	const uint8_t *p = (const uint8_t *)pair.ptr, *end = p + pair.len;
	uint64_t head;

	if (!varint_take(&p, end, &head) || head / 2 > (uint64_t)(end - p) + 1)
		return false;
	*left = *right = quern_bytes(NULL, 0);
	if (head / 2 > 0)
		*left = quern_bytes(p, (size_t)(head / 2 - 1));
	p += left->len;
	if ((head & 1) != 0)
		*right = quern_bytes(p, (size_t)(end - p));
	return (head & 1) != 0 || p == end;
}

quern_slice quern_left(quern_slice pair)
{
	quern_slice left, right;

	if (!take(pair, &left, &right))
		quern_bad_record(
			"quern_left(): a value of %zu bytes is none that quern_pair() makes", pair.len);
	return left;
}

quern_slice quern_right(quern_slice pair)
{
	quern_slice left, right;

	if (!take(pair, &left, &right))
		quern_bad_record(
			"quern_right(): a value of %zu bytes is none that quern_pair() makes", pair.len);
	return right;
}
