/* The samples that tasks send before a sort: whatever they are, the bounds that come of them are in order.
 * The first byte says in which; each byte 0xff ends a sample. */
#include <assert.h>
#include <errno.h>

#include "job/compare.h"
#include "job/sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bounds(const struct bounds *b, const Quern__Order *o)
{
	assert(b->n < SAMPLE_BOUNDS);
	for (size_t i = 1; i < b->n; i++) {
		int c = compare_typed(o->key, quern_bytes(b->at[i - 1].data, b->at[i - 1].len),
			quern_bytes(b->at[i].data, b->at[i].len), 0);

		assert(o->descending ? c >= 0 : c <= 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Quern__Order order = QUERN__ORDER__INIT;
	struct memory memory = { NULL };
	const struct bounds *bounds = NULL;
	struct sample s;
	int r = 0;

	if (size > 0) {
		order.key = (Quern__ValueType)(data[0] % 4);
		order.descending = (data[0] & 4) != 0;
		data++, size--;
	}
	sample_init(&s, &order);
	while (size > 0 && r == 0) {
		const uint8_t *end = memchr(data, 0xff, size);
		size_t n = end != NULL ? (size_t)(end - data) : size;

		r = sample_add(&s, 0, data, n);
		n += end != NULL;
		data += n;
		size -= n;
	}
	int e = sample_bounds(&s, &memory, &bounds);
	assert(e == 0 || (r != 0 && e == -EBADMSG));
	if (e == 0)
		check_bounds(bounds, &order);
	sample_deinit(&s);
	memory_deinit(&memory);
	return 0;
}
