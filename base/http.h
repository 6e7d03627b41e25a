/* http.h: HTTP requests on the event loop: libcurl's multi interface driven by libevent.
 *
 * A request's `done` runs exactly once, also when it is cancelled or its client is freed, and never from
 * inside http_start(). Inside a callback everything but http_client_free() may be called. */
#ifndef QUERN_BASE_HTTP_H
#define QUERN_BASE_HTTP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct http_client; /* a pool of kept-alive connections */
struct http_request;

/* 0, -ENOMEM or -EIO (libcurl would not start). `max_host_connections`: 0 = no limit. TCP_NODELAY and TCP
 * keepalive are on. */
int http_client_new(
	struct event_base *loop, long max_host_connections, struct http_client **ret, struct err *err);

/* Cancels what is under way (each `done` runs with -ECANCELED; what it starts is refused), then frees. Takes
 * and returns NULL. */
struct http_client *http_client_free(struct http_client *client);

/* Whom to trust as a server of https: certificates of CAs as PEM, copied; in place of those of the system.
 * 0, -ENOMEM, or -EBUSY while there are requests. */
int http_client_set_ca(struct http_client *client, const char *pem, struct err *err);

struct http_response {
	int result;  /* 0: the exchange took place, see status; or -ECANCELED, -ETIMEDOUT, -EHOSTUNREACH (its
		      * name was not found), -ECONNREFUSED (nobody there), -EKEYREJECTED (TLS: its certificate
		      * is not trusted, or there is no TLS), -ECONNRESET, -EIO, -EMSGSIZE (body above
		      * max_body) */
	long status; /* HTTP status, 0 if there was none */
	bool sent;   /* some of the request was: with result < 0, whether the server may have seen it */
	const char *error;    /* with result < 0: a sentence. Borrowed, as everything here, during the call */
	const char *location; /* Location header as sent, or NULL: redirects are the caller's business */
	const char *stream_id;    /* Mesos-Stream-Id header, or NULL */
	const char *content_type; /* or NULL */
	const void *body;         /* what was received, unless the request had on_data */
	size_t body_len;
};

struct http_options {
	const char *method; /* "GET", "POST", ... */
	const char *url;
	const char *const *headers; /* "Name: value", NULL-terminated; or NULL */
	const void *body;           /* copied; NULL: none */
	size_t body_len;
	long connect_timeout_ms; /* 0: 10 s */
	long timeout_ms;         /* whole exchange; 0: none (streams) */
	uint32_t idle_ms; /* -ETIMEDOUT when no byte of a body moved for as long, pauses aside; 0: none */
	size_t max_body;  /* limit of a body kept for `done`; 0: 64 KiB */
	long buffer;      /* of libcurl, in bytes, for what is sent or received; 0: its own choice */
	const char *const *connect_to; /* "HOST:PORT:ADDRESS:PORT": the first two are really at the others;
					* NULL-terminated; or NULL */
	bool negotiate; /* SPNEGO with the login's Kerberos ticket, if the server asks for it */
	bool once; /* on a new connection: libcurl repeats what it sent on a kept one that turns out closed */

	/* A body of a length that is not known, in place of `body`. Fills `to`: at least 1 byte and at most
	 * `room`; 0: that was all; -EAGAIN: nothing now, http_resume() has it asked again; else the request
	 * ends with -ECANCELED. */
	ssize_t (*pull)(void *arg, void *to, size_t room);

	/* Stream: called once when the head of a response is there (r->body is NULL, r->result 0), then
	 * on_data for each piece of the body as it arrives. Both optional. A non-zero return of either ends
	 * the request with -ECANCELED. */
	int (*on_head)(void *arg, const struct http_response *r);
	int (*on_data)(void *arg, const void *data, size_t len);
	void (*done)(void *arg, const struct http_response *r);
	void *arg;
};

/* Starts. 0 and *ret (may be passed as NULL when nobody will cancel), or -ENOMEM, -EINVAL (URL), -ECANCELED
 * (the client is being freed). The handle is valid until `done` returns. */
int http_start(struct http_client *client, const struct http_options *options, struct http_request **ret,
	struct err *err);

/* No more on_data until it is resumed; from any callback too. */
void http_pause(struct http_request *request);

/* on_data and pull go on, called from the loop. */
void http_resume(struct http_request *request);

/* Ends a request; its `done` runs with -ECANCELED from the loop, or has run already. NULL is allowed. */
void http_cancel(struct http_request *request);

#endif
