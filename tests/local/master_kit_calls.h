/* master_kit_calls.h: what frameworks and agents say to a master's core in a test. A framework is known by
 * the number of its stream. */
#ifndef QUERN_TESTS_LOCAL_MASTER_KIT_CALLS_H
#define QUERN_TESTS_LOCAL_MASTER_KIT_CALLS_H

#include "mesos/resources.h"
#include "tests/local/master_kit.h"

typedef Mesos__V1__Scheduler__Call Call;

enum { KIT_LIST = 8 };

/* ---- Frameworks ---- */

/* What a framework says of itself. Nothing set: one that knows several roles and partitions, in role "*". */
struct kit_framework {
	const char *roles[KIT_LIST]; /* NULL first: "*" */
	const char *suppressed[KIT_LIST];
	const char *role; /* not NULL: one of the older kind, of this role alone */
	const char *id, *principal, *user;
	double failover_timeout;
	bool checkpoint, not_partition_aware, refined, revocable;
};

static inline size_t kit_count(const char *const *list)
{
	size_t n = 0;

	while (n < KIT_LIST && list[n] != NULL)
		n++;
	return n;
}

static inline void kit_subscribe_as(struct kit *k, int conn, const struct kit_framework *f)
{
	static const char *const star[KIT_LIST] = { "*" };
	const char *const *roles = f->roles[0] != NULL ? f->roles : star;
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__FrameworkInfo__Capability c[4], *list[] = { &c[0], &c[1], &c[2], &c[3] };
	Mesos__V1__Scheduler__Call__Subscribe subscribe = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_ID];
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		mesos__v1__framework_info__capability__init(&c[i]);
		c[i].has_type = 1;
	}
	if (f->role == NULL)
		c[n++].type = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE;
	if (!f->not_partition_aware)
		c[n++].type = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__PARTITION_AWARE;
	if (f->refined)
		c[n++].type = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__RESERVATION_REFINEMENT;
	if (f->revocable)
		c[n++].type = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__REVOCABLE_RESOURCES;
	info.capabilities = list;
	info.n_capabilities = n;
	info.name = (char *)"framework";
	info.user = (char *)(f->user != NULL ? f->user : "user");
	info.principal = (char *)f->principal;
	info.has_checkpoint = info.has_failover_timeout = 1;
	info.checkpoint = f->checkpoint;
	info.failover_timeout = f->failover_timeout;
	if (f->role != NULL) {
		info.role = (char *)f->role;
	} else {
		info.roles = (char **)roles;
		info.n_roles = kit_count(roles);
	}
	if (f->id != NULL) {
		id.value = kit_long(k, f->id, room);
		info.id = call.framework_id = &id;
	}
	subscribe.framework_info = &info;
	subscribe.suppressed_roles = (char **)f->suppressed;
	subscribe.n_suppressed_roles = kit_count(f->suppressed);
	call.has_type = 1;
	call.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	call.subscribe = &subscribe;
	kit_step(k, &(struct master_event){
			    .kind = MASTER_EV_CALL, .u.call = { .conn = (uint64_t)conn, .call = &call } });
}

static inline void kit_subscribe(struct kit *k, int conn)
{
	kit_subscribe_as(k, conn, &(struct kit_framework){ 0 });
}

static inline void kit_closed(struct kit *k, int conn)
{
	kit_step(k, &(struct master_event){ .kind = MASTER_EV_CLOSED, .u.conn = (uint64_t)conn });
}

/* A call of the framework of a stream. */
static inline void kit_call(struct kit *k, int conn, Mesos__V1__Scheduler__Call__Type type, Call *call)
{
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;

	id.value = k->framework[conn];
	call->framework_id = &id;
	call->has_type = 1;
	call->type = type;
	kit_step(k, &(struct master_event){ .kind = MASTER_EV_CALL,
			    .u.call = { .conn = 0, .stream_id = k->stream[conn], .call = call } });
}

static inline void kit_teardown(struct kit *k, int conn)
{
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;

	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__TEARDOWN, &call);
}

/* `role`: NULL = all of them. */
static inline void kit_revive(struct kit *k, int conn, const char *role)
{
	Mesos__V1__Scheduler__Call__Revive revive = MESOS__V1__SCHEDULER__CALL__REVIVE__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;

	revive.roles = (char **)&role;
	revive.n_roles = role != NULL;
	call.revive = &revive;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__REVIVE, &call);
}

static inline void kit_suppress(struct kit *k, int conn, const char *role)
{
	Mesos__V1__Scheduler__Call__Suppress suppress = MESOS__V1__SCHEDULER__CALL__SUPPRESS__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;

	suppress.roles = (char **)&role;
	suppress.n_roles = role != NULL;
	call.suppress = &suppress;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__SUPPRESS, &call);
}

/* Refuses "O1 O2 ..." for so many seconds; less than 0: without saying how long. */
static inline size_t kit_offer_ids(struct kit *k, const char *names, Mesos__V1__OfferID ids[KIT_LIST],
	Mesos__V1__OfferID *list[KIT_LIST], char room[KIT_LIST][KIT_ID])
{
	char copy[256], *save = NULL;
	size_t n = 0;

	(void)snprintf(copy, sizeof(copy), "%s", names);
	for (char *s = strtok_r(copy, " ", &save); s != NULL; s = strtok_r(NULL, " ", &save)) {
		mesos__v1__offer_id__init(&ids[n]);
		ids[n].value = kit_long(k, s, room[n]);
		list[n] = &ids[n];
		n++;
	}
	return n;
}

static inline Mesos__V1__Filters kit_filters(double seconds)
{
	Mesos__V1__Filters f = MESOS__V1__FILTERS__INIT;

	f.has_refuse_seconds = 1;
	f.refuse_seconds = seconds;
	return f;
}

static inline void kit_decline(struct kit *k, int conn, const char *offers, double seconds)
{
	Mesos__V1__Scheduler__Call__Decline decline = MESOS__V1__SCHEDULER__CALL__DECLINE__INIT;
	Mesos__V1__Filters filters = kit_filters(seconds);
	Mesos__V1__OfferID ids[KIT_LIST], *list[KIT_LIST];
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_LIST][KIT_ID];

	decline.n_offer_ids = kit_offer_ids(k, offers, ids, list, room);
	decline.offer_ids = list;
	decline.filters = seconds < 0 ? NULL : &filters;
	call.decline = &decline;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE, &call);
}

/* ---- Launching ---- */

/* A task; what is not set is left out, or what a good task has. */
struct kit_task {
	const char *id, *agent;    /* agent: NULL = S0 */
	const char *resources;     /* NULL: "cpus:1;mem:64" */
	const char *executor;      /* NULL: a command */
	const char *of_executor;   /* NULL: "cpus:0.1;mem:32" */
	const char *role;          /* that the resources say they are allocated to; NULL: "*"; "": none */
	const char *executor_role; /* likewise of the executor's; NULL: as that */
	const char *executor_framework; /* NULL: its own */
	const char *executor_name;
	bool both, neither; /* command and executor */
};

/* A message with everything in it; for mesos__v1__task_info__free_unpacked(). */
static inline Mesos__V1__TaskInfo *kit_task_info(
	struct kit *k, const char *framework, const struct kit_task *t)
{
	Mesos__V1__TaskInfo info = MESOS__V1__TASK_INFO__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__ExecutorInfo executor = MESOS__V1__EXECUTOR_INFO__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	const char *role = t->role != NULL ? t->role : "*";
	struct resources *own = NULL, *theirs = NULL;
	char room[KIT_ID], other[KIT_ID];

	assert_int_equal(
		resources_parse(t->resources != NULL ? t->resources : "cpus:1;mem:64", &own, NULL), 0);
	assert_int_equal(
		resources_parse(t->of_executor != NULL ? t->of_executor : "cpus:0.1;mem:32", &theirs, NULL),
		0);
	if (role[0] != '\0') {
		assert_int_equal(resources_allocate(own, role), 0);
		assert_int_equal(
			resources_allocate(theirs, t->executor_role != NULL ? t->executor_role : role), 0);
	}
	id.value = info.name = (char *)t->id;
	agent.value = kit_long(k, t->agent != NULL ? t->agent : "S0", room);
	info.task_id = &id;
	info.agent_id = &agent;
	command.value = (char *)"run";
	framework_id.value =
		t->executor_framework != NULL ? kit_long(k, t->executor_framework, other) : (char *)framework;
	executor_id.value = (char *)t->executor;
	executor.executor_id = &executor_id;
	executor.framework_id = framework_id.value[0] != '\0' ? &framework_id : NULL;
	executor.command = &command;
	executor.name = (char *)t->executor_name;
	assert_int_equal(resources_to_pb(own, &info.resources, &info.n_resources), 0);
	assert_int_equal(resources_to_pb(theirs, &executor.resources, &executor.n_resources), 0);
	if (!t->neither && (t->executor == NULL || t->both))
		info.command = &command;
	if (!t->neither && t->executor != NULL)
		info.executor = &executor;
	size_t len = mesos__v1__task_info__get_packed_size(&info);
	uint8_t *packed = malloc(len);
	assert_non_null(packed);
	(void)mesos__v1__task_info__pack(&info, packed);
	Mesos__V1__TaskInfo *ret = mesos__v1__task_info__unpack(NULL, len, packed);
	assert_non_null(ret);
	free(packed);
	resources_pb_free(info.resources, info.n_resources);
	resources_pb_free(executor.resources, executor.n_resources);
	resources_free(own);
	resources_free(theirs);
	return ret;
}

/* ACCEPT of "O1 O2 ..." with the tasks up to the first without an id, and a refusal of the rest as in
 * kit_decline(). */
static inline void kit_accept(
	struct kit *k, int conn, const char *offers, double seconds, const struct kit_task *tasks)
{
	Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
	Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT,
				    *operations[] = { &operation };
	Mesos__V1__Offer__Operation__Launch launch = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
	Mesos__V1__Filters filters = kit_filters(seconds);
	Mesos__V1__OfferID ids[KIT_LIST], *list[KIT_LIST];
	Mesos__V1__TaskInfo *infos[KIT_LIST];
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_LIST][KIT_ID];
	size_t n = 0;

	for (; tasks != NULL && tasks[n].id != NULL; n++)
		infos[n] = kit_task_info(k, k->framework[conn], &tasks[n]);
	accept.n_offer_ids = kit_offer_ids(k, offers, ids, list, room);
	accept.offer_ids = list;
	accept.filters = seconds < 0 ? NULL : &filters;
	operation.has_type = 1;
	operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
	operation.launch = &launch;
	launch.task_infos = infos;
	launch.n_task_infos = n;
	accept.operations = operations;
	accept.n_operations = n > 0;
	call.accept = &accept;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT, &call);
	for (size_t i = 0; i < n; i++)
		mesos__v1__task_info__free_unpacked(infos[i], NULL);
}

#define kit_launch(k, conn, offers, seconds, ...)                                                            \
	kit_accept(k, conn, offers, seconds, (const struct kit_task[]){ __VA_ARGS__, { 0 } })

/* ---- Agents ---- */

static inline void kit_agent_says(struct kit *k, int link, const Quern__Local__ToMaster *m)
{
	kit_step(k, &(struct master_event){
			    .kind = MASTER_EV_AGENT, .u.agent = { .link = (uint64_t)link, .message = m } });
}

static inline void kit_agent_down(struct kit *k, int link)
{
	kit_step(k, &(struct master_event){
			    .kind = MASTER_EV_AGENT_DOWN, .u.agent = { .link = (uint64_t)link } });
}

/* Registers; `id`: "S0" of an agent that comes again, with what `r` lists, or NULL. */
static inline void kit_register(
	struct kit *k, int link, const char *id, const char *resources, Quern__Local__ToMaster__Register *r)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Register bare = QUERN__LOCAL__TO_MASTER__REGISTER__INIT;
	Mesos__V1__AgentInfo info = MESOS__V1__AGENT_INFO__INIT;
	Mesos__V1__AgentID name = MESOS__V1__AGENT_ID__INIT;
	struct resources *total = NULL;
	char hostname[32], room[KIT_ID];

	(void)snprintf(hostname, sizeof(hostname), "host%d", link);
	info.hostname = hostname;
	info.has_port = 1;
	info.port = 5050 + link;
	assert_int_equal(resources_parse(resources, &total, NULL), 0);
	assert_int_equal(resources_to_pb(total, &info.resources, &info.n_resources), 0);
	if (id != NULL) {
		name.value = kit_long(k, id, room);
		info.id = &name;
	}
	m.register_ = r != NULL ? r : &bare;
	m.register_->info = &info;
	kit_agent_says(k, link, &m);
	resources_pb_free(info.resources, info.n_resources);
	resources_free(total);
}

static inline void kit_agent(struct kit *k, int link, const char *resources)
{
	kit_register(k, link, NULL, resources, NULL);
}

/* An update of the framework of stream `conn`: uuid 0: none; latest: as the state. */
static inline void kit_update_latest(struct kit *k, int link, int conn, const char *task,
	const char *executor, Mesos__V1__TaskState state, Mesos__V1__TaskState latest, uint8_t uuid)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__Update update = QUERN__LOCAL__TO_MASTER__UPDATE__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	uint8_t bytes[16];

	memset(bytes, uuid, sizeof(bytes));
	framework.value = k->framework[conn];
	id.value = (char *)task;
	executor_id.value = (char *)executor;
	status.task_id = &id;
	status.state = state;
	status.executor_id = executor != NULL ? &executor_id : NULL;
	status.has_source = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR;
	status.has_uuid = uuid != 0;
	status.uuid = (ProtobufCBinaryData){ .data = bytes, .len = sizeof(bytes) };
	update.framework_id = &framework;
	update.status = &status;
	update.has_latest_state = 1;
	update.latest_state = latest;
	m.update = &update;
	kit_agent_says(k, link, &m);
}

#define kit_update(k, link, conn, task, state, uuid)                                                         \
	kit_update_latest(k, link, conn, task, NULL, MESOS__V1__TASK_STATE__##state,                         \
		MESOS__V1__TASK_STATE__##state, uuid)

static inline void kit_exited(struct kit *k, int link, int conn, const char *executor, int status)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;
	Quern__Local__ToMaster__ExecutorExited exited = QUERN__LOCAL__TO_MASTER__EXECUTOR_EXITED__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;

	framework.value = k->framework[conn];
	id.value = (char *)executor;
	exited.framework_id = &framework;
	exited.executor_id = &id;
	exited.status = status;
	m.executor_exited = &exited;
	kit_agent_says(k, link, &m);
}

static inline void kit_unregister(struct kit *k, int link)
{
	Quern__Local__ToMaster m = QUERN__LOCAL__TO_MASTER__INIT;

	m.has_unregister = m.unregister = 1;
	kit_agent_says(k, link, &m);
}

/* ---- About tasks ---- */

static inline void kit_acknowledge(struct kit *k, int conn, const char *agent, const char *task, uint8_t uuid)
{
	Mesos__V1__Scheduler__Call__Acknowledge ack = MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_ID];
	uint8_t bytes[16];

	memset(bytes, uuid, sizeof(bytes));
	agent_id.value = kit_long(k, agent, room);
	id.value = (char *)task;
	ack.agent_id = &agent_id;
	ack.task_id = &id;
	ack.uuid = (ProtobufCBinaryData){ .data = bytes, .len = sizeof(bytes) };
	call.acknowledge = &ack;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE, &call);
}

static inline void kit_kill(struct kit *k, int conn, const char *task, const char *agent)
{
	Mesos__V1__Scheduler__Call__Kill kill = MESOS__V1__SCHEDULER__CALL__KILL__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_ID];

	id.value = (char *)task;
	kill.task_id = &id;
	if (agent != NULL) {
		agent_id.value = kit_long(k, agent, room);
		kill.agent_id = &agent_id;
	}
	call.kill = &kill;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__KILL, &call);
}

/* `task` NULL: implicit. */
static inline void kit_reconcile(struct kit *k, int conn, const char *task, const char *agent)
{
	Mesos__V1__Scheduler__Call__Reconcile reconcile = MESOS__V1__SCHEDULER__CALL__RECONCILE__INIT;
	Mesos__V1__Scheduler__Call__Reconcile__Task one = MESOS__V1__SCHEDULER__CALL__RECONCILE__TASK__INIT;
	Mesos__V1__Scheduler__Call__Reconcile__Task *list[] = { &one };
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	char room[KIT_ID];

	id.value = (char *)task;
	one.task_id = &id;
	if (agent != NULL) {
		agent_id.value = kit_long(k, agent, room);
		one.agent_id = &agent_id;
	}
	reconcile.tasks = list;
	reconcile.n_tasks = task != NULL;
	call.reconcile = &reconcile;
	kit_call(k, conn, MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE, &call);
}

#endif
