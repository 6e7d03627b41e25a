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

int sched_call_accept_inverse(struct sched *s, Mesos__V1__OfferID **ids, size_t n)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__AcceptInverseOffers accept =
		MESOS__V1__SCHEDULER__CALL__ACCEPT_INVERSE_OFFERS__INIT;
	Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;

	filters.has_refuse_seconds = 1;
	filters.refuse_seconds = UNWANTED_S; /* we have heard it */
	accept.n_inverse_offer_ids = n;
	accept.inverse_offer_ids = ids;
	accept.filters = &filters;
	call.accept_inverse_offers = &accept;
	return send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT_INVERSE_OFFERS);
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

int sched_call_reconcile_agents(struct sched *s, size_t n)
{
	static char nobody[] = "is-the-agent-there"; /* protobuf-c's texts are not const */
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Reconcile reconcile = MESOS__V1__SCHEDULER__CALL__RECONCILE__INIT;
	struct question *q = calloc(n + 1, sizeof(*q));
	Mesos__V1__Scheduler__Call__Reconcile__Task **list =
		calloc(n + 1, sizeof(Mesos__V1__Scheduler__Call__Reconcile__Task *));
	int r = q == NULL || list == NULL ? -ENOMEM : 0;

	for (const struct agent *a = s->agents; r == 0 && a != NULL && reconcile.n_tasks < n;
		a = a->hh.next) {
		struct question *one = &q[reconcile.n_tasks];

		if (!a->expected)
			continue;
		mesos__v1__scheduler__call__reconcile__task__init(&one->task);
		mesos__v1__task_id__init(&one->task_id);
		mesos__v1__agent_id__init(&one->agent_id);
		one->task_id.value = nobody;
		one->agent_id.value = a->id;
		one->task.task_id = &one->task_id;
		one->task.agent_id = &one->agent_id;
		list[reconcile.n_tasks++] = &one->task;
	}
	reconcile.tasks = list;
	call.reconcile = &reconcile;
	if (r == 0)
		r = send(s, &call, MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE);
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

enum { CAPABILITIES_MAX = 5 };

/* MULTI_ROLE: resources say which role they are allocated to. PARTITION_AWARE: states that tell a lost agent
 * from a refused launch. RESERVATION_REFINEMENT: else what is reserved for a role below another's reservation
 * is not offered. Those on request; REGION_AWARE: agents of other regions than the master's, only when the
 * job names regions. TASK_KILLING_STATE is not asked for: nobody waits for it. */
static size_t list_capabilities(
	const struct sched *s, Mesos__V1__FrameworkInfo__Capability__Type ret[CAPABILITIES_MAX])
{
	size_t n = 0;

	ret[n++] = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE;
	ret[n++] = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE;
	ret[n++] = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT;
	if (s->config.revocable)
		ret[n++] = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REVOCABLE_RESOURCES;
	if (constraints_about(&s->constraints, "region"))
		ret[n++] = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REGION_AWARE;
	return n;
}

/* Who we are and what we want, as a SUBSCRIBE or an UPDATE_FRAMEWORK, packed at the end of `out`. */
static int describe(struct sched *s, bool suppressed, bool update, struct buf *out)
{
	Mesos__V1__Scheduler__Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Subscribe subscribe = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
	Mesos__V1__Scheduler__Call__UpdateFramework changed =
		MESOS__V1__SCHEDULER__CALL__UPDATE_FRAMEWORK__INIT;
	struct wishes *wishes;
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__FrameworkInfo__Capability__Type capabilities[CAPABILITIES_MAX];
	Mesos__V1__FrameworkInfo__Capability has[CAPABILITIES_MAX], *list[CAPABILITIES_MAX];
	size_t n_capabilities = list_capabilities(s, capabilities);
	size_t n_roles = roles_count((const char *const *)s->roles);

	for (size_t i = 0; i < n_capabilities; i++) {
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
	info.labels = (Mesos__V1__Labels *)(uintptr_t)s->config.labels;
	info.n_capabilities = n_capabilities;
	info.capabilities = list;
	id.value = s->framework_id;
	if (s->framework_id != NULL)
		info.id = call.framework_id = &id;
	int r = sched_wishes_say(s, &info, &subscribe.offer_constraints, &wishes);
	if (r < 0)
		return r;
	changed.framework_info = subscribe.framework_info = &info;
	changed.offer_constraints = subscribe.offer_constraints;
	changed.n_suppressed_roles = subscribe.n_suppressed_roles = suppressed ? n_roles : 0;
	changed.suppressed_roles = subscribe.suppressed_roles = s->roles;
	call.has_type = 1;
	call.type = update ? MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK
			   : MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	call.subscribe = update ? NULL : &subscribe;
	call.update_framework = update ? &changed : NULL;

	r = buf_reserve(out, mesos__v1__scheduler__call__get_packed_size(&call));
	if (r == 0)
		out->len += mesos__v1__scheduler__call__pack(&call, out->data + out->len);
	(void)sched_wishes_free(wishes);
	return r;
}

int sched_subscribe_call(struct sched *s, struct buf *out)
{
	s->subscribing = true;
	s->claimed_suppressed = !sched_appetite_hungry(s);
	return describe(s, s->claimed_suppressed, false, out);
}

int sched_call_update_framework(struct sched *s)
{
	struct buf out = BUF_INIT(SIZE_MAX);

	if (!s->subscribed || s->over)
		return 0;
	/* A master does this when it has asked its authorizer, so perhaps after a REVIVE that is sent behind
	 * it: what it says of suppressing must not undo that. What is not so is mended at the end of the
	 * step. */
	s->appetite = APPETITE_HUNGRY;
	s->freed = true;
	int r = describe(s, false, true, &out);
	if (r == 0)
		r = sched_plan_bytes(s, (struct sched_action){ .kind = SCHED_DO_CALL }, out.data, out.len);
	buf_deinit(&out);
	return r;
}
