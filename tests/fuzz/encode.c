/* Parts of keys from anywhere: what can be read and is written again gives the same bytes. */
#include <assert.h>
#include <string.h>

#include "job/out.h"

enum { MOST = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A byte says which part comes next, and in which direction. What is not one leaves by a jump. */
static void take(void *arg)
{
	quern_slice from = *(quern_slice *)arg;

	while (from.len > 0) {
		const char what = *from.ptr++;
		const enum quern_direction to = (what & 4) != 0 ? QUERN_DOWN : QUERN_UP;
		const char *begin = from.ptr;
		QUERN_BUFFER(again, MOST);
		QUERN_BUFFER(text, MOST);

		from.len--;
		if ((what & 3) == 0)
			quern_encode_u64(&again, quern_decode_u64(&from, to), to);
		else if ((what & 3) == 1)
			quern_encode_i64(&again, quern_decode_i64(&from, to), to);
		else if ((what & 3) == 2)
			quern_encode_double(&again, quern_decode_double(&from, to), to);
		else
			quern_encode_string(&again, quern_decode_string(&from, &text, to), to);
		assert(again.len == (size_t)(from.ptr - begin) && memcmp(again.data, begin, again.len) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	quern_slice all = quern_bytes(data, size < MOST ? size : MOST);
	struct err err;

	(void)out_guard(take, &all, NULL, &err);
	return 0;
}
