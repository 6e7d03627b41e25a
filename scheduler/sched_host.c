/* sched_host.c: hosts: of agents, and of data, by one name.
 *
 * A host is worth waiting for while some agent of it may be given tasks: an agent that is not lost, draining
 * or left out; and in a mode whose tasks need slots that are held: that has some.
 *
 * Of hosts that no agent was ever seen on nothing is known. Where data and agents share no host at all nobody
 * waits. But a framework with neighbours may not see most of the agents for minutes, for what it frees is
 * offered to it again and the rest to others: where some host of a stage's data has an agent, and offers come
 * one by one, the others are believed to have one as well, until a stage has waited for them in vain
 * (host.given_up). An agent that comes to a host is waited for in any case, and tasks that have their data
 * there go there. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

/* Case does not matter, nor a dot at the end. NULL: no memory. */
static char *normal(const char *name)
{
	size_t len = strlen(name);
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return NULL;
	if (len > 1 && name[len - 1] == '.')
		len--;
	for (size_t i = 0; i < len; i++)
		copy[i] = (char)tolower((unsigned char)name[i]);
	copy[len] = '\0';
	return copy;
}

static void free_host(struct host *h)
{
	free(h->name);
	free(h);
}

/* Takes the name. */
static struct host *add(struct sched *s, char *name)
{
	struct host *h = calloc(1, sizeof(*h)), *added = h;

	if (h == NULL) {
		free(name);
		return NULL;
	}
	h->name = name;
	h->number = (uint32_t)s->host_list.n;
	if (vec_push(&s->host_list, h) < 0) {
		free_host(h);
		return NULL;
	}
	HASH_ADD_KEYPTR(hh, s->hosts, h->name, strlen(h->name), added);
	if (added != NULL && added->hh.tbl != NULL)
		return h;
	s->host_list.n--;
	free_host(h);
	return NULL;
}

struct host *sched_host_get(struct sched *s, const char *name)
{
	char *key = normal(name);
	struct host *h;

	if (key == NULL)
		return NULL;
	HASH_FIND_STR(s->hosts, key, h);
	if (h == NULL)
		return add(s, key);
	free(key);
	return h;
}

/* ---- Of agents ---- */

static bool may_get_tasks(const struct sched *s, const struct agent *a)
{
	const struct executor *e = a->executor;

	if (a->lost || a->draining || a->excluded_until_ms > s->now_ms)
		return false;
	return s->config.mode->as_needed ||
	       (e != NULL && e->linked && e->state == EXECUTOR_UP && !e->doubtful && e->slots > 0);
}

void sched_host_refresh(struct sched *s, struct agent *a)
{
	bool usable = may_get_tasks(s, a), out = a->draining || a->excluded_until_ms > s->now_ms;

	if (out != a->is_left_out)
		s->left_out_agents += out ? 1 : -1U;
	a->is_left_out = out;
	if (usable == a->usable)
		return;
	a->usable = usable;
	s->stirred = true;
	a->host->usable += usable ? 1 : -1U;
	if (a->host->usable == (usable ? 1 : 0))
		sched_prefer_host(s, a->host);
}

void sched_hosts_look(struct sched *s)
{
	if (s->left_out_agents == 0)
		return;
	for (struct agent *a = s->agents; a != NULL; a = a->hh.next)
		if (a->is_left_out)
			sched_host_refresh(s, a);
}

/* ---- Of data ---- */

int sched_hosts_of_splits(
	struct sched *s, struct stage *stage, const Quern__Split *const *splits, size_t n_splits)
{
	size_t any = 0;

	for (size_t i = 0; i < n_splits; i++)
		any += splits[i]->n_hosts;
	if (any == 0)
		return 0;
	stage->first_host = calloc(n_splits + 1, sizeof(*stage->first_host));
	if (stage->first_host == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n_splits; i++) {
		for (size_t k = 0; k < splits[i]->n_hosts && k < HOSTS_MAX; k++) {
			const struct host *h = sched_host_get(s, splits[i]->hosts[k]);

			if (h == NULL || vec_push(&stage->split_hosts, h->number) < 0)
				return -ENOMEM;
		}
		stage->first_host[i + 1] = (uint32_t)stage->split_hosts.n;
	}
	return 0;
}

void sched_hosts_deinit(struct sched *s)
{
	struct host *h, *next;

	HASH_ITER (hh, s->hosts, h, next) {
		HASH_DELETE(hh, s->hosts, h);
		free_host(h);
	}
	vec_deinit(&s->host_list);
}
