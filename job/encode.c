/* encode.c: see quern/encode.h.
 *
 * Ordered parts. A number is 8 bytes, the most significant first, after it was made one without a sign: of
 * i64 the sign bit is flipped; of a double that is not negative as well, of a negative one every bit. A
 * string is its bytes, a NUL among them as 00 FF, and 00 00 behind them: so the shorter one is less, whatever
 * part comes next. Downwards is all of that with every bit flipped. */
#include <endian.h>
#include <quern/quern.h>

enum { ESCAPE = 0x00, IS_NUL = 0xff, IS_END = 0x00 };

void quern_append(quern_buffer *b, quern_slice bytes)
{
	if (bytes.len > b->size - b->len)
		quern_bad_record("%zu bytes more than the %zu that are there do not fit into a buffer of %zu",
			bytes.len, b->len, b->size);
	if (bytes.len > 0)
		memcpy(b->data + b->len, bytes.ptr, bytes.len);
	b->len += bytes.len;
}

/* ---- Little-endian ---- */

quern_slice quern_append_u64(quern_buffer *b, uint64_t n)
{
	n = htole64(n);
	quern_append(b, quern_bytes(&n, sizeof(n)));
	return quern_written(b);
}

quern_slice quern_append_i64(quern_buffer *b, int64_t n)
{
	return quern_append_u64(b, (uint64_t)n);
}

quern_slice quern_append_double(quern_buffer *b, double n)
{
	uint64_t bits;

	memcpy(&bits, &n, sizeof(bits));
	return quern_append_u64(b, bits);
}

/* ---- Ordered numbers ---- */

static const uint64_t sign = (uint64_t)1 << 63;

static uint64_t turned(uint64_t n, enum quern_direction direction)
{
	return direction == QUERN_DOWN ? ~n : n;
}

void quern_encode_u64(quern_buffer *b, uint64_t n, enum quern_direction direction)
{
	n = htobe64(turned(n, direction));
	quern_append(b, quern_bytes(&n, sizeof(n)));
}

void quern_encode_i64(quern_buffer *b, int64_t n, enum quern_direction direction)
{
	quern_encode_u64(b, (uint64_t)n ^ sign, direction);
}

void quern_encode_double(quern_buffer *b, double n, enum quern_direction direction)
{
	uint64_t bits;

	memcpy(&bits, &n, sizeof(bits));
	quern_encode_u64(b, (bits & sign) != 0 ? ~bits : bits | sign, direction);
}

uint64_t quern_decode_u64(quern_slice *from, enum quern_direction direction)
{
	uint64_t n;

	if (from->len < sizeof(n))
		quern_bad_record("there is no number: it takes 8 bytes, and %zu are left", from->len);
	memcpy(&n, from->ptr, sizeof(n));
	*from = quern_bytes(from->ptr + sizeof(n), from->len - sizeof(n));
	return turned(be64toh(n), direction);
}

int64_t quern_decode_i64(quern_slice *from, enum quern_direction direction)
{
	return (int64_t)(quern_decode_u64(from, direction) ^ sign);
}

double quern_decode_double(quern_slice *from, enum quern_direction direction)
{
	uint64_t bits = quern_decode_u64(from, direction);
	double d;

	bits = (bits & sign) != 0 ? bits ^ sign : ~bits;
	memcpy(&d, &bits, sizeof(d));
	return d;
}

/* ---- Ordered strings ---- */

/* Appends, turned from `at` on. */
static void append_turned(quern_buffer *b, quern_slice bytes, enum quern_direction direction)
{
	size_t at = b->len;

	quern_append(b, bytes);
	if (direction == QUERN_DOWN)
		for (; at < b->len; at++)
			b->data[at] = (char)~b->data[at];
}

void quern_encode_string(quern_buffer *b, quern_slice s, enum quern_direction direction)
{
	static const char nul[] = { ESCAPE, (char)IS_NUL }, end[] = { ESCAPE, IS_END };

	while (s.len > 0) {
		const char *at = memchr(s.ptr, ESCAPE, s.len);
		size_t plain = at != NULL ? (size_t)(at - s.ptr) : s.len;

		append_turned(b, quern_bytes(s.ptr, plain), direction);
		if (at != NULL)
			append_turned(b, quern_bytes(nul, sizeof(nul)), direction);
		plain += at != NULL;
		s = quern_bytes(s.ptr + plain, s.len - plain);
	}
	append_turned(b, quern_bytes(end, sizeof(end)), direction);
}

quern_slice quern_decode_string(quern_slice *from, quern_buffer *to, enum quern_direction direction)
{
	const unsigned char turn = direction == QUERN_DOWN ? 0xff : 0;
	const size_t begin = to->len;

	for (;;) {
		const char *at = from->len > 0 ? memchr(from->ptr, ESCAPE ^ turn, from->len) : NULL;

		if (at == NULL || (size_t)(at - from->ptr) + 1 == from->len)
			quern_bad_record("there is no string: it has no end");
		unsigned char what = (unsigned char)((unsigned char)at[1] ^ turn);
		if (what != IS_NUL && what != IS_END)
			quern_bad_record("there is no string: a NUL in it is followed by 0x%02x", what);
		/* Of what is there for a NUL, the first byte is it. */
		size_t n = (size_t)(at - from->ptr) + (what == IS_NUL);
		append_turned(to, quern_bytes(from->ptr, n), direction);
		n += 2 - (size_t)(what == IS_NUL);
		*from = quern_bytes(from->ptr + n, from->len - n);
		if (what == IS_END)
			return quern_bytes(to->data + begin, to->len - begin);
	}
}

void quern_decode_end(quern_slice from)
{
	if (from.len > 0)
		quern_bad_record("%zu bytes are left that should not be there", from.len);
}
