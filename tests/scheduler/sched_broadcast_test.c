/* Broadcasts: who hears of them, who fetches them from whom, and what becomes of it. */
#include "tests/scheduler/sched_kit.h"

enum { EXECUTORS = 8 };

struct world {
	struct kit k;
	char e[EXECUTORS][64];
};

static void add(struct kit *k, uint32_t id)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_BROADCAST,
			    .u.broadcast = { .id = id, .length = 100 * id, .checksum = 7 * id } });
}

static void destroy(struct kit *k, uint32_t id)
{
	kit_step(k, (struct sched_event){ .kind = SCHED_EV_DESTROY, .u.broadcast = { .id = id } });
}

/* So many executors of one slot, each with a task of a run. */
static void begin(struct world *w, unsigned n)
{
	const struct sched_config config = kit_config(&mode_fine);

	kit_new(&w->k, &config);
	kit_subscribed(&w->k);
	add(&w->k, 1);
	kit_run(&w->k, 1, 5, 40, 0, QUERN__SINK__KIND__COUNT);
	for (unsigned i = 0; i < n; i++) {
		char agent[16];

		(void)snprintf(agent, sizeof(agent), "a%u", i);
		kit_offer(&w->k, agent, 1.1, 1000);
		memcpy(w->e[i], w->k.executor, 64);
		kit_link(&w->k, w->e[i]);
	}
}

static void say(struct world *w, unsigned e, uint32_t broadcast, bool here, const char *failed)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Copy copy = QUERN__TO_DRIVER__COPY__INIT, *list[] = { &copy };

	copy.broadcast = broadcast;
	copy.here = here;
	copy.failed = (char *)(uintptr_t)failed;
	m.n_copies = 1;
	m.copies = list;
	kit_link_message(&w->k, w->e[e], &m);
}

/* Who was told to fetch it from whom in the last step: "0<d 1<0", d the driver. */
static void assert_orders(const struct world *w, const char *expected)
{
	const struct sched_action *a;
	char text[256] = "";

	for (size_t i = 0; (a = kit_action(&w->k, SCHED_DO_LINK, i)) != NULL; i++) {
		Quern__ToExecutor *m = quern__to_executor__unpack(NULL, a->len, a->data);
		unsigned to = 0, from = 0;

		while (to < EXECUTORS && strcmp(w->e[to], a->text) != 0)
			to++;
		for (size_t n = 0; n < m->n_fetch; n++) {
			const Quern__ToExecutor__Fetch *f = m->fetch[n];
			size_t len = strlen(text);

			for (from = 0; f->executor_id != NULL && strcmp(w->e[from], f->executor_id) != 0;
				from++)
				assert_true(from < EXECUTORS);
			if (f->executor_id != NULL) {
				assert_string_equal(f->address, "10.0.0.1");
				assert_int_equal(f->port, 1234);
			}
			(void)snprintf(text + len, sizeof(text) - len, "%s%u<%c", len > 0 ? " " : "", to,
				f->executor_id != NULL ? (char)('0' + from) : 'd');
		}
		quern__to_executor__free_unpacked(m, NULL);
	}
	assert_string_equal(text, expected);
}

/* The table that went to an executor in the last step, "VERSION: ID ..."; "" none. */
static void assert_table(const struct world *w, unsigned e, const char *expected)
{
	const struct sched_action *a;
	char text[256] = "";

	for (size_t i = 0; (a = kit_action(&w->k, SCHED_DO_LINK, i)) != NULL; i++) {
		Quern__ToExecutor *m = quern__to_executor__unpack(NULL, a->len, a->data);

		if (m->broadcasts != NULL && strcmp(a->text, w->e[e]) == 0) {
			(void)snprintf(text, sizeof(text), "%u:", m->broadcasts->version);
			for (size_t n = 0; n < m->broadcasts->n_list; n++) {
				const Quern__Broadcast *b = m->broadcasts->list[n];
				size_t len = strlen(text);

				assert_int_equal(b->length, 100 * b->id);
				assert_int_equal(b->checksum, 7 * b->id);
				(void)snprintf(text + len, sizeof(text) - len, " %u", b->id);
			}
		}
		quern__to_executor__free_unpacked(m, NULL);
	}
	assert_string_equal(text, expected);
}

static void the_table_goes_ahead_of_tasks_once(void **state)
{
	struct world w;
	(void)state;

	begin(&w, 1);
	kit_offer(&w.k, "a0", 1, 1000); /* the first task came before there was a link */
	assert_table(&w, 0, "1: 1");
	Call *c = kit_call(&w.k, CALL(ACCEPT), 0);
	const ProtobufCBinaryData *data = &c->accept->operations[0]->launch->task_infos[0]->data;
	Quern__TaskData *d = quern__task_data__unpack(NULL, data->len, data->data);
	assert_int_equal(d->task->broadcasts_version, 1);
	quern__task_data__free_unpacked(d, NULL);
	kit_call_free(c);
	kit_offer(&w.k, "a0", 1, 1000);
	assert_table(&w, 0, "");
	add(&w.k, 2);
	assert_table(&w, 0, ""); /* with the next task that may need it */
	kit_offer(&w.k, "a0", 1, 1000);
	assert_table(&w, 0, "2: 1 2");
	kit_unlink(&w.k, w.e[0]);
	kit_link(&w.k, w.e[0]);
	kit_offer(&w.k, "a0", 1, 1000);
	assert_table(&w, 0, "2: 1 2");
	kit_free(&w.k);
}

static void who_asks_for_the_table_gets_it(void **state)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Need need = QUERN__TO_DRIVER__NEED__INIT;
	struct world w;
	(void)state;

	begin(&w, 1);
	need.has_broadcasts = need.broadcasts = 1;
	m.need = &need;
	kit_link_message(&w.k, w.e[0], &m);
	assert_table(&w, 0, "1: 1");
	kit_free(&w.k);
}

static void the_driver_serves_two_and_those_the_others(void **state)
{
	struct world w;
	(void)state;

	begin(&w, 8);
	say(&w, 0, 1, false, NULL);
	assert_orders(&w, "0<d");
	say(&w, 1, 1, false, NULL);
	assert_orders(&w, "1<d");
	for (unsigned i = 2; i < 8; i++) {
		say(&w, i, 1, false, NULL);
		assert_orders(&w, ""); /* waits */
	}
	say(&w, 1, 1, true, NULL);
	assert_orders(&w, "2<1 3<1 4<d");
	say(&w, 2, 1, true, NULL);
	assert_orders(&w, "5<1 6<2 7<2");
	for (unsigned i = 0; i < 8; i++)
		say(&w, i, 1, true, NULL);
	assert_orders(&w, "");
	kit_free(&w.k);
}

static void who_cannot_fetch_it_is_sent_elsewhere(void **state)
{
	struct world w;
	(void)state;

	begin(&w, 4);
	say(&w, 0, 1, false, NULL);
	say(&w, 0, 1, true, NULL);
	say(&w, 1, 1, false, NULL);
	assert_orders(&w, "1<0");
	say(&w, 1, 1, false, w.e[0]);
	assert_orders(&w, "1<d"); /* not there again: and nobody else has it */
	say(&w, 1, 1, false, "");
	assert_orders(&w, "1<0"); /* where it failed last was the driver */
	say(&w, 2, 1, false, NULL);
	assert_orders(&w, "2<0");
	say(&w, 3, 1, false, NULL);
	say(&w, 3, 1, true, NULL);
	say(&w, 2, 1, false, w.e[0]);
	assert_orders(&w, "2<3");
	say(&w, 2, 1, false, w.e[3]);
	assert_orders(&w, "2<d"); /* enough of executors */
	kit_free(&w.k);
}

static void a_lost_executor_frees_its_place(void **state)
{
	struct world w;
	(void)state;

	begin(&w, 4);
	for (unsigned i = 0; i < 4; i++)
		say(&w, i, 1, false, NULL);
	kit_failure(&w.k, w.e[0], "a0");
	assert_orders(&w, "2<d");
	say(&w, 1, 1, true, NULL);
	assert_orders(&w, "3<1");
	kit_failure(&w.k, w.e[1], "a1"); /* under the fetch of 3, which says so */
	say(&w, 3, 1, false, w.e[1]);
	assert_orders(&w, "3<d");
	kit_free(&w.k);
}

static void one_without_a_link_is_no_place_to_fetch_from(void **state)
{
	struct world w;
	(void)state;

	begin(&w, 2);
	say(&w, 0, 1, false, NULL);
	say(&w, 0, 1, true, NULL);
	kit_unlink(&w.k, w.e[0]);
	say(&w, 1, 1, false, NULL);
	assert_orders(&w, "1<d");
	kit_free(&w.k);
}

static void what_is_said_again_after_a_new_link_counts(void **state)
{
	struct world w;
	(void)state;

	begin(&w, 3);
	say(&w, 0, 1, false, NULL);
	assert_orders(&w, "0<d"); /* lost with the link */
	kit_unlink(&w.k, w.e[0]);
	kit_link(&w.k, w.e[0]);
	say(&w, 0, 1, false, NULL);
	assert_orders(&w, "0<d");
	say(&w, 1, 1, false, NULL);
	assert_orders(&w, "1<d"); /* the driver serves one, not two */
	say(&w, 1, 1, true, NULL);
	say(&w, 1, 1, true, NULL); /* once more is no news */
	say(&w, 2, 1, false, NULL);
	assert_orders(&w, "2<1");
	kit_free(&w.k);
}

static void what_is_destroyed_goes_everywhere_at_once(void **state)
{
	struct world w;
	(void)state;

	begin(&w, 2);
	add(&w.k, 2);
	kit_offer(&w.k, "a0", 1, 1000);
	assert_table(&w, 0, "2: 1 2");
	say(&w, 0, 1, false, NULL);
	say(&w, 0, 2, false, NULL);
	destroy(&w.k, 1);
	assert_table(&w, 0, "3: 2");
	assert_table(&w, 1, "");   /* has never heard of it */
	say(&w, 0, 1, true, NULL); /* on its way then */
	assert_int_equal(kit_actions(&w.k, SCHED_DO_LINK), 0);
	destroy(&w.k, 1);
	assert_int_equal(kit_actions(&w.k, SCHED_DO_LINK), 0);
	destroy(&w.k, 2);
	assert_table(&w, 0, "4:");
	kit_free(&w.k);
}

static void jobs_without_broadcasts_hear_nothing_of_them(void **state)
{
	const struct sched_config config = kit_config(&mode_fine);
	struct kit k;
	(void)state;

	kit_new(&k, &config);
	kit_subscribed(&k);
	kit_run(&k, 1, 5, 4, 0, QUERN__SINK__KIND__COUNT);
	kit_offer(&k, "a", 1.1, 1000);
	kit_link(&k, k.executor);
	kit_offer(&k, "a", 1, 1000);
	Call *c = kit_call(&k, CALL(ACCEPT), 0);
	const ProtobufCBinaryData *data = &c->accept->operations[0]->launch->task_infos[0]->data;
	Quern__TaskData *d = quern__task_data__unpack(NULL, data->len, data->data);
	assert_false(d->task->has_broadcasts_version);
	quern__task_data__free_unpacked(d, NULL);
	kit_call_free(c);
	Quern__ToExecutor *m = kit_link_sent(&k, 0);
	assert_non_null(m->stage);
	quern__to_executor__free_unpacked(m, NULL);
	assert_int_equal(kit_actions(&k, SCHED_DO_LINK), 1);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_goes_ahead_of_tasks_once),
		cmocka_unit_test(who_asks_for_the_table_gets_it),
		cmocka_unit_test(the_driver_serves_two_and_those_the_others),
		cmocka_unit_test(who_cannot_fetch_it_is_sent_elsewhere),
		cmocka_unit_test(a_lost_executor_frees_its_place),
		cmocka_unit_test(one_without_a_link_is_no_place_to_fetch_from),
		cmocka_unit_test(what_is_said_again_after_a_new_link_counts),
		cmocka_unit_test(what_is_destroyed_goes_everywhere_at_once),
		cmocka_unit_test(jobs_without_broadcasts_hear_nothing_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
