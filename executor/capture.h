/* capture.h: what a child prints on its standard error: passed on to ours, its last lines kept. */
#ifndef QUERN_EXECUTOR_CAPTURE_H
#define QUERN_EXECUTOR_CAPTURE_H

#include <event2/event.h>

#include "executor/tail.h"

struct capture {
	int fd; /* the pipe's reading end, -1: none */
	struct event *event;
	struct tail tail;
};

#define CAPTURE_INIT ((struct capture){ .fd = -1 })

/* Opens a pipe and watches it. *ret_child is the writing end, close-on-exec, the caller's. 0 or -errno. */
int capture_open(struct capture *c, struct event_base *loop, int *ret_child);

/* Reads what is in the pipe now. */
void capture_drain(struct capture *c);

/* capture_drain(), and then nothing was printed. */
void capture_forget(struct capture *c);

/* capture_drain() and tail_text(). */
char *capture_text(struct capture *c);

void capture_close(struct capture *c);

#endif
