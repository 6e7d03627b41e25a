/* sched_plan.c: the list of what is to be done. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_parts.h"

int sched_plan_add(struct sched *s, struct sched_action action)
{
	int r = vec_push(s->plan, action);

	if (r < 0) {
		free(action.text);
		free(action.data);
	}
	return r;
}

int sched_plan_text(
	struct sched *s, enum sched_action_kind kind, uint32_t run, int code, const char *format, ...)
{
	struct sched_action a = { .kind = kind, .run = run, .code = code };
	va_list ap;

	va_start(ap, format);
	int n = vasprintf(&a.text, format, ap);
	va_end(ap);
	return n < 0 ? -ENOMEM : sched_plan_add(s, a);
}

int sched_plan_message(
	struct sched *s, enum sched_action_kind kind, const char *executor, const ProtobufCMessage *message)
{
	struct sched_action a = { .kind = kind, .len = protobuf_c_message_get_packed_size(message) };

	a.data = malloc(a.len > 0 ? a.len : 1);
	if (a.data != NULL && executor != NULL)
		a.text = strdup(executor);
	if (a.data == NULL || (executor != NULL && a.text == NULL)) {
		free(a.data);
		return -ENOMEM;
	}
	(void)protobuf_c_message_pack(message, a.data);
	return sched_plan_add(s, a);
}

int sched_plan_bytes(struct sched *s, struct sched_action action, const void *data, size_t len)
{
	action.data = malloc(len > 0 ? len : 1);
	if (action.data == NULL) {
		free(action.text);
		return -ENOMEM;
	}
	if (len > 0)
		memcpy(action.data, data, len);
	action.len = len;
	return sched_plan_add(s, action);
}

void *sched_message_dup(const ProtobufCMessage *message)
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

void sched_look_at(struct sched *s, uint64_t ms)
{
	if (ms < s->look_ms)
		s->look_ms = ms;
}

void sched_plan_reset(struct sched_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->at[i].text);
		free(plan->at[i].data);
	}
	plan->n = 0;
}

void sched_plan_deinit(struct sched_plan *plan)
{
	sched_plan_reset(plan);
	vec_deinit(plan);
}
