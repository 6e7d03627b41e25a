#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_request.h"

static void unlink_request(struct http_request *r)
{
	if (r->prev != NULL)
		r->prev->next = r->next;
	else
		r->client->requests = r->next;
	if (r->next != NULL)
		r->next->prev = r->prev;
}

void http_request_end(struct http_request *r, CURLcode code)
{
	if (r->ended)
		return;
	r->ended = true;
	r->code = code;
	event_active(r->client->reaper, 0, 0);
}

/* Runs `done` of one request that ended. The request is out of the list before: the callback may start and
 * cancel others. */
static void reap(struct http_request *r)
{
	struct http_response response;

	unlink_request(r);
	(void)curl_multi_remove_handle(r->client->multi, r->easy);
	http_request_result(r, &response);
	if (response.result == 0 && !http_request_tell_head(r))
		http_request_result(r, &response);
	if (r->o.done != NULL)
		r->o.done(r->o.arg, &response);
	http_request_free(r);
}

/* Hands a request to libcurl, which takes none inside its callbacks: such a request waits for the reaper. */
static void give_to_curl(struct http_request *r)
{
	CURLMcode code = curl_multi_add_handle(r->client->multi, r->easy);

	if (code == CURLM_RECURSIVE_API_CALL) {
		event_active(r->client->reaper, 0, 0);
		return;
	}
	r->started = true;
	if (code != CURLM_OK)
		http_request_end(r, CURLE_OUT_OF_MEMORY);
}

/* Callbacks may run inside. */
static void go_on(struct http_request *r)
{
	r->go_on = false;
	if (!r->started)
		return;
	r->starved = false;
	http_request_moved(r);
	(void)curl_easy_pause(r->easy, r->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
}

static void on_reaper(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	struct http_request *r;

	(void)fd;
	(void)what;
	for (r = c->requests; r != NULL; r = r->next)
		if (!r->started && !r->ended)
			give_to_curl(r);
	do { /* from the start each time: callbacks may change the list */
		for (r = c->requests; r != NULL && (!r->go_on || r->ended); r = r->next)
			;
		if (r != NULL)
			go_on(r);
	} while (r != NULL);
	do {
		for (r = c->requests; r != NULL && !r->ended; r = r->next)
			;
		if (r != NULL)
			reap(r);
	} while (r != NULL);
}

static void collect(struct http_client *c)
{
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
		struct http_request *r;

		if (m->msg == CURLMSG_DONE &&
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&r) == CURLE_OK)
			http_request_end(r, m->data.result);
	}
}

/* ---- libcurl on the loop ---- */

static void on_socket(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	int running,
		bits = ((what & EV_READ) ? CURL_CSELECT_IN : 0) | ((what & EV_WRITE) ? CURL_CSELECT_OUT : 0);

	(void)curl_multi_socket_action(c->multi, fd, bits, &running);
	collect(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct http_client *c = arg;
	int running;

	(void)fd;
	(void)what;
	(void)curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(c);
}

static int want_timer(CURLM *multi, long ms, void *arg)
{
	struct http_client *c = arg;
	const struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)multi;
	return (ms < 0 ? event_del(c->timer) : event_add(c->timer, &tv)) < 0 ? -1 : 0;
}

static int want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watched)
{
	struct http_client *c = arg;
	struct event *old = watched;
	short events = EV_PERSIST;

	(void)easy;
	if (old != NULL)
		event_free(old);
	(void)curl_multi_assign(c->multi, fd, NULL);
	if (what == CURL_POLL_REMOVE)
		return 0;
	if (what & CURL_POLL_IN)
		events |= EV_READ;
	if (what & CURL_POLL_OUT)
		events |= EV_WRITE;
	struct event *event = event_new(c->loop, fd, events, on_socket, c);
	if (event == NULL || event_add(event, NULL) < 0) {
		if (event != NULL)
			event_free(event);
		return -1;
	}
	(void)curl_multi_assign(c->multi, fd, event);
	return 0;
}

/* ---- The public face ---- */

int http_client_new(
	struct event_base *loop, long max_host_connections, struct http_client **ret, struct err *err)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_set(err, -EIO, "libcurl does not start");
	struct http_client *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	c->loop = loop;
	c->multi = curl_multi_init();
	c->timer = event_new(loop, -1, 0, on_timer, c);
	c->reaper = event_new(loop, -1, 0, on_reaper, c);
	if (c->multi == NULL || c->timer == NULL || c->reaper == NULL) {
		(void)http_client_free(c);
		return err_set(err, -ENOMEM, "out of memory");
	}
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
	(void)curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, want_timer);
	(void)curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	(void)curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, max_host_connections);
	*ret = c;
	return 0;
}

struct http_client *http_client_free(struct http_client *c)
{
	if (c == NULL)
		return NULL;
	c->closing = true;
	for (struct http_request *r = c->requests; r != NULL; r = c->requests) {
		if (!r->ended) {
			r->cancelled = true;
			http_request_end(r, CURLE_ABORTED_BY_CALLBACK);
		}
		reap(r);
	}
	if (c->multi != NULL)
		(void)curl_multi_cleanup(c->multi);
	if (c->timer != NULL)
		event_free(c->timer);
	if (c->reaper != NULL)
		event_free(c->reaper);
	free(c->ca);
	free(c);
	return NULL;
}

int http_client_set_ca(struct http_client *c, const char *pem, struct err *err)
{
	char *copy = strdup(pem);

	if (copy == NULL || c->requests != NULL) { /* those have the old one in use */
		free(copy);
		return err_set(err, copy == NULL ? -ENOMEM : -EBUSY, "the CA cannot be set");
	}
	free(c->ca);
	c->ca = copy;
	return 0;
}

int http_start(struct http_client *client, const struct http_options *options, struct http_request **ret,
	struct err *err)
{
	if (client->closing)
		return err_set(err, -ECANCELED, "no more requests are taken");
	struct http_request *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r->client = client;
	int k = http_request_set(r, options, err);
	if (k < 0) {
		http_request_free(r);
		return k;
	}
	r->next = client->requests;
	if (r->next != NULL)
		r->next->prev = r;
	client->requests = r;
	give_to_curl(r);
	if (ret != NULL)
		*ret = r;
	return 0;
}

void http_cancel(struct http_request *r)
{
	if (r == NULL)
		return;
	r->cancelled = true; /* also if it has ended meanwhile: `done` has not run yet */
	http_request_end(r, CURLE_ABORTED_BY_CALLBACK);
}

void http_pause(struct http_request *r)
{
	r->paused = true;
	if (r->started && !r->ended)
		(void)curl_easy_pause(r->easy, r->starved ? CURLPAUSE_ALL : CURLPAUSE_RECV);
}

void http_resume(struct http_request *r)
{
	r->paused = false;
	r->go_on = true;
	event_active(r->client->reaper, 0, 0);
}
