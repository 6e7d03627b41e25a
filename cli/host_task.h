/* host_task.h: the one task of the executor that hosts a driver: its updates, kept until the agent has them,
 * and what of it goes into a subscription. No I/O. */
#ifndef QUERN_CLI_HOST_TASK_H
#define QUERN_CLI_HOST_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/random.h"
#include "mesos/executor.pb-c.h"

enum { HOST_UPDATES = 2 }; /* running, ended */

struct host_update {
	Mesos__V1__TaskState state;
	char *message; /* or NULL */
	uint8_t uuid[RANDOM_UUID];
	double timestamp;
	bool known; /* to the agent */
};

/* All zeros but the ids, which are borrowed. */
struct host_task {
	const char *framework_id, *executor_id;
	Mesos__V1__TaskInfo *info; /* NULL: not launched yet */
	bool known;                /* the agent has heard of it from us */
	struct host_update updates[HOST_UPDATES];
	size_t n_updates;
};

/* Takes a copy. -EEXIST: there is one. -ENOMEM. */
int host_task_launch(struct host_task *t, const Mesos__V1__TaskInfo *info);

/* Another update; not after the end. `seed`: of its uuid. 0 or -ENOMEM; -EINVAL: there is no task, or it has
 * ended. */
int host_task_update(struct host_task *t, Mesos__V1__TaskState state, const char *message, uint64_t seed,
	double timestamp);

/* The agent has it. */
void host_task_acknowledged(struct host_task *t, const ProtobufCBinaryData *uuid);

/* Whether the agent knows of the end. */
bool host_task_over(const struct host_task *t);

/* Append packed calls: 0 or -ENOMEM. */
int host_task_subscribe(const struct host_task *t, struct buf *out);
int host_task_update_call(const struct host_task *t, size_t i, struct buf *out);

void host_task_deinit(struct host_task *t);

#endif
