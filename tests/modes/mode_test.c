/* How modes are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "modes/modes.h"

static void modes_are_found_by_name_and_no_other(void **state)
{
	const char *const *names = mode_names();
	size_t n = 0;
	(void)state;

	for (; names[n] != NULL; n++)
		assert_string_equal(mode_find(names[n])->name, names[n]);
	assert_int_equal(n, 3);
	assert_ptr_equal(mode_find("coarse"), &mode_coarse);
	assert_ptr_equal(mode_find("fine"), &mode_fine);
	assert_ptr_equal(mode_find("adaptive"), &mode_adaptive);
	assert_null(mode_find("lazy"));
	assert_null(mode_find(""));
	assert_null(mode_find("coarse "));
}

static void free_takes_null(void **state)
{
	(void)state;
	assert_null(mode_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes_are_found_by_name_and_no_other),
		cmocka_unit_test(free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
