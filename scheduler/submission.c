#include "scheduler/submission.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/resources.h"

typedef Mesos__V1__Scheduler__Call Call;
typedef Mesos__V1__Scheduler__Event Event;

#define CALL(name) MESOS__V1__SCHEDULER__CALL__TYPE__##name

static const double REFUSE_S = 1; /* of what is declined: it may have grown by then */

struct submission {
	const struct submission_config *c;
	enum submission_state state;
	char *id, *host;
	uint32_t offers, leaving;
	int64_t latest_ns; /* maintenance may begin then */
	bool unsure;
	char why[512];
};

int submission_new(const struct submission_config *config, struct submission **ret)
{
	struct submission *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -ENOMEM;
	s->c = config;
	s->latest_ns = INT64_MAX;
	*ret = s;
	return 0;
}

struct submission *submission_free(struct submission *s)
{
	if (s == NULL)
		return NULL;
	free(s->id);
	free(s->host);
	free(s);
	return NULL;
}

void submission_calls_deinit(submission_calls *calls)
{
	for (size_t i = 0; i < calls->n; i++)
		buf_deinit(&calls->at[i]);
	vec_deinit(calls);
}

static bool over(const struct submission *s)
{
	return s->state == SUBMISSION_TAKEN || s->state == SUBMISSION_FAILED;
}

static void failed(struct submission *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void failed(struct submission *s, const char *format, ...)
{
	va_list ap;

	if (over(s))
		return;
	va_start(ap, format);
	(void)vsnprintf(s->why, sizeof(s->why), format, ap);
	va_end(ap);
	s->state = SUBMISSION_FAILED;
}

/* ---- Calls ---- */

static int add_call(const struct submission *s, Call *call, Mesos__V1__Scheduler__Call__Type type,
	submission_calls *calls)
{
	Mesos__V1__FrameworkID id = MESOS__V1__FRAMEWORK_ID__INIT;
	struct buf bytes = BUF_INIT(SIZE_MAX);

	id.value = s->id;
	call->framework_id = &id;
	call->has_type = 1;
	call->type = type;
	int r = buf_reserve(&bytes, mesos__v1__scheduler__call__get_packed_size(call));
	if (r == 0)
		bytes.len += mesos__v1__scheduler__call__pack(call, bytes.data);
	if (r == 0)
		r = vec_push(calls, bytes);
	if (r < 0)
		buf_deinit(&bytes);
	return r;
}

int submission_tear_down(const struct submission *s, submission_calls *calls)
{
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;

	return s->id == NULL || s->state == SUBMISSION_TAKEN ? 0 : add_call(s, &call, CALL(TEARDOWN), calls);
}

static int decline(const struct submission *s, Mesos__V1__OfferID *id, submission_calls *calls)
{
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Decline body = MESOS__V1__SCHEDULER__CALL__DECLINE__INIT;
	Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;

	filters.has_refuse_seconds = 1;
	filters.refuse_seconds = REFUSE_S;
	body.n_offer_ids = 1;
	body.offer_ids = &id;
	body.filters = &filters;
	call.decline = &body;
	return add_call(s, &call, CALL(DECLINE), calls);
}

static int acknowledge(
	const struct submission *s, const Mesos__V1__TaskStatus *status, submission_calls *calls)
{
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Acknowledge body = MESOS__V1__SCHEDULER__CALL__ACKNOWLEDGE__INIT;

	if (!status->has_uuid || status->uuid.len == 0 || status->agent_id == NULL)
		return 0;
	body.agent_id = status->agent_id;
	body.task_id = status->task_id;
	body.uuid = status->uuid;
	call.acknowledge = &body;
	return add_call(s, &call, CALL(ACKNOWLEDGE), calls);
}

/* ---- Offers ---- */

struct pieces {
	Mesos__V1__Resource **at;
	size_t n;
};

static int take(struct resources *from, uint32_t cpus_milli, uint32_t mem_mb, struct pieces *ret)
{
	struct resources *part = NULL;

	int r = resources_new(&part);
	if (r == 0)
		r = resources_take(from, "cpus", cpus_milli, part);
	if (r == 0)
		r = resources_take(from, "mem", (int64_t)mem_mb * 1000, part);
	if (r == 0)
		r = resources_to_pb(part, &ret->at, &ret->n);
	(void)resources_free(part);
	return r;
}

/* What of an offer a driver may have: not what can be taken away from it, nor what others share. */
static int usable(const Mesos__V1__Offer *offer, struct resources **ret)
{
	Mesos__V1__Resource **some = calloc(offer->n_resources + 1, sizeof(*some));
	size_t n = 0;

	if (some == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < offer->n_resources; i++)
		if (offer->resources[i]->revocable == NULL && offer->resources[i]->shared == NULL)
			some[n++] = offer->resources[i];
	int r = resources_from_pb(some, n, ret, NULL);
	free(some);
	return r == -EINVAL ? -ERANGE : r;
}

static int accept(const struct submission *s, const Mesos__V1__Offer *offer, const struct pieces *task,
	const struct pieces *of_executor, submission_calls *calls)
{
	Call call = MESOS__V1__SCHEDULER__CALL__INIT;
	Mesos__V1__Scheduler__Call__Accept body = MESOS__V1__SCHEDULER__CALL__ACCEPT__INIT;
	Mesos__V1__Offer__Operation operation = MESOS__V1__OFFER__OPERATION__INIT, *operations = &operation;
	Mesos__V1__Offer__Operation__Launch launch = MESOS__V1__OFFER__OPERATION__LAUNCH__INIT;
	Mesos__V1__TaskInfo info = MESOS__V1__TASK_INFO__INIT, *infos = &info;
	Mesos__V1__ExecutorInfo executor = *s->c->executor;
	Mesos__V1__ExecutorID executor_id = MESOS__V1__EXECUTOR_ID__INIT;
	Mesos__V1__FrameworkID framework_id = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__TaskID task_id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__Filters filters = MESOS__V1__FILTERS__INIT;
	Mesos__V1__OfferID *id = offer->id;

	task_id.value = executor_id.value = (char *)(uintptr_t)s->c->task;
	framework_id.value = s->id;
	executor.executor_id = &executor_id;
	executor.framework_id = &framework_id;
	executor.name = info.name = (char *)(uintptr_t)s->c->name;
	executor.n_resources = of_executor->n;
	executor.resources = of_executor->at;
	info.task_id = &task_id;
	info.agent_id = offer->agent_id;
	info.n_resources = task->n;
	info.resources = task->at;
	info.executor = &executor;
	launch.n_task_infos = 1;
	launch.task_infos = &infos;
	operation.has_type = 1;
	operation.type = MESOS__V1__OFFER__OPERATION__TYPE__LAUNCH;
	operation.launch = &launch;
	filters.has_refuse_seconds = 1;
	filters.refuse_seconds = 0; /* the driver may want the rest at once */
	body.n_offer_ids = 1;
	body.offer_ids = &id;
	body.n_operations = 1;
	body.operations = &operations;
	body.filters = &filters;
	call.accept = &body;
	return add_call(s, &call, CALL(ACCEPT), calls);
}

/* Launches on the offer. -ERANGE: it is too small. */
static int try_launch(struct submission *s, const Mesos__V1__Offer *offer, submission_calls *calls)
{
	struct resources *all = NULL;
	struct pieces task = { NULL }, executor = { NULL };

	int r = usable(offer, &all);
	if (r == 0)
		r = take(all, s->c->executor_cpus_milli, s->c->executor_mem_mb, &executor);
	if (r == 0)
		r = take(all, s->c->cpus_milli, s->c->mem_mb, &task);
	if (r == 0 && (s->host = strdup(offer->hostname)) == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = accept(s, offer, &task, &executor, calls);
	if (r == 0)
		s->state = SUBMISSION_LAUNCHED;
	resources_pb_free(task.at, task.n);
	resources_pb_free(executor.at, executor.n);
	(void)resources_free(all);
	return r;
}

static bool leaves(const struct submission *s, const Mesos__V1__Offer *offer)
{
	return offer->unavailability != NULL && offer->unavailability->start->nanoseconds < s->latest_ns;
}

static int on_offers(
	struct submission *s, const Mesos__V1__Scheduler__Event__Offers *offers, submission_calls *calls)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < offers->n_offers; i++) {
		bool wanted = s->state == SUBMISSION_WAITS, late = leaves(s, offers->offers[i]);

		r = wanted && !late ? try_launch(s, offers->offers[i], calls) : -EBUSY;
		s->offers += r == -ERANGE;
		s->leaving += wanted && late;
		if (r == -ERANGE || r == -EBUSY)
			r = decline(s, offers->offers[i]->id, calls);
	}
	return r;
}

/* ---- The rest ---- */

static int on_update(struct submission *s, const Mesos__V1__TaskStatus *status, submission_calls *calls)
{
	const ProtobufCEnumValue *name =
		protobuf_c_enum_descriptor_get_value(&mesos__v1__task_state__descriptor, (int)status->state);
	int r = acknowledge(s, status, calls);

	if (r < 0 || strcmp(status->task_id->value, s->c->task) != 0)
		return r;
	switch (status->state) {
	case MESOS__V1__TASK_STATE__TASK_STAGING:
	case MESOS__V1__TASK_STATE__TASK_STARTING:
	case MESOS__V1__TASK_STATE__TASK_KILLING:
		break;
	case MESOS__V1__TASK_STATE__TASK_RUNNING:
		if (s->state == SUBMISSION_LAUNCHED)
			s->state = SUBMISSION_RUNS;
		break;
	default:
		failed(s, "the driver ended on %s before it could take over: %s%s%s",
			s->host != NULL ? s->host : "an agent", name != NULL ? name->name : "?",
			status->message != NULL && status->message[0] != '\0' ? ": " : "",
			status->message != NULL ? status->message : "");
	}
	return 0;
}

static int on_subscribed(struct submission *s, const Mesos__V1__Scheduler__Event__Subscribed *subscribed)
{
	if (s->id != NULL)
		return 0;
	s->id = strdup(subscribed->framework_id->value);
	return s->id == NULL ? -ENOMEM : 0;
}

static void on_error(struct submission *s, const char *message)
{
	bool launched = s->state == SUBMISSION_LAUNCHED || s->state == SUBMISSION_RUNS;

	/* The words of Master::failoverFramework() in src/master/master.cpp, since its first version. */
	if (launched && strcmp(message, "Framework failed over") == 0)
		s->state = SUBMISSION_TAKEN;
	else
		failed(s, "the master ends the framework: %s", message);
}

int submission_event(struct submission *s, const Event *e, submission_calls *calls)
{
	if (over(s))
		return 0;
	switch (e->has_type ? e->type : MESOS__V1__SCHEDULER__EVENT__TYPE__UNKNOWN) {
	case MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED:
		return e->subscribed != NULL ? on_subscribed(s, e->subscribed) : 0;
	case MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS:
		return e->offers != NULL && s->id != NULL ? on_offers(s, e->offers, calls) : 0;
	case MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE:
		return e->update != NULL && s->id != NULL ? on_update(s, e->update->status, calls) : 0;
	case MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR:
		on_error(s, e->error != NULL ? e->error->message : "it does not say why");
		return 0;
	default: /* HEARTBEAT; RESCIND, for no offer is kept; FAILURE, as the task's update comes too */
		return 0;
	}
}

void submission_settle(struct submission *s, int64_t latest_ns)
{
	s->latest_ns = latest_ns;
}

void submission_down(struct submission *s, const char *why)
{
	if (s->state == SUBMISSION_WAITS && s->id != NULL)
		failed(s, "the connection to the master ended: %s", why);
	if (over(s) || s->id == NULL)
		return;
	s->unsure = true;
	failed(s,
		"the connection to the master ended while the driver of %s was being started on %s: %s. It "
		"may run "
		"all the same: see 'quern ps', and end it with 'quern kill %s' before you submit it again",
		s->id, s->host, why, s->id);
}

struct submission_view submission_look(const struct submission *s)
{
	return (struct submission_view){ .state = s->state,
		.id = s->id,
		.host = s->host,
		.why = s->why,
		.offers = s->offers,
		.leaving = s->leaving,
		.unsure = s->unsure };
}
