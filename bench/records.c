/* records.c: writes records to sort: 100 bytes each, the last a newline, so that each is also a line.
 *
 *     bench-records N SEED
 *
 * A record is a key of 10 random bytes from ' ' to '~', as gensort -a makes them, the record's number in 22
 * hexadecimal digits, and words of one letter each: what is behind the key compresses, as in life. The same N
 * and SEED give the same bytes. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/random.h"
#include "base/write.h"

enum { RECORD = 100, KEY = 10, NUMBER = 22, BATCH = 1 << 14, PRINTABLE = '~' - ' ' + 1 };

/* Five printable characters from 32 random bits: 95^5 of 2^33, near enough to uniform. */
static char *put_five(char *to, uint32_t bits)
{
	for (int i = 0; i < 5; i++) {
		uint64_t scaled = (uint64_t)bits * PRINTABLE;

		*to++ = (char)(' ' + (char)(scaled >> 32));
		bits = (uint32_t)scaled;
	}
	return to;
}

static void put_record(char *to, uint64_t number, uint64_t *random)
{
	char *end = to + RECORD - 1;
	uint64_t bits = random_next(random);
	char *p = put_five(put_five(to, (uint32_t)bits), (uint32_t)(bits >> 32));

	for (int i = NUMBER; i-- > 0;)
		*p++ = "0123456789ABCDEF"[i < 16 ? number >> (4 * i) & 15 : 0];
	/* Words of one letter, repeated. */
	while (p < end) {
		size_t n = (bits = random_next(random)) % 8 + 1;

		n = n < (size_t)(end - p) ? n : (size_t)(end - p);
		memset(p, 'A' + (int)((bits >> 32) % 26), n);
		p += n;
	}
	*p = '\n';
}

int main(int argc, char **argv)
{
	static char batch[(size_t)BATCH * RECORD];

	if (argc != 3) {
		(void)fputs("Usage: bench-records N SEED\n", stderr);
		return 2;
	}
	uint64_t n = strtoull(argv[1], NULL, 10), random = strtoull(argv[2], NULL, 10);
	for (uint64_t i = 0; i < n;) {
		size_t fill = 0;

		for (; fill < BATCH && i < n; fill++)
			put_record(batch + fill * RECORD, i++, &random);
		int r = write_all(STDOUT_FILENO, batch, fill * RECORD);
		if (r < 0) {
			(void)fprintf(stderr, "bench-records: %s\n", strerror(-r));
			return 1;
		}
	}
	return 0;
}
