/* master_offer.c: offers, from their making to their end. Master::offer(), rescindOffer(), discardOffer(),
 * decline() in src/master/master.cpp of Apache Mesos. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/master_state.h"

struct offer *master_offer(const struct master *m, const char *id)
{
	struct offer *o;

	HASH_FIND_STR(m->offers, id, o);
	return o;
}

static void note_fresh(struct master *m, struct framework *f, struct offer *o)
{
	if (f->fresh.n == 0 && vec_push(&m->offering, f) < 0)
		m->oom = true;
	if (vec_push(&f->fresh, o) < 0)
		m->oom = true;
}

void master_make_offer(struct master *m, struct agent *a, struct member *member, struct resources *r)
{
	struct offer *o = calloc(1, sizeof(*o));
	char id[UUID_TEXT + 24];

	(void)snprintf(id, sizeof(id), "%s-O%llu", m->id, (unsigned long long)m->next_offer++);
	if (o != NULL && (o->id = master_strdup(m, id)) != NULL)
		HASH_ADD_KEYPTR(hh, m->offers, o->id, strlen(o->id), o);
	if (o == NULL || o->hh.tbl == NULL) {
		m->oom = true;
		resources_free(r);
		if (o != NULL)
			free(o->id);
		free(o);
		return;
	}
	o->agent = a;
	o->member = member;
	o->resources = r;
	o->timer.kind = TIMER_OFFER;
	DL_APPEND(a->offers, o);
	member->framework->n_offers++;
	if (m->config.offer_timeout_ms > 0)
		master_set_timer(m, &o->timer, m->now + m->config.offer_timeout_ms);
	note_fresh(m, member->framework, o);
}

/* ---- Sending ---- */

/* One offer as a message, with what it points to. */
struct draft {
	Mesos__V1__Offer offer;
	Mesos__V1__OfferID id;
	Mesos__V1__URL url;
	Mesos__V1__Address address;
	Mesos__V1__Resource__AllocationInfo allocation;
	struct resource_list resources;
	VEC(Mesos__V1__ExecutorID *) executor_ids;
	VEC(Mesos__V1__ExecutorID) executors;
};

/* The framework's executors that run there. */
static void add_executors(struct master *m, struct draft *d, const struct offer *o)
{
	const struct executor *e;

	DL_FOREACH(o->agent->executors, e)
	{
		Mesos__V1__ExecutorID id = MESOS__V1__EXECUTOR_ID__INIT;

		id.value = e->id;
		if (e->member->framework == o->member->framework && vec_push(&d->executors, id) < 0)
			m->oom = true;
	}
	for (size_t i = 0; i < d->executors.n; i++)
		if (vec_push(&d->executor_ids, &d->executors.at[i]) < 0)
			m->oom = true;
	d->offer.executor_ids = d->executor_ids.at;
	d->offer.n_executor_ids = d->executor_ids.n;
}

static void draft_offer(struct master *m, struct draft *d, const struct offer *o)
{
	const struct agent *a = o->agent;
	const struct framework *f = o->member->framework;
	const char *role = f->multi_role ? o->member->role->name : NULL;

	mesos__v1__offer__init(&d->offer);
	mesos__v1__offer_id__init(&d->id);
	mesos__v1__url__init(&d->url);
	mesos__v1__address__init(&d->address);
	mesos__v1__resource__allocation_info__init(&d->allocation);
	d->id.value = o->id;
	d->address.hostname = a->info->hostname;
	d->address.ip = (char *)m->config.ip; /* all agents of this cluster have the master's */
	d->address.port = a->info->port;
	d->url.scheme = (char *)"http";
	d->url.path = (char *)"/slave(1)";
	d->url.address = &d->address;
	d->offer.id = &d->id;
	d->offer.framework_id = f->info->id;
	d->offer.agent_id = a->info->id;
	d->offer.hostname = a->info->hostname;
	d->offer.url = &d->url;
	d->offer.attributes = a->info->attributes;
	d->offer.n_attributes = a->info->n_attributes;
	/* Frameworks from before MULTI_ROLE do not know allocations (MESOS-8237). */
	if (role != NULL) {
		d->allocation.role = (char *)role;
		d->offer.allocation_info = &d->allocation;
	}
	if (master_resources_write(o->resources, role, f->refined, &d->resources) < 0)
		m->oom = true;
	d->offer.resources = d->resources.at;
	d->offer.n_resources = d->resources.n;
	add_executors(m, d, o);
}

static void send_fresh(struct master *m, struct framework *f)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
	struct draft *drafts = calloc(f->fresh.n + 1, sizeof(*drafts));
	Mesos__V1__Offer **list = calloc(f->fresh.n + 1, sizeof(*list));

	if (drafts == NULL || list == NULL)
		m->oom = true;
	for (size_t i = 0; !m->oom && i < f->fresh.n; i++) {
		draft_offer(m, &drafts[i], f->fresh.at[i]);
		list[i] = &drafts[i].offer;
	}
	offers.offers = list;
	offers.n_offers = f->fresh.n;
	event.offers = &offers;
	if (!m->oom)
		master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS, &event);
	for (size_t i = 0; drafts != NULL && i < f->fresh.n; i++) {
		if (drafts[i].resources.at != NULL)
			master_resource_list_deinit(&drafts[i].resources);
		vec_deinit(&drafts[i].executor_ids);
		vec_deinit(&drafts[i].executors);
	}
	free(drafts);
	free(list);
	f->offers_sent += f->fresh.n;
	f->fresh.n = 0;
}

void master_send_offers(struct master *m)
{
	for (size_t i = 0; i < m->offering.n; i++)
		send_fresh(m, m->offering.at[i]);
	m->offering.n = 0;
}

/* ---- The end ---- */

void master_free_offer(struct master *m, struct offer *o)
{
	master_timer_clear(&m->timers, &o->timer);
	DL_DELETE(o->agent->offers, o);
	o->member->framework->n_offers--;
	HASH_DEL(m->offers, o);
	resources_free(o->resources);
	free(o->id);
	free(o);
}

void master_discard_offer(struct master *m, struct offer *o, const Mesos__V1__Filters *filters, bool filter)
{
	master_give_back(m, o->agent, o->member, o->resources);
	if (filter)
		master_filter(m, o->agent, o->member, o->resources, filters);
	master_free_offer(m, o);
}

void master_rescind_offer(struct master *m, struct offer *o)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Rescind rescind = MESOS__V1__SCHEDULER__EVENT__RESCIND__INIT;
	Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
	struct framework *f = o->member->framework;

	id.value = o->id;
	rescind.offer_id = &id;
	event.rescind = &rescind;
	f->offers_rescinded++;
	master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND, &event);
	master_discard_offer(m, o, NULL, false);
}

/* The owner of an offer is not asked for, as in Mesos: whoever knows its id may refuse it. Here it is: a
 * framework has no use for the offers of others. */
void master_decline(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Decline *decline)
{
	m->count[COUNT_DECLINE]++;
	for (size_t i = 0; i < decline->n_offer_ids; i++) {
		struct offer *o = master_offer(m, decline->offer_ids[i]->value);

		if (o == NULL || o->member->framework != f)
			continue; /* no longer valid */
		master_discard_offer(m, o, decline->filters, true);
		f->offers_declined++;
	}
}
