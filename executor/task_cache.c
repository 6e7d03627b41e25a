#include "executor/task_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/stage.h"

static struct cache_place place_of(const Quern__TaskCache__File *f)
{
	return (struct cache_place){ .path = f->path, .name = f->name };
}

/* NULL: there is no such step. */
static const Quern__Cache *cache_of(const Quern__Branch *branch, const Quern__TaskCache__File *f)
{
	return f->step < branch->n_steps ? branch->steps[f->step]->cache : NULL;
}

void task_cache_init(
	struct task_cache *c, const Quern__Branch *branch, uint32_t task, const Quern__TaskCache *request)
{
	*c = (struct task_cache){ .branch = branch, .task = task, .request = request };
	if (request == NULL)
		return;
	c->left = request->most;
	if (request->read == NULL)
		return;
	const Quern__Cache *cache = cache_of(branch, request->read);
	const struct cache_place place = place_of(request->read);
	c->reads = cache != NULL &&
		   cache_reader_open(&c->reader, &place, request->read->bytes, cache->compressed) == 0;
	if (c->reads)
		c->first = (size_t)request->read->step + 1;
}

int task_cache_tee(struct task_cache *c, struct steps *steps, struct err *err)
{
	size_t n = c->request != NULL ? c->request->n_write : 0;

	if (n == 0)
		return 0;
	c->writers = calloc(n, sizeof(struct cache_writer *));
	if (c->writers == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const Quern__TaskCache__File *f = c->request->write[i];
		const Quern__Cache *cache = cache_of(c->branch, f);
		const struct cache_place place = place_of(f);

		if (cache == NULL || f->step < c->first)
			continue;
		int r = cache_writer_new(&place, cache->compressed, &c->left, &c->writers[i]);
		if (r < 0) { /* where it cannot be written it is not kept */
			(void)fprintf(stderr, "quern worker: a persisted set cannot be kept: %s: %s\n",
				f->path, strerror(-r));
			continue;
		}
		steps_tee(steps, f->step - c->first, cache_writer_in(c->writers[i]));
	}
	return 0;
}

/* What became of one of them, appended to the list; nothing, if there is nothing to say. */
static int report(const Quern__Step *step, uint32_t task, struct cache_writer *w, Quern__TaskResult *result)
{
	uint64_t bytes = 0;
	bool kept = cache_writer_finish(w, &bytes);

	if (!kept && !cache_writer_too_large(w))
		return 0;
	Quern__TaskResult__Kept *k = malloc(sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	quern__task_result__kept__init(k);
	k->cache = step->cache->id;
	k->partition = step_partition(step, task);
	k->has_bytes = kept;
	k->bytes = bytes;
	k->has_too_large = !kept;
	k->too_large = !kept;
	result->kept[result->n_kept++] = k;
	return 0;
}

int task_cache_finish(struct task_cache *c, bool whole, Quern__TaskResult *result)
{
	int r = 0;

	result->has_from_cache = c->reads;
	result->from_cache = c->reads;
	if (c->writers == NULL || !whole)
		return 0;
	result->kept = calloc(c->request->n_write, sizeof(Quern__TaskResult__Kept *));
	if (result->kept == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < c->request->n_write; i++)
		if (c->writers[i] != NULL)
			r = report(
				c->branch->steps[c->request->write[i]->step], c->task, c->writers[i], result);
	return r;
}

void task_cache_deinit(struct task_cache *c)
{
	for (size_t i = 0; c->writers != NULL && i < c->request->n_write; i++)
		(void)cache_writer_free(c->writers[i]);
	free(c->writers);
	if (c->reads)
		cache_reader_close(&c->reader);
	*c = (struct task_cache){ 0 };
}
