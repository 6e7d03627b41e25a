#include "local/server_request.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "local/server_validate.h"
#include "mesos/executor.pb-c.h"
#include "mesos/scheduler.pb-c.h"

/* Fills a refusal. Always 0: a refusal is a decision. */
static int refuse(struct server_decision *d, int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int refuse(struct server_decision *d, int status, const char *format, ...)
{
	va_list args;

	d->kind = SERVER_REFUSE;
	d->status = status;
	va_start(args, format);
	(void)vsnprintf(d->text, sizeof(d->text), format, args);
	va_end(args);
	return 0;
}

/* Whether the parameters of a media range (";q=0.5;...") leave it acceptable: a single q that is a number has
 * to be above 0, as in Request::_acceptsMediaType() of libprocess. */
static bool quality_positive(const char *from, const char *end)
{
	const char *value = NULL;
	int found = 0;

	for (const char *p = from; p < end; p++) {
		if (*p != ';')
			continue;
		const char *name = p + 1 + strspn(p + 1, " \t");
		if (end - name >= 2 && (name[0] == 'q' || name[0] == 'Q') && name[1] == '=') {
			value = name + 2;
			found++;
		}
	}
	return found != 1 || strtod(value, NULL) > 0;
}

/* Whether one media range of an Accept header names `want`. */
static bool range_is(const char *range, const char *end, const char *want)
{
	const char *stop = memchr(range, ';', (size_t)(end - range));

	if (stop == NULL)
		stop = end;
	while (stop > range && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	return (size_t)(stop - range) == strlen(want) && strncasecmp(range, want, strlen(want)) == 0;
}

bool server_accepts(const char *accept, const char *media_type)
{
	char any_subtype[64];

	if (accept == NULL)
		return true;
	(void)snprintf(any_subtype, sizeof(any_subtype), "%.*s/*", (int)strcspn(media_type, "/"), media_type);
	const char *const candidates[] = { media_type, any_subtype, "*/*" };
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		for (const char *range = accept, *end; *range != '\0'; range = end + (*end == ',')) {
			range += strspn(range, " \t");
			end = range + strcspn(range, ",");
			if (range_is(range, end, candidates[i]))
				return quality_positive(range, end);
		}
	}
	return false;
}

static bool one_of(const char *path, const char *const *list)
{
	for (; *list != NULL; list++)
		if (strcmp(path, *list) == 0)
			return true;
	return false;
}

/* Mesos serves its pages under the name of the process too: /master/state, /slave(1)/state. */
static bool page_of(enum server_role role, const char *path, enum server_page *ret)
{
	static const struct {
		const char *path;
		enum server_page page;
		bool master_only;
	} pages[] = {
		{ "/state", SERVER_PAGE_STATE, false },
		{ "/metrics/snapshot", SERVER_PAGE_METRICS, false },
		{ "/version", SERVER_PAGE_VERSION, false },
		{ "/redirect", SERVER_PAGE_REDIRECT, true },
	};
	const char *prefix = role == SERVER_MASTER ? "/master/" : "/slave(1)/";

	if (strncmp(path, prefix, strlen(prefix)) == 0)
		path += strlen(prefix) - 1;
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (strcmp(path, pages[i].path) == 0 && (role == SERVER_MASTER || !pages[i].master_only)) {
			*ret = pages[i].page;
			return true;
		}
	}
	return false;
}

static int not_allowed(
	struct server_decision *d, const char *allow, const char *allow_words, const char *method)
{
	d->allow = allow;
	return refuse(d, 405, "405 Method Not Allowed. Expecting one of { %s }, but received '%.40s'.",
		allow_words, method);
}

static int decode_json(const ProtobufCMessageDescriptor *type, const struct server_request *request,
	struct server_decision *d)
{
	struct err err = { "" };
	json_error_t syntax;

	int r = mesos_decode(type, MESOS_JSON, request->body, request->body_len, &d->call, &err);
	if (r == 0 || r == -ENOMEM)
		return r;
	/* Only a body that is refused is read twice, to tell which of Mesos' two sentences it gets. */
	json_t *json = json_loadb(request->body_len > 0 ? request->body : "", request->body_len,
		JSON_DECODE_ANY | JSON_ALLOW_NUL, &syntax);
	if (json == NULL)
		return refuse(d, 400, "Failed to parse body into JSON: %s", syntax.text);
	json_decref(json);
	return refuse(d, 400, "Failed to convert JSON into Call protobuf: %s", err.text);
}

/* Reads the body into d->call, or refuses it. */
static int decode(const ProtobufCMessageDescriptor *type, const struct server_request *request,
	struct server_decision *d)
{
	struct err err = { "" };
	int r;

	if (request->content_type == NULL)
		return refuse(d, 400, "Expecting 'Content-Type' to be present");
	if (strcasecmp(request->content_type, MESOS_TYPE_JSON) == 0)
		return decode_json(type, request, d);
	if (strcasecmp(request->content_type, MESOS_TYPE_PROTOBUF) != 0)
		return refuse(
			d, 415, "Expecting 'Content-Type' of %s or %s", MESOS_TYPE_JSON, MESOS_TYPE_PROTOBUF);
	r = mesos_decode(type, MESOS_PROTOBUF, request->body, request->body_len, &d->call, &err);
	if (r == 0 || r == -ENOMEM)
		return r;
	return refuse(d, 400, "Failed to parse body into Call protobuf");
}

/* Which media the events of a subscription come in: JSON if allowed, as in Mesos. */
static int choose_media(const struct server_request *request, struct server_decision *d)
{
	if (server_accepts(request->accept, MESOS_TYPE_JSON))
		d->media = MESOS_JSON;
	else if (server_accepts(request->accept, MESOS_TYPE_PROTOBUF))
		d->media = MESOS_PROTOBUF;
	else
		return refuse(d, 406, "Expecting 'Accept' to allow '%s' or '%s'", MESOS_TYPE_PROTOBUF,
			MESOS_TYPE_JSON);
	return 0;
}

static int decide_scheduler(const struct server_request *request, struct server_decision *d)
{
	struct err err = { "" };

	int r = decode(&mesos__v1__scheduler__call__descriptor, request, d);
	if (r < 0 || d->call == NULL)
		return r;
	const Mesos__V1__Scheduler__Call *call = (const Mesos__V1__Scheduler__Call *)d->call;
	if (server_validate_scheduler(call, &err) < 0)
		return refuse(d, 400, "Failed to validate scheduler::Call: %s", err.text);
	if (!server_knows_scheduler(call))
		return refuse(d, 501, "This master does not implement call type %d", (int)call->type);
	d->kind = SERVER_CALL;
	if (call->type != MESOS__V1__SCHEDULER__CALL__TYPE__SUBSCRIBE)
		return 0;
	r = choose_media(request, d);
	if (d->kind == SERVER_CALL && request->stream_id != NULL)
		return refuse(d, 400, "Subscribe calls should not include the 'Mesos-Stream-Id' header");
	return r;
}

static int decide_executor(const struct server_request *request, struct server_decision *d)
{
	struct err err = { "" };

	int r = decode(&mesos__v1__executor__call__descriptor, request, d);
	if (r < 0 || d->call == NULL)
		return r;
	const Mesos__V1__Executor__Call *call = (const Mesos__V1__Executor__Call *)d->call;
	if (server_validate_executor(call, &err) < 0)
		return refuse(d, 400, "Failed to validate Executor::Call: %s", err.text);
	switch (call->type) {
	case MESOS__V1__EXECUTOR__CALL__TYPE__SUBSCRIBE:
		d->kind = SERVER_CALL;
		return choose_media(request, d);
	case MESOS__V1__EXECUTOR__CALL__TYPE__HEARTBEAT:
		return refuse(d, 202, "%s", ""); /* whoever it is from, as Mesos does */
	case MESOS__V1__EXECUTOR__CALL__TYPE__UPDATE:
	case MESOS__V1__EXECUTOR__CALL__TYPE__MESSAGE:
		d->kind = SERVER_CALL;
		return 0;
	default:
		return refuse(d, 501, "This agent does not implement call type %d", (int)call->type);
	}
}

static int decide(enum server_role role, const struct server_request *request, struct server_decision *d)
{
	static const char *const scheduler[] = { "/api/v1/scheduler", "/master/api/v1/scheduler", NULL };
	static const char *const executor[] = { "/api/v1/executor", "/slave(1)/api/v1/executor", NULL };
	static const char *const master_health[] = { "/health", "/master/health", NULL };
	static const char *const agent_health[] = { "/health", "/slave(1)/health", NULL };
	bool get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;

	if (one_of(request->path, role == SERVER_MASTER ? scheduler : executor)) {
		if (strcmp(request->method, "POST") != 0)
			return not_allowed(d, "POST", "'POST'", request->method);
		return role == SERVER_MASTER ? decide_scheduler(request, d) : decide_executor(request, d);
	}
	bool health = one_of(request->path, role == SERVER_MASTER ? master_health : agent_health);
	if (!health && !page_of(role, request->path, &d->page))
		return refuse(d, 404, "%s", "");
	if (!get)
		return not_allowed(d, "GET", "'GET'", request->method);
	if (health)
		return refuse(d, 200, "%s", "");
	d->kind = SERVER_PAGE;
	return 0;
}

int server_decide(enum server_role role, const struct server_request *request, struct server_decision *ret)
{
	struct server_decision d = { .kind = SERVER_REFUSE, .media = MESOS_PROTOBUF };

	int r = decide(role, request, &d);
	if (r < 0) {
		server_decision_deinit(&d);
		return r;
	}
	if (d.kind != SERVER_CALL)
		server_decision_deinit(&d); /* of a call that was refused after it decoded */
	*ret = d;
	return 0;
}

void server_decision_deinit(struct server_decision *d)
{
	if (d->call != NULL)
		protobuf_c_message_free_unpacked(d->call, NULL);
	d->call = NULL;
}
