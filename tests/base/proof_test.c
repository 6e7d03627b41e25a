#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/link.h"
#include "base/proof.h"

static const uint8_t secret[] = "0123456789abcdef0123456789abcdef";

static void is_for_one_secret_and_one_server(void **state)
{
	char a[PROOF_SIZE], b[PROOF_SIZE];
	uint8_t other[LINK_SECRET];

	(void)state;
	memcpy(other, secret, sizeof(other));
	other[31] ^= 1;
	proof_make(secret, "e1", a);
	assert_int_equal(strlen(a), 70);
	assert_memory_equal(a, "Quern ", 6);
	assert_true(proof_holds(a, a));
	assert_false(proof_holds(NULL, a));
	assert_false(proof_holds("", a));
	assert_false(proof_holds(a + 6, a));
	proof_make(secret, "e2", b);
	assert_false(proof_holds(a, b));
	proof_make(other, "e1", b);
	assert_false(proof_holds(a, b));
}

static void a_name_that_is_too_long_allows_nobody(void **state)
{
	char name[LINK_NAME_MAX + 2], a[PROOF_SIZE];

	(void)state;
	memset(name, 'x', sizeof(name));
	name[LINK_NAME_MAX + 1] = '\0';
	proof_make(secret, name, a);
	assert_string_equal(a, "");
	assert_false(proof_holds("", a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_for_one_secret_and_one_server),
		cmocka_unit_test(a_name_that_is_too_long_allows_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
