#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "job/symbols.h"
#include "tests/job/kit.h"
#include "tests/one_branch.h"

static void functions_have_the_names_of_the_source(void **state)
{
	auto_symbols struct symbols *s = NULL;
	struct err err = { "" };
	struct code *code;
	Quern__Function f = QUERN__FUNCTION__INIT;
	const char *path = getenv("QUERN_TEST_JOB");

	(void)state;
	assert_int_equal(symbols_load(path, &s), 0);
	assert_int_equal(code_load(path, NULL, 0, &code, &err), 0);
	code_fn *main_of = (code_fn *)code_main(code);
	assert_int_equal(code_describe(code, main_of, &f, &err), 0);
	assert_string_equal(symbols_find(s, f.offset), "quern_main");
	assert_null(symbols_find(s, f.offset + 1));
	assert_null(symbols_find(s, UINT64_MAX));

	/* Wherever it is in a plan. */
	Quern__Run run = QUERN__RUN__INIT;
	Quern__Stage stage = QUERN__STAGE__INIT, *stages[] = { &stage };
	Quern__Step step = QUERN__STEP__INIT, *steps[] = { &step };
	Quern__Sink sink = QUERN__SINK__INIT;
	struct one_branch from;
	one_branch_init(&from, &stage);
	run.n_stages = 1;
	run.stages = stages;
	stage.sink = &sink;
	from.branch.n_steps = 1;
	from.branch.steps = steps;
	step.function = &f;
	assert_int_equal(symbols_name(s, &run.base), 0);
	assert_string_equal(f.name, "quern_main");
	free(f.name);
	(void)code_free(code);
}

static void what_is_no_object_has_no_names(void **state)
{
	struct symbols *s = NULL;

	(void)state;
	assert_int_equal(symbols_load("/dev/null", &s), -ENOEXEC);
	assert_int_equal(symbols_load("/nowhere", &s), -ENOEXEC);
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_have_the_names_of_the_source),
		cmocka_unit_test(what_is_no_object_has_no_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
