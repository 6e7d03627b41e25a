/* sched_share.c: what an executor holds for itself, and what it is told at its start.
 *
 * Where ports are the operator's to give (ports_from_offer) one is part of that, and the executor finds its
 * number in its environment. Which of those offered is left to chance, by the seed: one that somebody uses
 * without having been given it would else be tried again and again. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "job/shuffle_port.h"
#include "scheduler/sched_parts.h"

/* `info` with a variable more in its environment. The caller frees *ret_list. */
static int tell_port(Mesos__V1__CommandInfo *command, Mesos__V1__Environment *environment,
	Mesos__V1__Environment__Variable *variable, Mesos__V1__Environment__Variable ***ret_list)
{
	const Mesos__V1__Environment *had = command->environment;
	size_t n = had != NULL ? had->n_variables : 0;
	Mesos__V1__Environment__Variable **list = calloc(n + 1, sizeof(Mesos__V1__Environment__Variable *));

	if (list == NULL)
		return -ENOMEM;
	if (n > 0)
		memcpy((void *)list, (const void *)had->variables, n * sizeof(*list));
	list[n] = variable;
	environment->variables = list;
	environment->n_variables = n + 1;
	command->environment = environment;
	*ret_list = list;
	return 0;
}

/* The message. `port`: of its server, 0: any. */
static Mesos__V1__ExecutorInfo *make_info(const struct sched *s, const struct executor *e,
	Mesos__V1__Resource **resources, size_t n_resources, uint16_t port)
{
	Mesos__V1__ExecutorInfo info = *s->config.executor, *copy = NULL;
	Mesos__V1__CommandInfo command = *info.command;
	Mesos__V1__Environment environment = MESOS__V1__ENVIRONMENT__INIT;
	Mesos__V1__Environment__Variable variable = MESOS__V1__ENVIRONMENT__VARIABLE__INIT, **list = NULL;
	Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	char number[16];

	id.value = e->id;
	framework.value = s->framework_id;
	info.executor_id = &id;
	info.framework_id = &framework;
	info.n_resources = n_resources;
	info.resources = resources;
	info.name = (char *)(uintptr_t)s->config.name;
	info.source = (char *)(uintptr_t) "quern";
	(void)snprintf(number, sizeof(number), "%u", (unsigned)port);
	variable.name = (char *)(uintptr_t)SHUFFLE_PORT_VARIABLE;
	variable.value = number;
	if (port == 0 || tell_port(&command, &environment, &variable, &list) == 0) {
		info.command = &command;
		copy = sched_message_dup(&info.base);
	}
	free((void *)list);
	return copy;
}

static int take_port(const struct sched *s, const struct agent *a, struct resources *pool,
	struct resources *share, uint16_t *ret)
{
	uint64_t random = s->config.seed ^ ((uint64_t)a->number << 32 | a->generation);

	*ret = 0;
	if (!s->config.ports_from_offer)
		return 0;
	return resources_take_port(pool, random_next(&random), share, ret);
}

int sched_share_take(const struct sched *s, struct executor *e, struct resources *pool)
{
	struct resources *share = NULL;
	Mesos__V1__Resource **list = NULL;
	uint16_t port = 0;
	size_t n = 0;

	e->revocable_cpus = resources_revocable(pool, "cpus");
	e->revocable_mem = resources_revocable(pool, "mem");
	int r = resources_new(&share);
	if (r == 0)
		r = resources_take(pool, "cpus", s->config.executor_cpus_milli, share);
	if (r == 0)
		r = resources_take(pool, "mem", (int64_t)s->config.executor_mem_mb * 1000, share);
	if (r == 0)
		r = take_port(s, e->agent, pool, share, &port);
	if (r == 0)
		r = resources_to_pb(share, &list, &n);
	if (r == 0) {
		e->info = make_info(s, e, list, n, port);
		r = e->info == NULL ? -ENOMEM : 0;
	}
	resources_pb_free(list, n);
	(void)resources_free(share);
	return r;
}
