/* What `quern fs` writes. */
#include "cli/fs_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static void utf8(void **state)
{
	static const char *const good[] = { "", "a", "\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "a\xc3\xa4z" };
	static const char *const bad[] = { "\x80", "a\xff", "\xc0\x80", "\xc1\xbf", "\xc2", "\xc2z",
		"\xe0\x9f\xbf", "\xed\xa0\x80", "\xe4\xb8", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
		"\xf5\x80\x80\x80", "\xf0\x90\x80" };
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(fs_is_utf8(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(fs_is_utf8(bad[i]));
}

static void escapes(void **state)
{
	static const char *const texts[][2] = { { "", "" }, { "a \xc3\xa4 \\ %", "a \xc3\xa4 \\ %" },
		{ "\n\t\r\x1b[0m\x7f", "\\n\\t\\x0d\\x1b[0m\\x7f" },
		{ "\xc2\x9b\xc2\xa0", "\\xc2\\x9b\xc2\xa0" }, { "\xff\xe4\xb8", "\\xff\\xe4\\xb8" } };
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		char *t = fs_escape(texts[i][0]);

		assert_non_null(t);
		assert_string_equal(t, texts[i][1]);
		free(t);
	}
}

/* As StringUtils.TraditionalBinaryPrefix of Hadoop writes them. */
static void sizes(void **state)
{
	static const struct {
		uint64_t n;
		const char *text;
	} sizes[] = { { 0, "0" }, { 1023, "1023" }, { 1024, "1 K" }, { 1025, "1.0 K" }, { 1536, "1.5 K" },
		{ 1048575, "1.0 M" }, { 1 << 20, "1 M" }, { (1ULL << 30) - 1, "1.0 G" },
		{ 5ULL << 40, "5 T" }, { 1ULL << 50, "1 P" }, { 3ULL << 60, "3 E" },
		{ UINT64_MAX, "16.0 E" } };
	char text[FS_SIZE_TEXT];
	(void)state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		fs_size_text(sizes[i].n, true, text);
		assert_string_equal(text, sizes[i].text);
	}
	fs_size_text(UINT64_MAX, false, text);
	assert_string_equal(text, "18446744073709551615");
}

static void modes(void **state)
{
	static const struct {
		enum hdfs_kind kind;
		uint16_t mode;
		const char *text;
	} modes[] = { { HDFS_FILE, 0644, "-rw-r--r--" }, { HDFS_FOLDER, 01777, "drwxrwxrwt" },
		{ HDFS_FOLDER, 01776, "drwxrwxrwT" }, { HDFS_SYMLINK, 0, "l---------" } };
	char text[FS_MODE_TEXT];
	(void)state;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		fs_mode_text(
			&(struct hdfs_status){ .kind = modes[i].kind, .permission = modes[i].mode }, text);
		assert_string_equal(text, modes[i].text);
	}
}

static void times(void **state)
{
	char text[FS_TIME_TEXT];
	(void)state;

	fs_time_text(1000000001999, true, text);
	assert_string_equal(text, "2001-09-09 01:46:41");
	(void)setenv("TZ", "UTC-2", 1);
	tzset();
	fs_time_text(1000000001999, false, text);
	assert_string_equal(text, "2001-09-09 03:46");
	fs_time_text(UINT64_MAX, false, text); /* whatever it is, it fits */
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(utf8), cmocka_unit_test(escapes),
		cmocka_unit_test(sizes), cmocka_unit_test(modes), cmocka_unit_test(times) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
