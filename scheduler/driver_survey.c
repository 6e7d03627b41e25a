/* driver_survey.c: which agents there are, asked of the master by its operators' API: for a job that waits to
 * say why. One question at a time; an answer that is none (not everybody may ask) is no trouble. */
#include <errno.h>
#include <stdio.h>

#include "base/auto.h"
#include "mesos/codec.h"
#include "scheduler/driver_state.h"

enum {
	ANSWER_MAX = 64 << 20, /* bytes: some thousands of agents */
	ANSWER_MS = 10000
};

static void on_answer(void *arg, const struct http_response *r)
{
	struct driver *d = arg;
	ProtobufCMessage *m = NULL;
	struct err err = { "" };

	d->surveying = false;
	if (r->result == 0 && r->status == 200 &&
		mesos_decode(&mesos__v1__master__response__descriptor, MESOS_PROTOBUF, r->body, r->body_len,
			&m, &err) < 0)
		m = NULL;
	const Mesos__V1__Master__Response *answer = (const Mesos__V1__Master__Response *)m;
	if (d->c->verbose && !d->ending && answer == NULL)
		driver_say(d, "the master does not say which agents it has: %s %ld",
			r->result < 0 ? r->error : "HTTP status", r->status);
	driver_step(d, (struct sched_event){ .kind = SCHED_EV_SURVEY,
			       .u.survey = answer != NULL ? answer->get_agents : NULL });
	if (m != NULL)
		protobuf_c_message_free_unpacked(m, NULL);
}

int driver_survey(struct driver *d)
{
	Mesos__V1__Master__Call call = MESOS__V1__MASTER__CALL__INIT;
	const char *target = d->mesos != NULL ? mesos_client_at(d->mesos) : "";
	auto_free char *url = NULL, *authorization = NULL;
	const char *headers[4] = { "Content-Type: " MESOS_TYPE_PROTOBUF, "Accept: " MESOS_TYPE_PROTOBUF };
	uint8_t body[16];
	struct err err = { "" };

	if (d->surveying || target[0] == '\0') /* the core waits no longer than it likes */
		return 0;
	call.has_type = 1;
	call.type = MESOS__V1__MASTER__CALL__TYPE__GET_AGENTS;
	if (asprintf(&url, "http://%s/api/v1", target) < 0) {
		url = NULL;
		return -ENOMEM;
	}
	if (d->c->authorization != NULL &&
		asprintf(&authorization, "Authorization: %s", d->c->authorization) < 0) {
		authorization = NULL;
		return -ENOMEM;
	}
	headers[2] = authorization;
	const struct http_options o = { .method = "POST",
		.url = url,
		.headers = headers,
		.body = body,
		.body_len = mesos__v1__master__call__pack(&call, body),
		.timeout_ms = ANSWER_MS,
		.max_body = ANSWER_MAX,
		.done = on_answer,
		.arg = d };
	int r = http_start(d->http, &o, NULL, &err);
	d->surveying = r == 0;
	return r == -ENOMEM ? r : 0;
}
