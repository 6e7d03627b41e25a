/* quern/encode.h: numbers and strings as bytes, for keys and values. Included by quern/quern.h, which is all
 * that a job includes.
 *
 * There are two encodings of numbers, for two purposes:
 *
 * - Little-endian, 8 bytes, alone in a key or a value: what quern_emit_u64() and its like make and
 * quern_as_u64() and its like read. Reductions that quern knows (quern_sum_u64()) work on those. The order of
 * such bytes is not that of the numbers: a set with such keys is sorted by number, and printed so, after
 * quern_typed() has said what they are.
 * - Ordered, one or more parts in a row: quern_encode_...() and quern_decode_...() below. memcmp() has them
 * in the order of what they stand for, so they need no quern_typed() to be sorted: first by the first part,
 * then by the second and so on, each part upwards or downwards. They are for keys of several parts, and for
 * structs.
 *
 * Both are read back exactly: NaNs keep their bits, -0.0 is another key than 0.0 and just before it. */
#ifndef QUERN_ENCODE_H
#define QUERN_ENCODE_H

#include <quern/slice.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Room for what is being written ---- */

typedef struct quern_buffer {
	char *data;
	size_t len, size; /* `size` bytes of room, `len` of them written */
} quern_buffer;

/* Declares an empty buffer with room for so many bytes, on the stack of the function. */
#define QUERN_BUFFER(name, bytes)                                                                            \
	char name##_room[bytes];                                                                             \
	quern_buffer name = { name##_room, 0, bytes }

/* What was written; good until the buffer is written to again. */
static inline quern_slice quern_written(const quern_buffer *b)
{
	return quern_bytes(b->data, b->len);
}

/* For the next record. */
static inline void quern_clear(quern_buffer *b)
{
	b->len = 0;
}

/* Appends bytes as they are. Where there is no room for all of them the record is a bad one
 * (quern_bad_record()). So it is with everything below that appends. */
void quern_append(quern_buffer *b, quern_slice bytes);

/* Append a number, little-endian; return all that is in the buffer: with a cleared one, what quern_as_u64()
 * and its like read, and what a key of the type QUERN_U64 and its like must be. */
quern_slice quern_append_u64(quern_buffer *b, uint64_t n);
quern_slice quern_append_i64(quern_buffer *b, int64_t n);
quern_slice quern_append_double(quern_buffer *b, double n);

/* ---- Parts whose order is that of what they stand for ---- */

enum quern_direction { QUERN_UP, QUERN_DOWN };

/* Append a part. A number takes 8 bytes; a string two more than it has, and one more for each NUL in it. */
void quern_encode_u64(quern_buffer *b, uint64_t n, enum quern_direction direction);
void quern_encode_i64(quern_buffer *b, int64_t n, enum quern_direction direction);
void quern_encode_double(quern_buffer *b, double n, enum quern_direction direction);
void quern_encode_string(quern_buffer *b, quern_slice s, enum quern_direction direction);

/* Take the next part out of *from, in the direction in which it was encoded. What is no such part, because it
 * is too short or something else, makes the record a bad one (quern_bad_record()). The bytes of a string are
 * appended to `to`, into which the result points. */
uint64_t quern_decode_u64(quern_slice *from, enum quern_direction direction);
int64_t quern_decode_i64(quern_slice *from, enum quern_direction direction);
double quern_decode_double(quern_slice *from, enum quern_direction direction);
quern_slice quern_decode_string(quern_slice *from, quern_buffer *to, enum quern_direction direction);

/* Nothing may be left of `from`; otherwise the record is a bad one. */
void quern_decode_end(quern_slice from);

#ifdef __cplusplus
}
#endif

#endif
