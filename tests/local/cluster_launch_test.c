#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/launch.h"
#include "tests/local/cluster_scratch.h"

struct fixture {
	struct event_base *loop;
	struct launcher *launcher;
	char dir[PATH_MAX];
	struct launch *launch;
	int64_t pid;
	int status;
	bool started, exited, failed;
	char why[512];
	void (*on_started)(struct fixture *f);
};

static void on_started(void *arg, int64_t pid)
{
	struct fixture *f = arg;

	f->started = true;
	f->pid = pid;
	if (f->on_started != NULL)
		f->on_started(f);
}

static void on_failed(void *arg, const char *why)
{
	struct fixture *f = arg;

	f->failed = true;
	(void)snprintf(f->why, sizeof(f->why), "%s", why);
	(void)event_base_loopbreak(f->loop);
}

static void on_exited(void *arg, int status)
{
	struct fixture *f = arg;

	f->exited = true;
	f->status = status;
	(void)event_base_loopbreak(f->loop);
}

static const struct launch_ops ops = { .started = on_started, .failed = on_failed, .exited = on_exited };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->loop = event_base_new();
	assert_int_equal(launcher_new(f->loop, &f->launcher, NULL), 0);
	scratch_make(f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	launcher_free(f->launcher);
	event_base_free(f->loop);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static int start(struct fixture *f, const char *script, struct err *err)
{
	char *env[] = { (char *)"GREETING=hello world", NULL };
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;

	command.value = (char *)script;
	return launch_start(f->launcher, f->dir, env, &command, &ops, f, &f->launch, err);
}

static void run(struct fixture *f, const char *script)
{
	assert_int_equal(start(f, script, NULL), 0);
	(void)event_base_dispatch(f->loop);
}

/* The process whose number stands in a file of the sandbox. */
static pid_t pid_in(const struct fixture *f, const char *name)
{
	char text[4096];
	pid_t pid = (pid_t)atoi(scratch_read(f->dir, name, text));

	assert_true(pid > 1);
	return pid;
}

static void assert_gone(pid_t pid)
{
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void a_command_runs_in_its_sandbox_with_its_environment(void **state)
{
	struct fixture *f = *state;
	char text[4096];

	run(f, "echo \"$GREETING\"; echo oops >&2; env | cut -d= -f1 | sort | tr '\\n' ' ' > names; pwd > "
	       "where; exit 3");
	assert_true(f->started && f->exited);
	assert_true(WIFEXITED(f->status) && WEXITSTATUS(f->status) == 3);
	assert_string_equal(scratch_read(f->dir, "stdout", text), "hello world\n");
	assert_string_equal(scratch_read(f->dir, "stderr", text), "oops\n");
	/* PWD and _ are the shell's own */
	assert_non_null(strstr(scratch_read(f->dir, "names", text), "GREETING"));
	assert_null(strstr(text, "HOME"));
	assert_non_null(strstr(scratch_read(f->dir, "where", text), strrchr(f->dir, '/')));
}

static void arguments_replace_the_shell(void **state)
{
	struct fixture *f = *state;
	char *arguments[] = { (char *)"printf", (char *)"%s|", (char *)"a b", (char *)"$HOME" };
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	char text[4096];

	command.has_shell = true;
	command.shell = false;
	command.value = (char *)"printf";
	command.arguments = arguments;
	command.n_arguments = 4;
	assert_int_equal(launch_start(f->launcher, f->dir, NULL, &command, &ops, f, &f->launch, NULL), 0);
	(void)event_base_dispatch(f->loop);
	assert_true(f->exited);
	assert_int_equal(f->status, 0);
	assert_string_equal(scratch_read(f->dir, "stdout", text), "a b|$HOME|");
}

static void a_program_that_is_not_there_ends_as_in_mesos(void **state)
{
	struct fixture *f = *state;
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;
	char text[4096];

	command.has_shell = true;
	command.shell = false;
	command.value = (char *)"./no-such-program";
	assert_int_equal(launch_start(f->launcher, f->dir, NULL, &command, &ops, f, &f->launch, NULL), 0);
	(void)event_base_dispatch(f->loop);
	assert_true(f->started && f->exited && !f->failed);
	assert_int_equal(f->status, 127 << 8);
	assert_string_equal(scratch_read(f->dir, "stderr", text),
		"Failed to execute command './no-such-program': No such file or directory\n");
}

static void a_sandbox_that_is_not_there_fails(void **state)
{
	struct fixture *f = *state;
	Mesos__V1__CommandInfo command = MESOS__V1__COMMAND_INFO__INIT;

	command.value = (char *)"true";
	assert_int_equal(
		launch_start(f->launcher, "/nonexistent", NULL, &command, &ops, f, &f->launch, NULL), 0);
	(void)event_base_dispatch(f->loop);
	assert_true(f->failed);
	assert_non_null(strstr(f->why, "chdir"));
}

static void a_command_without_value_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = { "" };

	assert_int_equal(start(f, "", &err), -EINVAL);
	assert_non_null(strstr(err.text, "no value"));
}

static void terminate(struct fixture *f)
{
	launch_kill(f->launch, SIGTERM);
}

static void a_signal_reaches_the_whole_group(void **state)
{
	struct fixture *f = *state;

	f->on_started = terminate;
	run(f, "sleep 1000 & echo $! > child; wait");
	assert_true(f->exited);
	assert_true(WIFSIGNALED(f->status) && WTERMSIG(f->status) == SIGTERM);
}

/* One child in a session of its own, one whose parent has left, one that ignores everything it can. */
#define LEAVE_STRAYS                                                                                         \
	"setsid sh -c 'echo $$ > session; exec sleep 1000' &\n"                                              \
	"(sh -c 'echo $$ > orphan; exec sleep 1000' &)\n"                                                    \
	"setsid sh -c 'trap \"\" TERM HUP INT; (setsid sh -c \"echo \\$\\$ > deep; exec sleep 1000\" &); "   \
	"echo $$ > stubborn; while :; do sleep 1000; done' &\n"                                              \
	"until [ -s session ] && [ -s orphan ] && [ -s deep ] && [ -s stubborn ]; do sleep 0.01; done\n"

static void assert_strays_gone(const struct fixture *f)
{
	assert_gone(pid_in(f, "session"));
	assert_gone(pid_in(f, "orphan"));
	assert_gone(pid_in(f, "deep"));
	assert_gone(pid_in(f, "stubborn"));
}

static void the_end_is_told_when_every_process_is_gone(void **state)
{
	struct fixture *f = *state;

	run(f, LEAVE_STRAYS "exit 7");
	assert_true(f->exited);
	assert_int_equal(WEXITSTATUS(f->status), 7);
	assert_strays_gone(f);
}

static void a_killed_shim_takes_the_container_with_it(void **state)
{
	struct fixture *f = *state;

	run(f, LEAVE_STRAYS "echo $$ > leader; kill -9 $PPID; sleep 1000");
	assert_true(f->exited);
	assert_true(WIFSIGNALED(f->status) && WTERMSIG(f->status) == SIGKILL);
	assert_gone(pid_in(f, "leader"));
	assert_strays_gone(f);
}

static void leave_loop(struct fixture *f)
{
	(void)event_base_loopbreak(f->loop);
}

static void the_launchers_end_is_every_containers_end(void **state)
{
	struct fixture *f = *state;

	/* A second one whose end nobody is told of. */
	assert_int_equal(start(f, "echo $$ > first; sleep 1000", NULL), 0);
	run(f, LEAVE_STRAYS "exit 0");
	assert_true(f->exited);
	f->launcher = launcher_free(f->launcher);
	assert_strays_gone(f);
	if (scratch_exists(f->dir, "first"))
		assert_gone(pid_in(f, "first"));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* In a child: starts a container, says so, and waits to be killed. */
_Noreturn static void be_killed(const char *dir, int ready)
{
	struct fixture f = { .on_started = leave_loop };

	(void)snprintf(f.dir, sizeof(f.dir), "%s", dir);
	f.loop = event_base_new();
	if (f.loop == NULL || launcher_new(f.loop, &f.launcher, NULL) < 0 ||
		start(&f, "echo $$ > leader; " LEAVE_STRAYS "echo up > up; sleep 1000", NULL) < 0)
		_exit(1);
	(void)event_base_dispatch(f.loop);
	while (!scratch_exists(dir, "up"))
		(void)usleep(1000);
	(void)!write(ready, "x", 1);
	for (;;)
		(void)pause();
}

static void killing_the_launchers_process_ends_its_containers(void **state)
{
	struct fixture *f = *state;
	int pipes[2];
	char byte;

	assert_int_equal(pipe(pipes), 0);
	pid_t pid = fork();
	if (pid == 0)
		be_killed(f->dir, pipes[1]);
	(void)close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	(void)close(pipes[0]);
	assert_int_equal(kill(pid, SIGKILL), 0);
	/* We are a subreaper: what is left of it becomes ours, and there is an end to it. */
	while (waitpid(-1, NULL, 0) > 0)
		;
	assert_int_equal(errno, ECHILD);
	assert_gone(pid_in(f, "leader"));
	assert_strays_gone(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_command_runs_in_its_sandbox_with_its_environment),
		TEST(arguments_replace_the_shell),
		TEST(a_program_that_is_not_there_ends_as_in_mesos),
		TEST(a_sandbox_that_is_not_there_fails),
		TEST(a_command_without_value_is_refused),
		TEST(a_signal_reaches_the_whole_group),
		TEST(the_end_is_told_when_every_process_is_gone),
		TEST(a_killed_shim_takes_the_container_with_it),
		TEST(the_launchers_end_is_every_containers_end),
		TEST(killing_the_launchers_process_ends_its_containers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
