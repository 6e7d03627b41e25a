/* The test is its own job: started as `PROGRAM job 3 WORD` it plays what WORD says. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "job/session.h"
#include "scheduler/job_process.h"
#include "tests/one_branch.h"

static const uint8_t build_id[] = { 1, 2, 3, 4 };

/* ---- The job ---- */

static void say(struct buf *b)
{
	for (size_t at = 0; at < b->len; at++) /* a byte at a time: the driver puts them together */
		if (write(3, b->data + at, 1) != 1)
			_exit(90);
	buf_clear(b);
}

static void ask(uint32_t id)
{
	struct buf b = BUF_INIT(4096);
	Quern__Run run = QUERN__RUN__INIT;
	Quern__Stage stage = QUERN__STAGE__INIT, *stages[] = { &stage };
	struct one_branch from;
	Quern__Sink sink = QUERN__SINK__INIT;
	char *text[] = { (char[]){ "in" } };

	sink.kind = QUERN__SINK__KIND__COUNT;
	stage.id = id;
	one_branch_init(&from, &stage);
	from.source.text = text;
	from.source.n_text = 1;
	stage.sink = &sink;
	run.id = id;
	run.build_id = (ProtobufCBinaryData){ .data = (uint8_t *)build_id, .len = sizeof(build_id) };
	run.stages = stages;
	run.n_stages = 1;
	if (session_put_run(&b, &run) < 0)
		_exit(91);
	say(&b);
	buf_deinit(&b);
}

/* Waits for one Result and the Done behind it. */
static int answered(void)
{
	struct session_reader reader;
	ProtobufCMessage *m;
	uint8_t bytes[4096];
	struct err err;
	int results = 0;

	session_reader_job(&reader);
	for (;;) {
		ssize_t n = read(3, bytes, sizeof(bytes));
		const uint8_t *at = bytes;
		size_t left = n > 0 ? (size_t)n : 0;

		if (n <= 0)
			return 92;
		while (session_feed(&reader, &at, &left, &m, &err) > 0) {
			const Quern__SessionToJob *got = (const Quern__SessionToJob *)m;
			bool done = got->done != NULL;

			results += got->result != NULL && got->result->data.len == 8;
			protobuf_c_message_free_unpacked(m, NULL);
			if (done) {
				session_reader_deinit(&reader);
				return results == 1 ? 0 : 93;
			}
		}
	}
}

static int play(const char *word)
{
	static const uint8_t other_id[] = { 9, 9, 9, 9 };
	struct buf b = BUF_INIT(4096);
	bool stranger = strcmp(word, "stranger") == 0;

	if (session_put_hello(&b, stranger ? other_id : build_id, sizeof(build_id)) < 0)
		return 94;
	if (strcmp(word, "rude") != 0)
		say(&b);
	buf_deinit(&b);
	if (strcmp(word, "crash") == 0)
		(void)raise(SIGSEGV);
	if (strcmp(word, "nonsense") == 0)
		(void)!write(3, "\xff\xff\xff\xff\xff", 5);
	if (strcmp(word, "status") == 0)
		return 7;
	if (strcmp(word, "action") == 0 || strcmp(word, "rude") == 0) {
		ask(5);
		return answered();
	}
	(void)pause(); /* it is ended */
	return 95;
}

/* ---- The driver ---- */

struct seen {
	struct event_base *loop;
	struct job_process *p;
	int runs, gone, status;
	char why[256];
};

static void on_run(void *arg, const Quern__Run *run)
{
	struct seen *s = arg;
	static const uint8_t eight[8];

	s->runs++;
	assert_int_equal(run->id, 5);
	assert_string_equal(run->stages[0]->branches[0]->source->text[0], "in");
	assert_int_equal(job_process_result(s->p, 5, 0, eight, sizeof(eight)), 0);
	assert_int_equal(job_process_done(s->p, 5, 0, "", NULL, 0), 0);
}

static void on_cancel(void *arg, uint32_t run)
{
	(void)arg;
	(void)run;
	fail();
}

static void on_gone(void *arg, int status, const char *why)
{
	struct seen *s = arg;

	s->gone++;
	s->status = status;
	(void)snprintf(s->why, sizeof(s->why), "%s", why != NULL ? why : "");
	(void)event_base_loopbreak(s->loop);
}

static const struct job_process_ops ops = { .run = on_run, .cancel = on_cancel, .gone = on_gone };

/* Plays `word` to its end. */
static struct seen played(const char *word)
{
	struct seen s = { .loop = event_base_new() };
	struct err err = { "" };
	char *none[] = { NULL };
	const struct job_process_config config = { .self = program_invocation_name,
		.so = word,
		.build_id = build_id,
		.build_id_len = sizeof(build_id),
		.argv = none };

	assert_non_null(s.loop);
	assert_int_equal(job_process_start(s.loop, &config, &ops, &s, &s.p, &err), 0);
	assert_int_equal(event_base_dispatch(s.loop), 0);
	assert_int_equal(s.gone, 1);
	s.p = job_process_free(s.p);
	event_base_free(s.loop);
	return s;
}

static void an_action_is_asked_and_answered(void **state)
{
	struct seen s = played("action");
	(void)state;

	assert_int_equal(s.runs, 1);
	assert_true(WIFEXITED(s.status));
	assert_int_equal(WEXITSTATUS(s.status), 0);
	assert_string_equal(s.why, "");
}

static void its_end_is_seen_as_it_was(void **state)
{
	(void)state;
	struct seen s = played("status");
	assert_true(WIFEXITED(s.status));
	assert_int_equal(WEXITSTATUS(s.status), 7);
	s = played("crash");
	assert_true(WIFSIGNALED(s.status));
	assert_int_equal(WTERMSIG(s.status), SIGSEGV);
	assert_string_equal(s.why, "");
}

static void one_that_breaks_the_protocol_is_killed(void **state)
{
	static const char *const words[] = { "nonsense", "rude", "stranger" };
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		struct seen s = played(words[i]);

		assert_int_equal(s.runs, 0);
		assert_true(s.why[0] != '\0');
		assert_true(WIFSIGNALED(s.status));
		assert_int_equal(WTERMSIG(s.status), SIGKILL);
	}
}

static void free_ends_one_that_never_would(void **state)
{
	struct seen s = { .loop = event_base_new() };
	struct err err = { "" };
	char *none[] = { NULL };
	const struct job_process_config config = { .self = program_invocation_name,
		.so = "sleep",
		.build_id = build_id,
		.build_id_len = sizeof(build_id),
		.argv = none };
	(void)state;

	assert_int_equal(job_process_start(s.loop, &config, &ops, &s, &s.p, &err), 0);
	assert_null(job_process_free(s.p));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	event_base_free(s.loop);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_action_is_asked_and_answered),
		cmocka_unit_test(its_end_is_seen_as_it_was),
		cmocka_unit_test(one_that_breaks_the_protocol_is_killed),
		cmocka_unit_test(free_ends_one_that_never_would),
	};

	if (argc > 3 && strcmp(argv[1], "job") == 0)
		return play(argv[3]);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
