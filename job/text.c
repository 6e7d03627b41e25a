/* text.c: what quern/text.h says about fields and numbers, where it takes more than a line. */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <quern/quern.h>

enum {
	EXCERPT = 60,     /* bytes of a text that a message shows */
	DOUBLE_MAX = 500, /* bytes of one that may be a double */
};

const char quern_no_more[1] = "";

/* For "%.*s" of what a person may look at. */
static int excerpt(quern_slice text)
{
	return (int)(text.len < EXCERPT ? text.len : EXCERPT);
}

/* ---- Fields ---- */

const char *quern_find(quern_slice text, quern_slice what)
{
	if (what.len == 0 || text.len < what.len)
		return NULL;
	return memmem(text.ptr, text.len, what.ptr, what.len);
}

bool quern_field(quern_slice text, quern_slice separator, size_t n, quern_slice *field)
{
	quern_slice one;

	while (quern_next_field(&text, separator, &one))
		if (n-- == 0) {
			*field = one;
			return true;
		}
	return false;
}

quern_slice quern_need_field(quern_slice text, quern_slice separator, size_t n)
{
	quern_slice field;

	if (!quern_field(text, separator, n, &field))
		quern_bad_record(
			"there is no field %zu: it has %zu", n, quern_split(text, separator, NULL, 0));
	return field;
}

size_t quern_split(quern_slice text, quern_slice separator, quern_slice *fields, size_t max)
{
	quern_slice field;
	size_t n = 0;

	for (; quern_next_field(&text, separator, &field); n++)
		if (n < max)
			fields[n] = field;
	return n;
}

quern_slice quern_join_fields(quern_buffer *to, quern_slice separator, const quern_slice *fields, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			quern_append(to, separator);
		quern_append(to, fields[i]);
	}
	return quern_written(to);
}

quern_slice quern_trim(quern_slice text)
{
	while (text.len > 0 && quern_is_space(text.ptr[0])) {
		text.ptr++;
		text.len--;
	}
	while (text.len > 0 && quern_is_space(text.ptr[text.len - 1]))
		text.len--;
	return text;
}

/* ---- Numbers ---- */

bool quern_parse_u64(quern_slice text, uint64_t *ret)
{
	uint64_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c < '0' || c > '9' || __builtin_mul_overflow(n, 10, &n) ||
			__builtin_add_overflow(n, (uint64_t)(c - '0'), &n))
			return false;
	}
	if (text.len == 0)
		return false;
	*ret = n;
	return true;
}

bool quern_parse_i64(quern_slice text, int64_t *ret)
{
	bool sign = text.len > 0 && (text.ptr[0] == '-' || text.ptr[0] == '+');
	bool negative = sign && text.ptr[0] == '-';
	uint64_t n;

	if (sign)
		text = quern_bytes(text.ptr + 1, text.len - 1);
	if (!quern_parse_u64(text, &n) || n > (uint64_t)INT64_MAX + negative)
		return false;
	*ret = (int64_t)(negative ? 0 - n : n);
	return true;
}

bool quern_parse_double(quern_slice text, double *ret)
{
	char copy[DOUBLE_MAX + 1], *end;

	if (text.len == 0 || text.len > DOUBLE_MAX || quern_is_space(text.ptr[0]))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	/* The job may have set a locale of its own. That of "C" is made of nothing, and is not freed. */
	locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	if (c == (locale_t)0)
		return false;
	errno = 0;
	double d = strtod_l(copy, &end, c);
	if (end != copy + text.len || (errno == ERANGE && isinf(d)))
		return false;
	*ret = d;
	return true;
}

uint64_t quern_need_u64(quern_slice text)
{
	uint64_t n;

	if (!quern_parse_u64(text, &n))
		quern_bad_record("'%.*s' is not a number without a sign", excerpt(text), text.ptr);
	return n;
}

int64_t quern_need_i64(quern_slice text)
{
	int64_t n;

	if (!quern_parse_i64(text, &n))
		quern_bad_record("'%.*s' is not a whole number", excerpt(text), text.ptr);
	return n;
}

double quern_need_double(quern_slice text)
{
	double d;

	if (!quern_parse_double(text, &d))
		quern_bad_record("'%.*s' is not a number", excerpt(text), text.ptr);
	return d;
}
