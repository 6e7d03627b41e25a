/* quern/text.h: words, fields and numbers in text. Included by quern/quern.h, which is all that a job
 * includes.
 *
 * Functions of the name quern_need_... are for what must be there: in a job's function, text that is not so
 * makes the record a bad one (quern_bad_record()); in quern_main() it ends the job. */
#ifndef QUERN_TEXT_H
#define QUERN_TEXT_H

#include <quern/encode.h>
#include <quern/slice.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Words ---- */

/* Whether isspace() says so in the C locale. */
static inline bool quern_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The first space in [p, end), or `end`. */
static inline const char *quern_find_space(const char *p, const char *end)
{
#if defined(__SSE2__)
	/* Sixteen bytes at a time: ' ', and what lies up to 4 above '\t'. */
	while (end - p >= 16) {
		const __m128i sixteen = _mm_loadu_si128((const __m128i *)(const void *)p);
		const __m128i above = _mm_sub_epi8(sixteen, _mm_set1_epi8('\t'));
		const __m128i few = _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(4)), above);
		const int spaces =
			_mm_movemask_epi8(_mm_or_si128(few, _mm_cmpeq_epi8(sixteen, _mm_set1_epi8(' '))));

		if (spaces != 0)
			return p + __builtin_ctz((unsigned)spaces);
		p += 16;
	}
#endif
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	/* Eight bytes at a time: of each byte up to ' ' the high bit is set in `low`. */
	while (end - p >= 8) {
		const uint64_t high = 0x8080808080808080u;
		uint64_t eight, low;

		memcpy(&eight, p, 8);
		low = ~(((eight | high) - 0x2121212121212121u) | eight) & high;
		if (low == 0) {
			p += 8;
			continue;
		}
		p += __builtin_ctzll(low) >> 3;
		if (quern_is_space(*p))
			return p;
		p++;
	}
#endif
	while (p < end && !quern_is_space(*p))
		p++;
	return p;
}

/* Takes the next word of `text` into *word, and out of `text`: words are separated by what isspace() says in
 * the C locale. false: there is none. */
static inline bool quern_next_word(quern_slice *text, quern_slice *word)
{
	const char *p = text->ptr, *end = p + text->len;

	while (p < end && quern_is_space(*p))
		p++;
	if (p == end)
		return false;
	word->ptr = p;
	p = quern_find_space(p, end);
	word->len = (size_t)(p - word->ptr);
	text->ptr = p;
	text->len = (size_t)(end - p);
	return true;
}

/* ---- Fields ----
 *
 * What is between separators, which may be of any length: "a,,b" has the fields "a", "" and "b"; "" has one,
 * which is empty. Nothing is quoted or escaped. With an empty separator all is one field. */

/* What a text has become whose last field was taken. */
extern const char quern_no_more[1];

/* Where `what` begins in `text`; NULL: nowhere. What is empty is nowhere. */
const char *quern_find(quern_slice text, quern_slice what);

/* Takes the next field of `text` into *field, and out of `text`. false: there is none. */
static inline bool quern_next_field(quern_slice *text, quern_slice separator, quern_slice *field)
{
	const char *end = NULL;

	if (text->ptr == quern_no_more)
		return false;
	if (separator.len == 1 && text->len > 0)
		end = (const char *)memchr(text->ptr, separator.ptr[0], text->len);
	else if (separator.len > 1)
		end = quern_find(*text, separator);
	*field = *text;
	if (end == NULL) {
		*text = quern_bytes(quern_no_more, 0);
		return true;
	}
	field->len = (size_t)(end - text->ptr);
	text->ptr = end + separator.len;
	text->len -= field->len + separator.len;
	return true;
}

/* Field number `n`, the first is 0. false: there are not so many. */
bool quern_field(quern_slice text, quern_slice separator, size_t n, quern_slice *field);
quern_slice quern_need_field(quern_slice text, quern_slice separator, size_t n);

/* The fields of `text`, the first `max` of them into fields[]. Returns how many there are. */
size_t quern_split(quern_slice text, quern_slice separator, quern_slice *fields, size_t max);

/* Appends `n` fields with separators between them to `to`; returns all that is in `to`. As quern_append(). */
quern_slice quern_join_fields(quern_buffer *to, quern_slice separator, const quern_slice *fields, size_t n);

/* Without the spaces (quern_is_space()) at both ends. */
quern_slice quern_trim(quern_slice text);

/* ---- Numbers ----
 *
 * All of the text is the number, without spaces around it: decimal digits, of i64 and double with a sign if
 * there is one; a double as strtod() has it in the C locale ("1e-3", "inf", "nan", "0x1p4"), of at most 500
 * bytes. false: it is something else, or does not fit (a double that is too large); *ret is as it was. */
bool quern_parse_u64(quern_slice text, uint64_t *ret);
bool quern_parse_i64(quern_slice text, int64_t *ret);
bool quern_parse_double(quern_slice text, double *ret);
uint64_t quern_need_u64(quern_slice text);
int64_t quern_need_i64(quern_slice text);
double quern_need_double(quern_slice text);

#ifdef __cplusplus
}
#endif

#endif
