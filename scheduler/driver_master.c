/* driver_master.c: the driver's subscription: who leads, its events, and what people are told when there is
 * no master. Tasks that run go on without one, and their results come over links. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "mesos/codec.h"
#include "scheduler/driver_state.h"

enum {
	BACKOFF_MAX_MS = 2000,   /* well within the failover timeout */
	WAITING_MS = 3000,       /* without a first master before a person is told */
	GOODBYE_WAIT_MS = 30000, /* for another master at the end, if the driver would wait for ever */
};

/* ---- The master ---- */

/* No master has told of a framework of ours yet. */
static bool is_new(const struct driver *d)
{
	return d->master[0] == '\0' && d->c->sched.framework_id == NULL;
}

static int on_subscribe(void *arg, struct buf *body)
{
	struct driver *d = arg;

	if (d->ending && is_new(d))
		return -ECANCELED; /* there is nothing that a subscription could be ended for */
	return sched_subscribe_call(d->sched, body);
}

static void on_subscribed(struct driver *d, const Mesos__V1__Scheduler__Event__Subscribed *subscribed)
{
	if (subscribed->has_heartbeat_interval_seconds)
		mesos_client_heartbeat(d->mesos, subscribed->heartbeat_interval_seconds);
	(void)event_del(d->waiting);
	(void)snprintf(d->master, sizeof(d->master), "%s", mesos_client_at(d->mesos));
	if (d->lost_ms > 0 && !d->c->quiet)
		driver_say(d, "found a master again, at %s, after %.1f s", d->master,
			(double)(driver_now_ms() - d->lost_ms) / 1000);
	d->lost_ms = 0;
	d->subscribed = true;
}

static int on_event(void *arg, const void *data, size_t len)
{
	struct driver *d = arg;
	ProtobufCMessage *m;
	struct err err = { "" };

	int r = mesos_decode(&mesos__v1__scheduler__event__descriptor, MESOS_PROTOBUF, data, len, &m, &err);
	if (r < 0)
		return r;
	const Mesos__V1__Scheduler__Event *event = (const Mesos__V1__Scheduler__Event *)m;
	if (event->subscribed != NULL)
		on_subscribed(d, event->subscribed);
	driver_step(d, (struct sched_event){ .kind = SCHED_EV_MESOS, .u.mesos = event });
	if (d->c->only_end && d->subscribed)
		driver_end(d, DRIVER_JOB_FAILED);
	protobuf_c_message_free_unpacked(m, NULL);
	return 0;
}

static void on_down(void *arg, const char *why)
{
	struct driver *d = arg;

	d->subscribed = false;
	if (d->ending && d->stopped) { /* TEARDOWN is answered; nobody subscribes again */
		d->mesos = mesos_client_free(d->mesos);
		driver_leave(d);
		return;
	}
	if (!d->c->quiet && !d->ending)
		driver_say(d, "lost the master at %s: %s; tasks that run go on", d->master, why);
	d->lost_ms = driver_now_ms();
	driver_step(d, (struct sched_event){ .kind = SCHED_EV_MESOS_DOWN });
}

static void on_lost(void *arg, const char *why)
{
	struct driver *d = arg;

	d->subscribed = false;
	d->no_master = true;
	if (!d->ending)
		driver_say(d, "no Mesos master at %s: %s", d->c->master, why);
	driver_end(d, DRIVER_NO_CLUSTER);
	if (d->ended) { /* nobody is told any more */
		d->stopped = true;
		driver_leave(d);
	}
}

/* What the call was to change is not so, and the core does not know it: all that matters is said again with
 * the next subscription. At the end TEARDOWN is behind it. */
static int on_refused(void *arg, long status, const char *words)
{
	const struct driver *d = arg;

	(void)status;
	(void)words;
	return d->ending ? 0 : -EPROTO;
}

static const struct mesos_client_ops mesos_ops = {
	.subscribe = on_subscribe, .event = on_event, .down = on_down, .lost = on_lost, .refused = on_refused
};

/* ---- Who leads ---- */

static void on_leads(void *arg, const char *endpoint)
{
	struct driver *d = arg;

	if (d->mesos != NULL && mesos_client_leads(d->mesos, endpoint) < 0)
		driver_out_of_memory(d);
}

static void on_no_leader(void *arg, const char *why)
{
	struct driver *d = arg;

	if (d->mesos != NULL)
		mesos_client_no_leader(d->mesos, why);
}

static const struct detector_ops detector_ops = {
	.leads = on_leads, .none = on_no_leader, .failed = on_lost
};

/* ---- Beginning and end ---- */

static void on_waiting(evutil_socket_t fd, short what, void *arg)
{
	struct driver *d = arg;
	const char *why = d->mesos != NULL ? mesos_client_why(d->mesos) : "";

	(void)fd;
	(void)what;
	if (!d->ending && !d->subscribed)
		driver_say(d, "waiting for a leading master at %s%s%s", d->c->master,
			why[0] != '\0' ? ": " : "", why);
}

int driver_master_start(struct driver *d, struct err *err)
{
	const struct timeval waiting = { .tv_sec = WAITING_MS / 1000 };
	const struct mesos_client_config config = { .endpoints = d->c->zk == NULL ? d->c->endpoints : NULL,
		.path = "/api/v1/scheduler",
		.authorization = d->c->authorization,
		.unauthorized = d->c->authorization != NULL
					? "it does not know the principal, or the secret is not right "
					  "(--principal, --secret-file)"
					: "it wants to know who asks (--principal, --secret-file)",
		.backoff_max_ms = BACKOFF_MAX_MS,
		.give_up_ms = (long)d->c->give_up_ms,
		.heartbeats = true };

	d->waiting = event_new(d->loop, -1, 0, on_waiting, d);
	if (d->waiting == NULL || (!d->c->quiet && event_add(d->waiting, &waiting) < 0))
		return err_set(err, -ENOMEM, "out of memory");
	int r = mesos_client_new(d->loop, d->http, &config, &mesos_ops, d, &d->mesos, err);
	if (r == 0)
		r = mesos_client_start(d->mesos, err);
	if (r == 0 && d->c->zk != NULL)
		r = detector_new(d->loop, d->c->zk, &detector_ops, d, &d->detector, err);
	return r;
}

const char *driver_master_awaits(const struct driver *d)
{
	struct sched_progress now;

	if (!d->subscribed)
		return "no master is there to be told";
	if (d->stopped)
		return "TEARDOWN was not answered";
	sched_get_progress(d->sched, &now);
	if (now.expected > 0)
		return "not all agents have found the new master yet";
	return now.starting > 0 ? "not all executors that were starting have ended yet"
				: "the master does not know the end of the driver's own task yet";
}

uint64_t driver_master_patience(struct driver *d, uint64_t hurried)
{
	const uint64_t ms = d->c->give_up_ms > 0 ? d->c->give_up_ms : GOODBYE_WAIT_MS;
	struct sched_progress now;

	if ((is_new(d) || d->status == DRIVER_INTERRUPTED) && !d->no_master && mesos_client_asks(d->mesos))
		return hurried; /* it may know of us by now, or again */
	if (d->no_master || is_new(d) || (d->status == DRIVER_INTERRUPTED && !d->subscribed))
		return 0;
	if (d->status == DRIVER_INTERRUPTED)
		return hurried;
	sched_get_progress(d->sched, &now);
	if (!d->c->quiet && (!d->subscribed || now.expected > 0))
		driver_say(d, "the job has ended, and %s; waiting for up to %g s", driver_master_awaits(d),
			(double)ms / 1000);
	return ms;
}

void driver_master_end(struct driver *d)
{
	d->detector = detector_free(d->detector);
	d->mesos = mesos_client_free(d->mesos);
	if (d->waiting != NULL)
		event_free(d->waiting);
}
