/* persist.c: persisted sets in the core: where an attempt may begin, what it is to keep, and what became of
 * it.
 *
 * An attempt begins behind the last CACHE step whose partition is here, and keeps what passes the CACHE steps
 * behind that. Its blobs are numbered here and are the attempt's until it ends; then those that were
 * filled go to the index, and the others are given back. Numbers are not used again. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "executor/cache.h"
#include "executor/state.h"
#include "job/stage.h"

/* What one attempt has to do with them. */
struct persist {
	struct exec_cached cached;             /* what the shell is told */
	struct cache_entry *read;              /* in use; NULL: none */
	struct cache_key keys[EXEC_KEEPS_MAX]; /* of cached.write */
};

/* ---- Names ---- */

/* What the partition is made of: a part of the input, or of a shuffle. */
static uint64_t origin_of(const Quern__Branch *branch, const Quern__Task *task)
{
	const Quern__Source *source = branch->source;
	uint64_t hash = 0;

	for (size_t i = 0; i < source->n_shuffles; i++)
		hash = XXH64(&source->shuffles[i]->shuffle, sizeof(uint32_t), hash);
	for (size_t i = 0; task->split != NULL && i < task->split->n_extents; i++) {
		const Quern__Extent *x = task->split->extents[i];
		const uint64_t numbers[2] = { x->offset, x->length };

		hash = XXH64(x->path, strlen(x->path), hash);
		hash = XXH64(numbers, sizeof(numbers), hash);
	}
	if (task->split != NULL && task->split->range != NULL) {
		const uint64_t numbers[2] = { task->split->range->start, task->split->range->end };

		hash = XXH64(numbers, sizeof(numbers), hash);
	}
	if (task->split != NULL && task->split->records.len > 0)
		hash = XXH64(task->split->records.data, task->split->records.len, hash);
	return hash;
}

/* The partition of a step that keeps records. */
static struct cache_key key_of(const Quern__Step *step, const Quern__Task *task, uint64_t origin)
{
	return (struct cache_key){
		.set = step->cache->id, .partition = step_partition(step, task->partition), .origin = origin
	};
}

/* ---- Giving back ---- */

static int discard(uint32_t blob, struct exec_plan *plan)
{
	return plan_add(plan, (struct exec_action){ .kind = EXEC_DO_DISCARD, .n = blob });
}

/* Discards what is gone. The driver has to be told of what it does not know: the next result says it. */
static int settle(struct exec *x, struct cache_gones *gone, struct exec_plan *plan)
{
	int r = 0;

	for (size_t i = 0; i < gone->n; i++) {
		const struct cache_gone *g = &gone->at[i];

		if (r == 0)
			r = discard(g->blob, plan);
		if (r == 0 && g->evicted)
			r = vec_push(&x->evicted, *g);
	}
	vec_deinit(gone);
	return r;
}

/* ---- Begin ---- */

/* Looks for the last step that can be begun behind; returns the number of the first one to be run. */
static size_t find_start(struct exec *x, const Quern__Branch *branch, const Quern__Task *task,
	uint64_t origin, struct persist *k)
{
	struct exec_keep *read = &k->cached.read;

	for (size_t i = branch->n_steps; i-- > 0;) {
		if (branch->steps[i]->cache == NULL)
			continue;
		const struct cache_key key = key_of(branch->steps[i], task, origin);
		k->read = cache_use(x->cache, &key, &read->blob, &read->bytes);
		if (k->read == NULL)
			continue;
		read->step = (uint32_t)i;
		k->cached.reads = true;
		return i + 1;
	}
	return 0;
}

enum { PERSIST_SHARE = 4 /* one part of so many of a task's memory is for what it keeps */ };

static void find_keeps(struct exec *x, const Quern__Branch *branch, size_t first, const Quern__Task *task,
	uint64_t origin, struct persist *k)
{
	for (size_t i = first; i < branch->n_steps && k->cached.n_write < EXEC_KEEPS_MAX; i++) {
		const Quern__Cache *cache = branch->steps[i]->cache;

		if (cache == NULL || !cache_wants(x->cache, cache->id))
			continue;
		k->keys[k->cached.n_write] = key_of(branch->steps[i], task, origin);
		k->cached.write[k->cached.n_write++] =
			(struct exec_keep){ .step = (uint32_t)i, .blob = ++x->last_blob };
	}
}

int persist_begin(struct exec *x, struct attempt *a, struct exec_action *run)
{
	const Quern__Branch *branch =
		run->stage->branches[a->task->branch]; /* look_up() has seen that it is */

	if (x->cache == NULL || !branch_keeps(branch))
		return 0;
	struct persist *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	a->persist = k;
	uint64_t origin = origin_of(branch, a->task);
	find_keeps(x, branch, find_start(x, branch, a->task, origin, k), a->task, origin, k);
	k->cached.most = x->setup->cache_memory;
	/* While they are made they are the task's own memory, like the records that it holds (task.c). */
	if (a->task->has_memory && a->task->memory > 0 && a->task->memory / PERSIST_SHARE < k->cached.most)
		k->cached.most = a->task->memory / PERSIST_SHARE;
	run->cached = &k->cached;
	return 0;
}

/* ---- End ---- */

/* The blob that was to be filled with a set; NULL: none was. */
static const struct exec_keep *write_of(const struct persist *k, uint32_t set)
{
	for (uint32_t i = 0; i < k->cached.n_write; i++)
		if (k->keys[i].set == set)
			return &k->cached.write[i];
	return NULL;
}

/* What the worker says of a set, or NULL. */
static Quern__TaskResult__Kept *said_of(const Quern__TaskResult *result, uint32_t set)
{
	for (size_t i = 0; i < result->n_kept; i++)
		if (result->kept[i]->cache == set)
			return result->kept[i];
	return NULL;
}

/* Takes in what was filled, and gives back what was not. */
static int take_writes(struct exec *x, const struct persist *k, const Quern__TaskResult *result,
	struct cache_gones *gone, struct exec_plan *plan)
{
	int r = 0;

	for (uint32_t i = 0; r >= 0 && i < k->cached.n_write; i++) {
		Quern__TaskResult__Kept *said = said_of(result, k->keys[i].set);

		r = said != NULL && said->has_bytes
			    ? cache_put(x->cache, &k->keys[i], k->cached.write[i].blob, said->bytes, gone)
			    : 0;
		if (r == 0) {
			if (said != NULL)
				said->has_bytes = 0;
			r = discard(k->cached.write[i].blob, plan);
		}
	}
	return r < 0 ? r : 0;
}

typedef bool kept_filter(const Quern__TaskResult__Kept *kept, const struct persist *k);

static void filter_kept(Quern__TaskResult *result, kept_filter *stays, const struct persist *k)
{
	size_t n = 0;

	for (size_t i = 0; i < result->n_kept; i++) {
		Quern__TaskResult__Kept *kept = result->kept[i];

		if (stays(kept, k))
			result->kept[n++] = kept;
		else
			protobuf_c_message_free_unpacked(&kept->base, NULL);
	}
	result->n_kept = n;
}

/* What a worker may say: nothing else is taken from it. */
static bool was_asked_for(const Quern__TaskResult__Kept *kept, const struct persist *k)
{
	return k != NULL && write_of(k, kept->cache) != NULL;
}

/* What the driver is to know: what is here now, and what was too large to be. */
static bool is_news(const Quern__TaskResult__Kept *kept, const struct persist *k)
{
	(void)k;
	return kept->has_bytes || kept->too_large;
}

/* Some of what was evicted: a status update is small, and there is another result to come. */
static int add_evicted(struct exec *x, Quern__TaskResult *result)
{
	size_t n = x->evicted.n < EVICTED_MAX ? x->evicted.n : EVICTED_MAX;

	if (n == 0 || result->n_evicted > 0)
		return 0;
	result->evicted = calloc(n, sizeof(Quern__TaskResult__CachedPartition *));
	if (result->evicted == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		Quern__TaskResult__CachedPartition *p = malloc(sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		quern__task_result__cached_partition__init(p);
		p->cache = x->evicted.at[i].set;
		p->partition = x->evicted.at[i].partition;
		result->evicted[result->n_evicted++] = p;
	}
	memmove(x->evicted.at, x->evicted.at + n, (x->evicted.n - n) * sizeof(x->evicted.at[0]));
	x->evicted.n -= n;
	return 0;
}

int persist_end(struct exec *x, struct attempt *a, Quern__TaskResult *result, struct exec_plan *plan)
{
	struct cache_gones gone = { 0 };
	struct persist *k = a->persist;
	int r = 0;

	filter_kept(result, was_asked_for, result->state == QUERN__TASK_RESULT__STATE__DONE ? k : NULL);
	if (k == NULL)
		return 0;
	a->persist = NULL;
	/* What a task failed on is not what the next attempt should begin with; what it was only too slow
	 * with is. */
	if (k->read != NULL)
		r = cache_release(x->cache, k->read,
			result->state == QUERN__TASK_RESULT__STATE__FAILED && a->end == END_ITSELF, &gone);
	if (r == 0)
		r = take_writes(x, k, result, &gone, plan);
	int e = settle(x, &gone, plan);
	free(k);
	filter_kept(result, is_news, NULL);
	if (r == 0)
		r = e;
	return r < 0 ? r : add_evicted(x, result);
}

int persist_drop(struct exec *x, uint32_t set, struct exec_plan *plan)
{
	struct cache_gones gone = { 0 };

	if (x->cache == NULL)
		return 0;
	int r = cache_drop(x->cache, set, &gone);
	int e = settle(x, &gone, plan);
	return r < 0 ? r : e;
}

int persist_setup(struct exec *x)
{
	if (!x->setup->has_cache_memory || x->setup->cache_memory == 0)
		return 0;
	return cache_new(x->setup->cache_memory, x->config.max_kept, &x->cache);
}

void persist_forget(struct attempt *a)
{
	free(a->persist);
	a->persist = NULL;
}

void persist_deinit(struct exec *x)
{
	x->cache = cache_free(x->cache);
	vec_deinit(&x->evicted);
}
