/* master_offer.c: offers, and what frameworks make of them: ACCEPT and DECLINE (Master::accept() and
 * decline() of src/master/master.cpp of Apache Mesos). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "local/master_state.h"

struct offer *master_offer(const struct master *m, const char *id)
{
	struct offer *o;

	HASH_FIND_STR(m->offers, id, o);
	return o;
}

/* ---- Making ---- */

static void set_url(struct master *m, const struct agent *a, Mesos__V1__Offer *offer)
{
	Mesos__V1__URL url = MESOS__V1__URL__INIT;
	Mesos__V1__Address address = MESOS__V1__ADDRESS__INIT;

	url.scheme = (char *)"http";
	url.path = (char *)"/slave(1)";
	address.hostname = a->info->hostname;
	address.ip = (char *)m->config.ip; /* agents of one process share it */
	address.port = a->info->port;
	url.address = &address;
	offer->url = master_dup(m, &url);
}

static void set_executors(
	struct master *m, const struct agent *a, const struct framework *f, Mesos__V1__Offer *offer)
{
	size_t n = 0;

	for (const struct executor *e = a->executors; e != NULL; e = e->next)
		n += e->member->framework == f;
	if (n == 0 || (offer->executor_ids = calloc(n, sizeof(*offer->executor_ids))) == NULL) {
		m->oom = m->oom || n > 0;
		return;
	}
	for (const struct executor *e = a->executors; e != NULL; e = e->next)
		if (e->member->framework == f)
			offer->executor_ids[offer->n_executor_ids++] = master_dup(m, e->info->executor_id);
}

/* The message of an offer; the caller frees it. */
static Mesos__V1__Offer *describe(struct master *m, const struct offer *o)
{
	const struct framework *f = o->member->framework;
	struct resource_list list = { 0 };
	Mesos__V1__Offer offer = MESOS__V1__OFFER__INIT;
	Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;
	Mesos__V1__Resource__AllocationInfo allocation = MESOS__V1__RESOURCE__ALLOCATION_INFO__INIT;

	if (master_resources_write(o->resources, o->member->role->name, f->refined, &list) < 0) {
		m->oom = true;
		return NULL;
	}
	id.value = o->id;
	offer.id = &id;
	offer.framework_id = f->info->id;
	offer.agent_id = o->agent->info->id;
	offer.hostname = o->agent->info->hostname;
	offer.resources = list.at;
	offer.n_resources = list.n;
	offer.attributes = o->agent->info->attributes;
	offer.n_attributes = o->agent->info->n_attributes;
	allocation.role = o->member->role->name;
	offer.allocation_info = &allocation;
	Mesos__V1__Offer *copy = master_dup(m, &offer);
	master_resource_list_deinit(&list);
	if (copy != NULL) {
		set_url(m, o->agent, copy);
		set_executors(m, o->agent, f, copy);
	}
	return copy;
}

void master_make_offer(struct master *m, struct agent *a, struct membership *member, struct resources *r)
{
	struct offer *o = calloc(1, sizeof(*o));
	struct framework *f = member->framework;

	if (o == NULL) {
		(void)resources_free(r);
		m->oom = true;
		return;
	}
	o->resources = r;
	o->member = member;
	o->agent = a;
	o->timer.kind = TIMER_OFFER;
	o->id = master_format(m, "%s-O%llu", m->id, (unsigned long long)m->next_offer++);
	o->next = a->offers;
	o->back = &a->offers;
	if (o->next != NULL)
		o->next->back = &o->next;
	a->offers = o;
	if (o->id == NULL)
		return;
	HASH_ADD_KEYPTR(hh, m->offers, o->id, strlen(o->id), o);
	if (m->config.offer_timeout_ms > 0)
		master_set_timer(m, &o->timer, m->now + m->config.offer_timeout_ms);
	Mesos__V1__Offer *message = describe(m, o);
	if (message == NULL || vec_push(&f->pending, message) < 0)
		m->oom = true;
}

void master_send_offers(struct master *m)
{
	for (struct framework *f = m->frameworks; f != NULL; f = f->hh.next) {
		Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
		Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;

		if (f->pending.n == 0)
			continue;
		offers.offers = f->pending.at;
		offers.n_offers = f->pending.n;
		event.offers = &offers;
		f->offers_sent += f->pending.n;
		master_to_framework(m, f, MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS, &event);
		for (size_t i = 0; i < f->pending.n; i++)
			mesos__v1__offer__free_unpacked(f->pending.at[i], NULL);
		f->pending.n = 0;
	}
}

void master_free_offer(struct master *m, struct offer *o)
{
	master_timer_clear(&m->timers, &o->timer);
	*o->back = o->next;
	if (o->next != NULL)
		o->next->back = o->back;
	if (o->id != NULL)
		HASH_DEL(m->offers, o);
	(void)resources_free(o->resources);
	free(o->id);
	free(o);
}

void master_rescind(struct master *m, struct offer *o, bool say)
{
	Mesos__V1__Scheduler__Event event = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Rescind rescind = MESOS__V1__SCHEDULER__EVENT__RESCIND__INIT;
	Mesos__V1__OfferID id = MESOS__V1__OFFER_ID__INIT;

	if (say) {
		id.value = o->id;
		rescind.offer_id = &id;
		event.rescind = &rescind;
		o->member->framework->offers_rescinded++;
		master_to_framework(
			m, o->member->framework, MESOS__V1__SCHEDULER__EVENT__TYPE__RESCIND, &event);
	}
	master_give_back(m, o->agent, o->member, o->resources);
	master_free_offer(m, o);
}

/* ---- ACCEPT ---- */

/* What an ACCEPT has to work with. */
struct accepted {
	struct master *m;
	struct framework *f;
	struct membership *member;
	struct agent *agent;
	struct resources *left;
	const char *invalid; /* why its offers are not valid; NULL: they are */
	char text[512];
};

__attribute__((format(printf, 2, 3))) static void invalid(struct accepted *x, const char *format, ...)
{
	va_list ap;

	if (x->invalid != NULL)
		return;
	va_start(ap, format);
	(void)vsnprintf(x->text, sizeof(x->text), format, ap);
	va_end(ap);
	x->invalid = x->text;
}

/* src/master/validation.cpp, offer::validate() */
static void check_offer(struct accepted *x, const char *id)
{
	const struct offer *o = master_offer(x->m, id);

	if (o == NULL || o->member->framework != x->f)
		invalid(x, "Offer %s is no longer valid", id);
	else if (x->agent != NULL && o->agent != x->agent)
		invalid(x, "Aggregated offers must belong to one single agent. Offer %s does not", id);
	else if (x->member != NULL && o->member != x->member)
		invalid(x, "Aggregated offers must be allocated to the same role. Offer %s is not", id);
	else {
		x->agent = o->agent;
		x->member = o->member;
	}
}

/* Takes the offers, which end with this. Those of an invalid ACCEPT go back as they are. */
static void take_offers(struct accepted *x, Mesos__V1__OfferID *const *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct offer *o = master_offer(x->m, ids[i]->value);

		if (o == NULL || o->member->framework != x->f)
			continue;
		if (x->invalid != NULL) {
			master_rescind(x->m, o, false);
			continue;
		}
		master_add(x->m, x->left, o->resources);
		master_free_offer(x->m, o);
	}
}

/* "more than available" in Mesos' words. */
static void say_too_large(struct accepted *x, const struct resources *wanted, struct err *err)
{
	auto_buf struct buf a = BUF_INIT(4096), b = BUF_INIT(4096);

	if (master_resources_print(wanted, x->member->role->name, &a) < 0 ||
		master_resources_print(x->left, x->member->role->name, &b) < 0 || buf_add(&a, "", 1) < 0 ||
		buf_add(&b, "", 1) < 0) {
		(void)err_set(err, -EINVAL,
			"Total resources required by task and its executor are more than available");
		return;
	}
	(void)err_set(err, -EINVAL,
		"Total resources %s required by task and its executor is more than available %s",
		(const char *)a.data, (const char *)b.data);
}

static bool id_is_good(const char *id)
{
	return id[0] != '\0' && strlen(id) < 256 && strchr(id, '/') == NULL && strcmp(id, ".") != 0 &&
	       strcmp(id, "..") != 0;
}

static bool of_role(Mesos__V1__Resource *const *r, size_t n, const char *role)
{
	for (size_t i = 0; i < n; i++)
		if (r[i]->allocation_info != NULL && r[i]->allocation_info->role != NULL &&
			strcmp(r[i]->allocation_info->role, role) != 0)
			return false;
	return true;
}

/* The same command, data and resources, whatever the order of bytes on the wire. */
static bool same_executor(
	struct accepted *x, const Mesos__V1__ExecutorInfo *a, const Mesos__V1__ExecutorInfo *b)
{
	Mesos__V1__ExecutorInfo one = *a, two = *b;
	bool same = false;

	/* The framework may leave its own id out; the master's copy has it. */
	one.framework_id = two.framework_id = x->f->info->id;
	size_t n = mesos__v1__executor_info__get_packed_size(&one);
	auto_free uint8_t *p = malloc(n + 1), *q = malloc(n + 1);
	if (p == NULL || q == NULL)
		x->m->oom = true;
	else if (mesos__v1__executor_info__get_packed_size(&two) == n) {
		(void)mesos__v1__executor_info__pack(&one, p);
		(void)mesos__v1__executor_info__pack(&two, q);
		same = memcmp(p, q, n) == 0;
	}
	return same;
}

/* src/master/validation.cpp, task::internal::validate*() and executor::internal::validate*(). */
static int check_form(struct accepted *x, const Mesos__V1__TaskInfo *t, struct err *err)
{
	const Mesos__V1__ExecutorInfo *e = t->executor;

	if (!id_is_good(t->task_id->value))
		return err_set(err, -EINVAL, "TaskID '%.200s' is not a valid ID", t->task_id->value);
	if (master_task(x->f, t->task_id->value) != NULL)
		return err_set(err, -EINVAL, "Task has duplicate ID: %s", t->task_id->value);
	if (strcmp(t->agent_id->value, x->agent->info->id->value) != 0)
		return err_set(err, -EINVAL, "Task uses invalid agent %.200s while agent %s is expected",
			t->agent_id->value, x->agent->info->id->value);
	if ((e == NULL) == (t->command == NULL))
		return err_set(err, -EINVAL,
			"Task should have at least one (but not both) of CommandInfo or ExecutorInfo "
			"present");
	if (t->n_resources == 0)
		return err_set(err, -EINVAL, "Task uses no resources");
	if (!of_role(t->resources, t->n_resources, x->member->role->name) ||
		(e != NULL && !of_role(e->resources, e->n_resources, x->member->role->name)))
		return err_set(err, -EINVAL,
			"The task's resources are allocated to another role than the offer's, '%s'",
			x->member->role->name);
	if (e == NULL)
		return 0;
	if (!id_is_good(e->executor_id->value))
		return err_set(err, -EINVAL, "ExecutorID '%.200s' is not a valid ID", e->executor_id->value);
	if (e->framework_id != NULL && strcmp(e->framework_id->value, x->f->id) != 0)
		return err_set(err, -EINVAL,
			"ExecutorInfo has an invalid FrameworkID (Actual: %.200s vs Expected: %s)",
			e->framework_id->value, x->f->id);
	const struct executor *known = master_executor(x->agent, x->f, e->executor_id->value);
	if (known != NULL && !same_executor(x, known->info, e))
		return err_set(err, -EINVAL,
			"ExecutorInfo is not compatible with existing ExecutorInfo with same ExecutorID '%s'",
			e->executor_id->value);
	return 0;
}

/* Reads the resources of a task and, if it is new, of its executor, and takes them out of what is left. */
static int take_resources(struct accepted *x, const Mesos__V1__TaskInfo *t, struct resources **ret_task,
	struct resources **ret_executor, struct err *err)
{
	const Mesos__V1__ExecutorInfo *e = t->executor;
	bool fresh = e != NULL && master_executor(x->agent, x->f, e->executor_id->value) == NULL;
	struct resources *total = NULL;
	int r = -EINVAL;

	*ret_task = master_read(x->m, t->resources, t->n_resources, err);
	*ret_executor = fresh ? master_read(x->m, e->resources, e->n_resources, err) : NULL;
	if (*ret_task == NULL || (fresh && *ret_executor == NULL) || resources_dup(*ret_task, &total) < 0)
		goto fail;
	if (fresh)
		master_add(x->m, total, *ret_executor);
	if (!resources_contains(x->left, total)) {
		say_too_large(x, total, err);
		goto fail;
	}
	master_subtract(x->m, x->left, total);
	(void)resources_free(total);
	return 0;
fail:
	(void)resources_free(total);
	*ret_task = resources_free(*ret_task);
	*ret_executor = resources_free(*ret_executor);
	return r;
}

static void run(struct accepted *x, const Mesos__V1__TaskInfo *t)
{
	Quern__Local__ToAgent to = QUERN__LOCAL__TO_AGENT__INIT;
	Quern__Local__ToAgent__Run run = QUERN__LOCAL__TO_AGENT__RUN__INIT;

	run.framework = x->f->info;
	run.task = (Mesos__V1__TaskInfo *)t;
	to.run = &run;
	master_to_agent(x->m, x->agent, &to);
}

static void launch(struct accepted *x, const Mesos__V1__TaskInfo *t)
{
	struct master *m = x->m;
	struct resources *of_task = NULL, *of_executor = NULL;
	struct err err = { "" };

	int r = check_form(x, t, &err);
	if (r == 0)
		r = take_resources(x, t, &of_task, &of_executor, &err);
	if (r < 0) {
		master_say(m, x->f, t->task_id->value, x->agent, NULL, MESOS__V1__TASK_STATE__TASK_ERROR,
			MESOS__V1__TASK_STATUS__REASON__REASON_TASK_INVALID, err.text);
		return;
	}
	/* The list takes what it is given: the share was counted when the offer was made. */
	if (of_executor != NULL)
		(void)master_add_executor(m, x->agent, x->member, t->executor, of_executor);
	const struct task *added = master_add_task(m, x->member, x->agent, t, of_task);
	if (added != NULL)
		run(x, added->info);
}

static void launch_all(struct accepted *x, const Mesos__V1__Scheduler__Call__Accept *accept)
{
	for (size_t i = 0; i < accept->n_operations; i++) {
		const Mesos__V1__Offer__Operation__Launch *l = accept->operations[i]->launch;

		for (size_t k = 0; l != NULL && k < l->n_task_infos; k++) {
			const Mesos__V1__TaskInfo *t = l->task_infos[k];

			if (x->invalid == NULL) {
				launch(x, t);
				continue;
			}
			char *message =
				master_format(x->m, "Task launched with invalid offers: %s", x->invalid);
			master_say(x->m, x->f, t->task_id->value, master_agent(x->m, t->agent_id->value),
				NULL,
				x->f->partition_aware ? MESOS__V1__TASK_STATE__TASK_DROPPED
						      : MESOS__V1__TASK_STATE__TASK_LOST,
				MESOS__V1__TASK_STATUS__REASON__REASON_INVALID_OFFERS, message);
			free(message);
		}
	}
}

static double refusal(const Mesos__V1__Filters *filters)
{
	return filters != NULL && filters->has_refuse_seconds ? filters->refuse_seconds : 5.0;
}

void master_accept(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Accept *accept)
{
	struct accepted x = { .m = m, .f = f };

	if (resources_new(&x.left) < 0) {
		m->oom = true;
		return;
	}
	if (accept->n_offer_ids == 0)
		invalid(&x, "No offers specified");
	for (size_t i = 0; i < accept->n_offer_ids; i++)
		check_offer(&x, accept->offer_ids[i]->value);
	take_offers(&x, accept->offer_ids, accept->n_offer_ids);
	f->accepts++;
	f->offers_accepted += x.invalid == NULL ? accept->n_offer_ids : 0;
	launch_all(&x, accept);
	if (x.invalid == NULL) {
		/* MESOS-4553: only what was left is refused. */
		master_filter(m, x.agent, x.member, x.left, refusal(accept->filters));
		master_give_back(m, x.agent, x.member, x.left);
	}
	(void)resources_free(x.left);
}

void master_decline(struct master *m, struct framework *f, const Mesos__V1__Scheduler__Call__Decline *decline)
{
	f->declines++;
	for (size_t i = 0; i < decline->n_offer_ids; i++) {
		struct offer *o = master_offer(m, decline->offer_ids[i]->value);

		if (o == NULL || o->member->framework != f)
			continue;
		f->offers_declined++;
		master_filter(m, o->agent, o->member, o->resources, refusal(decline->filters));
		master_rescind(m, o, false);
	}
}
