/* place_kit.h: runs whose data is on hosts, offers of several agents in one event, and what was launched where. */
#ifndef QUERN_TESTS_SCHEDULER_PLACE_KIT_H
#define QUERN_TESTS_SCHEDULER_PLACE_KIT_H

#include "tests/scheduler/sched_kit.h"

enum { WAIT_MS = 3000 };

/* A run of text tasks of one stage whose data is where `hosts` says: "a,b c - a": of task 0 on a and b, of
 * task 1 on c, of task 2 nowhere, of task 3 on a. */
struct data {
	struct kit_run run;
	char text[4096];
	char *names[KIT_SPLITS][8];
};

KIT void submit(struct kit *k, uint32_t id, const char *hosts)
{
	static struct data d;
	char *rest = d.text, *word, *outer, *inner;
	uint32_t n = 0;

	(void)snprintf(d.text, sizeof(d.text), "%s", hosts);
	for (const char *c = hosts; *c != '\0'; c++)
		n += *c == ' ';
	kit_run_init(&d.run, id, id, n + 1, 0, QUERN__SINK__KIND__COUNT);
	n = 0;
	for (; (word = strtok_r(rest, " ", &outer)) != NULL; rest = NULL, n++) {
		Quern__Split *split = &d.run.splits[n];

		split->hosts = d.names[n];
		if (strcmp(word, "-") == 0)
			continue;
		for (char *name = strtok_r(word, ",", &inner); name != NULL;
			name = strtok_r(NULL, ",", &inner))
			split->hosts[split->n_hosts++] = name;
	}
	kit_submit(k, &d.run);
}

KIT struct sched_config config_of(const struct mode_ops *mode)
{
	struct sched_config config = kit_config(mode);

	config.locality_wait_ms = WAIT_MS;
	return config;
}

KIT void begin(struct kit *k, const struct mode_ops *mode)
{
	const struct sched_config config = config_of(mode);

	kit_new(k, &config);
	kit_subscribed(k);
}

/* Offers of several agents in one event: "a:2 b:1.1", names and cores. Memory is no matter. */
KIT void offer(struct kit *k, const char *agents)
{
	Mesos__V1__Scheduler__Event e = MESOS__V1__SCHEDULER__EVENT__INIT;
	Mesos__V1__Scheduler__Event__Offers offers = MESOS__V1__SCHEDULER__EVENT__OFFERS__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;
	Mesos__V1__Offer o[8], *list[8];
	Mesos__V1__OfferID ids[8];
	Mesos__V1__AgentID agent_ids[8];
	Mesos__V1__Value__Scalar values[8][2];
	Mesos__V1__Resource r[8][2], *resources[8][2];
	char text[256], names[8][16], *word, *rest = text, *save;
	size_t n = 0;

	(void)snprintf(text, sizeof(text), "%s", agents);
	framework.value = (char *)(uintptr_t) "framework-1";
	for (; (word = strtok_r(rest, " ", &save)) != NULL; rest = NULL, n++) {
		char *cores = strchr(word, ':');

		*cores++ = '\0';
		mesos__v1__offer__init(&o[n]);
		mesos__v1__offer_id__init(&ids[n]);
		mesos__v1__agent_id__init(&agent_ids[n]);
		for (size_t i = 0; i < 2; i++) {
			mesos__v1__value__scalar__init(&values[n][i]);
			mesos__v1__resource__init(&r[n][i]);
			values[n][i].value = i == 0 ? strtod(cores, NULL) : 100000;
			r[n][i].name = (char *)(uintptr_t)(i == 0 ? "cpus" : "mem");
			r[n][i].type = MESOS__V1__VALUE__TYPE__SCALAR;
			r[n][i].scalar = &values[n][i];
			resources[n][i] = &r[n][i];
		}
		(void)snprintf(names[n], sizeof(names[n]), "offer-%u", ++k->next_offer);
		ids[n].value = names[n];
		agent_ids[n].value = word;
		o[n].id = &ids[n];
		o[n].framework_id = &framework;
		o[n].agent_id = &agent_ids[n];
		o[n].hostname = word;
		o[n].n_resources = 2;
		o[n].resources = resources[n];
		list[n] = &o[n];
	}
	offers.n_offers = n;
	offers.offers = list;
	e.offers = &offers;
	kit_mesos(k, &e, MESOS__V1__SCHEDULER__EVENT__TYPE__OFFERS);
}

/* What the last step launched, in the order of the ACCEPTs: "a: 1.0.0 1.2.0 | b: 1.1.0". */
KIT void launched(const struct kit *k, const char *expected)
{
	char text[4096] = "";
	Call *c;

	for (size_t i = 0; (c = kit_call(k, CALL(ACCEPT), i)) != NULL; i++) {
		const Mesos__V1__Offer__Operation__Launch *launch = c->accept->operations[0]->launch;
		size_t len = strlen(text);

		(void)snprintf(text + len, sizeof(text) - len, "%s%s:", i > 0 ? " | " : "",
			launch->task_infos[0]->agent_id->value);
		for (size_t t = 0; t < launch->n_task_infos; t++) {
			len = strlen(text);
			(void)snprintf(
				text + len, sizeof(text) - len, " %s", launch->task_infos[t]->task_id->value);
		}
		kit_call_free(c);
	}
	assert_string_equal(text, expected);
}

KIT void ran(const struct kit *k, uint64_t cached, uint64_t host, uint64_t elsewhere, uint64_t any)
{
	struct sched_progress p;

	sched_get_progress(k->s, &p);
	assert_int_equal(p.locality.cached, cached);
	assert_int_equal(p.locality.host, host);
	assert_int_equal(p.locality.elsewhere, elsewhere);
	assert_int_equal(p.locality.any, any);
}

#endif
