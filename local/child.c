#include "local/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <unistd.h>

void child_signals_block(sigset_t *ret_before)
{
	sigset_t all;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, ret_before);
}

void child_signals_default(void)
{
	struct sigaction standard = { .sa_handler = SIG_DFL };
	sigset_t none;

	(void)sigemptyset(&standard.sa_mask);
	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &standard, NULL); /* fails for SIGKILL, SIGSTOP and libc's own */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int child_keep_descriptors(const int *fds, size_t n)
{
	int high[CHILD_KEPT_MAX];

	assert(n <= CHILD_KEPT_MAX);
	/* First out of the way of one another, then down to their places. */
	for (size_t i = 0; i < n; i++) {
		high[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, CHILD_FIRST_FD + CHILD_KEPT_MAX);
		if (high[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < n; i++)
		if (dup3(high[i], CHILD_FIRST_FD + (int)i, O_CLOEXEC) < 0)
			return -errno;
	if (close_range(CHILD_FIRST_FD + (unsigned)n, ~0U, 0) < 0) {
		long limit = sysconf(_SC_OPEN_MAX); /* a kernel before 5.9 */
		for (int fd = CHILD_FIRST_FD + (int)n; fd < (int)limit; fd++)
			(void)close(fd);
	}
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return -errno;
	(void)close(null);
	return 0;
}
