/* --constraints: read, held against agents, and told to a master. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "local/master_wishes.h"
#include "scheduler/constraints.h"

enum { ATTRIBUTES = 8 };

/* An agent, by a text as Mesos' --attributes has it: "rack:a;mem:3;ports:[1-5,8-9];tags:{x,y}". */
struct agent {
	Mesos__V1__AgentInfo info;
	Mesos__V1__Attribute attributes[ATTRIBUTES], *list[ATTRIBUTES];
	Mesos__V1__Value__Text texts[ATTRIBUTES];
	Mesos__V1__Value__Scalar scalars[ATTRIBUTES];
	Mesos__V1__Value__Ranges ranges[ATTRIBUTES];
	Mesos__V1__Value__Range range[2], *range_list[2];
	Mesos__V1__Value__Set sets[ATTRIBUTES];
	char *items[2];
	Mesos__V1__DomainInfo domain;
	Mesos__V1__DomainInfo__FaultDomain fault;
	Mesos__V1__DomainInfo__FaultDomain__RegionInfo region;
	Mesos__V1__DomainInfo__FaultDomain__ZoneInfo zone;
	char copy[256];
};

static void set_attribute(struct agent *a, size_t i, char *value)
{
	Mesos__V1__Attribute *t = &a->attributes[i];
	char *end;
	double d = strtod(value, &end);

	if (*value == '[') {
		t->type = MESOS__V1__VALUE__TYPE__RANGES;
		t->ranges = &a->ranges[i];
		mesos__v1__value__ranges__init(t->ranges);
		t->ranges->range = a->range_list;
		for (t->ranges->n_range = 0; t->ranges->n_range < 2 && *value != ']'; t->ranges->n_range++) {
			Mesos__V1__Value__Range *r = a->range_list[t->ranges->n_range] =
				&a->range[t->ranges->n_range];

			mesos__v1__value__range__init(r);
			r->begin = strtoull(value + 1, &value, 10);
			r->end = strtoull(value + 1, &value, 10);
		}
	} else if (*value == '{') {
		t->type = MESOS__V1__VALUE__TYPE__SET;
		t->set = &a->sets[i];
		mesos__v1__value__set__init(t->set);
		t->set->item = a->items;
		t->set->n_item = 2;
		a->items[0] = strtok(value + 1, ",}");
		a->items[1] = strtok(NULL, ",}");
	} else if (end != value && *end == '\0') {
		t->type = MESOS__V1__VALUE__TYPE__SCALAR;
		t->scalar = &a->scalars[i];
		mesos__v1__value__scalar__init(t->scalar);
		t->scalar->value = d;
	} else {
		t->type = MESOS__V1__VALUE__TYPE__TEXT;
		t->text = &a->texts[i];
		mesos__v1__value__text__init(t->text);
		t->text->value = value;
	}
}

static void make_agent(struct agent *a, const char *hostname, const char *attributes, const char *region)
{
	char *rest = a->copy, *one;

	memset(a, 0, sizeof(*a));
	mesos__v1__agent_info__init(&a->info);
	mesos__v1__domain_info__init(&a->domain);
	mesos__v1__domain_info__fault_domain__init(&a->fault);
	mesos__v1__domain_info__fault_domain__region_info__init(&a->region);
	mesos__v1__domain_info__fault_domain__zone_info__init(&a->zone);
	(void)snprintf(a->copy, sizeof(a->copy), "%s", attributes);
	a->info.hostname = (char *)(uintptr_t)hostname;
	a->info.attributes = a->list;
	while (*a->copy != '\0' && (one = strsep(&rest, ";")) != NULL) {
		size_t i = a->info.n_attributes++;

		assert_true(i < ATTRIBUTES);
		mesos__v1__attribute__init(&a->attributes[i]);
		a->attributes[i].name = strsep(&one, ":");
		a->list[i] = &a->attributes[i];
		set_attribute(a, i, one);
	}
	a->region.name = (char *)(uintptr_t)region;
	a->zone.name = (char *)(uintptr_t) "z";
	a->fault.region = &a->region;
	a->fault.zone = &a->zone;
	a->domain.fault_domain = &a->fault;
	a->info.domain = region != NULL ? &a->domain : NULL;
}

/* Whether the agent meets them, asked of us and of a master that was told. A master that knows no better lets
 * an agent pass that we do not. */
static bool meets(const char *text, const struct agent *a, bool exactly)
{
	struct constraints c;
	struct err err = { "" };
	Mesos__V1__Scheduler__OfferConstraints__RoleConstraints *told;
	const struct constrained agent = { a->info.hostname, a->info.attributes, a->info.n_attributes,
		a->info.domain };

	if (constraints_parse(text, &c, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(constraints_to_mesos(&c, &told), 0);
	bool met = constraints_unmet(&c, &agent) == NULL, passed = master_wishes_allow(told, &a->info);
	assert_true(exactly ? met == passed : met <= passed);
	if (told != NULL)
		protobuf_c_message_free_unpacked(&told->base, NULL);
	constraints_deinit(&c);
	return met;
}

static bool agrees(const char *constraints, const char *attributes)
{
	struct agent a;

	make_agent(&a, "host-1", attributes, NULL);
	return meets(constraints, &a, true);
}

static bool ours(const char *constraints, const char *attributes)
{
	struct agent a;

	make_agent(&a, "host-1", attributes, NULL);
	return meets(constraints, &a, false);
}

static void without_any_every_agent_does(void **state)
{
	(void)state;
	assert_true(agrees("", ""));
	assert_true(agrees("", "rack:a"));
}

static void an_attribute_must_be_there(void **state)
{
	(void)state;
	assert_true(agrees("ssd", "rack:a;ssd:yes"));
	assert_true(agrees("ssd", "ssd:0"));
	assert_false(agrees("ssd", "rack:a"));
	assert_true(agrees("ssd:", "ssd:no"));
}

static void text_is_one_of_the_values(void **state)
{
	(void)state;
	assert_true(agrees("rack:a,b", "rack:b"));
	assert_true(agrees(" rack : a , b ; ssd ", "ssd:1;rack:a"));
	assert_false(agrees("rack:a,b", "rack:c"));
	assert_false(agrees("rack:a,b", "rack:ab"));
	assert_true(agrees("url:http://x:1", "url:http://x:1"));
}

static void all_of_them_must_be_met(void **state)
{
	(void)state;
	assert_true(agrees("rack:a,b;os:linux;ssd", "rack:a;os:linux;ssd:1"));
	assert_false(agrees("rack:a,b;os:linux;ssd", "rack:a;os:plan9;ssd:1"));
	assert_false(agrees("rack:a,b;os:linux;ssd", "rack:a;os:linux"));
	assert_false(agrees("rack:a;rack:b", "rack:a"));
}

static void a_number_is_large_enough(void **state)
{
	(void)state;
	assert_true(ours("gen:7", "gen:7"));
	assert_true(ours("gen:7", "gen:8.5"));
	assert_false(ours("gen:7", "gen:6.9"));
	assert_true(ours("gen:9,5", "gen:6"));
	assert_false(ours("gen:new", "gen:6"));
	assert_false(ours("gen:5x", "gen:6"));
}

static void a_range_holds_a_value(void **state)
{
	(void)state;
	assert_true(ours("vlan:8", "vlan:[1-5,8-9]"));
	assert_true(ours("vlan:7,5", "vlan:[1-5,8-9]"));
	assert_false(ours("vlan:7", "vlan:[1-5,8-9]"));
	assert_false(ours("vlan:-1", "vlan:[1-5,8-9]"));
	assert_false(ours("vlan:99999999999999999999", "vlan:[1-5,8-18446744073709551615]"));
}

static void a_set_has_all_values(void **state)
{
	(void)state;
	assert_true(ours("tags:x,y", "tags:{x,y}"));
	assert_true(ours("tags:y", "tags:{x,y}"));
	assert_false(ours("tags:x,z", "tags:{x,y}"));
}

static void the_first_of_one_name_counts(void **state)
{
	(void)state;
	assert_true(agrees("rack:a", "rack:a;rack:b"));
	assert_false(agrees("rack:b", "rack:a;rack:b"));
}

static void host_region_and_zone_count_as_attributes(void **state)
{
	struct agent a;
	(void)state;

	make_agent(&a, "host-1", "rack:a", "east");
	assert_true(meets("hostname:host-2,host-1", &a, true));
	assert_false(meets("hostname:host-2", &a, true));
	assert_true(meets("hostname", &a, true));
	assert_true(meets("region:east;zone:z;rack:a", &a, true));
	assert_false(meets("region:west", &a, true));
	assert_false(meets("zone:y", &a, true));
	assert_true(meets("region;zone", &a, true));
	make_agent(&a, "host-1", "region:west;hostname:other", "east");
	assert_true(meets("region:west;hostname:other", &a, true)); /* what was said wins */
	assert_false(meets("region:east", &a, true));
	assert_false(meets("hostname:host-1", &a, true));
	make_agent(&a, "host-1", "", NULL);
	assert_false(meets("region", &a, true));
	assert_false(meets("zone:z", &a, true));
}

static void what_is_too_much_for_a_master_is_told_in_part(void **state)
{
	char text[2048] = "a:0";
	(void)state;

	for (int i = 1; i < 80; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), ",%d", i);
	strcat(text, ";b:x,y;c:x,y");
	assert_true(ours(text, "b:x;c:y;a:one") == false);
	assert_false(agrees(text, "b:z;c:y;a:q")); /* b is told ... */
	assert_false(agrees(text, "b:x;c:y"));     /* ... and that there must be an a */
}

static void nonsense_is_said_to_be_so(void **state)
{
	static const char *const wrong[] = { ";", "a;;b", ":x", "a:x,,y", "a:,", "a:x,", " :x" };
	struct constraints c;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = { "" };

		assert_int_equal(constraints_parse(wrong[i], &c, &err), -EINVAL);
		assert_non_null(strstr(err.text, "write NAME"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_any_every_agent_does),
		cmocka_unit_test(an_attribute_must_be_there),
		cmocka_unit_test(text_is_one_of_the_values),
		cmocka_unit_test(all_of_them_must_be_met),
		cmocka_unit_test(a_number_is_large_enough),
		cmocka_unit_test(a_range_holds_a_value),
		cmocka_unit_test(a_set_has_all_values),
		cmocka_unit_test(the_first_of_one_name_counts),
		cmocka_unit_test(host_region_and_zone_count_as_attributes),
		cmocka_unit_test(what_is_too_much_for_a_master_is_told_in_part),
		cmocka_unit_test(nonsense_is_said_to_be_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
