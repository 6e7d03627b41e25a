#include "cli/leader.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mesos/detector.h"

struct question {
	struct event_base *loop;
	char *endpoint;
	char why[256];
	int r;
};

static void answered(struct question *q, int r)
{
	q->r = r;
	(void)event_base_loopbreak(q->loop);
}

static void on_leads(void *arg, const char *endpoint)
{
	struct question *q = arg;

	if (q->endpoint == NULL)
		q->endpoint = strdup(endpoint);
	answered(q, q->endpoint != NULL ? 0 : -ENOMEM);
}

static void on_none(void *arg, const char *why)
{
	struct question *q = arg;

	(void)snprintf(q->why, sizeof(q->why), "%s", why);
}

static void on_failed(void *arg, const char *why)
{
	on_none(arg, why);
	answered(arg, -EHOSTUNREACH);
}

static int ask(struct question *q, const struct master_url *m, uint64_t timeout_ms, struct err *err)
{
	static const struct detector_ops ops = { .leads = on_leads, .none = on_none, .failed = on_failed };
	const struct timeval most = { .tv_sec = (time_t)(timeout_ms / 1000),
		.tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000) };
	struct detector *detector = NULL;

	int r = detector_new(q->loop, &m->zk, &ops, q, &detector, err);
	if (r < 0)
		return r;
	if (timeout_ms > 0)
		(void)event_base_loopexit(q->loop, &most);
	if (event_base_dispatch(q->loop) < 0)
		q->r = -EIO;
	(void)detector_free(detector);
	return q->r == 0 ? 0
			 : err_set(err, q->r, "no Mesos master at %s%s%s", m->zk.shown,
				   q->why[0] != '\0' ? ": " : "", q->why);
}

static int find_in_zookeeper(
	const struct master_url *m, uint64_t timeout_ms, struct leader *ret, struct err *err)
{
	struct question q = { .loop = event_base_new(), .r = -EHOSTUNREACH };

	if (q.loop == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	int r = ask(&q, m, timeout_ms, err);
	event_base_free(q.loop);
	if (r == 0)
		ret->endpoints[0] = q.endpoint;
	else
		free(q.endpoint);
	return r;
}

int leader_find(const struct master_url *m, uint64_t timeout_ms, struct leader *ret, struct err *err)
{
	*ret = (struct leader){ 0 };
	if (m->zk.path != NULL)
		return find_in_zookeeper(m, timeout_ms, ret, err);
	for (size_t i = 0; m->endpoints[i] != NULL; i++) {
		ret->endpoints[i] = strdup(m->endpoints[i]);
		if (ret->endpoints[i] == NULL) {
			leader_deinit(ret);
			return err_set(err, -ENOMEM, "out of memory");
		}
	}
	return 0;
}

void leader_deinit(struct leader *l)
{
	for (size_t i = 0; i < MASTER_ENDPOINTS_MAX; i++)
		free(l->endpoints[i]);
	*l = (struct leader){ 0 };
}
