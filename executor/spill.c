#include "executor/spill.h"

#include <errno.h>

enum {
	SPILL_BLOCK = 64 << 10, /* raw bytes of a block; a merge holds one of each run */
	SPILL_WRITE = 256 << 10 /* bytes written at a time */
};

void spill_init(struct spill *s, const char *dir, struct keep *keep, struct flow *flow)
{
	*s = (struct spill){ .flow = flow, .out = BUF_INIT(SIZE_MAX / 2) };
	scratch_init(&s->scratch, dir);
	segment_writer_init(&s->writer, SPILL_BLOCK, SEGMENT_LEVEL, keep);
}

void spill_deinit(struct spill *s)
{
	scratch_deinit(&s->scratch);
	segment_writer_deinit(&s->writer);
	buf_deinit(&s->out);
	vec_deinit(&s->runs);
}

static void flush(struct spill *s)
{
	int r = s->flow->result < 0 ? 0 : scratch_write(&s->scratch, s->out.data, s->out.len);

	if (r < 0)
		scratch_failed(&s->scratch, s->flow, r);
	buf_clear(&s->out);
}

void spill_begin(struct spill *s)
{
	s->began = s->scratch.end;
	buf_clear(&s->out);
	segment_begin(&s->writer, segment_seed(0, 0, 0, (uint32_t)s->written++));
}

void spill_put(struct spill *s, quern_slice key, quern_slice value)
{
	if (s->flow->result < 0)
		return;
	int r = segment_add(&s->writer, key, value, &s->out);
	if (r < 0)
		flow_fail(s->flow, r, r == -EMSGSIZE, "cannot spill a record of %zu bytes",
			key.len + value.len);
	else if (s->out.len >= SPILL_WRITE)
		flush(s);
}

void spill_give(void *spill, uint64_t word, quern_slice key, quern_slice value)
{
	(void)word;
	spill_put(spill, key, value);
}

bool spill_end_run(struct spill *s, struct stored *ret)
{
	int r = s->flow->result < 0 ? s->flow->result : segment_end(&s->writer, &s->out);

	if (r < 0)
		flow_fail(s->flow, r, false, "out of memory");
	flush(s);
	*ret = (struct stored){ .fd = s->scratch.fd,
		.offset = s->began,
		.length = s->scratch.end - s->began,
		.seed = segment_seed(0, 0, 0, (uint32_t)(s->written - 1)),
		.largest = s->writer.largest };
	return s->flow->result == 0;
}

void spill_end(struct spill *s)
{
	struct stored run;

	if (spill_end_run(s, &run) && vec_push(&s->runs, run) < 0)
		flow_fail(s->flow, -ENOMEM, false, "out of memory");
}

bool spill_has(const struct spill *s, const struct stored *run)
{
	return run->fd >= 0 && run->fd == s->scratch.fd;
}
