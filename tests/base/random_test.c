#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <uuid/uuid.h>

#include "base/random.h"

/* The generator's author's own values for this seed (test vector of splitmix64.c, as many libraries carry
 * it). */
static void the_numbers_are_those_of_splitmix64(void **state)
{
	uint64_t seed = 1234567;
	(void)state;

	assert_true(random_next(&seed) == UINT64_C(6457827717110365317));
	assert_true(random_next(&seed) == UINT64_C(3203168211198807973));
	assert_true(random_next(&seed) == UINT64_C(9817491932198370423));
}

static void uuids_are_ones_and_are_the_same_for_a_seed(void **state)
{
	uint64_t a = 9, b = 9;
	uint8_t bytes[RANDOM_UUID];
	char text[RANDOM_UUID_TEXT];
	uuid_t parsed;
	(void)state;

	for (int i = 0; i < 100; i++) {
		random_uuid(&a, bytes);
		random_uuid_text(&b, text);
		assert_int_equal(uuid_parse(text, parsed), 0);
		assert_memory_equal(parsed, bytes, RANDOM_UUID);
		assert_int_equal(uuid_type(parsed), UUID_TYPE_DCE_RANDOM);
		assert_int_equal(uuid_variant(parsed), UUID_VARIANT_DCE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_numbers_are_those_of_splitmix64),
		cmocka_unit_test(uuids_are_ones_and_are_the_same_for_a_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
