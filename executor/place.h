/* place.h: where an executor is: its folders in the sandbox, its machine, and the address others reach it by.
 */
#ifndef QUERN_EXECUTOR_PLACE_H
#define QUERN_EXECUTOR_PLACE_H

#include <event2/http.h>
#include <stdint.h>

#include "base/err.h"
#include "executor/environment.h"

struct place {
	char shuffle_dir[4096], scratch_dir[4096], broadcast_dir[4096]; /* "" until they are there */
	char files_dir[4096]; /* of what came with the job; made by the fetcher if there is any */
	char machine[128];    /* equal on two executors: either sees the other's files under the same names */
	char address[256];
	struct evhttp *http; /* listens; answers 503 until somebody sets its callback */
	uint16_t port;
};

/* Makes the folders and listens: on the agent's own address, for that is the one of this machine that others
 * of the cluster know, or on all where that is not ours (a container with a network of its own). `ret` is all
 * zero before. 0, or -errno with a sentence; then place_close() is due as well. */
int place_open(
	struct event_base *loop, const struct environment *environment, struct place *ret, struct err *err);

/* Closes the server and removes the folders with all that is in them. */
void place_close(struct place *p);

#endif
