/* bytes.h: bytes on their way from one thread to another, in order: one puts, one takes. A mutex of theirs is
 * held around each call but the copying, which is between two of them. */
#ifndef QUERN_HDFS_CLIENT_BYTES_H
#define QUERN_HDFS_CLIENT_BYTES_H

#include <stddef.h>
#include <stdint.h>

struct hdfs_chunk;

/* Memory that several queues take turns in; {0} is empty. */
struct hdfs_chunks {
	struct hdfs_chunk *free;
};

/* {0} is empty. */
struct hdfs_bytes {
	struct hdfs_chunk *first, *last;
};

/* Room for the next bytes, at least 1: where, *ret_n how much. NULL: out of memory. */
uint8_t *hdfs_bytes_room(struct hdfs_bytes *b, struct hdfs_chunks *from, size_t *ret_n);
/* `n` of them were filled. */
void hdfs_bytes_put(struct hdfs_bytes *b, size_t n);

/* The next bytes that were put; *ret_n 0: there are none. */
const uint8_t *hdfs_bytes_peek(const struct hdfs_bytes *b, size_t *ret_n);
/* `n` of them are not wanted any more. */
void hdfs_bytes_take(struct hdfs_bytes *b, struct hdfs_chunks *to, size_t n);

/* Empties it. */
void hdfs_bytes_clear(struct hdfs_bytes *b, struct hdfs_chunks *to);
void hdfs_chunks_deinit(struct hdfs_chunks *c);

#endif
