/* sched_cache.c: which executors have which partitions of persisted sets, as their results say it. It is a
 * hint: an executor that does not have a partition any more computes it anew.
 *
 * A set that the job wants no longer is dropped on every executor: at once, and again on each new
 * connection, for the word may have been lost with the old one. */
#include <errno.h>
#include <stdlib.h>

#include "job/stage.h"
#include "scheduler/sched_place.h"

/* No padding: a key. */
struct cached_name {
	uint32_t set, partition;
};

/* A partition that some executor has. */
struct cached {
	struct cached_name name;
	struct cached_at *at;
	UT_hash_handle hh;
};

struct cached_at {
	struct cached *what;
	struct executor *executor;
	struct cached_at *prev, *next;     /* of what->at */
	struct cached_at *e_prev, *e_next; /* of executor->cached */
};

struct cached_set {
	uint32_t id;
	bool dropped;
	bool too_large; /* and that was said */
	UT_hash_handle hh;
};

/* ---- What is where ---- */

static struct cached *find(const struct sched *s, uint32_t set, uint32_t partition)
{
	const struct cached_name name = { set, partition };
	struct cached *c;

	HASH_FIND(hh, s->cached, &name, sizeof(name), c);
	return c;
}

/* Made if it is not there. NULL: no memory. */
static struct cached *get(struct sched *s, uint32_t set, uint32_t partition)
{
	struct cached *c = find(s, set, partition), *added;

	if (c != NULL)
		return c;
	c = added = calloc(1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->name = (struct cached_name){ set, partition };
	HASH_ADD(hh, s->cached, name, sizeof(c->name), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

static struct cached_at *find_at(const struct cached *c, const struct executor *e)
{
	for (struct cached_at *at = c != NULL ? c->at : NULL; at != NULL; at = at->next)
		if (at->executor == e)
			return at;
	return NULL;
}

static int note(struct sched *s, struct executor *e, uint32_t set, uint32_t partition)
{
	struct cached *c = get(s, set, partition);

	if (c == NULL)
		return -ENOMEM;
	if (find_at(c, e) != NULL)
		return 0;
	struct cached_at *at = calloc(1, sizeof(*at));
	if (at == NULL)
		return -ENOMEM;
	at->what = c;
	at->executor = e;
	DL_APPEND(c->at, at);
	DL_APPEND2(e->cached, at, e_prev, e_next);
	return 0;
}

static void forget(struct sched *s, struct cached_at *at)
{
	struct cached *c = at->what;

	DL_DELETE(c->at, at);
	DL_DELETE2(at->executor->cached, at, e_prev, e_next);
	free(at);
	if (c->at != NULL)
		return;
	HASH_DELETE(hh, s->cached, c);
	free(c);
}

/* ---- Sets ---- */

/* Made if it is not there. NULL: no memory. */
static struct cached_set *get_set(struct sched *s, uint32_t id)
{
	struct cached_set *set, *added;

	HASH_FIND(hh, s->cached_sets, &id, sizeof(id), set);
	if (set != NULL)
		return set;
	set = added = calloc(1, sizeof(*set));
	if (set == NULL)
		return NULL;
	set->id = id;
	HASH_ADD(hh, s->cached_sets, id, sizeof(set->id), added);
	if (added == NULL || added->hh.tbl == NULL) {
		free(set);
		return NULL;
	}
	return set;
}

static int say_too_large(
	struct sched *s, const struct executor *e, struct cached_set *set, uint32_t partition)
{
	if (set->too_large)
		return 0;
	set->too_large = true;
	return sched_plan_text(s, SCHED_DO_LOG, 0, 0,
		"cache %u: partition %u on %s was not kept: it is larger than the memory for it "
		"(--cache-memory, and a quarter of --task-memory)",
		set->id, partition, e->agent->hostname);
}

int sched_cache_result(struct sched *s, struct executor *e, const Quern__TaskResult *result)
{
	int r = 0;

	if (e->state == EXECUTOR_GONE)
		return 0;
	for (size_t i = 0; i < result->n_evicted; i++) {
		const Quern__TaskResult__CachedPartition *p = result->evicted[i];
		struct cached_at *at = find_at(find(s, p->cache, p->partition), e);

		if (at != NULL)
			forget(s, at);
	}
	for (size_t i = 0; r == 0 && i < result->n_kept; i++) {
		const Quern__TaskResult__Kept *kept = result->kept[i];
		struct cached_set *set = get_set(s, kept->cache);

		if (set == NULL)
			return -ENOMEM;
		if (kept->has_too_large && kept->too_large)
			r = say_too_large(s, e, set, kept->partition);
		else if (!set->dropped)
			r = note(s, e, kept->cache, kept->partition);
	}
	return r;
}

void sched_cache_lost(struct sched *s, struct executor *e)
{
	while (e->cached != NULL)
		forget(s, e->cached);
	sched_prefer_lost(s, e);
}

/* ---- What nobody wants any more ---- */

static int send_drop(struct sched *s, const struct executor *e, uint32_t *ids, size_t n)
{
	Quern__ToExecutor m = QUERN__TO_EXECUTOR__INIT;

	m.n_drop_caches = n;
	m.drop_caches = ids;
	return sched_plan_message(s, SCHED_DO_LINK, e->id, &m.base);
}

int sched_cache_drop(struct sched *s, uint32_t id)
{
	struct cached_set *set = get_set(s, id);
	struct cached *c, *next;
	int r = 0;

	if (set == NULL)
		return -ENOMEM;
	if (set->dropped)
		return 0;
	set->dropped = true;
	HASH_ITER (hh, s->cached, c, next) {
		if (c->name.set != id)
			continue;
		while (c->at->next != NULL)
			forget(s, c->at);
		forget(s, c->at); /* and `c` with it */
	}
	for (const struct executor *e = s->executors; r == 0 && e != NULL; e = e->hh.next)
		if (e->linked)
			r = send_drop(s, e, &id, 1);
	return r;
}

int sched_cache_linked(struct sched *s, const struct executor *e)
{
	uint32_t *ids = calloc(HASH_COUNT(s->cached_sets) + 1, sizeof(*ids));
	size_t n = 0;

	if (ids == NULL)
		return -ENOMEM;
	for (const struct cached_set *set = s->cached_sets; set != NULL; set = set->hh.next)
		if (set->dropped)
			ids[n++] = set->id;
	int r = n > 0 ? send_drop(s, e, ids, n) : 0;
	free(ids);
	return r;
}

/* ---- Where tasks would rather run ---- */

uint32_t sched_cache_owners(const struct sched *s, const struct task *t, struct executor *ret[PREFER_MAX])
{
	const struct stage *stage = t->stage;
	const struct branch *b = sched_stage_branch(stage, t->partition);
	const Quern__Branch *branch = stage->message->branches[b - stage->branches];
	uint32_t n = 0;

	for (size_t i = branch->n_steps; i-- > 0 && n == 0;) {
		const Quern__Step *step = branch->steps[i];
		const struct cached *c =
			step->cache != NULL ? find(s, step->cache->id, step_partition(step, t->partition))
					    : NULL;

		for (const struct cached_at *at = c != NULL ? c->at : NULL; at != NULL && n < PREFER_MAX;
			at = at->next)
			ret[n++] = at->executor;
	}
	return n;
}

void sched_cache_deinit(struct sched *s)
{
	struct cached_set *set, *next;

	while (s->cached != NULL)
		forget(s, s->cached->at);
	HASH_ITER (hh, s->cached_sets, set, next) {
		HASH_DELETE(hh, s->cached_sets, set);
		free(set);
	}
}
