#include "executor/kept.h"

#include <errno.h>

void kept_init(struct kept *k, size_t memory, struct spill *spill, struct keep *keep)
{
	*k = (struct kept){ .memory = memory,
		.spill = spill,
		.values = BUF_INIT(SIZE_MAX / 2),
		.room = { BUF_INIT(BLOCK_RAW_MAX + BLOCK_HEADER), keep } };
}

static void end_reading(struct kept *k)
{
	if (k->reading)
		cursor_deinit(&k->cursor);
	k->reading = false;
}

void kept_deinit(struct kept *k)
{
	end_reading(k);
	buf_deinit(&k->values);
	buf_deinit(&k->room.in);
}

void kept_clear(struct kept *k)
{
	end_reading(k);
	if (k->spilled)
		scratch_forget(&k->spill->scratch, k->run.offset, k->run.length);
	k->spilled = false;
	buf_clear(&k->values);
}

void kept_add(struct kept *k, quern_slice value)
{
	if (!k->spilled && value.len + VARINT_MAX + 1 > k->memory - k->values.len) {
		spill_begin(k->spill);
		k->spilled = true;
		k->run = (struct stored){ 0 };
	}
	if (k->spilled)
		spill_put(k->spill, quern_bytes(NULL, 0), value);
	else if (record_put(&k->values, quern_bytes(NULL, 0), value) < 0)
		flow_fail(k->spill->flow, -ENOMEM, false, "out of memory for the values of a key");
}

void kept_end(struct kept *k)
{
	if (k->spilled)
		(void)spill_end_run(k->spill, &k->run);
}

void kept_rewind(struct kept *k)
{
	end_reading(k);
	k->at = k->values.data;
	if (k->spilled) {
		cursor_init(&k->cursor, &k->run);
		k->reading = true;
	}
}

bool kept_next(struct kept *k, quern_slice *ret)
{
	const uint8_t *end = k->values.data + k->values.len;
	quern_slice key;

	if (k->spill->flow->stop)
		return false;
	if (k->at != end)
		return record_next(&k->at, end, &key, ret) > 0;
	if (!k->reading)
		return false;
	int r = cursor_next(&k->cursor, &k->room);
	if (r < 0)
		scratch_failed(&k->spill->scratch, k->spill->flow, r);
	*ret = k->cursor.value;
	return r > 0;
}
