#include "hdfs_client/bytes.h"

#include <stdlib.h>

enum { CHUNK = (1 << 20) - 64 }; /* with its head, and malloc's, a MiB */

struct hdfs_chunk {
	struct hdfs_chunk *next;
	size_t put, taken;
	uint8_t data[CHUNK];
};

uint8_t *hdfs_bytes_room(struct hdfs_bytes *b, struct hdfs_chunks *from, size_t *ret_n)
{
	if (b->last == NULL || b->last->put == CHUNK) {
		struct hdfs_chunk *c = from->free;

		if (c != NULL)
			from->free = c->next;
		else
			c = malloc(sizeof(*c));
		if (c == NULL)
			return NULL;
		c->next = NULL;
		c->put = c->taken = 0;
		if (b->last != NULL)
			b->last->next = c;
		else
			b->first = c;
		b->last = c;
	}
	*ret_n = CHUNK - b->last->put;
	return b->last->data + b->last->put;
}

void hdfs_bytes_put(struct hdfs_bytes *b, size_t n)
{
	b->last->put += n;
}

const uint8_t *hdfs_bytes_peek(const struct hdfs_bytes *b, size_t *ret_n)
{
	*ret_n = b->first != NULL ? b->first->put - b->first->taken : 0;
	return b->first != NULL ? b->first->data + b->first->taken : NULL;
}

static void give_back(struct hdfs_bytes *b, struct hdfs_chunks *to)
{
	struct hdfs_chunk *c = b->first;

	b->first = c->next;
	if (b->first == NULL)
		b->last = NULL;
	c->next = to->free;
	to->free = c;
}

void hdfs_bytes_take(struct hdfs_bytes *b, struct hdfs_chunks *to, size_t n)
{
	b->first->taken += n;
	if (b->first->taken == CHUNK)
		give_back(b, to);
}

void hdfs_bytes_clear(struct hdfs_bytes *b, struct hdfs_chunks *to)
{
	while (b->first != NULL)
		give_back(b, to);
}

void hdfs_chunks_deinit(struct hdfs_chunks *c)
{
	while (c->free != NULL) {
		struct hdfs_chunk *next = c->free->next;

		free(c->free);
		c->free = next;
	}
}
