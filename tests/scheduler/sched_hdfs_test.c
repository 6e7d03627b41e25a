/* How executors reach HDFS: who is told of it, and when. */
#include "tests/scheduler/sched_kit.h"

static void tell(struct kit *k, const char *bytes)
{
	kit_step(k, (struct sched_event){
			    .kind = SCHED_EV_HDFS, .u.hdfs = { .data = bytes, .len = strlen(bytes) } });
}

/* A run of two stages, of tasks `first` and so on: the first of files at `path`, the second writes one at
 * `output`, or (NULL) none. */
static void submit(struct kit *k, uint32_t id, uint32_t stage, const char *path, const char *output)
{
	struct kit_run r;
	char *text[] = { (char *)(uintptr_t)path };

	kit_run_init(&r, id, stage, 8, 4, QUERN__SINK__KIND__COUNT);
	r.from[0].source.text = text;
	r.from[0].source.n_text = 1;
	if (output != NULL) {
		r.sinks[1].kind = QUERN__SINK__KIND__TEXT;
		r.sinks[1].path = (char *)(uintptr_t)output;
	}
	kit_submit(k, &r);
}

/* What executors were told in the last step: "STAGE BYTES" or "STAGE -" for each stage that was sent. */
static void assert_told(const struct kit *k, const char *expected)
{
	Quern__ToExecutor *m;
	char text[256] = "";

	for (size_t i = 0; (m = kit_link_sent(k, i)) != NULL; i++) {
		size_t len = strlen(text);

		if (m->stage != NULL)
			(void)snprintf(text + len, sizeof(text) - len, "%s%u %.*s", len > 0 ? ", " : "",
				m->stage->stage->id, m->stage->has_hdfs ? (int)m->stage->hdfs.len : 1,
				m->stage->has_hdfs ? (const char *)m->stage->hdfs.data : "-");
		quern__to_executor__free_unpacked(m, NULL);
	}
	assert_string_equal(text, expected);
}

static void begin(struct kit *k)
{
	const struct sched_config config = kit_config(&mode_fine);

	kit_new(k, &config);
	kit_subscribed(k);
}

/* A task of the run that is under way, on the agent whose executor is connected. */
static void offer(struct kit *k)
{
	kit_offer(k, "a0", 1, 1000);
}

static void stages_with_files_there_get_it_once(void **state)
{
	struct kit k;
	(void)state;

	begin(&k);
	tell(&k, "one");
	submit(&k, 1, 5, "hdfs://nn/in", NULL);
	kit_offer(&k, "a0", 1.1, 1000);
	kit_link(&k, k.executor);
	offer(&k);
	assert_told(&k, "5 one");
	offer(&k);
	assert_told(&k, "");
	tell(&k, "two");
	assert_told(&k, ""); /* with the next task */
	offer(&k);
	assert_told(&k, "5 two");
	offer(&k);
	assert_told(&k, "");
	kit_unlink(&k, k.executor);
	kit_link(&k, k.executor);
	offer(&k);
	assert_told(&k, "5 two");
	kit_free(&k);
}

static void stages_without_get_none(void **state)
{
	Quern__ToDriver m = QUERN__TO_DRIVER__INIT;
	Quern__ToDriver__Need need = QUERN__TO_DRIVER__NEED__INIT;
	struct kit k;
	char name[16];
	(void)state;

	begin(&k);
	tell(&k, "one");
	submit(&k, 1, 5, "/local/in", "hdfs://nn/out");
	kit_offer(&k, "a0", 1.1, 1000);
	kit_link(&k, k.executor);
	offer(&k);
	assert_told(&k, "5 -");
	need.has_stage = 1;
	need.stage = 5;
	m.need = &need;
	kit_link_message(&k, k.executor, &m);
	assert_told(&k, "5 -");
	for (int i = 2; i < 8; i++)
		offer(&k);
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "5.%d.0", i);
		kit_fine_done(&k, name, "a0");
	}
	offer(&k);
	assert_told(&k, "6 one"); /* which writes there */
	kit_free(&k);
}

static void nobody_gets_what_there_is_not(void **state)
{
	struct kit k;
	(void)state;

	begin(&k);
	submit(&k, 1, 5, "hdfs://nn/in", NULL);
	kit_offer(&k, "a0", 1.1, 1000);
	kit_link(&k, k.executor);
	offer(&k);
	assert_told(&k, "5 -");
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stages_with_files_there_get_it_once),
		cmocka_unit_test(stages_without_get_none),
		cmocka_unit_test(nobody_gets_what_there_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
