/* The job's side of a session: a process with tests/job/job.c, and a driver that the test plays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <endian.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <xxhash.h>

#include "base/auto.h"
#include "job/plan_check.h"
#include "job/records.h"
#include "job/session.h"
#include "tests/job/kit.h"

struct serve {
	pid_t pid;
	int fd;
	struct session_reader reader;
	struct buf in; /* read, not looked at */
	const char *dir;
	const uint8_t *id;
	size_t id_len;
	struct code *code;
};

static void start_object(struct serve *s, const char *dir, const char *object, const char *const *argv)
{
	int pair[2], argc = 0;

	*s = (struct serve){ .in = BUF_INIT(SIZE_MAX), .dir = dir };
	while (argv[argc] != NULL)
		argc++;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		int out = open(kit_path(dir, "stdout"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int err = open(kit_path(dir, "stderr"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

		(void)close(pair[0]);
		if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
			_exit(99);
		exit(session_serve(pair[1], object, argc, (char **)argv));
	}
	(void)close(pair[1]);
	s->fd = pair[0];
	session_reader_driver(&s->reader);
}

/* The next message; NULL: the other side ended. */
static Quern__SessionToDriver *next(struct serve *s)
{
	ProtobufCMessage *m;
	struct err err;
	char bytes[1000];

	for (;;) {
		const uint8_t *p = s->in.data;
		size_t left = s->in.len;

		int r = session_feed(&s->reader, &p, &left, &m, &err);
		if (r < 0)
			fail_msg("%s", err.text);
		buf_consume(&s->in, s->in.len - left);
		if (r > 0)
			return (Quern__SessionToDriver *)m;
		ssize_t n = read(s->fd, bytes, sizeof(bytes));
		if (n <= 0)
			return NULL;
		assert_int_equal(buf_add(&s->in, bytes, (size_t)n), 0);
	}
}

static void free_message(Quern__SessionToDriver *m)
{
	quern__session_to_driver__free_unpacked(m, NULL);
}

static void start(struct serve *s, const char *dir, const char *const *argv)
{
	struct err err = { "" };

	start_object(s, dir, kit_env("QUERN_TEST_JOB"), argv);
	s->code = kit_load();
	s->id_len = code_build_id(s->code, &s->id);
	Quern__SessionToDriver *m = next(s);
	assert_non_null(m);
	assert_int_equal(session_check_hello(m, s->id, s->id_len, &err), 0);
	free_message(m);
}

/* Its exit status; everything of it ends. */
static int finish(struct serve *s)
{
	int status;

	(void)close(s->fd);
	session_reader_deinit(&s->reader);
	buf_deinit(&s->in);
	(void)code_free(s->code);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_said(const struct serve *s, const char *stream, const char *wanted)
{
	char text[4096] = "";
	FILE *f = fopen(kit_path(s->dir, "%s", stream), "r");

	assert_non_null(f);
	(void)fread(text, 1, sizeof(text) - 1, f);
	(void)fclose(f);
	assert_string_equal(text, wanted);
}

/* Waits for an action; its number, and its name in a static buffer. */
static uint32_t next_run(struct serve *s, char name[100])
{
	Quern__SessionToDriver *m = next(s);
	struct err err = { "" };

	assert_non_null(m);
	assert_non_null(m->run);
	if (plan_check(m->run, s->id, s->id_len, &err) < 0)
		fail_msg("%s", err.text);
	(void)snprintf(name, 100, "%s", m->run->name);
	uint32_t id = m->run->id;
	free_message(m);
	return id;
}

static void send_buf(const struct serve *s, const struct buf *b)
{
	assert_int_equal(send(s->fd, b->data, b->len, MSG_NOSIGNAL), b->len);
}

static void send_record(const struct serve *s, uint32_t run, uint32_t partition, const char *key)
{
	auto_buf struct buf record = BUF_INIT(1000), b = BUF_INIT(2000);

	assert_int_equal(record_put(&record, quern_str(key), quern_str("1")), 0);
	assert_int_equal(session_put_result(&b, run, partition, record.data, record.len), 0);
	send_buf(s, &b);
}

static void send_done(const struct serve *s, uint32_t run, int code)
{
	auto_buf struct buf b = BUF_INIT(1000);

	assert_int_equal(session_put_done(&b, run, code, code == 0 ? NULL : "why not", NULL, 0), 0);
	send_buf(s, &b);
}

/* ---- What it does ---- */

static void a_job_says_hello_acts_and_ends(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "save", "in", "out", NULL });
	uint32_t run = next_run(&s, name);
	assert_string_equal(name, "save_text(out)");
	send_done(&s, run, 0);
	assert_null(next(&s));
	assert_int_equal(finish(&s), 0);
	assert_said(&s, "stderr", "");
}

static void results_come_in_any_order_and_are_given_in_theirs(void **state)
{
	static const uint32_t order[] = { 3, 1, 0, 6, 2, 5 }; /* and there is no 4 */
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "collect", "in", NULL });
	uint32_t run = next_run(&s, name);
	for (size_t i = 0; i < 6; i++)
		send_record(
			&s, run, order[i], (const char *[]){ "a", "b", "c", "d", "e", "f", "g" }[order[i]]);
	send_done(&s, run, 0);
	assert_null(next(&s));
	assert_int_equal(finish(&s), 0);
	assert_said(&s, "stdout",
		"a=1\nb=1\nc=1\n"
		"d=1\nf=1\ng=1\n");
}

static void a_loop_of_actions_is_one_after_another(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "count", "in", NULL });
	for (uint64_t i = 0; i < 3; i++) {
		auto_buf struct buf b = BUF_INIT(1000);
		const uint64_t n = htole64(10 + i);
		uint32_t run = next_run(&s, name);

		assert_string_equal(name, "count");
		assert_int_equal(session_put_result(&b, run, 0, &n, sizeof(n)), 0);
		assert_int_equal(session_put_result(&b, run, 1, &n, sizeof(n)), 0);
		send_buf(&s, &b);
		send_done(&s, run, 0);
	}
	assert_null(next(&s));
	assert_int_equal(finish(&s), 0);
	assert_said(&s, "stdout", "20\n22\n24\n");
}

static void what_is_unpersisted_is_told_within_the_order(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "persist", "in", NULL });
	uint32_t run = next_run(&s, name);
	assert_string_equal(name, "collect");
	send_record(&s, run, 0, "a"); /* the function that gets it unpersists */
	Quern__SessionToDriver *m = next(&s);
	assert_non_null(m);
	assert_non_null(m->unpersist);
	assert_int_equal(m->unpersist->cache, 1);
	free_message(m);
	send_done(&s, run, 0);
	assert_null(next(&s));
	assert_int_equal(finish(&s), 0);
	assert_said(&s, "stdout", "a=1\n");
}

static void what_is_not_wanted_any_more_is_cancelled(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "stop-after-2", "in", NULL });
	uint32_t run = next_run(&s, name);
	for (uint32_t i = 0; i < 5; i++)
		send_record(&s, run, i, "w");
	Quern__SessionToDriver *m = next(&s);
	assert_non_null(m->cancel);
	assert_int_equal(m->cancel->run, run);
	free_message(m);
	send_record(&s, run, 5, "w"); /* it was on its way */
	send_done(&s, run, -ECANCELED);
	assert_null(next(&s));
	assert_int_equal(finish(&s), 0);
	assert_said(&s, "stdout", "w=1\nw=1\ncollect returned 9\n");
}

static void a_failed_action_is_the_jobs_status(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "save", "in", "out", NULL });
	send_done(&s, next_run(&s, name), 3);
	assert_int_equal(finish(&s), 3);
	assert_said(&s, "stderr", ""); /* the driver has said why */

	start(&s, *state, (const char *[]){ "job", "collect", "in", NULL });
	uint32_t run = next_run(&s, name);
	send_record(&s, run, 1, "x"); /* the others were not made */
	send_done(&s, run, -5);
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stdout", "");
}

static void quern_main_decides_the_status(void **state)
{
	static const struct {
		const char *returned;
		int status;
	} cases[] = { { "0", 0 }, { "5", 5 }, { "255", 255 }, { "256", 1 }, { "-1", 1 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct serve s;

		start(&s, *state, (const char *[]){ "job", cases[i].returned, NULL });
		assert_null(next(&s));
		assert_int_equal(finish(&s), cases[i].status);
	}
}

static void a_mistake_is_one_line_and_no_action(void **state)
{
	struct serve s;

	start(&s, *state, (const char *[]){ "job", "collect", NULL });
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr", "quern: quern_text(): the path is NULL: is an argument missing?\n");
}

/* ---- A driver that is not as it should be ---- */

static void without_its_driver_a_job_ends(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "collect", "in", NULL });
	(void)next_run(&s, name);
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr", "");

	/* Within a loop of actions as well. */
	start(&s, *state, (const char *[]){ "job", "count", "in", NULL });
	send_done(&s, next_run(&s, name), 0);
	assert_int_equal(finish(&s), 1);
}

static void nonsense_from_the_driver_ends_the_action(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "collect", "in", NULL });
	uint32_t run = next_run(&s, name);
	send_record(&s, run, 0, "x");
	send_record(&s, run, 0, "x");
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr", "quern: the driver's answer: a partition's result came twice\n");

	start(&s, *state, (const char *[]){ "job", "collect", "in", NULL });
	run = next_run(&s, name);
	send_done(&s, run + 1, 0);
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr", "quern: the driver's answer: of another action\n");

	start(&s, *state, (const char *[]){ "job", "collect", "in", NULL });
	(void)next_run(&s, name);
	assert_int_equal(send(s.fd, "\0\0\0\0", 4, MSG_NOSIGNAL), 4);
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr", "quern: the driver's answer: a frame is empty\n");
}

/* A result for a partition that is waited for as well, behind one that is kept. */
static void a_result_that_comes_twice_early_is_not_given_twice(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "collect", "in", NULL });
	uint32_t run = next_run(&s, name);
	send_record(&s, run, 2, "c");
	send_record(&s, run, 2, "c");
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr", "quern: the driver's answer: a partition's result came twice\n");
}

static void an_object_that_is_no_job_is_one_line(void **state)
{
	struct serve s;

	start_object(&s, *state, "/nowhere/job.so", (const char *[]){ "job", NULL });
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr",
		"quern: cannot load the job: /nowhere/job.so: cannot open shared object file: "
		"No such file or directory\n");
}

/* Waits for a broadcast of those bytes, in memory that cannot be changed; its number. */
static uint32_t next_broadcast(struct serve *s, const char *bytes)
{
	char path[64], text[100] = "";

	Quern__SessionToDriver *m = next(s);
	assert_non_null(m);
	assert_non_null(m->broadcast);
	(void)snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)s->pid, m->broadcast->fd);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GET_SEALS), F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL);
	assert_int_equal(pread(fd, text, sizeof(text), 0), strlen(bytes));
	assert_string_equal(text, bytes);
	(void)close(fd);
	assert_int_equal(m->broadcast->length, strlen(bytes));
	assert_int_equal(m->broadcast->checksum, XXH3_64bits(bytes, strlen(bytes)));
	uint32_t id = m->broadcast->id;
	free_message(m);
	return id;
}

static void send_taken(const struct serve *s, uint32_t broadcast, const char *error)
{
	auto_buf struct buf b = BUF_INIT(1000);

	assert_int_equal(session_put_taken(&b, broadcast, error), 0);
	send_buf(s, &b);
}

static void a_broadcast_is_offered_until_it_is_destroyed(void **state)
{
	struct serve s;

	start(&s, *state, (const char *[]){ "job", "broadcast", NULL });
	uint32_t id = next_broadcast(&s, "for all of them");
	send_taken(&s, id, NULL);
	Quern__SessionToDriver *m = next(&s);
	assert_non_null(m);
	assert_int_equal(m->destroy->broadcast, id);
	free_message(m);
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stdout", "for all of them\n");
	assert_said(
		&s, "stderr", "quern: quern_broadcast_value(): there is no broadcast 1: was it destroyed?\n");
}

static void a_broadcast_that_the_driver_cannot_take_ends_the_job(void **state)
{
	struct serve s;

	start(&s, *state, (const char *[]){ "job", "broadcast", NULL });
	send_taken(&s, next_broadcast(&s, "for all of them"), "too many open files");
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr", "quern: quern_broadcast(): too many open files\n");
}

static void a_broadcast_within_an_action_is_refused(void **state)
{
	struct serve s;
	char name[100];

	start(&s, *state, (const char *[]){ "job", "broadcast-within", "in", NULL });
	send_record(&s, next_run(&s, name), 0, "a");
	assert_null(next(&s));
	assert_int_equal(finish(&s), 1);
	assert_said(&s, "stderr", "quern: quern_broadcast(): not inside of an action's function\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		kit_test(a_job_says_hello_acts_and_ends),
		kit_test(results_come_in_any_order_and_are_given_in_theirs),
		kit_test(a_loop_of_actions_is_one_after_another),
		kit_test(what_is_unpersisted_is_told_within_the_order),
		kit_test(what_is_not_wanted_any_more_is_cancelled),
		kit_test(a_failed_action_is_the_jobs_status),
		kit_test(quern_main_decides_the_status),
		kit_test(a_mistake_is_one_line_and_no_action),
		kit_test(without_its_driver_a_job_ends),
		kit_test(nonsense_from_the_driver_ends_the_action),
		kit_test(a_result_that_comes_twice_early_is_not_given_twice),
		kit_test(an_object_that_is_no_job_is_one_line),
		kit_test(a_broadcast_is_offered_until_it_is_destroyed),
		kit_test(a_broadcast_that_the_driver_cannot_take_ends_the_job),
		kit_test(a_broadcast_within_an_action_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
