#include "local/server_validate.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	UUID_BYTES = 16,
	/* The highest number of a scheduler call's type in Mesos 1.12, UPDATE_FRAMEWORK. To a proto2 reader
	 * an enum value above it is no value at all. */
	SCHEDULER_TYPE_MAX = 17,
	EXECUTOR_TYPE_MAX = MESOS__V1__EXECUTOR__CALL__TYPE__HEARTBEAT,
};

static int expect(bool there, const char *field, struct err *err)
{
	return there ? 0 : err_set(err, -EINVAL, "Expecting '%s' to be present", field);
}

static int expect_uuid(const ProtobufCBinaryData *uuid, struct err *err)
{
	return uuid->len == UUID_BYTES
		       ? 0
		       : err_set(err, -EINVAL, "Not a valid UUID, expected 16 bytes but got %zu", uuid->len);
}

static int validate_subscribe(const Mesos__V1__Scheduler__Call *call, struct err *err)
{
	int r = expect(call->subscribe != NULL, "subscribe", err);
	if (r < 0)
		return r;
	const Mesos__V1__FrameworkID *outer = call->framework_id,
				     *inner = call->subscribe->framework_info->id;
	/* Compared as values: an id that is not there equals an empty one. */
	if (strcmp(outer != NULL ? outer->value : "", inner != NULL ? inner->value : "") != 0)
		return err_set(err, -EINVAL, "'framework_id' differs from 'subscribe.framework_info.id'");
	return 0;
}

static int validate_acknowledge(const Mesos__V1__Scheduler__Call *call, struct err *err)
{
	int r = expect(call->acknowledge != NULL, "acknowledge", err);
	return r < 0 ? r : expect_uuid(&call->acknowledge->uuid, err);
}

int server_validate_scheduler(const Mesos__V1__Scheduler__Call *call, struct err *err)
{
	int r = expect(
		call->has_type && (int)call->type >= 0 && (int)call->type <= SCHEDULER_TYPE_MAX, "type", err);

	if (r == 0 && call->type == MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
		return validate_subscribe(call, err);
	if (r == 0)
		r = expect(call->framework_id != NULL, "framework_id", err);
	if (r < 0)
		return r;
	switch (call->type) {
	case MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT:
		return expect(call->accept != NULL, "accept", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE:
		return expect(call->decline != NULL, "decline", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__ACCEPT_INVERSE_OFFERS:
		return expect(call->accept_inverse_offers != NULL, "accept_inverse_offers", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__DECLINE_INVERSE_OFFERS:
		return expect(call->decline_inverse_offers != NULL, "decline_inverse_offers", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__KILL:
		return expect(call->kill != NULL, "kill", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__SHUTDOWN:
		return expect(call->shutdown != NULL, "shutdown", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__ACKNOWLEDGE:
		return validate_acknowledge(call, err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__RECONCILE:
		return expect(call->reconcile != NULL, "reconcile", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__MESSAGE:
		return expect(call->message != NULL, "message", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__REQUEST:
		return expect(call->request != NULL, "request", err);
	case MESOS__V1__SCHEDULER__CALL__TYPE__UPDATE_FRAMEWORK:
		return expect(call->update_framework != NULL, "update_framework", err);
	default: /* the others need no field of their own */
		return 0;
	}
}

bool server_knows_scheduler(const Mesos__V1__Scheduler__Call *call)
{
	return call->type != MESOS__V1__SCHEDULER__CALL__TYPE__UNKNOWN &&
	       protobuf_c_enum_descriptor_get_value(
		       &mesos__v1__scheduler__call__type__descriptor, (int)call->type) != NULL;
}

static int validate_update(const Mesos__V1__Executor__Call *call, struct err *err)
{
	int r = expect(call->update != NULL, "update", err);
	if (r < 0)
		return r;
	const Mesos__V1__TaskStatus *status = call->update->status;
	const char *executor = call->executor_id->value, *framework = call->framework_id->value;
	r = expect(status->has_uuid, "uuid", err);
	if (r == 0)
		r = expect_uuid(&status->uuid, err);
	if (r < 0)
		return r;
	if (status->executor_id != NULL && strcmp(status->executor_id->value, executor) != 0)
		return err_set(err, -EINVAL,
			"ExecutorID in Call: %.200s does not match ExecutorID in TaskStatus: %.200s",
			executor, status->executor_id->value);
	if (!status->has_source || status->source != MESOS__V1__TASK_STATUS__SOURCE__SOURCE_EXECUTOR)
		return err_set(err, -EINVAL,
			"Received Call from executor %.200s of framework %.200s with invalid source, "
			"expecting "
			"'SOURCE_EXECUTOR'",
			executor, framework);
	if (status->state == MESOS__V1__TASK_STATE__TASK_STAGING)
		return err_set(err, -EINVAL,
			"Received TASK_STAGING from executor %.200s of framework %.200s which is not allowed",
			executor, framework);
	return 0;
}

int server_validate_executor(const Mesos__V1__Executor__Call *call, struct err *err)
{
	int r = expect(
		call->has_type && (int)call->type >= 0 && (int)call->type <= EXECUTOR_TYPE_MAX, "type", err);

	if (r < 0)
		return r;
	switch (call->type) {
	case MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE:
		return expect(call->subscribe != NULL, "subscribe", err);
	case MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE:
		return validate_update(call, err);
	case MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE:
		return expect(call->message != NULL, "message", err);
	default:
		return 0;
	}
}
