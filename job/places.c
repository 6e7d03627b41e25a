#include "job/places.h"

#include <stdlib.h>
#include <string.h>

static struct place *find(struct places *p, const char *host)
{
	for (size_t i = 0; i < p->v.n; i++)
		if (strcmp(p->v.at[i].host, host) == 0)
			return &p->v.at[i];
	return NULL;
}

static int add(struct places *p, const char *host, uint64_t bytes)
{
	struct place *known = find(p, host);

	if (known == NULL)
		return vec_push(&p->v, ((struct place){ .host = host, .bytes = bytes }));
	known->bytes += bytes;
	return 0;
}

/* A name and an address that are the same count once. */
static bool seen_before(const struct storage_block *b, size_t host)
{
	for (size_t i = 0; i < host; i++)
		if (strcmp(b->hosts[i], b->hosts[host]) == 0)
			return true;
	return false;
}

/* The first block that ends behind `offset`. */
static size_t first_behind(const struct storage_blocks *blocks, uint64_t offset)
{
	size_t low = 0, high = blocks->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (blocks->at[mid].offset + blocks->at[mid].length <= offset)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

int places_add(struct places *p, const struct storage_blocks *blocks, uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;
	int r = 0;

	for (size_t i = first_behind(blocks, offset); i < blocks->n && r == 0; i++) {
		const struct storage_block *b = &blocks->at[i];

		if (b->offset >= end)
			break;
		uint64_t from = b->offset > offset ? b->offset : offset;
		uint64_t to = b->offset + b->length < end ? b->offset + b->length : end;

		for (size_t k = 0; k < b->n_hosts && r == 0; k++)
			if (!seen_before(b, k))
				r = add(p, b->hosts[k], to - from);
	}
	return r;
}

/* Stays in order where they have the same: a name is before its address. There are not many. */
static void sort(struct places *p)
{
	for (size_t i = 1; i < p->v.n; i++) {
		struct place one = p->v.at[i];
		size_t k = i;

		for (; k > 0 && p->v.at[k - 1].bytes < one.bytes; k--)
			p->v.at[k] = p->v.at[k - 1];
		p->v.at[k] = one;
	}
}

void places_best(struct places *p)
{
	size_t n = 0;

	sort(p);
	while (n < p->v.n && n < PLACES_MAX && p->v.at[n].bytes >= p->v.at[0].bytes - p->v.at[0].bytes / 2 &&
		p->v.at[n].bytes > 0)
		n++;
	p->v.n = n;
}

bool places_have(const struct places *p, uint64_t bytes)
{
	for (size_t i = 0; i < p->v.n; i++)
		if (p->v.at[i].bytes >= bytes)
			return true;
	return bytes == 0;
}

void places_deinit(struct places *p)
{
	vec_deinit(&p->v);
}
