/* server_request.h: what an HTTP request asks for, decided without a socket: a call that decoded and is well
 * formed, a page, or a refusal with Mesos' status and words. What a call *means* (is there such a framework,
 * is it this stream) is the core's to say.
 *
 * Order of the checks and their words: Master::Http::scheduler in src/master/http.cpp, Http::executor in
 * src/slave/http.cpp, and the validate() functions in src/master/validation.cpp and src/common/validation.cpp
 * of Apache Mesos. */
#ifndef QUERN_LOCAL_SERVER_REQUEST_H
#define QUERN_LOCAL_SERVER_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "mesos/codec.h"

/* Who is asked: each serves its own paths. */
enum server_role { SERVER_MASTER, SERVER_AGENT };

/* Borrowed; what is not there is NULL. */
struct server_request {
	const char *method; /* as sent: "POST" */
	const char *path;   /* without the query, decoded */
	const char *content_type, *accept, *stream_id;
	const void *body;
	size_t body_len;
};

enum server_page {
	SERVER_PAGE_STATE,
	SERVER_PAGE_METRICS,
	SERVER_PAGE_VERSION,
	SERVER_PAGE_REDIRECT,
	SERVER_PAGE_AGENTS /* asked for by POST, in `media` */
};

enum server_kind {
	SERVER_REFUSE, /* status, text, allow */
	SERVER_CALL,   /* call, media */
	SERVER_PAGE,   /* page */
};

struct server_decision {
	enum server_kind kind;
	int status;             /* SERVER_REFUSE: it may be 200 or 202, when no core need be asked */
	char text[1200];        /* its body */
	const char *allow;      /* Allow header, or NULL */
	ProtobufCMessage *call; /* a mesos.v1.scheduler.Call or mesos.v1.executor.Call */
	enum mesos_media media; /* of the stream that the call may open, or the page */
	enum server_page page;
};

/* Decides. 0 and *ret, for server_decision_deinit(); or -ENOMEM. */
int server_decide(enum server_role role, const struct server_request *request, struct server_decision *ret);
void server_decision_deinit(struct server_decision *d);

/* Whether an Accept header (NULL: none) allows "type/subtype". */
bool server_accepts(const char *accept, const char *media_type);

#endif
