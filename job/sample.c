#include "job/sample.h"

#include <endian.h>
#include <errno.h>
#include <stdlib.h>

#include "job/compare.h"
#include "job/records.h"

enum { SAMPLE_MAX = 1 << 18 /* keys: every other one goes when there are more */ };

void sample_init(struct sample *s, const Quern__Order *order)
{
	*s = (struct sample){ .order = order };
}

void sample_deinit(struct sample *s)
{
	vec_deinit(&s->keys);
	memory_deinit(&s->memory);
}

/* ---- Samples ---- */

static int take_key(struct sample *s, quern_slice key, double weight)
{
	const char *copy = memory_copy(&s->memory, key.ptr, key.len);

	if (s->compare == NULL && s->order->key != QUERN__VALUE_TYPE__BYTES && key.len != 8)
		return -EBADMSG;
	if (copy == NULL ||
		vec_push(&s->keys, ((struct sample_key){ quern_bytes(copy, key.len), weight })) < 0)
		return -ENOMEM;
	return 0;
}

/* Each that is left stands for another one as well; the memory of the others is given back. 0 or -ENOMEM. */
static int thin_out(struct sample *s)
{
	struct memory left = { NULL };
	size_t n = 0;

	for (size_t i = 0; i < s->keys.n; i += 2) {
		struct sample_key k = s->keys.at[i];

		k.key.ptr = memory_copy(&left, k.key.ptr, k.key.len);
		if (k.key.ptr == NULL) {
			memory_deinit(&left);
			return -ENOMEM;
		}
		k.weight *= 2;
		s->keys.at[n++] = k;
	}
	s->keys.n = n;
	memory_deinit(&s->memory);
	s->memory = left;
	return 0;
}

static int take_sample(struct sample *s, const uint8_t *data, size_t len)
{
	const uint8_t *p = data, *end = data + len;
	quern_slice key, value;
	uint64_t all, n = 0;

	if (record_next(&p, end, &key, &value) != 1 || value.len != sizeof(all))
		return -EBADMSG;
	memcpy(&all, value.ptr, sizeof(all));
	for (const uint8_t *q = p; record_next(&q, end, &key, &value) == 1;)
		n++;
	while (p != end) {
		int r = record_next(&p, end, &key, &value);

		if (r == 1)
			r = take_key(s, key, (double)le64toh(all) / (double)n);
		if (r < 0)
			return r;
	}
	return s->keys.n > SAMPLE_MAX ? thin_out(s) : 0;
}

int sample_add(void *sample, uint32_t partition, const uint8_t *data, size_t len)
{
	struct sample *s = sample;

	(void)partition;
	s->result = take_sample(s, data, len);
	return s->result != 0;
}

/* ---- Bounds ---- */

static int compare(const void *a, const void *b, void *sample)
{
	const struct sample_key *x = a, *y = b;
	const struct sample *s = sample;
	int c = s->compare != NULL ? s->compare(x->key, y->key, s->arg)
				   : compare_typed(s->order->key, x->key, y->key, 0);

	return s->order->descending ? (c < 0) - (c > 0) : c;
}

static double weight_of(const struct sample *s)
{
	double sum = 0;

	for (size_t i = 0; i < s->keys.n; i++)
		sum += s->keys.at[i].weight;
	return sum;
}

/* Fills in keys at equal distances, as weights go. */
static int choose(const struct sample *s, struct bounds *b, struct memory *m)
{
	double step = weight_of(s) / SAMPLE_BOUNDS, seen = 0;

	for (size_t i = 0; i < s->keys.n; i++) {
		const struct sample_key *k = &s->keys.at[i];

		for (seen += k->weight; b->n < SAMPLE_BOUNDS - 1 && seen >= step * (double)(b->n + 1);
			b->n++) {
			ProtobufCBinaryData *to = &b->at[b->n];

			to->len = k->key.len;
			to->data = memory_copy(m, k->key.ptr, k->key.len);
			if (to->data == NULL)
				return -ENOMEM;
		}
	}
	return 0;
}

int sample_bounds(struct sample *s, struct memory *m, const struct bounds **ret)
{
	if (s->result < 0)
		return s->result;
	struct bounds *b = memory_take(m, sizeof(*b));
	if (b == NULL || (b->at = memory_take(m, SAMPLE_BOUNDS * sizeof(*b->at))) == NULL)
		return -ENOMEM;
	if (s->keys.n > 0)
		qsort_r(s->keys.at, s->keys.n, sizeof(*s->keys.at), compare, s);
	int r = choose(s, b, m);
	if (r == 0)
		*ret = b;
	return r;
}
