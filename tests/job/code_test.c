#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/auto.h"
#include "job/compile.h"
#include "tests/job/kit.h"

static void the_build_id_is_checked(void **state)
{
	const char *path = kit_env("QUERN_TEST_JOB");
	uint8_t id[CODE_BUILD_ID_MAX];
	const uint8_t *loaded;
	struct code *code = NULL;
	struct err err = { "" };
	size_t len;

	(void)state;
	assert_int_equal(compile_build_id(path, id, &len, &err), 0);
	assert_int_equal(code_load(path, id, len, &code, &err), 0);
	assert_int_equal(code_build_id(code, &loaded), len);
	assert_memory_equal(loaded, id, len);
	(void)code_free(code);

	code = NULL;
	id[len - 1] ^= 1;
	assert_int_equal(code_load(path, id, len, &code, &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "build id differs"));
	id[len - 1] ^= 1;
	assert_int_equal(code_load(path, id, len - 1, &code, &err), -ENOEXEC);
	assert_null(code);
}

static void what_cannot_be_loaded_says_why(void **state)
{
	const char *file = kit_path(*state, "job.c");
	struct code *code = NULL;
	struct err err = { "" };
	char *so = NULL;

	assert_int_equal(code_load(kit_path(*state, "none.so"), NULL, 0, &code, &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "No such file"));
	kit_write(file, "not an object");
	assert_int_equal(code_load(file, NULL, 0, &code, &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "job.c"));

	/* A function that nobody has, called or not. */
	assert_int_equal(setenv("XDG_CACHE_HOME", *state, 1), 0);
	kit_write(file, "#include <quern/quern.h>\nvoid quern_emitt(void);\n"
			"int quern_main(quern_job *j, int c, char **v)\n"
			"{ (void)j; (void)v; if (c > 7) quern_emitt(); return 0; }\n");
	assert_int_equal(compile_job(file, kit_env("QUERN_INCLUDE"), NULL, &so, &err), 0);
	assert_int_equal(code_load(so, NULL, 0, &code, &err), -ENOEXEC);
	assert_non_null(strstr(err.text, "quern_emitt"));
	free(so);
	assert_null(code);
}

static void functions_come_back_as_they_went(void **state)
{
	struct code *code = kit_load();
	const struct job_functions *job = kit_symbol("job_functions");
	code_fn *const functions[] = { (code_fn *)job->words, (code_fn *)job->swap,
		(code_fn *)job->long_enough, (code_fn *)job->even, (code_fn *)job->either,
		(code_fn *)code_main(code) };
	struct err err = { "" };

	(void)state;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		Quern__Function f = QUERN__FUNCTION__INIT;
		code_fn *back = NULL;

		assert_int_equal(code_describe(code, functions[i], &f, &err), 0);
		assert_true(f.has_offset && f.builtin == NULL);
		assert_int_equal(code_resolve(code, &f, &back, &err), 0);
		assert_true(back == functions[i]);
		assert_int_equal(code_reduction(&f), REDUCE_CALL);
	}
	(void)code_free(code);
}

static void the_known_reductions_travel_by_name(void **state)
{
	static const struct {
		quern_reduce_fn *fn;
		const char *name;
		enum reduction reduction;
	} known[] = {
		{ quern_sum_u64, "quern_sum_u64", REDUCE_SUM_U64 },
		{ quern_min_u64, "quern_min_u64", REDUCE_MIN_U64 },
		{ quern_max_u64, "quern_max_u64", REDUCE_MAX_U64 },
		{ quern_sum_i64, "quern_sum_i64", REDUCE_SUM_I64 },
		{ quern_min_i64, "quern_min_i64", REDUCE_MIN_I64 },
		{ quern_max_i64, "quern_max_i64", REDUCE_MAX_I64 },
		{ quern_sum_double, "quern_sum_double", REDUCE_SUM_DOUBLE },
		{ quern_min_double, "quern_min_double", REDUCE_MIN_DOUBLE },
		{ quern_max_double, "quern_max_double", REDUCE_MAX_DOUBLE },
	};
	struct code *code = kit_load();
	struct err err = { "" };

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		Quern__Function f = QUERN__FUNCTION__INIT;
		code_fn *back = NULL;

		assert_int_equal(code_describe(code, (code_fn *)known[i].fn, &f, &err), 0);
		assert_string_equal(f.builtin, known[i].name);
		assert_false(f.has_offset);
		assert_int_equal(code_reduction(&f), known[i].reduction);
		assert_int_equal(code_resolve(code, &f, &back, &err), 0);
		assert_true(back == (code_fn *)known[i].fn);
	}
	(void)code_free(code);
}

static void not_the_jobs(void)
{
}

static void other_functions_are_refused(void **state)
{
	struct code *code = kit_load();
	Quern__Function f = QUERN__FUNCTION__INIT;
	struct err err = { "" };
	code_fn *back = NULL;
	static const uint64_t outside[] = { 0, 1, 1 << 30, UINT64_MAX, (uint64_t)1 << 63 };

	(void)state;
	assert_int_equal(code_describe(code, not_the_jobs, &f, &err), -EINVAL);
	assert_int_equal(code_describe(code, (code_fn *)quern_emit, &f, &err), -EINVAL);
	assert_int_equal(code_describe(code, (code_fn *)kit_symbol("job_functions"), &f, &err), -EINVAL);
	assert_int_equal(code_describe(code, (code_fn *)strlen, &f, &err), -EINVAL);

	assert_int_equal(code_resolve(code, &f, &back, &err), -EINVAL);
	f.has_offset = 1;
	for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
		f.offset = outside[i];
		assert_int_equal(code_resolve(code, &f, &back, &err), -EINVAL);
	}
	f.builtin = (char *)"system";
	assert_int_equal(code_resolve(code, &f, &back, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'system'"));
	assert_int_equal(code_reduction(&f), REDUCE_CALL);
	(void)code_free(code);
}

static void an_object_without_quern_main_has_none(void **state)
{
	const char *so = kit_path(*state, "x.so");
	struct code *code = NULL;
	struct err err = { "" };
	char command[4 * KIT_PATH];

	kit_write(kit_path(*state, "x.c"), "int x(void); int x(void) { return 0; }\n");
	/* One that it is linked with has one: that is not its own. */
	(void)snprintf(command, sizeof(command),
		"cc -shared -fPIC -Wl,--build-id -Wl,--no-as-needed -o %s %s %s", so, kit_path(*state, "x.c"),
		kit_env("QUERN_TEST_JOB"));
	assert_int_equal(system(command), 0);
	assert_int_equal(code_load(so, NULL, 0, &code, &err), 0);
	assert_null(code_main(code));
	(void)code_free(code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(the_build_id_is_checked),
		kit_test(what_cannot_be_loaded_says_why),
		kit_test(functions_come_back_as_they_went),
		kit_test(the_known_reductions_travel_by_name),
		kit_test(other_functions_are_refused),
		kit_test(an_object_without_quern_main_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
