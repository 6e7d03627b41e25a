/* hosted.c: `quern hosted`: the driver of a job that was detached, started by `quern host`. It finds what the
 * user said in descriptor 3, and says on descriptor 4 how the job ended. `quern hosted lost` runs nothing: it
 * ends what a driver has left that died. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/hosting.h"
#include "cli/run.h"
#include "cli/submission_pack.h"
#include "executor/environment.h"

enum { FD_JOB = 3, FD_STATUS = 4, JOB_MAX = 64 << 20 };

/* `quern host` hears of the end before the master does. */
static void on_end(void *arg, int status)
{
	uint8_t byte = (uint8_t)status;

	(void)arg;
	while (write(FD_STATUS, &byte, 1) < 0 && errno == EINTR)
		;
}

/* How much there is in a file of the sandbox already. What is no file is read by others from its beginning.
 */
static unsigned long long size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (unsigned long long)st.st_size : 0;
}

static int read_job(Quern__Submission **ret, struct err *err)
{
	auto_buf struct buf bytes = BUF_INIT(JOB_MAX);
	struct stat st;

	if (fstat(FD_JOB, &st) < 0 || st.st_size > JOB_MAX || buf_reserve(&bytes, (size_t)st.st_size + 1) < 0)
		return err_set(err, -EINVAL, "this command is started by `quern host` alone");
	ssize_t n = pread(FD_JOB, bytes.data, (size_t)st.st_size, 0);
	int r = n == (ssize_t)st.st_size ? submission_unpack(bytes.data, (size_t)n, ret, err)
					 : err_set(err, -EIO, "cannot read what came with the driver");
	explicit_bzero(bytes.data, (size_t)st.st_size);
	(void)close(FD_JOB);
	return r;
}

/* Nothing of it is for the processes that this one starts. */
static int own_descriptors(struct err *err)
{
	if (fcntl(FD_JOB, F_SETFD, FD_CLOEXEC) < 0 || fcntl(FD_STATUS, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(err, -EINVAL, "this command is started by `quern host` alone");
	(void)unsetenv("HADOOP_CONF_DIR"); /* of the agent's machine: the user's own travelled */
	return 0;
}

static int run(const Quern__Submission *m, bool lost, struct err *err)
{
	struct environment e;
	struct run_options o = { 0 };
	const char *directory = getenv("MESOS_DIRECTORY");
	auto_free char *so = NULL;

	int r = environment_read(getenv, &e, err);
	if (r == 0 && asprintf(&so, "%s/%s", e.sandbox, DETACH_OBJECT) < 0) {
		so = NULL;
		r = err_set(err, -ENOMEM, "out of memory");
	}
	if (r == 0)
		r = options_init(&o, err);
	if (r == 0)
		r = submission_options(m, e.sandbox, &o, err);
	struct hosting h = { .framework_id = e.framework_id,
		.user = m->user,
		.authorization = m->authorization,
		.so = so,
		.lost = lost,
		.agent = e.agent,
		.sandbox = directory != NULL ? directory : e.sandbox,
		.ends = on_end };
	(void)snprintf(
		h.log_from, sizeof(h.log_from), "%llu,%llu", size_of(STDOUT_FILENO), size_of(STDERR_FILENO));
	if (r == 0) {
		o.hosting = &h;
		r = run_job(&o, (int)m->n_arguments, m->arguments);
	}
	options_deinit(&o);
	return r;
}

int command_hosted(int argc, char **argv)
{
	Quern__Submission *m = NULL;
	struct err err = { "" };

	int r = own_descriptors(&err);
	if (r == 0)
		r = read_job(&m, &err);
	if (r == 0)
		r = run(m, argc > 1 && strcmp(argv[1], "lost") == 0, &err);
	submission_free_message(m);
	if (r < 0)
		(void)fprintf(stderr, "quern: %s\n", err.text);
	return r < 0 ? EXIT_FAILURE : r;
}
