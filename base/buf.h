/* buf.h: bytes that grow, up to a limit given when the buffer is made. */
#ifndef QUERN_BASE_BUF_H
#define QUERN_BASE_BUF_H

#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data; /* NULL while empty and nothing was reserved */
	size_t len;    /* bytes in use */
	size_t cap;    /* bytes allocated */
	size_t max;    /* len never exceeds this */
};

/* An empty buffer that may hold `max` bytes. Owns nothing yet. */
#define BUF_INIT(max_) ((struct buf){ .max = (max_) })

/* Makes room for `more` bytes after len. 0, -ENOMEM, or -EMSGSIZE when the limit would be passed; on failure
 * nothing changes. */
int buf_reserve(struct buf *b, size_t more);

/* Appends. Errors as buf_reserve(). */
int buf_add(struct buf *b, const void *data, size_t len);
int buf_add_str(struct buf *b, const char *text);
int buf_add_fmt(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Drops the first `n` bytes; n <= len. */
void buf_consume(struct buf *b, size_t n);

/* Empties, keeps the memory. */
void buf_clear(struct buf *b);

/* Hands the bytes to the caller, who frees them; the buffer is empty afterwards. NULL if it never held
 * anything. */
uint8_t *buf_steal(struct buf *b, size_t *ret_len);

/* Frees the bytes and leaves an empty buffer with the same limit. */
void buf_deinit(struct buf *b);

#define auto_buf __attribute__((cleanup(buf_deinit)))

#endif
