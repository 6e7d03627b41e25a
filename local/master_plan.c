/* master_plan.c: what a step of the master's core wants done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "local/master_state.h"

void master_plan_reset(struct master_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->at[i].text);
		free(plan->at[i].stream_id);
		free(plan->at[i].data);
	}
	plan->n = 0;
}

void master_plan_deinit(struct master_plan *plan)
{
	master_plan_reset(plan);
	free(plan->at);
	*plan = (struct master_plan){ 0 };
}

/* Takes what the action owns. */
static void act(struct master *m, struct master_action action)
{
	if (vec_push(m->plan, action) < 0) {
		m->oom = true;
		free(action.text);
		free(action.stream_id);
		free(action.data);
	}
}

void master_reply(struct master *m, uint64_t conn, int status, const char *text)
{
	act(m, (struct master_action){
		       .kind = MASTER_DO_REPLY,
		       .conn = conn,
		       .status = status,
		       .text = text != NULL ? master_strdup(m, text) : NULL,
	       });
}

void master_open(struct master *m, uint64_t conn, const char *stream_id)
{
	act(m, (struct master_action){
		       .kind = MASTER_DO_REPLY,
		       .conn = conn,
		       .status = 200,
		       .stream_id = master_strdup(m, stream_id),
	       });
}

void master_close(struct master *m, uint64_t conn)
{
	act(m, (struct master_action){ .kind = MASTER_DO_CLOSE, .conn = conn });
}

uint8_t *master_pack(struct master *m, const void *message, size_t *ret_len)
{
	*ret_len = protobuf_c_message_get_packed_size(message);
	uint8_t *data = malloc(*ret_len > 0 ? *ret_len : 1);

	if (data == NULL)
		m->oom = true;
	else
		(void)protobuf_c_message_pack(message, data);
	return data;
}

void master_to_agent(struct master *m, const struct agent *a, const Quern__Local__ToAgent *message)
{
	struct master_action action = { .kind = MASTER_DO_AGENT, .link = a->link };

	if (!a->linked)
		return;
	action.data = master_pack(m, message, &action.len);
	act(m, action);
}

void master_event(struct master *m, uint64_t conn, Mesos__V1__Scheduler__Event__Type type,
	Mesos__V1__Scheduler__Event *event)
{
	struct master_action action = { .kind = MASTER_DO_EVENT, .conn = conn };

	event->has_type = 1;
	event->type = type;
	action.data = master_pack(m, event, &action.len);
	act(m, action);
}

void master_to_framework(struct master *m, struct framework *f, Mesos__V1__Scheduler__Event__Type type,
	Mesos__V1__Scheduler__Event *event)
{
	if (!f->connected)
		return;
	f->events[type]++;
	master_event(m, f->conn, type, event);
}

void *master_dup(struct master *m, const void *message)
{
	const ProtobufCMessage *from = message;
	size_t len;
	uint8_t *data = master_pack(m, from, &len);
	void *copy = data != NULL ? protobuf_c_message_unpack(from->descriptor, NULL, len, data) : NULL;

	free(data);
	if (copy == NULL)
		m->oom = true;
	return copy;
}

char *master_strdup(struct master *m, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		m->oom = true;
	return copy;
}

void master_set_timer(struct master *m, struct timer *t, uint64_t at_ms)
{
	if (master_timer_set(&m->timers, t, at_ms) < 0)
		m->oom = true;
}
