#include "bench/neighbour/calls.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "mesos/codec.h"

typedef Mesos__V1__Scheduler__Call Call;

int calls_subscribe(const struct calls_config *config, struct buf *out)
{
	Call c = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Subscribe s = MESOS__V1__SCHEDULER__CALL__SUBSCRIBE__INIT;
	Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;
	Mesos__V1__FrameworkInfo__Capability capability = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__INIT;
	Mesos__V1__FrameworkInfo__Capability *capabilities[] = { &capability };
	char *roles[] = { (char *)config->role };

	capability.has_type = 1;
	capability.type = MESOS__V1__FRAMEWORK_INFO__CAPABILITY__TYPE__MULTI_ROLE;
	info.user = getenv("USER") != NULL ? getenv("USER") : (char[]){ "root" };
	info.name = (char *)config->name;
	info.roles = roles;
	info.n_roles = 1;
	info.capabilities = capabilities;
	info.n_capabilities = 1;
	c.has_type = 1;
	c.type = MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE;
	c.subscribe = &s;
	s.framework_info = &info;
	return mesos_encode(&c.base, MESOS_PROTOBUF, out);
}

static int encode(Call *c, Mesos__V1__Scheduler__Call__Type type, const char *framework_id, struct buf *out)
{
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;

	id.value = (char *)framework_id;
	c->framework_id = &id;
	c->has_type = 1;
	c->type = type;
	return mesos_encode(&c->base, MESOS_PROTOBUF, out);
}

int calls_simple(Mesos__V1__Scheduler__Call__Type type, const char *framework_id,
	Mesos__V1__TaskStatus *acknowledge, struct buf *out)
{
	Call c = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Acknowledge a = MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;

	if (acknowledge != NULL) {
		a.agent_id = acknowledge->agent_id;
		a.task_id = acknowledge->task_id;
		a.uuid = acknowledge->uuid;
		c.acknowledge = &a;
	}
	return encode(&c, type, framework_id, out);
}

/* ---- Resources ---- */

struct scalar {
	Mesos__V1__Resource resource;
	Mesos__V1__Resource__AllocationInfo allocation;
	Mesos__V1__Value__Scalar value;
};

static Mesos__V1__Resource *scalar(struct scalar *s, const char *name, double value, const char *role)
{
	mesos__v1__resource__init(&s->resource);
	mesos__v1__resource__allocation_info__init(&s->allocation);
	mesos__v1__value__scalar__init(&s->value);
	s->value.value = value;
	s->allocation.role = (char *)role;
	s->resource.name = (char *)name;
	s->resource.type = MESOS__V1__VALUE__TYPE__SCALAR;
	s->resource.scalar = &s->value;
	s->resource.allocation_info = &s->allocation;
	return &s->resource;
}

double calls_offered(const Mesos__V1__Offer *offer, const char *name)
{
	double sum = 0;

	for (size_t i = 0; i < offer->n_resources; i++) {
		const Mesos__V1__Resource *r = offer->resources[i];

		if (r->scalar != NULL && strcmp(r->name, name) == 0 && r->n_reservations == 0 &&
			r->revocable == NULL)
			sum += r->scalar->value;
	}
	return sum;
}

/* ---- ACCEPT ---- */

struct task {
	Mesos__V1__TaskInfo info;
	Mesos__V1__TaskID id;
};

/* What all tasks of a launch share. */
struct shared {
	Mesos__V1__ExecutorInfo executor;
	Mesos__V1__ExecutorID executor_id;
	Mesos__V1__FrameworkID framework_id;
	Mesos__V1__CommandInfo command; /* the executor's, or a task's */
	struct scalar scalars[4];
	Mesos__V1__Resource *own[2], *each[2];
	char text[160];
};

static void fill_executor(struct shared *s, const char *command, const char *framework_id)
{
	mesos__v1__executor_info__init(&s->executor);
	mesos__v1__executor_id__init(&s->executor_id);
	mesos__v1__framework_id__init(&s->framework_id);
	s->command.value = (char *)command;
	s->framework_id.value = (char *)framework_id;
	s->executor_id.value = (char *)"batch";
	s->executor.has_type = 1;
	s->executor.type = MESOS__V1__EXECUTOR_INFO__TYPE__CUSTOM;
	s->executor.executor_id = &s->executor_id;
	s->executor.framework_id = &s->framework_id;
	s->executor.command = &s->command;
	s->executor.resources = s->own;
	s->executor.n_resources = 2;
}

static void fill_shared(struct shared *s, const struct calls_config *config, const char *framework_id)
{
	double seconds = (double)config->task_ms / 1000;

	mesos__v1__command_info__init(&s->command);
	s->own[0] = scalar(&s->scalars[0], "cpus", BATCH_EXECUTOR_MILLI / 1000.0, config->role);
	s->own[1] = scalar(&s->scalars[1], "mem", BATCH_EXECUTOR_MB, config->role);
	s->each[0] = scalar(&s->scalars[2], "cpus", BATCH_TASK_MILLI / 1000.0, config->role);
	s->each[1] = scalar(&s->scalars[3], "mem", BATCH_TASK_MB, config->role);
	if (config->executor != NULL) {
		(void)snprintf(s->text, sizeof(s->text), "%s %" PRIu64, config->spin ? "spin" : "sleep",
			config->task_ms);
		fill_executor(s, config->executor, framework_id);
	} else {
		(void)snprintf(s->text, sizeof(s->text),
			config->spin ? "timeout %g sh -c 'while :; do :; done'; true" : "exec sleep %g",
			seconds);
		s->command.value = s->text;
	}
}

static void fill_task(struct task *t, struct shared *s, const struct calls_config *config,
	Mesos__V1__Offer *offer, char *id)
{
	mesos__v1__task_info__init(&t->info);
	mesos__v1__task_id__init(&t->id);
	t->id.value = t->info.name = id;
	t->info.task_id = &t->id;
	t->info.agent_id = offer->agent_id;
	t->info.resources = s->each;
	t->info.n_resources = 2;
	if (config->executor == NULL) {
		t->info.command = &s->command;
		return;
	}
	t->info.executor = &s->executor;
	t->info.has_data = 1;
	t->info.data = (ProtobufCBinaryData){ .data = (uint8_t *)s->text, .len = strlen(s->text) };
}

int calls_accept(const struct calls_config *config, const char *framework_id, Mesos__V1__Offer *offer,
	char (*ids)[BATCH_ID_SIZE], uint32_t n, struct buf *out)
{
	Call c = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Accept accept = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
	Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT,
				    *operations[] = { &operation };
	Mesos__V1__Offer__Operation__Launch launch = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
	auto_free struct task *tasks = calloc(n + 1, sizeof(*tasks));
	auto_free Mesos__V1__TaskInfo **infos = calloc(n + 1, sizeof(*infos));
	struct shared shared;

	if (tasks == NULL || infos == NULL)
		return -ENOMEM;
	fill_shared(&shared, config, framework_id);
	for (uint32_t i = 0; i < n; i++) {
		fill_task(&tasks[i], &shared, config, offer, ids[i]);
		infos[i] = &tasks[i].info;
	}
	operation.has_type = 1;
	operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
	operation.launch = &launch;
	launch.task_infos = infos;
	launch.n_task_infos = n;
	accept.offer_ids = &offer->id;
	accept.n_offer_ids = 1;
	accept.operations = operations;
	accept.n_operations = n > 0 ? 1 : 0;
	c.accept = &accept;
	return encode(&c, MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT, framework_id, out);
}
