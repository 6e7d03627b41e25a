/* What the embedded cluster's HTTP handlers decide about a request: method, path, three headers and the body,
 * each behind a NUL; the first byte is the role. */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "local/server_request.h"
#include "local/server_validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The text up to the next NUL, which *at moves behind; NULL: an empty one, or none left. */
static const char *next_text(const char **at, const char *end)
{
	const char *text = *at, *nul = memchr(text, '\0', (size_t)(end - text));

	if (nul == NULL)
		return NULL;
	*at = nul + 1;
	return nul == text ? NULL : text;
}

static void check_call(enum server_role role, const struct server_decision *d)
{
	struct err err = { "" };

	assert(d->call != NULL && protobuf_c_message_check(d->call));
	if (role == SERVER_MASTER) {
		assert(d->call->descriptor == &mesos__v1__scheduler__call__descriptor);
		assert(server_validate_scheduler((const Mesos__V1__Scheduler__Call *)d->call, &err) == 0);
		assert(server_knows_scheduler((const Mesos__V1__Scheduler__Call *)d->call));
	} else {
		assert(d->call->descriptor == &mesos__v1__executor__call__descriptor);
		assert(server_validate_executor((const Mesos__V1__Executor__Call *)d->call, &err) == 0);
	}
}

/* An operator's. */
static void check_ask(enum server_role role, const struct server_decision *d)
{
	struct err err = { "" };

	assert(protobuf_c_message_check(d->call) && !d->subscribes);
	if (role == SERVER_MASTER)
		assert(server_validate_master((const Mesos__V1__Master__Call *)d->call, &err) == 0);
	else
		assert(server_validate_agent((const Mesos__V1__Agent__Call *)d->call, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct server_decision d;

	if (size == 0)
		return 0;
	const enum server_role role = data[0] % 2 == 0 ? SERVER_MASTER : SERVER_AGENT;
	const char *at = (const char *)data + 1, *end = (const char *)data + size;
	const char *method = next_text(&at, end), *path = next_text(&at, end);
	struct server_request r = { .method = method != NULL ? method : "",
		.path = path != NULL ? path : "" };
	r.content_type = next_text(&at, end);
	r.accept = next_text(&at, end);
	r.stream_id = next_text(&at, end);
	r.body = at;
	r.body_len = (size_t)(end - at);
	if (server_decide(role, &r, &d) < 0)
		return 0;
	assert((d.kind == SERVER_CALL || d.kind == SERVER_ASK) == (d.call != NULL));
	if (d.kind == SERVER_REFUSE)
		assert(d.status >= 200 && d.status < 600 && memchr(d.text, '\0', sizeof(d.text)) != NULL);
	else if (d.kind == SERVER_CALL)
		check_call(role, &d);
	else if (d.kind == SERVER_ASK)
		check_ask(role, &d);
	server_decision_deinit(&d);
	return 0;
}
