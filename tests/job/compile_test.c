#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <time.h>

#include "base/auto.h"
#include "job/compile.h"
#include "job/object.h"
#include "tests/job/kit.h"

#define JOB_HEAD "#include <quern/quern.h>\n"
#define JOB_MAIN                                                                                             \
	"int quern_main(quern_job *job, int argc, char **argv) { (void)job; (void)argv; return argc; }\n"

/* A compiler that counts its calls: a line in LOG for each, with its last word but one. */
static void use_logging_compiler(const char *dir)
{
	char script[2 * KIT_PATH];
	const char *path = kit_path(dir, "logging-cc");

	(void)snprintf(script, sizeof(script), "#!/bin/sh\necho \"$*\" >>'%s/log'\nexec cc \"$@\"\n", dir);
	kit_write(path, script);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(setenv("CC", path, 1), 0);
}

static int setup(void **state)
{
	int r = kit_setup(state);

	(void)unsetenv("CC");
	return r < 0 ? r : setenv("XDG_CACHE_HOME", kit_path(*state, "a/cache"), 1);
}

/* How often the compiler was called to link. */
static unsigned builds(const char *dir)
{
	char line[4096];
	unsigned n = 0;
	FILE *f = fopen(kit_path(dir, "log"), "r");

	for (; f != NULL && fgets(line, sizeof(line), f) != NULL;)
		n += strstr(line, "-shared") != NULL;
	if (f != NULL)
		(void)fclose(f);
	return n;
}

static char *compiled(const char *source, const char *cflags)
{
	struct err err = { "" };
	char *so = NULL;

	if (compile_job(source, kit_env("QUERN_INCLUDE"), cflags, &so, &err) < 0)
		fail_msg("%s", err.text);
	return so;
}

/* Runs with stderr in a file; the file's text. */
static int compile_quietly(
	const char *dir, const char *source, const char *cflags, struct err *err, char said[4096])
{
	char *so = NULL;
	int old = dup(STDERR_FILENO), fd = open(kit_path(dir, "stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(old >= 0 && fd >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	int r = compile_job(source, kit_env("QUERN_INCLUDE"), cflags, &so, err);
	assert_int_equal(dup2(old, STDERR_FILENO), STDERR_FILENO);
	ssize_t n = pread(fd, said, 4095, 0);
	assert_true(n >= 0);
	said[n] = '\0';
	(void)close(old);
	(void)close(fd);
	free(so);
	return r;
}

static void assert_refused(
	const char *dir, const char *source, const char *cflags, int code, const char *words)
{
	struct err err = { "" };
	char said[4096];

	assert_int_equal(compile_quietly(dir, source, cflags, &err, said), code);
	if (strstr(err.text, words) == NULL || strchr(err.text, '\n') != NULL)
		fail_msg("no '%s' in: %s", words, err.text);
	assert_string_equal(said, "");
}

static unsigned entries(const char *path)
{
	DIR *d = opendir(path);
	unsigned n = 0;

	assert_non_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;)
		n += e->d_name[0] != '.';
	(void)closedir(d);
	return n;
}

static void a_source_becomes_an_object_that_can_be_loaded(void **state)
{
	const char *source = kit_path(*state, "job.c");
	uint8_t id[CODE_BUILD_ID_MAX];
	const uint8_t *loaded_id;
	struct code *code = NULL;
	struct err err = { "" };
	size_t len = 0;

	kit_write(source, JOB_HEAD JOB_MAIN);
	auto_free char *so = compiled(source, NULL);
	assert_int_equal(compile_build_id(so, id, &len, &err), 0);
	assert_int_equal(len, 20); /* sha1 */
	assert_int_equal(code_load(so, id, len, &code, &err), 0);
	assert_int_equal(code_build_id(code, &loaded_id), len);
	assert_memory_equal(loaded_id, id, len);
	assert_int_equal(code_main(code)(NULL, 7, NULL), 7);
	(void)code_free(code);

	struct stat st;
	assert_int_equal(stat(kit_path(*state, "a/cache/quern"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
}

static void the_same_source_is_compiled_once(void **state)
{
	const char *source = kit_path(*state, "job.c");

	use_logging_compiler(*state);
	kit_write(source, JOB_HEAD JOB_MAIN);
	auto_free char *first = compiled(source, "-DA=1"), *second = compiled(source, "-DA=1");
	assert_string_equal(first, second);
	assert_int_equal(builds(*state), 1);
	assert_int_equal(entries(kit_path(*state, "a/cache/quern")), 1);
}

static void what_would_change_the_object_makes_a_new_one(void **state)
{
	char *so[6];
	const char *source = kit_path(*state, "job.c"), *header = kit_path(*state, "part.h");
	const char *library = kit_path(*state, "part.a");
	char flags[2 * KIT_PATH];

	use_logging_compiler(*state);
	kit_write(header, "enum { PART = 1 };\n");
	kit_write(source, JOB_HEAD "#include \"part.h\"\n" JOB_MAIN);
	so[0] = compiled(source, NULL);
	kit_write(header, "enum { PART = 2 };\n");
	so[1] = compiled(source, NULL);
	so[2] = compiled(source, "-O1");
	kit_write(library, "!<arch>\n"); /* an archive of nothing */
	(void)snprintf(flags, sizeof(flags), "'%s'", library);
	so[3] = compiled(source, flags);
	kit_write(library, "/* nothing */\n"); /* a linker script */
	so[4] = compiled(source, flags);
	/* Another compiler, or another version of it. */
	assert_int_equal(setenv("CC", "cc -DANOTHER", 1), 0);
	so[5] = compiled(source, NULL);
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(so[i], so[j]);
	for (int i = 0; i < 6; i++)
		free(so[i]);
	assert_int_equal(builds(*state), 5);
}

static void flags_are_words_as_for_a_shell(void **state)
{
	const char *source = kit_path(*state, "job.c");
	struct err err = { "" };
	struct code *code = NULL;

	kit_write(source, JOB_HEAD
		"int quern_main(quern_job *job, int argc, char **argv)\n"
		"{ (void)job; (void)argc; (void)argv; return strcmp(TEXT, \"two words\") == 0 ? 42 : 1; }\n");
	auto_free char *so = compiled(source, "-Wall '-DTEXT=\"two words\"'");
	assert_int_equal(code_load(so, NULL, 0, &code, &err), 0);
	assert_int_equal(code_main(code)(NULL, 0, NULL), 42);
	(void)code_free(code);

	assert_refused(*state, source, "'-DX", -EINVAL, "quoted");
	assert_refused(*state, source, "$(touch x)", -EINVAL, "command");
	assert_refused(*state, source, "other.c", -EINVAL, "other.c");
}

static void comments_are_seen_by_the_compiler(void **state)
{
	const char *source = kit_path(*state, "job.c");

	kit_write(source, JOB_HEAD "#define TWICE(x) /* of it */ ((x) * 2) // or so\n"
				   "int quern_main(quern_job *job, int argc, char **argv)\n"
				   "{\n\t(void)job, (void)argv;\n\tswitch (argc) {\n\tcase 1:\n\t\targc++;\n"
				   "\t\t/* fall through */\n\tdefault:\n\t\treturn TWICE(argc);\n\t}\n}\n");
	auto_free char *so = compiled(source, "-Wall -Wextra -Werror");
	assert_non_null(so);
}

static void a_mistake_is_shown_in_the_compilers_words(void **state)
{
	const char *source = kit_path(*state, "job.c");
	static const struct {
		const char *text, *words;
	} mistakes[] = {
		{ JOB_HEAD "int quern_main(quern_job *job, int argc, char **argv)\n{\n\treturn no such "
			   "thing;\n}\n",
			"job.c:4" },
		{ JOB_HEAD "#include \"not-there.h\"\n" JOB_MAIN, "not-there.h" },
		{ JOB_HEAD "static bool f(quern_slice line, void *arg) { return quern_as_u46(line) > 0 && "
			   "arg; }\n"
			   "int quern_main(quern_job *job, int argc, char **argv)\n{\n\t(void)argc;\n"
			   "\tquern_filter(quern_text(job, *argv), f, NULL);\n\treturn 0;\n}\n",
			"quern_as_u46" },
		{ JOB_HEAD "static bool f(quern_slice key, quern_slice line, void *arg)\n"
			   "{ return key.len + line.len > 0 && arg; }\n"
			   "int quern_main(quern_job *job, int argc, char **argv)\n{\n\t(void)argc;\n"
			   "\tquern_filter(quern_text(job, *argv), f, NULL);\n\treturn 0;\n}\n",
			"quern_filter" },
	};

	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		struct err err = { "" };
		char said[4096];

		kit_write(source, mistakes[i].text);
		assert_int_equal(compile_quietly(*state, source, NULL, &err, said), -ECANCELED);
		if (strstr(said, mistakes[i].words) == NULL)
			fail_msg("no '%s' in: %s", mistakes[i].words, said);
		assert_non_null(strstr(err.text, "job.c"));
		DIR *d = opendir(kit_path(*state, "a/cache/quern"));
		if (d != NULL) {
			(void)closedir(d);
			assert_int_equal(entries(kit_path(*state, "a/cache/quern")), 0);
		}
	}
}

static void a_job_has_a_quern_main(void **state)
{
	const char *source = kit_path(*state, "job.c");
	static const char *const without[] = {
		"int something_else;\n",
		"static int quern_main(void) { return 0; }\nint f(void); int f(void) { return quern_main(); "
		"}\n",
		"__attribute__((visibility(\"hidden\"))) int quern_main(void); int quern_main(void) { return "
		"0; }\n",
		"int quern_main;\n",
		"int quern_main(void); int f(void); int f(void) { return quern_main(); }\n",
	};

	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++) {
		kit_write(source, without[i]);
		assert_refused(*state, source, NULL, -ENOEXEC, "job.c' has no quern_main()");
		assert_int_equal(entries(kit_path(*state, "a/cache/quern")), 0);
	}
}

static void run_cc(const char *dir, const char *arguments)
{
	char command[4 * KIT_PATH];

	(void)snprintf(command, sizeof(command), "cd '%s' && cc -fPIC -shared %s", dir, arguments);
	assert_int_equal(system(command), 0);
}

static void an_object_is_taken_as_it_is(void **state)
{
	const char *object = kit_path(*state, "job.so");
	uint8_t id[CODE_BUILD_ID_MAX];
	struct err err = { "" };
	size_t len;

	kit_write(kit_path(*state, "job.c"), "int quern_main(void); int quern_main(void) { return 0; }\n");
	run_cc(*state, "-Wl,--build-id=0x0123456789abcdef -o job.so job.c");
	auto_free char *so = compiled(object, NULL);
	assert_string_equal(so, object);
	assert_int_equal(compile_build_id(so, id, &len, &err), 0);
	assert_int_equal(len, 8);
	assert_memory_equal(id, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8);
	assert_int_equal(access(kit_path(*state, "a"), F_OK), -1);

	run_cc(*state, "-Wl,--build-id=none -o job.so job.c");
	assert_refused(*state, object, NULL, -ENOEXEC, "build id");
	assert_int_equal(compile_build_id(object, id, &len, &err), -ENOEXEC);
	run_cc(*state, "-Wl,--build-id=sha1 -Dquern_main=other -o job.so job.c");
	assert_refused(*state, object, NULL, -ENOEXEC, "no quern_main()");
}

static void whether_a_job_persists_is_seen_without_loading_it(void **state)
{
	const char *object = kit_path(*state, "job.so");
	struct object look;
	struct err err = { "" };

	kit_write(kit_path(*state, "job.c"), "void quern_persist(void);\nint quern_main(void);\n"
					     "int quern_main(void) { CALL; return 0; }\n");
	run_cc(*state, "-Wl,--build-id=sha1 -DCALL='quern_persist()' -o job.so job.c");
	assert_int_equal(object_look(object, &look, &err), 0);
	assert_true(look.persists && look.has_main);
	run_cc(*state, "-Wl,--build-id=sha1 -DCALL= -o job.so job.c");
	assert_int_equal(object_look(object, &look, &err), 0);
	assert_true(!look.persists && look.has_main);
}

static void what_is_no_job_is_refused(void **state)
{
	const char *file = kit_path(*state, "file");
	uint8_t *bytes;
	struct stat st;

	assert_refused(*state, kit_path(*state, "none.c"), NULL, -ENOENT, "none.c': No such file");
	assert_refused(*state, kit_path(*state, "none.so"), NULL, -ENOENT, "none.so': No such file");
	assert_refused(*state, *state, NULL, -EISDIR, "directory");
	assert_int_equal(mkdir(kit_path(*state, "folder.c"), 0700), 0);
	assert_refused(*state, kit_path(*state, "folder.c"), NULL, -EINVAL, "not a file");
	kit_write(file, "");
	assert_refused(*state, file, NULL, -ENOEXEC, "neither");
	kit_write(file, "#!/bin/sh\n");
	assert_refused(*state, file, NULL, -ENOEXEC, "neither");
	kit_write(kit_path(*state, "x.c"), "int main(void) { return 0; }\n");
	run_cc(*state, "-no-pie -c -o file x.c");
	assert_refused(*state, file, NULL, -ENOEXEC, "neither");

	/* A job that was not written to its end, cut anywhere. */
	const char *whole = kit_env("QUERN_TEST_JOB");
	FILE *f = fopen(whole, "rb");
	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	bytes = malloc((size_t)st.st_size);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
	(void)fclose(f);
	for (size_t len = 1; len < (size_t)st.st_size / 2; len += len / 5 + 1) {
		struct err err = { "" };
		char said[4096];

		kit_write_bytes(file, bytes, len);
		assert_int_equal(compile_quietly(*state, file, NULL, &err, said), -ENOEXEC);
	}
	free(bytes);
}

static void a_compiler_that_is_missing_or_broken_is_named(void **state)
{
	const char *source = kit_path(*state, "job.c"), *script = kit_path(*state, "broken-cc");
	struct err err = { "" };
	char said[4096];

	kit_write(source, JOB_HEAD JOB_MAIN);
	assert_int_equal(setenv("CC", "no-such-compiler", 1), 0);
	assert_refused(*state, source, NULL, -ENOENT, "no-such-compiler");
	assert_int_equal(setenv("CC", "env no-such-compiler", 1), 0);
	(void)compile_quietly(*state, source, NULL, &err, said);
	assert_non_null(strstr(err.text, "there is no C compiler"));
	kit_write(script, "#!/bin/sh\nexit 3\n");
	assert_int_equal(chmod(script, 0755), 0);
	assert_int_equal(setenv("CC", script, 1), 0);
	assert_refused(*state, source, NULL, -ECANCELED, "broken-cc");
	kit_write(script, "#!/bin/sh\ncase \"$*\" in *-shared*) kill -9 $$;; *) exec cc \"$@\";; esac\n");
	assert_refused(*state, source, NULL, -ECANCELED, "signal 9");
	assert_int_equal(entries(kit_path(*state, "a/cache/quern")), 0);
}

static void a_cache_that_cannot_be_is_an_error(void **state)
{
	const char *source = kit_path(*state, "job.c");

	kit_write(source, JOB_HEAD JOB_MAIN);
	kit_write(kit_path(*state, "a"), "a file");
	assert_refused(*state, source, NULL, -ENOTDIR, "XDG_CACHE_HOME");

	/* Relative: not looked at. */
	assert_int_equal(setenv("XDG_CACHE_HOME", "x", 1), 0);
	assert_int_equal(setenv("HOME", kit_path(*state, "home"), 1), 0);
	auto_free char *so = compiled(source, NULL);
	assert_ptr_equal(strstr(so, kit_path(*state, "home/.cache/quern/")), so);
}

static void a_spoiled_object_in_the_cache_is_made_again(void **state)
{
	const char *source = kit_path(*state, "job.c");
	struct err err = { "" };
	struct code *code = NULL;

	use_logging_compiler(*state);
	kit_write(source, JOB_HEAD JOB_MAIN);
	auto_free char *first = compiled(source, NULL);
	kit_write(first, "");
	auto_free char *second = compiled(source, NULL);
	assert_string_equal(first, second);
	assert_int_equal(builds(*state), 2);
	assert_int_equal(code_load(second, NULL, 0, &code, &err), 0);
	(void)code_free(code);
}

static void set_age(const char *path, int days)
{
	const time_t then = time(NULL) - (time_t)days * 24 * 60 * 60;

	assert_int_equal(utimensat(AT_FDCWD, path, (struct timespec[]){ { then, 0 }, { then, 0 } }, 0), 0);
}

static void what_is_not_used_for_a_month_goes(void **state)
{
	const char *source = kit_path(*state, "job.c");

	kit_write(source, JOB_HEAD JOB_MAIN);
	auto_free char *forgotten = compiled(source, "-DA=1"), *used = compiled(source, "-DA=2");
	auto_free char *recent = compiled(source, "-DA=3");
	const char *temporary = kit_path(*state, "a/cache/quern/0123456789abcdef0123456789abcdef.so.abcdef");
	const char *foreign = kit_path(*state, "a/cache/quern/my-thesis.so");
	kit_write(temporary, "");
	kit_write(foreign, "");
	set_age(foreign, 3650);
	set_age(forgotten, 32);
	set_age(used, 32);
	set_age(recent, 28);
	set_age(temporary, 32);
	auto_free char *again = compiled(source, "-DA=2"), *other = compiled(source, "-DA=4");
	assert_int_equal(access(forgotten, F_OK), -1);
	assert_int_equal(access(temporary, F_OK), -1);
	assert_int_equal(access(foreign, F_OK), 0);
	assert_int_equal(access(used, F_OK), 0);
	assert_int_equal(access(recent, F_OK), 0);
	assert_int_equal(access(other, F_OK), 0);
}

static void any_number_may_compile_at_a_time(void **state)
{
	enum { PROCESSES = 8 };
	const char *source = kit_path(*state, "job.c");
	int status;

	kit_write(source, JOB_HEAD JOB_MAIN);
	for (int i = 0; i < PROCESSES; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct err err = { "" };
			struct code *code = NULL;
			char *so = NULL;
			int r = compile_job(source, getenv("QUERN_INCLUDE"), NULL, &so, &err);

			_exit(r == 0 && code_load(so, NULL, 0, &code, &err) == 0 &&
						code_main(code)(NULL, 5, NULL) == 5
					? 0
					: 1);
		}
	}
	for (int i = 0; i < PROCESSES; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	assert_int_equal(entries(kit_path(*state, "a/cache/quern")), 1);
}

#define test(f) cmocka_unit_test_setup_teardown(f, setup, kit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_source_becomes_an_object_that_can_be_loaded),
		test(the_same_source_is_compiled_once),
		test(what_would_change_the_object_makes_a_new_one),
		test(flags_are_words_as_for_a_shell),
		test(comments_are_seen_by_the_compiler),
		test(a_mistake_is_shown_in_the_compilers_words),
		test(a_job_has_a_quern_main),
		test(an_object_is_taken_as_it_is),
		test(whether_a_job_persists_is_seen_without_loading_it),
		test(what_is_no_job_is_refused),
		test(a_compiler_that_is_missing_or_broken_is_named),
		test(a_cache_that_cannot_be_is_an_error),
		test(a_spoiled_object_in_the_cache_is_made_again),
		test(what_is_not_used_for_a_month_goes),
		test(any_number_may_compile_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
