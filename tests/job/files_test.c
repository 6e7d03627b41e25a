/* Where quern_file_path() finds files. What is said of them is said once to a process: in one of its own
 * each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "job/files.h"
#include "job/out.h"
#include "tests/job/kit.h"

static const char *found;

static void look(void *name)
{
	found = quern_file_path(name);
}

/* `wanted` NULL: it is an error that names the file. */
static void assert_path(const char *name, const char *wanted)
{
	struct err err = { "" };

	int r = out_guard(look, (void *)(uintptr_t)name, NULL, &err);
	if (wanted != NULL) {
		assert_int_equal(r, 0);
		assert_string_equal(found, wanted);
		return;
	}
	assert_int_equal(r, -ECANCELED);
	assert_non_null(strstr(err.text, name));
	assert_non_null(strstr(err.text, "--files"));
}

static void by_name_then_in_the_folder(void **state)
{
	static char *pairs[] = { (char *)"a", (char *)"/one/of them", (char *)"b", (char *)"/two" };
	static char folder[4096];

	(void)snprintf(folder, sizeof(folder), "%s", (const char *)*state);
	assert_path("a", NULL);
	files_at(pairs, 2);
	assert_path("a", "/one/of them");
	assert_path("b", "/two");
	assert_path("c", NULL);
	assert_path("/two", NULL); /* a name is none of a path */
	files_in(folder);
	FILE *f = fopen(kit_path(folder, "c"), "w");
	assert_non_null(f);
	(void)fclose(f);
	assert_path("c", kit_path(folder, "c"));
	const char *first = found;
	assert_path("c", first);
	assert_ptr_equal(found, first); /* and no new one each time */
	assert_path("d", NULL);
	assert_path("../c", NULL);
	assert_path(".", NULL);
	assert_path("", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(by_name_then_in_the_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
