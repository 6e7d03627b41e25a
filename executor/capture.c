#include "executor/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <unistd.h>

enum {
	PIECE = 16 << 10,
	DRAIN_MAX = 64 /* pieces at a time: somebody may print for ever */
};

static void pass_on(const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return; /* a full disk must not stop the job */
		data += n;
		len -= (size_t)n;
	}
}

/* One piece. false: nothing there. */
static bool take(struct capture *c)
{
	char piece[PIECE];

	ssize_t n = c->fd < 0 ? -1 : read(c->fd, piece, sizeof(piece));
	if (n > 0) {
		tail_add(&c->tail, piece, (size_t)n);
		pass_on(piece, (size_t)n);
		return true;
	}
	if (n == 0)
		(void)event_del(c->event); /* everybody has closed it */
	return false;
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)take(arg);
}

int capture_open(struct capture *c, struct event_base *loop, int *ret_child)
{
	int fds[2];

	*c = CAPTURE_INIT;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	(void)evutil_make_socket_nonblocking(fds[0]); /* the child's end stays blocking */
	c->event = event_new(loop, fds[0], EV_READ | EV_PERSIST, on_readable, c);
	if (c->event == NULL || event_add(c->event, NULL) < 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		capture_close(c);
		return -ENOMEM;
	}
	c->fd = fds[0];
	*ret_child = fds[1];
	return 0;
}

void capture_drain(struct capture *c)
{
	for (int i = 0; i < DRAIN_MAX && take(c); i++)
		;
}

void capture_forget(struct capture *c)
{
	capture_drain(c);
	tail_reset(&c->tail);
}

char *capture_text(struct capture *c)
{
	capture_drain(c);
	return tail_text(&c->tail);
}

void capture_close(struct capture *c)
{
	if (c->event != NULL)
		event_free(c->event);
	if (c->fd >= 0)
		(void)close(c->fd);
	*c = CAPTURE_INIT;
}
