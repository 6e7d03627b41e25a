/* Keys that hold more than a key, from anywhere (executor/step_fuse.c, executor/tag.h): taken apart they lie
 * within their bytes, and put together again they are the same key. */
#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "executor/steps.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct check {
	struct quern_out out;
	const uint8_t *data;
	size_t size;
	unsigned records;
};

static bool within(const struct check *c, quern_slice s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;

	return s.len == 0 || (p >= c->data && s.len <= c->size && p + s.len <= c->data + c->size);
}

static void check_parts(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct check *c = (struct check *)out;

	c->records++;
	assert(within(c, key) && within(c, value));
}

static void check_same(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct check *c = (struct check *)out;

	(void)value;
	c->records++;
	/* A length may be written in more bytes than it needs: then the key is shorter. */
	assert(key.len <= c->size && (key.len < c->size || memcmp(key.ptr, c->data, key.len) == 0));
}

/* Gives the bytes as a key to a step, and to what puts it together again if `back`. */
static void give(const uint8_t *data, size_t size, Quern__Step__Kind kind, bool back)
{
	Quern__Step step = QUERN__STEP__INIT, fuse = QUERN__STEP__INIT, *list[] = { &step, &fuse };
	Quern__Task task = QUERN__TASK__INIT;
	struct flow flow = { 0 };
	struct check c = { .out = { back ? check_same : check_parts }, .data = data, .size = size };
	const struct step_env env = { .flow = &flow, .task = &task };
	struct steps *steps;
	struct err err;

	step.kind = kind;
	fuse.kind = QUERN__STEP__KIND__FUSE;
	int r = steps_new(&env, list, back ? 2 : 1, &c.out, &steps, &err);
	assert(r == 0);
	steps_in(steps)->emit(steps_in(steps), quern_bytes(data, size), quern_bytes(NULL, 0));
	assert(c.records == (flow.result == 0 ? 1U : 0U));
	(void)steps_free(steps);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	give(data, size, QUERN__STEP__KIND__SPLIT, false);
	give(data, size, QUERN__STEP__KIND__SPLIT, true);
	give(data, size, QUERN__STEP__KIND__UNTAG, false);
	return 0;
}
