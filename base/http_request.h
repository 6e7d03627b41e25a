/* http_request.h: one request as libcurl sees it. Behind http.h: http.c has the loop and the lives of
 * requests, http_request.c what is told to libcurl, and what libcurl tells. */
#ifndef QUERN_BASE_HTTP_REQUEST_H
#define QUERN_BASE_HTTP_REQUEST_H

#include <curl/curl.h>

#include "base/buf.h"
#include "base/http.h"

struct http_client {
	struct event_base *loop;
	CURLM *multi;
	struct event *timer;           /* libcurl's */
	struct event *reaper;          /* `done` of requests that ended, were cancelled or go on */
	struct http_request *requests; /* all */
	char *ca;                      /* PEM; NULL: the system's */
	bool closing;
};

struct http_request {
	struct http_client *client;
	struct http_request *next, *prev;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	struct event *idle;    /* or NULL */
	struct http_options o; /* callbacks, arg and idle_ms only */
	uint64_t moved_ms;     /* when a byte of a body last did */
	char error[CURL_ERROR_SIZE];
	char *location, *stream_id, *content_type;
	struct buf body, sent;
	CURLcode code;        /* how it ended */
	bool started;         /* libcurl has it */
	bool paused, starved; /* by http_pause(), as `pull` had nothing */
	bool go_on;           /* the reaper resumes it */
	bool ended, head_told, too_large, cancelled, no_memory, idled;
};

/* Makes the request in `r`, whose client is set: all that libcurl is told. 0, -ENOMEM, -EINVAL (the URL);
 * http_request_free() in any case. */
int http_request_set(struct http_request *r, const struct http_options *options, struct err *err);
void http_request_free(struct http_request *r);

/* Tells the owner of the head, once. false: it wants no more. */
bool http_request_tell_head(struct http_request *r);

/* How it ended, and everything that came. Borrowed from `r`. */
void http_request_result(const struct http_request *r, struct http_response *ret);

/* Has the reaper run its `done`, unless it is about to. */
void http_request_end(struct http_request *r, CURLcode code);

/* Bytes moved, or a pause is over: the idle time begins anew. */
void http_request_moved(struct http_request *r);

#endif
