/* sched_offer.c: offers, answered in the step that they came with.
 *
 * The offers of one agent in one role are used together, in one ACCEPT; every other offer of the event is
 * declined. How long for: what nobody wants, for an hour, which REVIVE takes back; what is too small, for
 * some seconds; what cannot be used this instant, not at all. The rest of an offer that was used is refused
 * for no time while there is more to run.
 *
 * Which offers are used follows from where data is. In a mode with a hold for each task the agents of the
 * event first get tasks that have their data there, by turns, and those with few such tasks ahead of the
 * others: what one agent alone has is left for it, and what several have is spread. Only then is what is left
 * given to tasks that do not mind, or have waited long enough. An offer that could run something and does
 * not, for a task waits for another place (sched_wait.c), is passed over: declined, so that others may use
 * it, for no longer than that wait. In a mode that takes slots beforehand agents that have data go first.
 *
 * Nothing here looks at tasks one by one: that an agent has local ones is a look into a table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/sched_offer.h"

int sched_offer_pool(struct sched *s, const Mesos__V1__Scheduler__Event__Offers *offers)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < offers->n_offers; i++) {
		const Mesos__V1__Offer *o = offers->offers[i];
		struct agent *a = sched_agent_get(s, o->agent_id->value, o->hostname);

		if (a == NULL)
			return -ENOMEM;
		if (a->lost)
			r = sched_agent_back(s, a);
		a->expected = false;
		a->offered_ms = s->now_ms;
		sched_drain_offered(s, a, o->unavailability);
		sched_host_refresh(s, a);
		sched_log_offer(s, o);
		if (r == 0 && a->offers.n == 0)
			r = vec_push(&s->offering, a);
		if (r == 0)
			r = vec_push(&a->offers, o);
		s->offers++;
	}
	return r;
}

/* ---- Answering ---- */

static uint32_t held_here(const struct agent *a)
{
	uint32_t n = 0;

	for (const struct hold *h = a->executor != NULL ? a->executor->holds : NULL; h != NULL; h = h->next)
		n += h->slots;
	return n;
}

/* How many of `fits` slots the mode takes there now. */
static uint32_t consider(struct sched *s, const struct agent *a, uint32_t fits)
{
	const struct mode_view v = sched_view_of(s);
	const struct mode_offer o = { .fits = fits, .held_here = held_here(a) };

	return fits > 0 ? s->config.mode->consider(s->mode, &v, &o) : 0;
}

static int most_first(const void *a, const void *b)
{
	const struct take *x = *(struct take *const *)a, *y = *(struct take *const *)b;

	if (x->near != y->near)
		return x->near > y->near ? -1 : 1;
	return x < y ? -1 : x > y; /* in the order in which they came */
}

static int fewest_first(const void *a, const void *b)
{
	const struct take *x = *(struct take *const *)a, *y = *(struct take *const *)b;

	if (x->near != y->near)
		return x->near < y->near ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* ---- A lease of each agent ---- */

static void count_all_near(const struct sched *s, struct take *t)
{
	t->near = 0;
	for (size_t i = 0; i < s->run->stages.n; i++)
		t->near += sched_prefer_count(s->run->stages.at[i], t->launches.agent);
}

static int take_leases(struct sched *s, struct take *const *order, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n; i++)
		count_all_near(s, order[i]);
	qsort((void *)(uintptr_t)order, n, sizeof(*order), most_first);
	for (size_t i = 0; r == 0 && i < n; i++) {
		uint32_t slots =
			sched_appetite_hungry(s) ? consider(s, order[i]->launches.agent, order[i]->fits) : 0;

		if (slots > 0)
			r = sched_launch_lease(s, &order[i]->launches, slots, false);
	}
	return r;
}

/* ---- A hold for each task, or a lease ---- */

/* Slots of leases there that are idle, or coming. */
static uint64_t spare(const struct agent *a)
{
	uint64_t n = a->executor != NULL ? (uint64_t)a->executor->free_slots + a->executor->later : 0;

	for (const struct hold *h = a->executor != NULL ? a->executor->holds : NULL; h != NULL; h = h->next)
		n += h->lease && !h->running ? h->slots : 0;
	return n;
}

/* A lease for a task of the stage, which is not picked yet: another slot may be free sooner. Now, or when
 * the agent's executor is there. 1: there was one. */
static int take_lease(struct sched *s, struct stage *stage, struct take *t, enum pick what)
{
	uint32_t slots = sched_size_slots(s, stage);
	const struct agent *agent = t->launches.agent;

	if (what == PICK_NEAR &&
		t->promised + (uint64_t)sched_prefer_count(stage, agent) * slots <= spare(agent))
		return 0;
	if (what == PICK_RETRY && !sched_task_retries(s, stage, agent))
		return 0;
	if (what != PICK_NEAR)
		stage->any_left -= slots;
	sched_size_take(s, stage, &t->room);
	if (!s->config.mode->task_per_hold) /* else that counts which is picked */
		sched_wait_launched(s, stage);
	if (sched_lease_waits(s, agent)) {
		sched_lease_later(s, agent->executor, slots, what == PICK_NEAR);
		return 1;
	}
	int r = sched_launch_lease(s, &t->launches, slots, what == PICK_NEAR);
	return r < 0 ? r : 1;
}

/* One task of the stage. *ret_launched: there was one. */
static int take_task(struct sched *s, struct stage *stage, struct take *t, enum pick what, bool *ret_launched)
{
	uint32_t slots = sched_size_slots(s, stage);
	const struct agent *agent = t->launches.agent;

	*ret_launched = false;
	if (!sched_size_fits(s, stage, &t->room) || !sched_drain_allows(s, agent, stage) ||
		consider(s, agent, slots) < slots)
		return 0;
	if (what != PICK_NEAR && stage->any_left < slots) /* slots are coming for the tasks that wait */
		return 0;
	/* What waits for an executor is a slot, for no task yet, in every mode. */
	if (!s->config.mode->task_per_hold || sched_lease_waits(s, agent)) {
		int r = take_lease(s, stage, t, what);

		*ret_launched = r > 0;
		return r < 0 ? r : 0;
	}
	struct task *task = sched_task_pick(s, stage, agent, what);
	if (task == NULL)
		return 0;
	*ret_launched = true;
	if (what != PICK_NEAR)
		stage->any_left -= slots;
	sched_size_take(s, stage, &t->room);
	return sched_launch_task(s, &t->launches, task);
}

/* By turns, one each, until there is no more for anybody. Changes the order. */
static int take_by_turns(struct sched *s, struct stage *stage, struct take **order, size_t n)
{
	bool launched;

	for (size_t i = 0; i < n; i++)
		order[i]->near = sched_prefer_count(stage, order[i]->launches.agent);
	qsort(order, n, sizeof(struct take *), fewest_first);
	while (n > 0) {
		size_t left = 0;

		for (size_t i = 0; i < n; i++) {
			int r = take_task(s, stage, order[i], PICK_NEAR, &launched);
			if (r < 0)
				return r;
			if (launched)
				order[left++] = order[i];
		}
		n = left;
	}
	return 0;
}

static int take_in_order(struct sched *s, struct stage *stage, takes *all, enum pick what)
{
	for (size_t i = 0; stage->n_pending > 0 && i < all->n; i++) {
		bool launched = true;

		while (launched) {
			int r = take_task(s, stage, &all->at[i], what, &launched);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* What could have run a task of the stage that waits for another place. */
static void pass_over(struct sched *s, struct stage *stage, takes *all)
{
	uint32_t slots = sched_size_slots(s, stage);

	if (stage->n_choosy == 0 || sched_wait_over(s, stage))
		return;
	for (size_t i = 0; i < all->n; i++) {
		struct take *t = &all->at[i];
		uint32_t n = sched_size_count(s, stage, &t->room);

		n = n > 0 ? consider(s, t->launches.agent, n) / slots : 0;
		if (t->passed || n == 0)
			continue;
		t->passed = true;
		t->refuse_s = (double)sched_wait_left_ms(s, stage) / 1000;
		sched_wait_pass(s, stage, t->launches.agent, n);
	}
}

/* Slots of leases that are on their way, and that no stage has counted on yet: for tasks that have their data
 * there, and for any. Each serves one stage: the first that has a use for it. */
struct coming {
	uint64_t near, any;
};

/* What is wanted beyond what is left. */
static uint64_t spend(uint64_t *left, uint64_t wanted)
{
	uint64_t n = wanted < *left ? wanted : *left;

	*left -= n;
	return wanted - n;
}

/* Slots for the tasks that do not wait for a place, but for those that are coming already. */
static uint64_t wanted_anywhere(struct sched *s, struct stage *stage, struct coming *left)
{
	uint64_t slots = sched_size_slots(s, stage), free = (stage->n_pending - stage->n_choosy) * slots;
	uint64_t choosy = spend(&left->near, stage->n_choosy * slots);

	return spend(&left->any, free + (sched_wait_over(s, stage) ? choosy : 0));
}

static int take_near(struct sched *s, struct stage *stage, takes *all, struct take **order)
{
	for (size_t i = 0; i < all->n; i++)
		order[i] = &all->at[i];
	int r = take_by_turns(s, stage, order, all->n);
	for (size_t i = 0; i < all->n; i++) { /* to those that were not launched */
		struct take *t = &all->at[i];

		t->promised +=
			(uint64_t)sched_prefer_count(stage, t->launches.agent) * sched_size_slots(s, stage);
	}
	return r;
}

static int take_tasks(struct sched *s, takes *all, struct take **order)
{
	struct coming left = { .near = s->coming_near, .any = s->coming - s->coming_near };
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->run->ready.n; i++) {
		struct stage *stage = s->run->ready.at[i];

		if (stage->n_pending == 0)
			continue;
		stage->any_left = wanted_anywhere(s, stage, &left);
		if (stage->retry != NULL)
			r = take_in_order(s, stage, all, PICK_RETRY);
		if (r == 0 && stage->places != NULL)
			r = take_near(s, stage, all, order);
		if (r == 0 && (stage->fresh != NULL || sched_wait_over(s, stage)))
			r = take_in_order(s, stage, all, PICK_ANY);
	}
	for (size_t i = 0; r == 0 && i < s->run->ready.n; i++)
		pass_over(s, s->run->ready.at[i], all);
	return r;
}

/* ---- What is left ---- */

struct declined {
	double refuse_s;
	VEC(Mesos__V1__OfferID *) ids;
};

static int send_declined(struct sched *s, struct declined *d)
{
	int r = d->ids.n > 0 ? sched_call_decline(s, d->ids.at, d->ids.n, d->refuse_s) : 0;

	d->ids.n = 0;
	return r;
}

/* Collects the agent's offers, and sends what was collected when these are to be declined for another time.
 */
static int decline(
	struct sched *s, const struct agent *a, const char *role, double refuse_s, struct declined *d)
{
	int r = 0;

	if (d->refuse_s < refuse_s || d->refuse_s > refuse_s)
		r = send_declined(s, d);
	d->refuse_s = refuse_s;
	for (size_t i = 0; r == 0 && i < a->offers.n; i++) {
		if (sched_offer_role(s, a->offers.at[i]) != role)
			continue;
		r = vec_push(&d->ids, a->offers.at[i]->id);
		sched_reason_declined(s, a);
		sched_log_decline(s, a, a->offers.at[i], refuse_s);
	}
	return r;
}

/* Accepts or declines. */
static int answer(struct sched *s, struct take *t, struct declined *d)
{
	bool hungry = sched_appetite_hungry(s);

	if (t->launches.list.n > 0)
		return sched_launch_send(s, &t->launches, hungry ? t->refuse_s : UNWANTED_S);
	if (!hungry || (!t->passed && consider(s, t->launches.agent, t->fits) == 0)) {
		t->refuse_s = hungry ? TOO_SMALL_S : UNWANTED_S; /* the mode has enough for now */
		t->passed = false;
	}
	sched_reason_judge(s, t->launches.agent,
		(struct verdict){ .reason = t->passed ? REASON_ELSEWHERE : sched_offer_enough(s) });
	return decline(s, t->launches.agent, t->launches.role, t->refuse_s, d);
}

static int take_all(struct sched *s, takes *all)
{
	struct take **order = calloc(all->n, sizeof(*order));
	int r = 0;

	if (order == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < all->n; i++)
		order[i] = &all->at[i];
	r = s->config.mode->as_needed ? take_tasks(s, all, order) : take_leases(s, order, all->n);
	free(order);
	return r;
}

static bool offers_in(const struct sched *s, const struct agent *a, const char *role)
{
	for (size_t i = 0; i < a->offers.n; i++)
		if (sched_offer_role(s, a->offers.at[i]) == role)
			return true;
	return false;
}

/* One launch brings an agent its executor, and whether that comes to be is not known for a while: of offers
 * in several roles those with the most room are used, and the others declined for no time. `first`: of `all`,
 * where the agent's begin. */
static int keep_best(struct sched *s, takes *all, size_t first, struct declined *d)
{
	int r = 0;

	while (r == 0 && all->n > first + 1) {
		size_t worse = all->at[first].fits < all->at[first + 1].fits ? first : first + 1;
		struct take *t = &all->at[worse];

		sched_reason_judge(s, t->launches.agent, (struct verdict){ .reason = REASON_ROLE });
		r = decline(s, t->launches.agent, t->launches.role, 0, d);
		sched_launches_deinit(&t->launches);
		vec_remove(all, worse);
	}
	return r;
}

static int judge_role(struct sched *s, struct agent *agent, const char *role, takes *all, struct declined *d)
{
	struct take t;

	if (!offers_in(s, agent, role))
		return 0;
	int r = sched_offer_judge(s, agent, role, &t);
	if (r <= 0)
		return r < 0 ? r : decline(s, agent, role, t.refuse_s, d);
	r = vec_push(all, t);
	if (r < 0)
		sched_launches_deinit(&t.launches);
	return r;
}

/* Its offers in each role by themselves: those that may be of use are put into `all`, and the others are
 * declined. */
static int judge_agent(struct sched *s, struct agent *agent, takes *all, struct declined *d)
{
	size_t first = all->n;
	int r = judge_role(s, agent, NULL, all, d);

	for (size_t i = 0; r == 0 && s->roles[i] != NULL; i++)
		r = judge_role(s, agent, s->roles[i], all, d);
	return r == 0 && agent->executor == NULL ? keep_best(s, all, first, d) : r;
}

int sched_offers_answer(struct sched *s)
{
	struct declined d = { 0 };
	takes all = { 0 };
	int r = 0;

	for (int starts = 0; starts < 2; starts++) /* where an executor is there, nothing is waited for */
		for (size_t i = 0; r == 0 && i < s->offering.n; i++)
			if ((s->offering.at[i]->executor == NULL) == starts)
				r = judge_agent(s, s->offering.at[i], &all, &d);
	if (r == 0 && all.n > 0)
		r = take_all(s, &all);
	for (size_t i = 0; i < all.n; i++) {
		if (r == 0)
			r = answer(s, &all.at[i], &d);
		sched_launches_deinit(&all.at[i].launches);
	}
	if (r == 0)
		r = send_declined(s, &d);
	for (size_t i = 0; i < s->offering.n; i++)
		s->offering.at[i]->offers.n = 0;
	s->offering.n = 0;
	vec_deinit(&all);
	vec_deinit(&d.ids);
	return r;
}
