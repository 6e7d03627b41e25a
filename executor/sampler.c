#include "executor/sampler.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"
#include "job/records.h"

enum { SAMPLER_LIMIT_MAX = 10000 };

/* Each record stays with the same probability (algorithm R: Vitter, Random sampling with a reservoir, 1985).
 */
static void sampler_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sampler *s = (struct sampler *)out;
	uint64_t place = s->seen < s->limit ? s->seen : random_next(&s->random) % (s->seen + 1);

	if (s->flow->stop || (s->order->compare != NULL && key.len > SAMPLER_WHOLE_MAX))
		return;
	if (!order_fits(s->order, key, value)) {
		flow_fail_record(s->flow, -EINVAL, ORDER_MISFIT, key.len, value.len);
		return;
	}
	s->seen++;
	if (place >= s->limit)
		return;
	buf_clear(&s->keys[place]);
	size_t most = s->order->compare != NULL ? SAMPLER_WHOLE_MAX : SAMPLER_KEY_MAX;
	if (buf_add(&s->keys[place], key.ptr, key.len < most ? key.len : most) < 0)
		flow_fail(s->flow, -ENOMEM, false, "out of memory for a sample of keys");
}

int sampler_init(
	struct sampler *s, const struct order *order, uint64_t limit, uint64_t seed, struct flow *flow)
{
	*s = (struct sampler){
		.in = { sampler_emit }, .order = order, .limit = limit, .random = seed, .flow = flow
	};
	if (limit > SAMPLER_LIMIT_MAX)
		s->limit = SAMPLER_LIMIT_MAX;
	s->keys = calloc(s->limit + 1, sizeof(*s->keys));
	if (s->keys == NULL)
		return -ENOMEM;
	for (uint64_t i = 0; i < s->limit; i++)
		s->keys[i] = BUF_INIT(SAMPLER_WHOLE_MAX);
	return 0;
}

void sampler_deinit(struct sampler *s)
{
	for (uint64_t i = 0; s->keys != NULL && i < s->limit; i++)
		buf_deinit(&s->keys[i]);
	free(s->keys);
	s->keys = NULL;
}

int sampler_put(const struct sampler *s, double scale, struct buf *out)
{
	uint64_t n = s->seen < s->limit ? s->seen : s->limit;
	uint8_t all[8];

	put_le64(all, (uint64_t)((double)s->seen * scale));
	int r = record_put(out, quern_bytes(NULL, 0), quern_bytes(all, sizeof(all)));
	for (uint64_t i = 0; i < n && r == 0; i++)
		r = record_put(out, quern_bytes(s->keys[i].data, s->keys[i].len), quern_bytes(NULL, 0));
	return r;
}
