/* sched_master.c: the subscription and its events.
 *
 * Ordering guarantees: SUBSCRIBED is the first event of a subscription. On a new one of the same framework id
 * tasks go on; what Mesos knows of each hold is asked at once, and of those that it is silent about again
 * every LOOK_MS: agents may take minutes to find a new master. TEARDOWN is the last call (sched_goodbye.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_place.h"

static int fatal(struct sched *s, const char *what, const char *detail)
{
	char text[512];
	int r = 0;

	if (s->over)
		return 0;
	(void)snprintf(text, sizeof(text), "%s: %s", what, detail);
	if (s->stopping) /* it is what we wanted, by another way */
		r = sched_plan_add(s, (struct sched_action){ .kind = SCHED_DO_STOPPED });
	else
		r = sched_run_end(s, 1, "%s", text);
	if (r == 0 && !s->stopping)
		r = sched_plan_text(s, SCHED_DO_FATAL, 0, 1, "%s", text);
	s->over = true;
	return r;
}

int sched_master_stop(struct sched *s, int status)
{
	if (s->stopping)
		return 0;
	s->status = status;
	int r = sched_run_end(s, 1, "%s", "the driver is ending");
	s->stopping = true;
	for (struct executor *e = s->executors; r == 0 && e != NULL; e = e->hh.next)
		r = sched_link_leave(s, e);
	if (r < 0)
		return r;
	if ((s->framework_id != NULL || s->subscribing) &&
		!s->over) /* TEARDOWN, on this subscription or the next */
		return 0;
	s->over = true;
	return sched_plan_add(s, (struct sched_action){ .kind = SCHED_DO_STOPPED });
}

int sched_master_down(struct sched *s)
{
	s->subscribed = false;
	sched_log_no_master(s);
	return 0;
}

/* Where the master is. */
static int learn_region(struct sched *s, const Mesos__V1__MasterInfo *info)
{
	const Mesos__V1__DomainInfo *d = info != NULL ? info->domain : NULL;

	free(s->region);
	s->region = NULL;
	if (d == NULL || d->fault_domain == NULL)
		return 0;
	s->region = strdup(d->fault_domain->region->name);
	return s->region == NULL ? -ENOMEM : 0;
}

static int on_subscribed(struct sched *s, const Mesos__V1__Scheduler__Event__Subscribed *subscribed)
{
	const char *id = subscribed->framework_id->value;

	if (learn_region(s, subscribed->master_info) < 0)
		return -ENOMEM;

	if (s->framework_id == NULL) {
		s->framework_id = strdup(id);
		if (s->framework_id == NULL)
			return -ENOMEM;
	} else if (strcmp(s->framework_id, id) != 0) {
		return fatal(s, "the master took us for another framework", id);
	} else {
		sched_goodbye_expect(s);
	}
	s->subscribed = true;
	s->appetite = s->claimed_suppressed ? APPETITE_SUPPRESSED : APPETITE_HUNGRY;
	s->freed = false; /* the subscription itself makes the master allocate */
	sched_log_framework(s);
	if (s->stopping)
		return 0;
	sched_drain_subscribed(s);
	sched_holds_unseen(s);
	s->reconcile_ms = s->now_ms + RECONCILE_MS;
	int r = sched_holds_look(s);
	if (r == 0)
		r = sched_executors_dismiss(s, NULL);
	return r < 0 ? r : sched_wishes_renew(s); /* a run may have begun since we subscribed */
}

static int on_failure(struct sched *s, const Mesos__V1__Scheduler__Event__Failure *failure)
{
	char why[128];

	if (failure->executor_id == NULL) {
		struct agent *a =
			failure->agent_id != NULL ? sched_agent_find(s, failure->agent_id->value) : NULL;
		return a != NULL ? sched_agent_lost(s, a, "its agent is lost") : 0;
	}
	struct executor *e = sched_executor_find(s, failure->executor_id->value);
	if (e == NULL)
		return 0;
	bool revocable = e->revocable_cpus || e->revocable_mem;
	int status = failure->has_status ? failure->status : 0;
	/* Its container could not be launched (src/slave/slave.cpp, Slave::executorTerminated()): why, say
	 * the updates of its tasks, which follow. */
	if (status == -1 && e->holds != NULL)
		return 0;
	if (revocable && e->holds != NULL) {
		sched_executor_doubt(s, e);
		return 0;
	}
	if (!failure->has_status)
		(void)snprintf(why, sizeof(why), "it ended");
	else if ((status & 0x7f) != 0)
		(void)snprintf(why, sizeof(why), "it died of signal %d", status & 0x7f);
	else
		(void)snprintf(why, sizeof(why), "it ended with status %d", status >> 8);
	return sched_executor_lost(s, e, !revocable, why);
}

/* Each REVIVE makes the master send them again. One that was answered a moment ago is left open: then it is
 * not made again, and the answer stands (src/master/allocator/mesos/hierarchical.cpp,
 * generateInverseOffers()). */
static int on_inverse_offers(struct sched *s, const Mesos__V1__Scheduler__Event__InverseOffers *offers)
{
	Mesos__V1__OfferID **ids = calloc(offers->n_inverse_offers + 1, sizeof(*ids));
	size_t n = 0;
	int r = 0;

	if (ids == NULL)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < offers->n_inverse_offers; i++) {
		const Mesos__V1__InverseOffer *o = offers->inverse_offers[i];
		struct agent *a = o->agent_id != NULL ? sched_agent_find(s, o->agent_id->value) : NULL;
		bool again = false;

		if (a != NULL)
			r = sched_drain_asked(s, a, o->unavailability, &again);
		if (!again)
			ids[n++] = o->id;
	}
	if (r == 0 && n > 0)
		r = sched_call_accept_inverse(s, ids, n);
	free(ids);
	return r;
}

static int on_error(struct sched *s, const char *message)
{
	return fatal(s, "the master ends the framework", message);
}

int sched_master_event(struct sched *s, const Mesos__V1__Scheduler__Event *e)
{
	switch (e->has_type ? e->type : MESOS__V1__SCHEDULER__EVENT__TYPE__UNKNOWN) {
	case MESOS__V1__SCHEDULER__EVENT__TYPE__SUBSCRIBED:
		return e->subscribed != NULL ? on_subscribed(s, e->subscribed) : 0;
	case MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS:
		return e->offers != NULL ? sched_offer_pool(s, e->offers) : 0;
	case MESOS__V1__SCHEDULER__EVENT__TYPE__INVERSE_OFFERS:
		return e->inverse_offers != NULL ? on_inverse_offers(s, e->inverse_offers) : 0;
	case MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE:
		return e->update != NULL ? sched_hold_update(s, e->update->status) : 0;
	case MESOS__V1__SCHEDULER__EVENT__TYPE__FAILURE:
		return e->failure != NULL ? on_failure(s, e->failure) : 0;
	case MESOS__V1__SCHEDULER__EVENT__TYPE__ERROR:
		return on_error(s, e->error != NULL ? e->error->message : "it does not say why");
	case MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND:
		/* No offer is kept: a launch on one that was rescinded comes back as an update. */
		if (e->rescind != NULL)
			sched_log_rescind(s, e->rescind);
		return 0;
	default: /* HEARTBEAT; MESSAGE, for all that is for us comes over links; and what is newer than we
		    are */
		return 0;
	}
}
