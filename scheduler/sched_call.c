/* sched_call.c: calls of Mesos. Without a subscription none is sent: what matters is said again on the next
 * one. */
#include <errno.h>
#include <stdlib.h>

#include "scheduler/sched_offer.h"

static int send(struct sched *s, Mesos__V1__Scheduler__Call *call, Mesos__V1__Scheduler__Call__Type type)
{
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;

	if (!s->subscribed || s->over)
		return 0;
	id.value = s->framework_id;
	call->framework_id = &id;
	call->has_type = 1;
	call->type = type;
	return sched_plan_message(s, SCHED_DO_CALL, NULL, &call->base);
}

int sched_call_simple(struct sched *s, Mesos__V1__Scheduler__Call__Type type)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Revive revive = MESOS__V1__SCHEDULER__CALL__REVIVE__INIT;
	Mesos__V1__Scheduler__Call__Suppress suppress = MESOS__V1__SCHEDULER__CALL__SUPPRESS__INIT;

	revive.n_roles = suppress.n_roles = roles_count((const char *const *)s->roles);
	revive.roles = suppress.roles = s->roles;
	if (type == MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE)
		call.revive = &revive;
	if (type == MESOS__V1__SCHEDULER__CALL__TYPE__SUPPRESS)
		call.suppress = &suppress;
	return send(s, &call, type);
}

int sched_call_acknowledge(struct sched *s, const Mesos__V1__TaskStatus *status)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Acknowledge acknowledge = MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;

	acknowledge.agent_id = status->agent_id;
	acknowledge.task_id = status->task_id;
	acknowledge.uuid = status->uuid;
	call.acknowledge = &acknowledge;
	return send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE);
}

int sched_call_kill(struct sched *s, const char *task_id, const char *agent_id)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Kill kill = MESOS__V1__SCHEDULER__CALL__KILL__INIT;
	Mesos__V1__TaskID task = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;

	task.value = (char *)(uintptr_t)task_id;
	agent.value = (char *)(uintptr_t)agent_id;
	kill.task_id = &task;
	kill.agent_id = agent_id != NULL ? &agent : NULL;
	call.kill = &kill;
	return send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__KILL);
}

int sched_call_shutdown(struct sched *s, const struct executor *e)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Shutdown shutdown = MESOS__V1__SCHEDULER__CALL__SHUTDOWN__INIT;
	Mesos__V1__ExecutorID executor = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;

	executor.value = e->id;
	agent.value = e->agent->id;
	shutdown.executor_id = &executor;
	shutdown.agent_id = &agent;
	call.shutdown = &shutdown;
	return send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__SHUTDOWN);
}

int sched_call_decline(struct sched *s, Mesos__V1__OfferID **ids, size_t n, double refuse_s)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Decline decline = MESOS__V1__SCHEDULER__CALL__DECLINE__INIT;
	Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;

	filters.has_refuse_seconds = 1;
	filters.refuse_seconds = refuse_s;
	decline.n_offer_ids = n;
	decline.offer_ids = ids;
	decline.filters = &filters;
	call.decline = &decline;
	return send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE);
}

int sched_call_accept(struct sched *s, const struct agent *agent, const char *role,
	Mesos__V1__TaskInfo **tasks, size_t n, double refuse_s)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
	Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT, *operations[1];
	Mesos__V1__Offer__Operation__Launch launch = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
	Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;
	Mesos__V1__OfferID **ids = calloc(agent->offers.n + 1, sizeof(*ids));

	if (ids == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < agent->offers.n; i++)
		if (sched_offer_role(s, agent->offers.at[i]) == role)
			ids[accept.n_offer_ids++] = agent->offers.at[i]->id;
	launch.n_task_infos = n;
	launch.task_infos = tasks;
	operation.has_type = 1;
	operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
	operation.launch = &launch;
	operations[0] = &operation;
	filters.has_refuse_seconds = 1;
	filters.refuse_seconds = refuse_s;
	accept.offer_ids = ids;
	accept.n_operations = 1;
	accept.operations = operations;
	accept.filters = &filters;
	call.accept = &accept;
	int r = send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT);
	free(ids);
	return r;
}

int sched_call_accept_inverse(struct sched *s, const Mesos__V1__Scheduler__Event__InverseOffers *offers)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__AcceptInverseOffers accept =
		MESOS__V1__SCHEDULER__CALL__ACCEPT_INVERSE_OFFERS__INIT;
	Mesos__V1__OfferID **ids = calloc(offers->n_inverse_offers + 1, sizeof(*ids));

	if (ids == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < offers->n_inverse_offers; i++)
		ids[i] = offers->inverse_offers[i]->id;
	accept.n_inverse_offer_ids = offers->n_inverse_offers;
	accept.inverse_offer_ids = ids;
	call.accept_inverse_offers = &accept;
	int r = offers->n_inverse_offers == 0
			? 0
			: send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT_INVERSE_OFFERS);
	free(ids);
	return r;
}

/* ---- Reconciliation ---- */

/* One question of the list, with the ids that it points at. */
struct question {
	Mesos__V1__Scheduler__Call__Reconcile__Task task;
	Mesos__V1__TaskID task_id;
	Mesos__V1__AgentID agent_id;
};

int sched_call_reconcile(struct sched *s, bool all)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Reconcile reconcile = MESOS__V1__SCHEDULER__CALL__RECONCILE__INIT;
	size_t n = HASH_COUNT(s->holds);
	struct question *q = calloc(n + 1, sizeof(*q));
	Mesos__V1__Scheduler__Call__Reconcile__Task **list =
		calloc(n + 1, sizeof(Mesos__V1__Scheduler__Call__Reconcile__Task *));

	if (q == NULL || list == NULL) {
		free(q);
		free(list);
		return -ENOMEM;
	}
	n = 0;
	for (const struct hold *h = s->holds; h != NULL; h = h->hh.next) {
		if (!all && h->seen)
			continue;
		mesos__v1__scheduler__call__reconcile__task__init(&q[n].task);
		mesos__v1__task_id__init(&q[n].task_id);
		mesos__v1__agent_id__init(&q[n].agent_id);
		q[n].task_id.value = h->id;
		q[n].agent_id.value = h->executor->agent->id;
		q[n].task.task_id = &q[n].task_id;
		q[n].task.agent_id = &q[n].agent_id;
		list[n] = &q[n].task;
		n++;
	}
	reconcile.n_tasks = n;
	reconcile.tasks = list;
	call.reconcile = &reconcile;
	int r = n == 0 ? 0 : send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE);
	free(q);
	free(list);
	return r;
}

int sched_call_reconcile_implicitly(struct sched *s)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Reconcile reconcile = MESOS__V1__SCHEDULER__CALL__RECONCILE__INIT;

	call.reconcile = &reconcile;
	return send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE);
}

/* ---- Subscription ---- */

enum { CAPABILITIES = 4 };

/* MULTI_ROLE: resources say which role they are allocated to. PARTITION_AWARE: states that tell a lost agent
 * from a refused launch. RESERVATION_REFINEMENT: else what is reserved for a role below another's reservation
 * is not offered. TASK_KILLING_STATE is not asked for: nobody waits for it. The last one is not always there.
 */
static const Mesos__V1__FrameworkInfo__Capability__Type capabilities[CAPABILITIES] = {
	MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE,
	MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE,
	MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT,
	MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REVOCABLE_RESOURCES
};

int sched_subscribe_call(struct sched *s, struct buf *out)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Subscribe subscribe = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__FrameworkInfo__Capability has[CAPABILITIES], *list[CAPABILITIES];
	size_t n_roles = roles_count((const char *const *)s->roles);

	for (size_t i = 0; i < CAPABILITIES; i++) {
		mesos__v1__framework_info__capability__init(&has[i]);
		has[i].has_type = 1;
		has[i].type = capabilities[i];
		list[i] = &has[i];
	}
	info.user = (char *)(uintptr_t)s->config.user;
	info.name = (char *)(uintptr_t)s->config.name;
	info.has_failover_timeout = 1;
	info.failover_timeout = s->config.failover_timeout_s;
	info.has_checkpoint = 1;
	info.checkpoint = s->config.checkpoint;
	info.n_roles = n_roles;
	info.roles = s->roles;
	info.hostname = (char *)(uintptr_t)s->config.hostname;
	info.principal = (char *)(uintptr_t)s->config.principal;
	info.n_capabilities = s->config.revocable ? CAPABILITIES : CAPABILITIES - 1;
	info.capabilities = list;
	id.value = s->framework_id;
	if (s->framework_id != NULL)
		info.id = call.framework_id = &id;
	subscribe.framework_info = &info;
	s->claimed_suppressed = !sched_appetite_hungry(s);
	if (s->claimed_suppressed) {
		subscribe.n_suppressed_roles = n_roles;
		subscribe.suppressed_roles = s->roles;
	}
	call.has_type = 1;
	call.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	call.subscribe = &subscribe;

	size_t len = mesos__v1__scheduler__call__get_packed_size(&call);
	int r = buf_reserve(out, len);
	if (r == 0)
		out->len += mesos__v1__scheduler__call__pack(&call, out->data + out->len);
	return r;
}
