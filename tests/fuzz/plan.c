/* A Run as a job's process may send it: one that plan_check() lets through can be explained, is the same
 * after another trip, and has what the scheduler and the executors rely on. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "job/explain.h"
#include "job/plan_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One thing to read, which one earlier stage writes if it is a shuffle. */
static void assert_source(const Quern__Run *run, size_t stage, const Quern__Source *source)
{
	assert((source->n_text > 0) != (source->n_shuffles > 0));
	for (size_t i = 0; i < source->n_shuffles; i++) {
		size_t writers = 0;

		for (size_t j = 0; j < stage; j++)
			writers += run->stages[j]->sink->kind == QUERN__SINK__KIND__SHUFFLE &&
				   run->stages[j]->sink->shuffle == source->shuffles[i]->shuffle;
		assert(writers == 1);
	}
}

/* Where the driver looks to say which partitions the sets of steps have. */
static void assert_steps(const Quern__Stage *stage, size_t branch)
{
	for (size_t i = 0; i < stage->branches[branch]->n_steps; i++) {
		const Quern__Step *s = stage->branches[branch]->steps[i];

		assert(!s->has_first || s->first <= branch);
		assert(!s->has_branches || (s->has_first && s->first + (size_t)s->branches > branch &&
						   s->first + (size_t)s->branches <= stage->n_branches));
	}
}

/* Every shuffle is read by a stage behind the one that writes it: checked from the readers' side. */
static void assert_readable(const Quern__Run *run)
{
	for (size_t i = 0; i < run->n_stages; i++) {
		for (size_t k = 0; k < run->stages[i]->n_branches; k++) {
			assert_source(run, i, run->stages[i]->branches[k]->source);
			assert_steps(run->stages[i], k);
		}
		assert((run->stages[i]->sink->kind == QUERN__SINK__KIND__SHUFFLE) == (i + 1 < run->n_stages));
	}
	const Quern__Sink *last = run->stages[run->n_stages - 1]->sink;
	assert(last->kind != QUERN__SINK__KIND__TEXT || last->path[0] != '\0');
}

static size_t lines_of(const Quern__Stage *stage)
{
	size_t n = stage->n_branches > 1 ? 1 + stage->n_branches : 1;

	for (size_t i = 0; i < stage->n_branches; i++)
		n += stage->branches[i]->n_steps;
	return n;
}

/* A line for the run, each stage and each step, whatever names there are in it. */
static void assert_explained(const Quern__Run *run)
{
	auto_buf struct buf text = BUF_INIT(SIZE_MAX);
	size_t lines = 0, wanted = 1;

	int r = explain_run(run, &text);
	assert(r == 0);
	for (size_t i = 0; i < text.len; i++) {
		lines += text.data[i] == '\n';
		assert(text.data[i] >= ' ' || text.data[i] == '\n');
	}
	for (size_t i = 0; i < run->n_stages; i++)
		wanted += lines_of(run->stages[i]);
	assert(lines == wanted);
}

static void assert_again(const Quern__Run *run)
{
	auto_buf struct buf packed = BUF_INIT(SIZE_MAX);
	struct err err = { "" };
	size_t len = quern__run__get_packed_size(run);

	int r = buf_reserve(&packed, len > 0 ? len : 1);
	assert(r == 0);
	(void)quern__run__pack(run, packed.data);
	Quern__Run *again = quern__run__unpack(NULL, len, packed.data);
	if (again == NULL)
		return; /* a field with the number 0: see link.c */
	r = plan_check(again, NULL, 0, &err);
	assert(r == 0);
	quern__run__free_unpacked(again, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Quern__Run *run = quern__run__unpack(NULL, size, data);
	struct err err = { "" };

	if (run == NULL)
		return 0;
	int r = plan_check(run, NULL, 0, &err);
	assert(r == 0 || (r == -EBADMSG && err.text[0] != '\0'));
	if (r == 0) {
		assert_readable(run);
		assert_explained(run);
		assert_again(run);
	}
	quern__run__free_unpacked(run, NULL);
	return 0;
}
