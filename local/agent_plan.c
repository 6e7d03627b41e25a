/* agent_plan.c: what a step of the agent's core wants done. */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "local/agent_state.h"

void agent_plan_reset(struct agent_plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		struct agent_action *x = &plan->at[i];

		free(x->text);
		free(x->container);
		free(x->path);
		free(x->data);
		for (size_t k = 0; x->env != NULL && x->env[k] != NULL; k++)
			free(x->env[k]);
		free(x->env);
		if (x->command != NULL)
			mesos__v1__command_info__free_unpacked(x->command, NULL);
	}
	plan->n = 0;
}

void agent_plan_deinit(struct agent_plan *plan)
{
	agent_plan_reset(plan);
	free(plan->at);
	*plan = (struct agent_plan){ 0 };
}

struct agent_action *agent_do(struct agent *a, enum agent_action_kind kind)
{
	static struct agent_action nowhere; /* is never read: the step fails */

	if (vec_push(a->plan, ((struct agent_action){ .kind = kind })) < 0) {
		a->oom = true;
		return &nowhere;
	}
	return &a->plan->at[a->plan->n - 1];
}

char *agent_strdup(struct agent *a, const char *text)
{
	char *copy = strdup(text);

	if (copy == NULL)
		a->oom = true;
	return copy;
}

void agent_reply(struct agent *a, uint64_t conn, int status, const char *text)
{
	struct agent_action *x = agent_do(a, AGENT_DO_REPLY);

	x->conn = conn;
	x->status = status;
	if (text != NULL)
		x->text = agent_strdup(a, text);
}

static uint8_t *pack(struct agent *a, const ProtobufCMessage *m, size_t *ret_len)
{
	*ret_len = protobuf_c_message_get_packed_size(m);
	uint8_t *data = malloc(*ret_len > 0 ? *ret_len : 1);

	if (data == NULL)
		a->oom = true;
	else
		(void)protobuf_c_message_pack(m, data);
	return data;
}

void agent_to_master(struct agent *a, const Quern__Local__ToMaster *m)
{
	if (!a->linked)
		return; /* what matters is sent again, or part of the next Register */
	size_t len;
	uint8_t *data = pack(a, &m->base, &len);
	struct agent_action *x = agent_do(a, AGENT_DO_MASTER);
	x->data = data;
	x->len = len;
}

void agent_to_executor(struct agent *a, const struct executor *e, Mesos__V1__Executor__Event__Type type,
	Mesos__V1__Executor__Event *m)
{
	size_t len;

	m->has_type = 1;
	m->type = type;
	uint8_t *data = pack(a, &m->base, &len);
	struct agent_action *x = agent_do(a, AGENT_DO_EVENT);
	x->conn = e->conn;
	x->data = data;
	x->len = len;
}

void *agent_dup(struct agent *a, const void *message)
{
	const ProtobufCMessage *m = message;
	size_t len;
	uint8_t *data = pack(a, m, &len);

	void *copy = data != NULL ? protobuf_c_message_unpack(m->descriptor, NULL, len, data) : NULL;
	free(data);
	if (copy == NULL)
		a->oom = true;
	return copy;
}
