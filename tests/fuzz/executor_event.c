/* The executor's core under any sequence of events. The input is a list of them: a byte that says which kind,
 * two for the length of what follows, and that: a message of the agent's, the driver's or a worker's, or
 * nothing. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "executor/core.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEADER = 3, EVENTS_MAX = 200, CALL_MAX = 1 << 20, BLOBS_MAX = EVENTS_MAX * EXEC_KEEPS_MAX * 64 };

struct bench {
	struct exec *core;
	struct exec_plan plan;
	bool connecting, up, ended;
	uint64_t now;
	bool blobs[BLOBS_MAX]; /* those that there are; numbers beyond are not looked at */
	bool coming[256];      /* broadcasts; likewise */
};

/* Memory is made once, read while it is there, and given back once. */
static void look_at_blobs(struct bench *b, const struct exec_cached *c)
{
	assert(!c->reads || c->read.blob >= BLOBS_MAX || b->blobs[c->read.blob]);
	assert(c->n_write <= EXEC_KEEPS_MAX);
	for (uint32_t i = 0; i < c->n_write; i++) {
		if (c->write[i].blob >= BLOBS_MAX)
			continue;
		assert(!b->blobs[c->write[i].blob]);
		b->blobs[c->write[i].blob] = true;
	}
}

static void look_at_discard(struct bench *b, uint32_t blob)
{
	if (blob >= BLOBS_MAX)
		return;
	assert(b->blobs[blob]);
	b->blobs[blob] = false;
}

/* What a shell would know from the plan. */
static void look_at_plan(struct bench *b)
{
	for (size_t i = 0; i < b->plan.n; i++) {
		const struct exec_action *a = &b->plan.at[i];

		switch (a->kind) {
		case EXEC_DO_CONNECT:
			assert(a->setup != NULL && a->setup->secret.len == 32);
			b->connecting = true;
			b->up = false;
			break;
		case EXEC_DO_LINK:
			assert(b->up);
			break;
		case EXEC_DO_RUN:
			assert(a->task != NULL && a->stage != NULL && a->stage->id == a->task->stage);
			assert(a->n_outputs == a->stage->branches[a->task->branch]->source->n_shuffles);
			if (a->cached != NULL)
				look_at_blobs(b, a->cached);
			break;
		case EXEC_DO_DISCARD:
			look_at_discard(b, a->n);
			break;
		case EXEC_DO_FETCH: /* once at a time */
			assert(a->fetch != NULL);
			assert(a->n > 255 || !b->coming[a->n]);
			if (a->n <= 255)
				b->coming[a->n] = true;
			break;
		case EXEC_DO_FORGET:
			if (a->n <= 255)
				b->coming[a->n] = false;
			break;
		case EXEC_DO_EXIT:
			b->ended = true;
			break;
		default:
			break;
		}
	}
}

static void step(struct bench *b, struct exec_event event)
{
	event.now_ms = b->now;
	if (exec_step(b->core, &event, &b->plan) < 0)
		abort();
	look_at_plan(b);
	exec_plan_reset(&b->plan);
}

static void step_mesos(struct bench *b, const uint8_t *data, size_t len)
{
	Mesos__V1__Executor__Event *m = mesos__v1__executor__event__unpack(NULL, len, data);

	if (m == NULL)
		return;
	step(b, (struct exec_event){ .kind = EXEC_EV_MESOS, .u.mesos = m });
	mesos__v1__executor__event__free_unpacked(m, NULL);
}

static void step_link(struct bench *b, const uint8_t *data, size_t len)
{
	Quern__ToExecutor *m = b->up ? quern__to_executor__unpack(NULL, len, data) : NULL;

	if (m == NULL)
		return;
	step(b, (struct exec_event){ .kind = EXEC_EV_LINK, .u.link = m });
	quern__to_executor__free_unpacked(m, NULL);
}

static void step_result(struct bench *b, const uint8_t *data, size_t len)
{
	Quern__TaskResult *m = quern__task_result__unpack(NULL, len, data);

	if (m != NULL)
		step(b, (struct exec_event){ .kind = EXEC_EV_RESULT, .u.result = m });
}

static void step_other(struct bench *b, unsigned kind, const uint8_t *data, size_t len)
{
	static const enum exec_event_kind kinds[] = { EXEC_EV_MESOS_DOWN, EXEC_EV_MESOS_LOST,
		EXEC_EV_UNLOADABLE, EXEC_EV_FLUSH, EXEC_EV_STOP, EXEC_EV_TICK };

	if (kind == 0 && b->connecting) {
		b->connecting = false;
		b->up = true;
		step(b, (struct exec_event){ .kind = EXEC_EV_LINK_UP });
	} else if (kind == 1 && (b->connecting || b->up)) {
		b->connecting = b->up = false;
		step(b, (struct exec_event){ .kind = EXEC_EV_LINK_DOWN, .u.text = "it ended" });
	} else if (kind == 8 && len > 0 && b->coming[data[0]]) {
		b->coming[data[0]] = false;
		step(b, (struct exec_event){ .kind = EXEC_EV_FETCHED,
				.u.fetched = {
					.broadcast = data[0], .error = len > 1 ? "a reason" : NULL } });
	} else if (kind > 1 && kind < 8) {
		for (size_t i = 0; i < len && i < 4; i++)
			b->now += (uint64_t)data[i] << (8 * i);
		step(b, (struct exec_event){ .kind = kinds[(kind - 2) % 6], .u.text = "a reason" });
	}
}

static void subscribe(const struct bench *b)
{
	auto_buf struct buf call = BUF_INIT(CALL_MAX);

	if (exec_subscribe_call(b->core, &call) == 0) {
		Mesos__V1__Executor__Call *m = mesos__v1__executor__call__unpack(NULL, call.len, call.data);
		assert(m != NULL);
		mesos__v1__executor__call__free_unpacked(m, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct exec_config config = { .executor_id = "e1",
		.framework_id = "f1",
		.checkpoint = size > 0 && data[0] % 2 == 1,
		.shuffle_dir = "/s",
		.machine = "m",
		.address = "host" };
	static struct bench b;

	b = (struct bench){ .now = 1 };
	if (exec_new(&config, &b.core) < 0)
		abort();
	for (int i = 0; i < EVENTS_MAX && size >= HEADER && !b.ended; i++) {
		unsigned kind = data[0] >> 1;
		size_t len = (size_t)data[1] | (size_t)data[2] << 8;

		data += HEADER;
		size -= HEADER;
		len = len < size ? len : size;
		if (kind % 4 == 0)
			step_mesos(&b, data, len);
		else if (kind % 4 == 1)
			step_link(&b, data, len);
		else if (kind % 4 == 2)
			step_result(&b, data, len);
		else
			step_other(&b, kind / 4 % 9, data, len);
		subscribe(&b);
		(void)exec_next_ms(b.core);
		data += len;
		size -= len;
	}
	exec_plan_deinit(&b.plan);
	(void)exec_free(b.core);
	return 0;
}
