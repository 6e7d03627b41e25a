/* Roles, reservations, revocable resources and ports: which pieces of which offers a launch is made of. */
#include "mesos/resources.h"
#include "tests/scheduler/sched_kit.h"

enum { OFFERS = 4 };

/* Offers of one event, by and by. */
struct offers {
	Mesos__V1__Offer offer[OFFERS], *list[OFFERS];
	Mesos__V1__OfferID id[OFFERS];
	Mesos__V1__AgentID agent[OFFERS];
	Mesos__V1__FrameworkID framework;
	Mesos__V1__Resource__AllocationInfo allocation[OFFERS];
	char text[OFFERS][32];
	size_t n;
};

/* Of resources as Mesos' --resources has them, allocated to the role; NULL: to none. */
static void add_offer(
	struct kit *k, struct offers *all, const char *agent, const char *role, const char *resources)
{
	size_t i = all->n++;
	Mesos__V1__Offer *o = &all->offer[i];
	struct resources *r = NULL;

	assert_int_equal(resources_parse(resources, &r, NULL), 0);
	assert_int_equal(resources_allocate(r, role), 0);
	mesos__v1__offer__init(o);
	mesos__v1__offer_id__init(&all->id[i]);
	mesos__v1__agent_id__init(&all->agent[i]);
	mesos__v1__framework_id__init(&all->framework);
	mesos__v1__resource__allocation_info__init(&all->allocation[i]);
	assert_int_equal(resources_to_pb(r, &o->resources, &o->n_resources), 0);
	(void)resources_free(r);
	(void)snprintf(all->text[i], sizeof(all->text[i]), "offer-%u", ++k->next_offer);
	all->id[i].value = all->text[i];
	all->agent[i].value = (char *)(uintptr_t)agent;
	all->framework.value = (char *)(uintptr_t) "framework-1";
	all->allocation[i].role = (char *)(uintptr_t)role;
	o->id = &all->id[i];
	o->agent_id = &all->agent[i];
	o->framework_id = &all->framework;
	o->hostname = all->agent[i].value;
	o->allocation_info = role != NULL ? &all->allocation[i] : NULL;
	all->list[i] = o;
}

static void send(struct kit *k, struct offers *all)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;

	offers.n_offers = all->n;
	offers.offers = all->list;
	e.offers = &offers;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS);
	kit_remember(k);
	for (size_t i = 0; i < all->n; i++)
		resources_pb_free(all->offer[i].resources, all->offer[i].n_resources);
	*all = (struct offers){ 0 };
}

static void offer(struct kit *k, const char *agent, const char *role, const char *resources)
{
	struct offers all = { 0 };

	add_offer(k, &all, agent, role, resources);
	send(k, &all);
}

static void prints(Mesos__V1__Resource *const *list, size_t n, const char *role, const char *text)
{
	struct buf out = BUF_INIT(4096);
	struct resources *r = NULL;

	for (size_t i = 0; i < n; i++)
		assert_string_equal(list[i]->allocation_info->role, role);
	assert_int_equal(resources_from_pb(list, n, &r, NULL), 0);
	assert_int_equal(resources_print(r, &out), 0);
	assert_int_equal(buf_add(&out, "", 1), 0);
	assert_string_equal((const char *)out.data, text);
	buf_deinit(&out);
	(void)resources_free(r);
}

/* Task number `n` of ACCEPT number `accept` is made of these, and its executor of those (NULL: is not looked
 * at), all allocated to the role. */
static void launched(const struct kit *k, size_t accept, size_t n, const char *role, const char *task,
	const char *executor)
{
	Call *c = kit_call(k, CALL(ACCEPT), accept);

	assert_non_null(c);
	const Mesos__V1__Offer__Operation__Launch *l = c->accept->operations[0]->launch;
	assert_true(n < l->n_task_infos);
	prints(l->task_infos[n]->resources, l->task_infos[n]->n_resources, role, task);
	if (executor != NULL)
		prints(l->task_infos[n]->executor->resources, l->task_infos[n]->executor->n_resources, role,
			executor);
	kit_call_free(c);
}

/* The ids of what ACCEPT number `n` took are these. */
static void took(const struct kit *k, size_t n, const char *ids)
{
	Call *c = kit_call(k, CALL(ACCEPT), n);
	char text[256] = "";

	assert_non_null(c);
	for (size_t i = 0; i < c->accept->n_offer_ids; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i > 0 ? " " : "",
			c->accept->offer_ids[i]->value);
	assert_string_equal(text, ids);
	kit_call_free(c);
}

static void begin(struct kit *k, struct sched_config *config, const char *const *roles, uint32_t tasks)
{
	config->roles = roles;
	kit_new(k, config);
	kit_subscribed(k);
	kit_run(k, 1, 5, tasks, 0, QUERN__SINK__KIND__COUNT);
}

/* ---- Roles ---- */

static void subscription(struct kit *k, size_t n_roles, size_t n_suppressed, const char *capabilities)
{
	struct buf out = BUF_INIT(1 << 16);
	char text[64] = "";

	assert_int_equal(sched_subscribe_call(k->s, &out), 0);
	Call *c = mesos__v1__scheduler__call__unpack(NULL, out.len, out.data);
	assert_non_null(c);
	const Mesos__V1__FrameworkInfo *info = c->subscribe->framework_info;
	assert_int_equal(info->n_roles, n_roles);
	assert_int_equal(c->subscribe->n_suppressed_roles, n_suppressed);
	for (size_t i = 0; i < info->n_capabilities; i++)
		(void)snprintf(
			text + strlen(text), sizeof(text) - strlen(text), "%d ", info->capabilities[i]->type);
	assert_string_equal(text, capabilities);
	kit_call_free(c);
	buf_deinit(&out);
}

static void every_call_names_all_roles(void **state)
{
	static const char *const roles[] = { "a", "b/c", "*", NULL };
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.roles = roles;
	kit_new(&k, &config);
	subscription(&k, 3, 3, "6 5 7 "); /* MULTI_ROLE, PARTITION_AWARE, RESERVATION_REFINEMENT */
	kit_subscribed(&k);
	kit_run(&k, 1, 5, 1, 0, QUERN__SINK__KIND__COUNT);
	Call *c = kit_call(&k, CALL(REVIVE), 0);
	assert_int_equal(c->revive->n_roles, 3);
	assert_string_equal(c->revive->roles[1], "b/c");
	kit_call_free(c);
	subscription(&k, 3, 0, "6 5 7 ");
	offer(&k, "a", "b/c", "cpus:1.1;mem:1000");
	c = kit_call(&k, CALL(SUPPRESS), 0);
	assert_int_equal(c->suppress->n_roles, 3);
	assert_string_equal(c->suppress->roles[2], "*");
	kit_call_free(c);
	kit_free(&k);
}

static void revocable_ones_are_asked_for_by_a_capability(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.revocable = true;
	kit_new(&k, &config);
	subscription(&k, 1, 1, "6 5 7 1 ");
	kit_free(&k);
}

static void offers_of_several_roles_are_not_mixed(void **state)
{
	static const char *const roles[] = { "a", "b", NULL };
	struct sched_config config = kit_config(&mode_fine);
	struct offers all = { 0 };
	struct kit k;
	(void)state;

	begin(&k, &config, roles, 9);
	/* Not enough in any role for an executor and a task, but together. */
	add_offer(&k, &all, "x", "a", "cpus:1;mem:1000");
	add_offer(&k, &all, "x", "b", "cpus:1;mem:1000");
	send(&k, &all);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	assert_int_equal(kit_calls(&k, CALL(DECLINE)), 1);
	/* Two of one role are. */
	add_offer(&k, &all, "x", "a", "cpus:1;mem:1000");
	add_offer(&k, &all, "x", "b", "cpus:1;mem:1000");
	add_offer(&k, &all, "x", "a", "cpus(a):0.1;mem:10");
	send(&k, &all);
	took(&k, 0, "offer-3 offer-5");
	launched(&k, 0, 0, "a", "cpus:1;mem:100", "cpus(a):0.1;mem:64");
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 1);
	kit_free(&k);
}

/* Whether a first launch is taken is not known yet: no other brings the same executor meanwhile. */
static void a_new_executor_comes_with_the_role_that_has_most_room(void **state)
{
	static const char *const roles[] = { "a", "b", NULL };
	struct sched_config config = kit_config(&mode_fine);
	struct offers all = { 0 };
	struct kit k;
	(void)state;

	begin(&k, &config, roles, 9);
	add_offer(&k, &all, "x", "a", "cpus:1.1;mem:1000");
	add_offer(&k, &all, "x", "b", "cpus:2.1;mem:1000");
	add_offer(&k, &all, "y", "b", "cpus:1.1;mem:1000");
	add_offer(&k, &all, "y", "a", "cpus:1.1;mem:1000");
	send(&k, &all);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 2);
	took(&k, 0, "offer-2");
	took(&k, 1, "offer-4"); /* the first role at a tie */
	assert_int_equal(kit_calls(&k, CALL(DECLINE)), 1);
	assert_true(kit_refused(&k) <= 0); /* they are wanted as soon as it runs */
	kit_free(&k);
}

static void an_executor_runs_tasks_of_every_role(void **state)
{
	static const char *const roles[] = { "a", "b", NULL };
	struct sched_config config = kit_config(&mode_fine);
	struct offers all = { 0 };
	struct kit k;
	(void)state;

	begin(&k, &config, roles, 9);
	offer(&k, "x", "a", "cpus(a):1.1;mem(a):164");
	kit_accepted(&k, "5.0.0");
	launched(&k, 0, 0, "a", "cpus(a):1;mem(a):100", "cpus(a):0.1;mem(a):64");
	kit_link(&k, k.executor);
	add_offer(&k, &all, "x", "b", "cpus:1;mem:100");
	add_offer(&k, &all, "x", "a", "cpus:1;mem:100");
	send(&k, &all);
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 2);
	took(&k, 0, "offer-3");
	launched(&k, 0, 0, "a", "cpus:1;mem:100", NULL);
	took(&k, 1, "offer-2");
	launched(&k, 1, 0, "b", "cpus:1;mem:100", NULL);
	Call *c = kit_call(&k, CALL(ACCEPT), 1);
	const Mesos__V1__ExecutorInfo *e = c->accept->operations[0]->launch->task_infos[0]->executor;
	assert_string_equal(e->executor_id->value, k.executor);
	prints(e->resources, e->n_resources, "a", "cpus(a):0.1;mem(a):64"); /* as it was launched */
	kit_call_free(c);
	kit_free(&k);
}

static void coarse_leases_of_every_role(void **state)
{
	static const char *const roles[] = { "a", "b", NULL };
	struct sched_config config = kit_config(&mode_coarse);
	struct kit k;
	(void)state;

	config.mode_config.max_slots = 3;
	begin(&k, &config, roles, 3);
	offer(&k, "x", "a", "cpus:2.1;mem:1000");
	kit_accepted(&k, "lease-0");
	launched(&k, 0, 0, "a", "cpus:2;mem:200", "cpus:0.1;mem:64");
	kit_running(&k, "lease-0", "x");
	kit_link(&k, k.executor);
	assert_int_equal(kit_actions(&k, SCHED_DO_LINK), 0); /* the request is not met yet */
	offer(&k, "x", "b", "cpus(b):8;mem:1000");
	kit_accepted(&k, "lease-1");
	launched(&k, 0, 0, "b", "cpus(b):1;mem:100", NULL);
	kit_running(&k, "lease-1", "x");
	assert_true(kit_actions(&k, SCHED_DO_LINK) > 0);
	kit_free(&k);
}

/* What is held in one role does not make room in another. */
static void a_task_that_is_too_large_for_any_role_has_no_agent(void **state)
{
	static const char *const roles[] = { "a", "b", NULL };
	struct sched_config config = kit_config(&mode_fine);
	struct kit_run large;
	struct kit k;
	(void)state;

	config.mode_config.max_registered_wait_ms = 1000;
	config.roles = roles;
	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run_init(&large, 1, 5, 2, 1, QUERN__SINK__KIND__COUNT);
	large.stages[1].has_task_cores_milli = 1;
	large.stages[1].task_cores_milli = 2000;
	kit_submit(&k, &large);
	offer(&k, "x", "a", "cpus(a):1.1;mem:1000");
	kit_accepted(&k, "5.0.0");
	kit_link(&k, k.executor);
	offer(&k, "x", "b", "cpus(b):1;mem:1000");
	kit_accepted(&k, "5.1.0");
	kit_fine_done(&k, "5.0.0", "x");
	kit_fine_done(&k, "5.1.0", "x");
	const struct sched_action *done = NULL;
	for (uint64_t end = k.now + 5000; done == NULL && k.now < end;
		done = kit_action(&k, SCHED_DO_DONE, 0)) {
		k.now += 500;
		kit_tick(&k);
	}
	assert_non_null(done);
	assert_non_null(strstr(done->text, "no agent has that"));
	kit_free(&k);
}

static void an_offer_of_a_role_that_is_not_ours_is_declined(void **state)
{
	static const char *const roles[] = { "a", NULL };
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	begin(&k, &config, roles, 2);
	offer(&k, "x", "b", "cpus:8;mem:1000");
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	assert_int_equal(kit_calls(&k, CALL(DECLINE)), 1);
	assert_true(kit_refused(&k) >= 3600);
	offer(&k, "x", NULL, "cpus:1.1;mem:1000"); /* that of a master which does not say is */
	launched(&k, 0, 0, "a", "cpus:1;mem:100", "cpus:0.1;mem:64");
	kit_free(&k);
}

/* ---- Pieces ---- */

static void reserved_pieces_are_spent_first(void **state)
{
	static const char *const roles[] = { "a", NULL };
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	begin(&k, &config, roles, 2);
	offer(&k, "x", "a", "cpus:1;mem:300;cpus(a):1.5;mem(a):120;disk:100;gpus:2;ports:[1-9];new:{x}");
	kit_accepted(&k, "5.0.0 5.1.0");
	launched(&k, 0, 0, "a", "cpus(a):1;mem(a):56;mem:44", "cpus(a):0.1;mem(a):64");
	launched(&k, 0, 1, "a", "cpus(a):0.4;cpus:0.6;mem:100", NULL);
	kit_free(&k);
}

/* It is not for us to judge what we do not use. */
static void what_is_not_understood_is_left_alone(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct offers all = { 0 };
	struct kit k;
	(void)state;

	begin(&k, &config, NULL, 1);
	add_offer(&k, &all, "x", "*", "disk:7;cpus:1.1;mem:1000");
	all.offer[0].resources[0]->type = MESOS__V1__VALUE__TYPE__TEXT;
	send(&k, &all);
	launched(&k, 0, 0, "*", "cpus:1;mem:100", "cpus:0.1;mem:64");
	kit_free(&k);
}

/* ---- Revocable ---- */

static void revocable_pieces_are_not_taken_unasked(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	begin(&k, &config, NULL, 4);
	offer(&k, "x", "*", "cpus{REV}:8;cpus:1.1;mem:1000");
	kit_accepted(&k, "5.0.0");
	launched(&k, 0, 0, "*", "cpus:1;mem:100", "cpus:0.1;mem:64");
	offer(&k, "y", "*", "cpus{REV}:8;mem:1000");
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_free(&k);
}

static void an_executor_is_of_one_sort(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.revocable = true;
	begin(&k, &config, NULL, 9);
	offer(&k, "x", "*", "cpus{REV}:1.1;cpus:1.1;mem:1000"); /* at a tie it is the lasting one */
	kit_accepted(&k, "5.0.0");
	launched(&k, 0, 0, "*", "cpus:1;mem:100", "cpus:0.1;mem:64");
	kit_link(&k, k.executor);
	offer(&k, "x", "*", "cpus{REV}:4;mem:1000"); /* and stays that */
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	offer(&k, "y", "*", "cpus{REV}:2.1;cpus:1.1;mem:1000");
	kit_accepted(&k, "5.1.0 5.2.0");
	launched(&k, 0, 1, "*", "cpus{REV}:1;mem:100", "cpus{REV}:0.1;mem:64");
	kit_link(&k, k.executor);
	offer(&k, "y", "*", "cpus:4;mem:1000;mem{REV}:1000");
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	offer(&k, "y", "*", "cpus{REV}:1;cpus:4;mem{REV}:500;mem:100");
	kit_accepted(&k, "5.3.0");
	launched(&k, 0, 0, "*", "cpus{REV}:1;mem:100", NULL);
	kit_free(&k);
}

/* What the agent says when its QoS controller has ended an executor. */
static void preempted(struct kit *k, const char *task, const char *agent, Mesos__V1__TaskState how)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Update update = MESOS__V1__SCHEDULER__EVENT__UPDATE__INIT;
	Mesos__V1__TaskStatus status = MESOS__V1__TASK_STATUS__INIT;
	Mesos__V1__TaskID id = MESOS__V1__TASK_ID__INIT;
	Mesos__V1__AgentID agent_id = MESOS__V1__AGENT_ID__INIT;

	id.value = (char *)(uintptr_t)task;
	agent_id.value = (char *)(uintptr_t)agent;
	status.task_id = &id;
	status.agent_id = &agent_id;
	status.state = how;
	status.has_source = status.has_reason = 1;
	status.source = MESOS__V1__TASK_STATUS__SOURCE__SOURCE_AGENT;
	status.reason = MESOS__V1__TASK_STATUS__REASON__REASON_CONTAINER_PREEMPTED;
	update.status = &status;
	e.update = &update;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__UPDATE);
}

/* Whatever comes first, and however often. */
static void being_preempted_is_no_failure(void **state)
{
	static const Mesos__V1__TaskState states[] = { STATE(GONE), STATE(LOST), STATE(FAILED), STATE(GONE) };
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.revocable = true;
	config.task_max_failures = 1;
	config.exclude_after = 1;
	begin(&k, &config, NULL, 2);
	for (unsigned i = 0; i < 40; i++) {
		char first[32], second[32];

		(void)snprintf(first, sizeof(first), "5.0.%u", i);
		(void)snprintf(second, sizeof(second), "5.1.%u", i);
		offer(&k, "x", "*", "cpus{REV}:2.1;mem:1000");
		assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 1);
		if (i % 3 > 0)
			kit_link(&k, k.executor);
		if (i % 2 == 1) {
			kit_failure(&k, k.executor, "x");
			offer(&k, "x", "*", "cpus{REV}:2.1;mem:1000"); /* what that was is not known yet */
			assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
		}
		preempted(&k, first, "x", states[i % 4]);
		preempted(&k, second, "x", states[i % 4]);
		if (i % 2 == 0)
			kit_failure(&k, k.executor, "x");
		assert_null(kit_action(&k, SCHED_DO_DONE, 0));
	}
	offer(&k, "x", "*", "cpus{REV}:2.1;mem:1000"); /* nobody is left out for it */
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 1);
	kit_free(&k);
}

/* Nor may it hide what fails for other reasons. */
static void an_executor_on_revocable_pieces_that_fails_has_failed(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	bool ended = false;
	(void)state;

	config.revocable = true;
	config.task_max_failures = 1;
	begin(&k, &config, NULL, 1);
	for (unsigned i = 0; i < 8 && !ended; i++) {
		char id[32];

		(void)snprintf(id, sizeof(id), "5.0.%u", i);
		offer(&k, "x", "*", "cpus{REV}:1.1;mem:1000");
		kit_accepted(&k, id);
		kit_link(&k, k.executor);
		kit_failure(&k, k.executor, "x");
		kit_says(&k, id, "x", STATE(FAILED));
		ended = kit_action(&k, SCHED_DO_DONE, 0) != NULL;
	}
	assert_true(ended);
	kit_free(&k);
}

/* The end of its tasks is not told: it is given up after a while all the same. */
static void a_failure_that_is_not_explained_is_one(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	config.revocable = true;
	begin(&k, &config, NULL, 1);
	offer(&k, "x", "*", "cpus{REV}:1.1;mem:1000");
	kit_link(&k, k.executor);
	kit_failure(&k, k.executor, "x");
	kit_unlink(&k, k.executor);
	kit_wait(&k, 30000);
	offer(&k, "x", "*", "cpus{REV}:1.1;mem:1000");
	kit_accepted(&k, "5.0.1");
	kit_free(&k);
}

/* ---- Ports ---- */

/* It dies while a launch is on its way, which the agent drops: nothing will say why. */
static void a_failure_that_nobody_explains_is_none(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	char first[64];
	(void)state;

	config.revocable = true;
	config.exclude_after = 1;
	config.exclude_ms = 600000;
	begin(&k, &config, NULL, 2);
	offer(&k, "x", "*", "cpus{REV}:1.1;mem:1000");
	memcpy(first, k.executor, sizeof(first));
	kit_link(&k, first);
	kit_fine_done(&k, "5.0.0", "x");
	offer(&k, "x", "*", "cpus{REV}:1;mem:1000");
	kit_accepted(&k, "5.1.0");
	kit_unlink(&k, first);
	kit_failure(&k, first, "x");
	kit_says(&k, "5.1.0", "x", STATE(DROPPED));
	offer(&k, "x", "*", "cpus{REV}:1.1;mem:1000");
	kit_accepted(&k, "5.1.1");
	assert_string_not_equal(k.executor, first);
	kit_wait(&k, 30000);
	struct sched_progress p;
	sched_get_progress(k.s, &p);
	assert_int_equal(p.tasks_failed, 0);
	kit_free(&k);
}

/* The agent had seen its end before the launch: it starts another process under the same name. */
static void an_executor_that_begins_anew_is_not_in_doubt(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	char first[64];
	(void)state;

	config.revocable = true;
	begin(&k, &config, NULL, 4);
	offer(&k, "x", "*", "cpus{REV}:1.1;mem:1000");
	memcpy(first, k.executor, sizeof(first));
	kit_link(&k, first);
	kit_fine_done(&k, "5.0.0", "x");
	offer(&k, "x", "*", "cpus{REV}:1;mem:1000");
	kit_accepted(&k, "5.1.0");
	kit_unlink(&k, first);
	kit_failure(&k, first, "x");
	offer(&k, "x", "*", "cpus{REV}:1;mem:1000");
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	kit_link(&k, first);
	kit_running(&k, "5.1.0", "x");
	offer(&k, "x", "*", "cpus{REV}:1;mem:1000");
	kit_accepted(&k, "5.2.0");
	assert_string_equal(k.executor, first);
	kit_wait(&k, 30000);
	kit_fine_done(&k, "5.1.0", "x");
	offer(&k, "x", "*", "cpus{REV}:1;mem:1000");
	kit_accepted(&k, "5.3.0");
	kit_free(&k);
}

/* The port that the executor of the only ACCEPT is to serve at. */
static unsigned told(const struct kit *k)
{
	Call *c = kit_call(k, CALL(ACCEPT), 0);
	unsigned port = 0;

	assert_non_null(c);
	const Mesos__V1__ExecutorInfo *e = c->accept->operations[0]->launch->task_infos[0]->executor;
	const Mesos__V1__Environment *env = e->command->environment;
	for (size_t i = 0; env != NULL && i < env->n_variables; i++)
		if (strcmp(env->variables[i]->name, "QUERN_SHUFFLE_PORT") == 0)
			port = (unsigned)atoi(env->variables[i]->value);
	for (size_t i = 0; i < e->n_resources; i++)
		if (strcmp(e->resources[i]->name, "ports") == 0) {
			assert_int_equal(e->resources[i]->ranges->n_range, 1);
			assert_int_equal(e->resources[i]->ranges->range[0]->begin, port);
			assert_int_equal(e->resources[i]->ranges->range[0]->end, port);
		}
	kit_call_free(c);
	return port;
}

static void a_port_is_taken_where_that_is_asked_for(void **state)
{
	static const char *const roles[] = { "a", NULL };
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	begin(&k, &config, roles, 9);
	offer(&k, "x", "a", "cpus:1.1;mem:1000;ports:[31000-31009]");
	assert_int_equal(told(&k), 0);
	kit_free(&k);

	config.ports_from_offer = true;
	begin(&k, &config, roles, 9);
	offer(&k, "x", "a", "cpus:1.1;mem:1000");
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0); /* it needs one */
	assert_true(kit_refused(&k) < 60);
	offer(&k, "x", "a", "cpus:1.1;mem:1000;ports{REV}:[31000-31009]");
	assert_int_equal(kit_calls(&k, CALL(ACCEPT)), 0);
	offer(&k, "x", "a", "cpus:1.1;mem:1000;ports:[31000-31009];ports(a):[7-8]");
	assert_in_range(told(&k), 7, 8); /* what is reserved goes first */
	kit_link(&k, k.executor);
	offer(&k, "x", "a", "cpus:1;mem:1000"); /* once is enough */
	kit_accepted(&k, "5.1.0");
	kit_free(&k);
}

/* One that somebody has without asking must not be tried for ever. */
static void another_port_is_tried_next_time(void **state)
{
	struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	unsigned seen[7], different = 0;
	(void)state;

	config.ports_from_offer = true;
	config.task_max_failures = 100;
	begin(&k, &config, NULL, 1);
	for (unsigned i = 0; i < 7; i++) {
		char id[32];

		offer(&k, "x", "*", "cpus:1.1;mem:1000;ports:[31000-31999]");
		seen[i] = told(&k);
		assert_in_range(seen[i], 31000, 31999);
		(void)snprintf(id, sizeof(id), "5.0.%u", i);
		kit_says(&k, id, "x", STATE(FAILED));
		different += i > 0 && seen[i] != seen[i - 1];
	}
	assert_true(different >= 4);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_call_names_all_roles),
		cmocka_unit_test(revocable_ones_are_asked_for_by_a_capability),
		cmocka_unit_test(offers_of_several_roles_are_not_mixed),
		cmocka_unit_test(a_new_executor_comes_with_the_role_that_has_most_room),
		cmocka_unit_test(an_executor_runs_tasks_of_every_role),
		cmocka_unit_test(coarse_leases_of_every_role),
		cmocka_unit_test(a_task_that_is_too_large_for_any_role_has_no_agent),
		cmocka_unit_test(an_offer_of_a_role_that_is_not_ours_is_declined),
		cmocka_unit_test(reserved_pieces_are_spent_first),
		cmocka_unit_test(what_is_not_understood_is_left_alone),
		cmocka_unit_test(revocable_pieces_are_not_taken_unasked),
		cmocka_unit_test(an_executor_is_of_one_sort),
		cmocka_unit_test(being_preempted_is_no_failure),
		cmocka_unit_test(an_executor_on_revocable_pieces_that_fails_has_failed),
		cmocka_unit_test(a_failure_that_nobody_explains_is_none),
		cmocka_unit_test(an_executor_that_begins_anew_is_not_in_doubt),
		cmocka_unit_test(a_failure_that_is_not_explained_is_one),
		cmocka_unit_test(a_port_is_taken_where_that_is_asked_for),
		cmocka_unit_test(another_port_is_tried_next_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
