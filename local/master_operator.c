/* master_operator.c: what the master's core tells operators: Master::ReadOnlyHandler::getFrameworks() in
 * src/master/readonly_handler.cpp of Apache Mesos. */
#include <stdlib.h>

#include "local/master_state.h"

typedef Mesos__V1__Master__Response__GetFrameworks__Framework Framework;

static Mesos__V1__TimeInfo *time_of(uint64_t ms)
{
	Mesos__V1__TimeInfo *t = malloc(sizeof(*t));

	if (t == NULL)
		return NULL;
	mesos__v1__time_info__init(t);
	t->nanoseconds = (int64_t)(ms * 1000000);
	return t;
}

/* What of it is the same of those who are gone: 0 or -1. `info` is copied. */
static int fill(struct master *m, Framework *to, const Mesos__V1__FrameworkInfo *info, uint64_t registered,
	uint64_t reregistered)
{
	to->framework_info = master_dup(m, info);
	to->registered_time = time_of(registered);
	to->reregistered_time = reregistered > 0 ? time_of(reregistered) : NULL;
	return to->framework_info != NULL && to->registered_time != NULL &&
			       (reregistered == 0 || to->reregistered_time != NULL)
		       ? 0
		       : -1;
}

/* A new element of a list that has room. NULL: no memory. */
static Framework *add(Framework **list, size_t *n)
{
	Framework *f = malloc(sizeof(*f));

	if (f == NULL)
		return NULL;
	mesos__v1__master__response__get_frameworks__framework__init(f);
	list[(*n)++] = f;
	return f;
}

/* What its tasks and executors hold. 0 or -1. */
static int add_allocated(const struct master *m, const struct framework *f, Framework *to)
{
	struct resources *all = NULL;
	int r = resources_new(&all);

	for (const struct task *t = f->tasks; r == 0 && t != NULL; t = t->hh.next)
		if (!t->freed)
			r = resources_add(all, t->resources);
	for (const struct agent *a = m->agents; a != NULL; a = a->hh.next)
		for (const struct executor *e = a->executors; r == 0 && e != NULL; e = e->next)
			if (e->member->framework == f)
				r = resources_add(all, e->resources);
	if (r == 0)
		r = resources_to_pb(all, &to->allocated_resources, &to->n_allocated_resources);
	(void)resources_free(all);
	return r;
}

static int list(struct master *m, Mesos__V1__Master__Response__GetFrameworks *to)
{
	to->frameworks = calloc(HASH_COUNT(m->frameworks) + 1, sizeof(*to->frameworks));
	to->completed_frameworks = calloc(HASH_COUNT(m->gone) + 1, sizeof(*to->completed_frameworks));
	if (to->frameworks == NULL || to->completed_frameworks == NULL)
		return -1;
	for (const struct framework *f = m->frameworks; f != NULL; f = f->hh.next) {
		Framework *one = add(to->frameworks, &to->n_frameworks);

		if (one == NULL || fill(m, one, f->info, f->registered_ms, f->reregistered_ms) < 0 ||
			add_allocated(m, f, one) < 0)
			return -1;
		one->active = one->connected = f->connected;
	}
	for (const struct gone *g = m->gone; g != NULL; g = g->hh.next) {
		Framework *one = add(to->completed_frameworks, &to->n_completed_frameworks);

		if (one == NULL || fill(m, one, g->info, g->registered_ms, g->reregistered_ms) < 0)
			return -1;
		one->unregistered_time = time_of(g->gone_ms);
		if (one->unregistered_time == NULL)
			return -1;
	}
	return 0;
}

Mesos__V1__Master__Response *master_frameworks(struct master *m)
{
	Mesos__V1__Master__Response *ret = malloc(sizeof(*ret));

	if (ret == NULL)
		return NULL;
	mesos__v1__master__response__init(ret);
	ret->has_type = 1;
	ret->type = MESOS__V1__MASTER__RESPONSE__TYPE__GET_FRAMEWORKS;
	ret->get_frameworks = malloc(sizeof(*ret->get_frameworks));
	if (ret->get_frameworks != NULL) {
		mesos__v1__master__response__get_frameworks__init(ret->get_frameworks);
		if (list(m, ret->get_frameworks) == 0)
			return ret;
	}
	mesos__v1__master__response__free_unpacked(ret, NULL);
	return NULL;
}

bool master_knows(const struct master *m, const char *framework_id)
{
	return master_framework(m, framework_id) != NULL;
}
