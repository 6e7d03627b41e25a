/* plan.c: the list of what is to be done. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/state.h"

int plan_add(struct exec_plan *plan, struct exec_action action)
{
	int r = vec_push(plan, action);

	if (r < 0) {
		free(action.text);
		free(action.data);
	}
	return r;
}

int plan_text(struct exec_plan *plan, enum exec_action_kind kind, int code, const char *format, ...)
{
	struct exec_action a = { .kind = kind, .code = code };
	va_list ap;

	va_start(ap, format);
	int n = vasprintf(&a.text, format, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : plan_add(plan, a);
}

int plan_message(struct exec_plan *plan, enum exec_action_kind kind, const ProtobufCMessage *message)
{
	struct exec_action a = { .kind = kind, .len = protobuf_c_message_get_packed_size(message) };

	a.data = malloc(a.len > 0 ? a.len : 1);
	if (a.data == NULL)
		return -ENOMEM;
	(void)protobuf_c_message_pack(message, a.data);
	return plan_add(plan, a);
}

void *message_dup(const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);

	uint8_t *bytes = malloc(len > 0 ? len : 1);
	if (bytes == NULL)
		return NULL;
	(void)protobuf_c_message_pack(message, bytes);
	ProtobufCMessage *copy = protobuf_c_message_unpack(message->descriptor, NULL, len, bytes);
	free(bytes);
	return copy;
}

void exec_plan_reset(struct exec_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->at[i].text);
		free(plan->at[i].data);
	}
	plan->n = 0;
}

void exec_plan_deinit(struct exec_plan *plan)
{
	exec_plan_reset(plan);
	vec_deinit(plan);
}
