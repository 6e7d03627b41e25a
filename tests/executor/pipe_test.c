#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "executor/pipe.h"
#include "tests/executor/kit.h"

/* ---- A command under test ---- */

/* Keeps records as "[key|value]", or "[value]" of one without a key. */
struct sink {
	struct quern_out out;
	struct buf text;
	uint64_t n, limit; /* stops the flow with record number `limit` */
	struct flow *flow;
};

struct bench {
	Quern__Pipe spec;
	char *environment[4];
	const char *directory;
	struct flow flow;
	struct sink sink;
	struct stateful *pipe;
	char counted[256]; /* "group,name,n;" for each */
};

static void sink_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct sink *s = (struct sink *)out;

	assert_int_equal(buf_add_str(&s->text, "["), 0);
	assert_int_equal(buf_add(&s->text, key.ptr, key.len), 0);
	assert_int_equal(buf_add_str(&s->text, key.ptr != NULL ? "|" : ""), 0);
	assert_int_equal(buf_add(&s->text, value.ptr, value.len), 0);
	assert_int_equal(buf_add_str(&s->text, "]"), 0);
	if (++s->n == s->limit)
		s->flow->stop = true;
}

static void count(void *arg, const char *group, const char *name, int64_t n)
{
	struct bench *b = arg;
	size_t len = strlen(b->counted);

	(void)snprintf(b->counted + len, sizeof(b->counted) - len, "%s,%s,%lld;", group, name, (long long)n);
}

static void bench_init(struct bench *b, const char *command)
{
	*b = (struct bench){ .sink = { .out = { sink_emit }, .text = BUF_INIT(SIZE_MAX / 2) } };
	quern__pipe__init(&b->spec);
	b->spec.command = (char *)(uintptr_t)command;
	b->sink.flow = &b->flow;
}

static struct quern_out *bench_start(struct bench *b)
{
	const struct pipe_config config = { .pipe = &b->spec,
		.environment = b->environment,
		.directory = b->directory,
		.count = count,
		.count_arg = b,
		.flow = &b->flow };
	struct err err = { "" };

	if (pipe_new(&config, &b->sink.out, &b->pipe, &err) < 0)
		fail_msg("%s", err.text);
	return &b->pipe->in;
}

static void bench_finish(struct bench *b)
{
	if (!b->flow.stop)
		b->pipe->finish(b->pipe);
}

static void put(struct quern_out *in, const char *key, const char *value)
{
	in->emit(in, quern_bytes(key, key != NULL ? strlen(key) : 0), quern_str(value));
}

/* What came out. */
static void expect(struct bench *b, const char *text)
{
	if (b->flow.result < 0)
		fail_msg("%s", b->flow.err.text);
	assert_int_equal(buf_add(&b->sink.text, "", 1), 0);
	assert_string_equal((char *)b->sink.text.data, text);
}

static void expect_failure(const struct bench *b, const char *text)
{
	assert_int_equal(b->flow.result, -EIO);
	assert_false(b->flow.final);
	assert_string_equal(b->flow.err.text, text);
}

static void bench_deinit(struct bench *b)
{
	b->pipe = b->pipe->free(b->pipe);
	buf_deinit(&b->sink.text);
}

/* A command that gets no records, and what it gives. */
static void expect_of(const char *command, const char *text)
{
	struct bench b;

	bench_init(&b, command);
	(void)bench_start(&b);
	bench_finish(&b);
	expect(&b, text);
	bench_deinit(&b);
}

static void expect_failure_of(const char *command, const char *text)
{
	struct bench b;

	bench_init(&b, command);
	(void)bench_start(&b);
	bench_finish(&b);
	expect_failure(&b, text);
	bench_deinit(&b);
}

static ProtobufCBinaryData bytes(const char *text)
{
	return (ProtobufCBinaryData){ .data = (uint8_t *)(uintptr_t)text, .len = strlen(text) };
}

/* ---- Records and lines ---- */

static void records_go_in_as_lines(void **state)
{
	struct bench b;

	(void)state;
	for (int values = 0; values < 2; values++) {
		bench_init(&b, "cat");
		b.spec.values = values;
		struct quern_out *in = bench_start(&b);
		put(in, "k", "v");
		put(in, "", "v");
		put(in, NULL, "v");
		put(in, "k", "");
		put(in, NULL, "");
		bench_finish(&b);
		expect(&b, values ? "[v][v][v][][]" : "[k\tv][\tv][v][k\t][]");
		bench_deinit(&b);
	}
	bench_init(&b, "cat");
	b.spec.has_in_separator = true;
	b.spec.in_separator = bytes("::");
	put(bench_start(&b), "k", "v");
	bench_finish(&b);
	expect(&b, "[k::v]");
	bench_deinit(&b);
}

static void numbers_are_printed(void **state)
{
	const uint64_t bits[] = { 7, UINT64_MAX, 0x3ff8000000000000 }; /* 7, -1, 1.5 */
	const Quern__ValueType types[] = { QUERN__VALUE_TYPE__U64, QUERN__VALUE_TYPE__I64,
		QUERN__VALUE_TYPE__DOUBLE };
	static const char *const texts[] = { "[7\t7]", "[-1\t-1]", "[1.5\t1.5]" };
	struct bench b;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const quern_slice number = quern_bytes(&bits[i], sizeof(bits[i]));

		bench_init(&b, "cat");
		b.spec.key_type = b.spec.value_type = types[i];
		struct quern_out *in = bench_start(&b);
		in->emit(in, number, number);
		bench_finish(&b);
		expect(&b, texts[i]);
		bench_deinit(&b);
	}
	bench_init(&b, "cat");
	b.spec.key_type = QUERN__VALUE_TYPE__U64;
	put(bench_start(&b), "four", "value");
	assert_int_equal(b.flow.result, -EINVAL);
	assert_true(b.flow.final);
	assert_string_equal(b.flow.err.text,
		"the command 'cat': a field of 4 bytes is to be printed as a number, which has 8");
	bench_deinit(&b);
}

static void lines_come_out_as_records(void **state)
{
	static const struct {
		uint32_t fields;
		const char *separator, *text;
	} cases[] = {
		{ 0, NULL, "[a\tb\tc][][no tab][\tx][a\t]" },
		{ 1, NULL, "[a|b\tc][|][no tab|][|x][a|]" },
		{ 2, NULL, "[a\tb|c][|][no tab|][\tx|][a\t|]" },
		{ 1, "b", "[a\t|\tc][|][no ta|][\tx|][a\t|]" },
		{ 1, "\tb", "[a|\tc][|][no tab|][\tx|][a\t|]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench b;

		/* The last line has no newline. */
		bench_init(&b, "printf 'a\\tb\\tc\\n\\nno tab\\n\\tx\\na\\t'");
		b.spec.key_fields = cases[i].fields;
		if (cases[i].separator != NULL) {
			b.spec.has_out_separator = true;
			b.spec.out_separator = bytes(cases[i].separator);
		}
		(void)bench_start(&b);
		bench_finish(&b);
		expect(&b, cases[i].text);
		bench_deinit(&b);
	}
}

static void any_bytes_and_any_size(void **state)
{
	enum { LARGE = 5 << 20 };
	char *large = malloc(LARGE);
	struct bench b;

	(void)state;
	assert_non_null(large);
	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)(i % 251 == '\n' ? 0 : i % 251);
	bench_init(&b, "cat");
	struct quern_out *in = bench_start(&b);
	for (int i = 0; i < 3; i++) {
		in->emit(in, quern_bytes(NULL, 0), quern_bytes("\0\xff", 2));
		in->emit(in, quern_bytes(NULL, 0), quern_bytes(large, LARGE));
	}
	bench_finish(&b);
	assert_int_equal(b.flow.result, 0);
	const uint8_t *p = b.sink.text.data;
	assert_int_equal(b.sink.text.len, 3 * (4 + LARGE + 2));
	for (int i = 0; i < 3; i++, p += LARGE + 1) {
		assert_memory_equal(p, "[\0\xff][", 5);
		p += 5;
		assert_memory_equal(p, large, LARGE);
	}
	bench_deinit(&b);
	free(large);
}

/* ---- When it reads and writes ---- */

enum { MANY = 100000 }; /* lines: more than all pipes and buffers hold */

/* Gives it so many lines, and how many come out. */
static uint64_t lines_through(const char *command)
{
	struct bench b;

	bench_init(&b, command);
	struct quern_out *in = bench_start(&b);
	for (int i = 0; i < MANY; i++)
		put(in, NULL, "a line that is long enough to fill a pipe when there are many of them");
	bench_finish(&b);
	if (b.flow.result < 0)
		fail_msg("%s", b.flow.err.text);
	uint64_t n = b.sink.n;
	bench_deinit(&b);
	return n;
}

static void nothing_that_it_does_blocks_us(void **state)
{
	int was = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY);

	(void)state;
	(void)dup2(nowhere, STDERR_FILENO);
	assert_int_equal(lines_through("cat"), MANY);
	assert_int_equal(lines_through("sed p"), 2 * MANY);
	assert_int_equal(lines_through("cat >/dev/null"), 0);
	assert_int_equal(lines_through("seq 200000; cat"), 200000 + MANY); /* writes before it reads */
	assert_int_equal(lines_through("seq 200000 >&2; cat"), MANY);
	assert_int_equal(lines_through("exec <&-; seq 200000"), 200000); /* does not read */
	assert_int_equal(lines_through("exec >&-; cat >&2; seq 200000 >&2"), 0);
	assert_int_equal(lines_through("sort | uniq -c"), 1);
	(void)dup2(was, STDERR_FILENO);
	(void)close(was);
	(void)close(nowhere);
}

static void it_may_end_when_it_likes(void **state)
{
	(void)state;
	assert_int_equal(lines_through("head -n 3"), 3);
	assert_int_equal(lines_through("true"), 0);
	expect_of("true", "");
	/* Who has its standard output is a part of it. */
	expect_of("{ while ! grep -q ' Z ' /proc/$$/stat; do :; done; echo late; } & echo soon",
		"[soon][late]");
}

static void it_is_stopped_when_no_more_is_wanted(void **state)
{
	struct bench b;

	(void)state;
	for (int finish = 0; finish < 2; finish++) {
		bench_init(&b, "yes");
		b.sink.limit = 3;
		struct quern_out *in = bench_start(&b);
		for (int i = 0; i < MANY && !finish; i++)
			put(in, NULL,
				"a line that is long enough to fill a pipe when there are many of them");
		bench_finish(&b);
		expect(&b, "[y][y][y]");
		bench_deinit(&b);
	}
}

/* ---- How it ends ---- */

static void a_failure_says_what_and_why(void **state)
{
	(void)state;
	expect_failure_of("exit 3", "the command 'exit 3' exited with status 3");
	expect_failure_of("echo one >&2; echo 'no luck' >&2; echo >&2; exit 1",
		"the command 'echo one >&2; echo 'no luck' >&2; echo >&2; exit 1' exited with status 1; it "
		"said: "
		"no luck");
	expect_failure_of("echo reporter:status:page 7 >&2; kill -SEGV $$",
		"the command 'echo reporter:status:page 7 >&2; kill -SEGV $$' was killed by SIGSEGV "
		"(Segmentation "
		"fault); it was at: page 7");
	/* What it has left in the background is not waited for. */
	expect_failure_of("sleep 1000 & exit 4", "the command 'sleep 1000 & exit 4' exited with status 4");
	/* SIGPIPE is ignored here, but not there. */
	expect_failure_of("kill -PIPE $$", "the command 'kill -PIPE $$' was killed by SIGPIPE (Broken pipe)");
	struct bench b;
	bench_init(&b, "/nowhere/at-all");
	put(bench_start(&b), NULL, "value");
	bench_finish(&b);
	assert_non_null(strstr(b.flow.err.text, "exited with status 127; it said: "));
	assert_non_null(strstr(b.flow.err.text, "not found"));
	bench_deinit(&b);
}

static void a_failure_ends_the_flow_at_once(void **state)
{
	struct bench b;

	(void)state;
	for (int reads = 0; reads < 2; reads++) {
		/* The second one leaves somebody who reads on, and who would never end. */
		bench_init(&b, reads ? "cat <&0 >/dev/null & exit 5" : "exec <&-; exit 5");
		struct quern_out *in = bench_start(&b);
		while (!b.flow.stop)
			put(in, NULL, "a line that is put until somebody says that it is enough of them");
		assert_non_null(strstr(b.flow.err.text, "exited with status 5"));
		bench_deinit(&b);
	}
}

static void a_folder_that_is_not_there(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b, "true");
	b.directory = "/nowhere";
	(void)bench_start(&b);
	bench_finish(&b);
	expect_failure(&b, "the command 'true' exited with status 127; it said: No such file or directory");
	bench_deinit(&b);
}

/* The numbers in "[n]" are pids. */
static void nothing_of_it_is_left(void **state)
{
	struct kit_process processes[2];
	struct bench b;
	int pids[2];

	(void)state;
	bench_init(&b, "cat /dev/zero >/dev/null & echo $!; echo $$; yes");
	b.sink.limit = 2;
	(void)bench_start(&b);
	bench_finish(&b);
	expect(&b, (char *)b.sink.text.data);
	assert_int_equal(sscanf((char *)b.sink.text.data, "[%d][%d]", &pids[0], &pids[1]), 2);
	for (int i = 0; i < 2; i++)
		processes[i] = kit_watch(pids[i]);
	bench_deinit(&b);
	for (int i = 0; i < 2; i++) {
		kit_expect_end(processes[i]);
		assert_int_equal(kill(pids[i], 0), -1); /* and reaped */
	}

	/* Also when it ended by itself. */
	bench_init(&b, "cat /dev/zero >/dev/null & echo $!");
	(void)bench_start(&b);
	bench_finish(&b);
	expect(&b, (char *)b.sink.text.data);
	assert_int_equal(sscanf((char *)b.sink.text.data, "[%d]", &pids[0]), 1);
	assert_int_equal(kill(pids[0], 0), -1);
	bench_deinit(&b);
}

/* ---- What it sees, what it reports ---- */

static void environment_and_folder(void **state)
{
	char *own[] = { (char[]){ "B=pipe's" }, (char[]){ "HOME=" } };
	char folder[KIT_PATH];
	struct bench b;

	(void)state;
	kit_folder(folder);
	kit_write(kit_path(folder, "here"), "", 0);
	bench_init(&b, "ls; echo \"$A,$B,$HOME,$C,${PATH:+path}\"");
	b.directory = folder;
	b.environment[0] = (char[]){ "A=task's" };
	b.environment[1] = (char[]){ "B=task's" };
	b.environment[2] = (char[]){ "C=with = and space" };
	b.spec.environment = own;
	b.spec.n_environment = 2;
	(void)bench_start(&b);
	bench_finish(&b);
	expect(&b, "[here][task's,pipe's,,with = and space,path]");
	bench_deinit(&b);
	tree_remove(folder);
}

static void reports_are_taken_out(void **state)
{
	char folder[KIT_PATH];
	struct bench b;
	size_t len;

	(void)state;
	kit_folder(folder);
	int was = dup(STDERR_FILENO);
	int file = open(kit_path(folder, "stderr"), O_CREAT | O_RDWR, 0600);
	assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
	bench_init(&b,
		"exec >&2; echo first; echo reporter:counter:mills,grains,3; echo reporter:status:at work; "
		"printf 'last'");
	(void)bench_start(&b);
	bench_finish(&b);
	(void)dup2(was, STDERR_FILENO);
	expect(&b, "");
	assert_string_equal(b.counted, "mills,grains,3;");
	char *text = (char *)kit_read(kit_path(folder, "stderr"), &len);
	assert_string_equal(text, "first\nlast");
	free(text);
	bench_deinit(&b);
	(void)close(file);
	(void)close(was);
	tree_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(records_go_in_as_lines),
		cmocka_unit_test(numbers_are_printed),
		cmocka_unit_test(lines_come_out_as_records),
		cmocka_unit_test(any_bytes_and_any_size),
		cmocka_unit_test(nothing_that_it_does_blocks_us),
		cmocka_unit_test(it_may_end_when_it_likes),
		cmocka_unit_test(it_is_stopped_when_no_more_is_wanted),
		cmocka_unit_test(a_failure_says_what_and_why),
		cmocka_unit_test(a_failure_ends_the_flow_at_once),
		cmocka_unit_test(a_folder_that_is_not_there),
		cmocka_unit_test(nothing_of_it_is_left),
		cmocka_unit_test(environment_and_folder),
		cmocka_unit_test(reports_are_taken_out),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests_name("pipe", tests, NULL, NULL);
}
