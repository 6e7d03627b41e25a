#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/reports.h"
#include "tests/executor/kit.h"

struct counted {
	unsigned n;
	char group[64], name[64];
	int64_t value;
};

static void count(void *arg, const char *group, const char *name, int64_t n)
{
	struct counted *c = arg;

	c->n++;
	c->value = n;
	(void)snprintf(c->group, sizeof(c->group), "%s", group);
	(void)snprintf(c->name, sizeof(c->name), "%s", name);
}

/* What is passed on when `data` comes in pieces of `piece` bytes; the caller frees it. */
static char *passed_on(struct reports *r, struct counted *c, const char *data, size_t len, size_t piece)
{
	char folder[KIT_PATH];
	size_t got;

	kit_folder(folder);
	int fd = open(kit_path(folder, "lines"), O_CREAT | O_RDWR, 0600);
	assert_true(fd >= 0);
	*c = (struct counted){ 0 };
	reports_init(r, fd, count, c);
	for (size_t i = 0; i < len; i += piece)
		reports_take(r, data + i, piece < len - i ? piece : len - i);
	reports_end(r);
	reports_deinit(r);
	(void)close(fd);
	char *text = (char *)kit_read(kit_path(folder, "lines"), &got);
	tree_remove(folder);
	return text;
}

static void counters(void **state)
{
	static const struct {
		const char *line, *group, *name; /* group NULL: it is no report */
		int64_t value;
	} cases[] = {
		{ "reporter:counter:g,n,1", "g", "n", 1 },
		{ "reporter:counter:My Group.x, a name ,-12", "My Group.x", " a name ", -12 },
		{ "reporter:counter:g,n, 7 \r", "g", "n", 7 },
		{ "reporter:counter:g,n,9223372036854775807", "g", "n", INT64_MAX },
		{ "reporter:counter:g,n,9223372036854775808", NULL, NULL, 0 },
		{ "reporter:counter:g,n,1,2", NULL, NULL, 0 },
		{ "reporter:counter:g,n,", NULL, NULL, 0 },
		{ "reporter:counter:g,n,x", NULL, NULL, 0 },
		{ "reporter:counter:g,n", NULL, NULL, 0 },
		{ "reporter:counter:,n,1", NULL, NULL, 0 },
		{ "reporter:counter:g,,1", NULL, NULL, 0 },
		{ "reporter:counter:", NULL, NULL, 0 },
		{ " reporter:counter:g,n,1", NULL, NULL, 0 },
		{ "reporter:something:g,n,1", NULL, NULL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece < 64; piece *= 7) {
			struct reports r;
			struct counted c;

			char *text = passed_on(&r, &c, cases[i].line, strlen(cases[i].line), piece);
			assert_string_equal(text, cases[i].group != NULL ? "" : cases[i].line);
			assert_int_equal(c.n, cases[i].group != NULL);
			if (cases[i].group != NULL) {
				assert_string_equal(c.group, cases[i].group);
				assert_string_equal(c.name, cases[i].name);
				assert_int_equal(c.value, cases[i].value);
			}
			free(text);
		}
	}
}

static void what_is_kept(void **state)
{
	static const char lines[] = "one\nreporter:status:begun\n  two\n\n \t\nreporter:counter:a,b,1\n"
				    "reporter:status:almost done\n";
	struct reports r;
	struct counted c;

	(void)state;
	char *text = passed_on(&r, &c, lines, strlen(lines), 3);
	assert_string_equal(text, "one\n  two\n\n \t\n");
	assert_string_equal(r.last, "two");
	assert_string_equal(r.status, "almost done");
	free(text);
}

static void lines_without_end(void **state)
{
	enum { LEN = 5 * REPORTS_LINE_MAX + 17 };
	char *line = malloc(LEN + 1);
	struct reports r;
	struct counted c;

	(void)state;
	assert_non_null(line);
	memset(line, 'x', LEN);
	line[LEN] = '\0';
	char *text = passed_on(&r, &c, line, LEN, 10000);
	assert_string_equal(text, line);
	assert_int_equal(strlen(r.last), 17);
	free(text);
	free(line);
}

static void a_line_with_a_nul_is_no_report(void **state)
{
	static const char line[] = "reporter:counter:g,n,1\0\n";
	struct reports r;
	struct counted c;

	(void)state;
	char *text = passed_on(&r, &c, line, sizeof(line) - 1, 100);
	assert_memory_equal(text, line, sizeof(line));
	assert_int_equal(c.n, 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counters),
		cmocka_unit_test(what_is_kept),
		cmocka_unit_test(lines_without_end),
		cmocka_unit_test(a_line_with_a_nul_is_no_report),
	};

	return cmocka_run_group_tests_name("reports", tests, NULL, NULL);
}
