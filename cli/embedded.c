#include "cli/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"

static void run_child(const struct cluster_config *config, int ready, int life)
{
	struct cluster_config c = *config;

	(void)setsid(); /* what the terminal sends is for the driver */
	c.ready_fd = ready;
	c.life_fd = life;
	exit(cluster_main(&c));
}

/* The one line of the child, without its newline; "" when it ended without one. */
static int read_line(int fd, char *ret, size_t size)
{
	size_t n = 0;

	while (n + 1 < size) {
		ssize_t r = read(fd, ret + n, size - 1 - n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (r == 0)
			break;
		n += (size_t)r;
	}
	ret[n] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
	return 0;
}

int embedded_start(const struct cluster_config *config, struct embedded *ret, struct err *err)
{
	int ready[2], life[2];

	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_errno(err, -errno, "cannot start the embedded cluster");
	if (pipe2(life, O_CLOEXEC) < 0) {
		int r = err_errno(err, -errno, "cannot start the embedded cluster");

		(void)close(ready[0]);
		(void)close(ready[1]);
		return r;
	}
	ret->pid = fork();
	if (ret->pid == 0) {
		(void)close(ready[0]);
		(void)close(life[1]);
		run_child(config, ready[1], life[0]);
	}
	int r = ret->pid < 0 ? err_errno(err, -errno, "cannot start the embedded cluster") : 0;
	(void)close(ready[1]);
	(void)close(life[0]);
	ret->life = life[1];
	if (r == 0)
		r = read_line(ready[0], ret->endpoint, sizeof(ret->endpoint));
	(void)close(ready[0]);
	if (r == 0 && ret->endpoint[0] == '\0')
		r = err_set(err, -ECHILD, "the embedded cluster did not start");
	if (r < 0 && ret->pid > 0)
		embedded_stop(ret);
	return r;
}

void embedded_stop(struct embedded *e)
{
	(void)close(e->life);
	while (waitpid(e->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
