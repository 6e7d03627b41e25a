/* constraints.c: the text of --constraints, then a line feed and what an agent is: "NAME:VALUE;..." as text
 * attributes. What a master is told never keeps an agent away that meets them, and both find the same of
 * agents whose attributes are text, as long as everything could be told. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "local/master_wishes.h"
#include "scheduler/constraints.h"

enum { ATTRIBUTES = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void hold(const struct constraints *c, const Mesos__V1__AgentInfo *agent)
{
	const struct constrained a = { agent->hostname, agent->attributes, agent->n_attributes, NULL };
	Mesos__V1__Scheduler__OfferConstraints__RoleConstraints *told;
	const struct constraint *unmet = constraints_unmet(c, &a);
	struct err err = { "" };

	if (constraints_to_mesos(c, &told) < 0)
		return;
	bool allowed = master_wishes_allow(told, agent);
	assert(unmet != NULL || allowed);
	if (told != NULL) {
		Mesos__V1__Scheduler__OfferConstraints all = MESOS__V1__SCHEDULER__OFFER_CONSTRAINTS__INIT;
		Mesos__V1__Scheduler__OfferConstraints__RoleConstraintsEntry entry =
			MESOS__V1__SCHEDULER__OFFER_CONSTRAINTS__ROLE_CONSTRAINTS_ENTRY__INIT;
		Mesos__V1__Scheduler__OfferConstraints__RoleConstraintsEntry *list[] = { &entry };
		Mesos__V1__FrameworkInfo info = MESOS__V1__FRAMEWORK_INFO__INIT;

		entry.key = (char *)(uintptr_t) "*";
		entry.value = told;
		all.n_role_constraints = 1;
		all.role_constraints = list;
		assert(master_wishes_check(&info, &all, &err) == 0);
		protobuf_c_message_free_unpacked(&told->base, NULL);
	}
	size_t combinations = 1;
	for (size_t i = 0; i < c->n && combinations <= 64; i++)
		combinations *= c->at[i].values.n > 0 ? 2 * c->at[i].values.n : 2;
	assert(combinations > 64 || allowed == (unmet == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Mesos__V1__AgentInfo agent = MESOS__V1__AGENT_INFO__INIT;
	Mesos__V1__Attribute attributes[ATTRIBUTES], *list[ATTRIBUTES];
	Mesos__V1__Value__Text texts[ATTRIBUTES];
	auto_free char *text = malloc(size + 1);
	struct constraints c;
	struct err err = { "" };
	char *one;

	if (text == NULL)
		return 0;
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	char *rest = strchr(text, '\n');
	if (rest != NULL)
		*rest++ = '\0';
	if (constraints_parse(text, &c, &err) < 0) {
		assert(err.text[0] != '\0');
		return 0;
	}
	agent.hostname = (char *)(uintptr_t) "host";
	agent.attributes = list;
	while (agent.n_attributes < ATTRIBUTES && (one = strsep(&rest, ";")) != NULL) {
		size_t i = agent.n_attributes++;

		mesos__v1__attribute__init(&attributes[i]);
		mesos__v1__value__text__init(&texts[i]);
		attributes[i].name = strsep(&one, ":");
		attributes[i].type = MESOS__V1__VALUE__TYPE__TEXT;
		attributes[i].text = &texts[i];
		texts[i].value = one != NULL ? one : (char *)(uintptr_t) "";
		list[i] = &attributes[i];
	}
	hold(&c, &agent);
	constraints_deinit(&c);
	return 0;
}
