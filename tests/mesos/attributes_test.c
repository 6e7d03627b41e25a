/* Attributes of agents, from text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mesos/attributes.h"

static void each_value_has_its_type(void **state)
{
	Mesos__V1__Attribute **list;
	size_t n;
	struct err err = { "" };
	(void)state;

	assert_int_equal(attributes_parse("rack:a b;generation:7.5;vlan:[1-5,8-9];url:http://x;no:7x", &list,
				 &n, &err),
		0);
	assert_int_equal(n, 5);
	assert_string_equal(list[0]->name, "rack");
	assert_int_equal(list[0]->type, MESOS__V1__VALUE__TYPE__TEXT);
	assert_string_equal(list[0]->text->value, "a b");
	assert_int_equal(list[1]->type, MESOS__V1__VALUE__TYPE__SCALAR);
	assert_true(list[1]->scalar->value == 7.5);
	assert_int_equal(list[2]->type, MESOS__V1__VALUE__TYPE__RANGES);
	assert_int_equal(list[2]->ranges->n_range, 2);
	assert_int_equal(list[2]->ranges->range[1]->end, 9);
	assert_string_equal(list[3]->text->value, "http://x");
	assert_string_equal(list[4]->text->value, "7x");
	attributes_free(list, n);
}

static void none_are_none(void **state)
{
	Mesos__V1__Attribute **list;
	size_t n;
	struct err err = { "" };
	(void)state;

	assert_int_equal(attributes_parse(NULL, &list, &n, &err), 0);
	assert_int_equal(n, 0);
	attributes_free(list, n);
	assert_int_equal(attributes_parse("", &list, &n, &err), 0);
	assert_int_equal(n, 0);
	attributes_free(list, n);
}

static void nonsense_is_refused(void **state)
{
	static const char *const wrong[] = { "rack", "rack:", ":a", "a:b;", "a:[1-", "a:[x]", "a:[5-1]" };
	Mesos__V1__Attribute **list;
	size_t n;
	(void)state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = { "" };

		assert_int_equal(attributes_parse(wrong[i], &list, &n, &err), -EINVAL);
		assert_int_not_equal(err.text[0], '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_value_has_its_type),
		cmocka_unit_test(none_are_none),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
