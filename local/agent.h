/* agent.h: the embedded agent's core: executors and their containers, tasks, status updates on their way. No
 * I/O, no clock. Whose memory: as in scheduler/sched.h. -ENOMEM is fatal. Equal seed and events give equal
 * plans, byte for byte. */
#ifndef QUERN_LOCAL_AGENT_H
#define QUERN_LOCAL_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "local/cluster.pb-c.h"
#include "mesos/executor.pb-c.h"

struct agent;

struct agent_config {
	const char *hostname, *ip;
	uint16_t port;
	const char *resources;  /* "cpus:4;mem:4096;disk:10000;ports:[31000-32000]" */
	const char *attributes; /* as of mesos/attributes.h, or NULL */
	const char *work_dir;   /* sandboxes are below it, at Mesos' paths (captures: MESOS_DIRECTORY) */
	uint64_t registration_timeout_ms; /* 0: 60000 */
	uint64_t shutdown_grace_ms;       /* 0: 5000 */
	bool keep_sandboxes;              /* false: AGENT_DO_REMOVE follows the end of each executor */
	uint64_t seed;
};

enum agent_event_kind {
	AGENT_EV_LINK_UP, /* there is a link to the master (again): the plan gets a Register */
	AGENT_EV_LINK_DOWN,
	AGENT_EV_MASTER,       /* u.master: a message of the master */
	AGENT_EV_CALL,         /* u.call: an HTTP request with a decoded executor call. Answered with one
				  AGENT_DO_REPLY */
	AGENT_EV_CLOSED,       /* u.conn: an executor's stream ended */
	AGENT_EV_STARTED,      /* u.container: its process runs: pid */
	AGENT_EV_START_FAILED, /* u.container: fetching or starting failed: text */
	AGENT_EV_EXITED, /* u.container: its process ended, and every process of its group with it: status */
	AGENT_EV_STOP,   /* shut down cleanly: executors ended, Unregister, then AGENT_DO_STOPPED */
	AGENT_EV_TICK,
};

struct agent_event {
	uint64_t now_ms;
	enum agent_event_kind kind;
	union {
		const Quern__Local__ToAgent *master;
		struct {
			uint64_t conn;
			const Mesos__V1__Executor__Call *call;
		} call;
		uint64_t conn;
		struct {
			const char *id; /* container id */
			int64_t pid;
			int status; /* as waitpid(2) gives it */
			const char *text;
		} container;
	} u;
};

enum agent_action_kind {
	AGENT_DO_MASTER, /* `data`: a packed ToMaster */
	AGENT_DO_REPLY,  /* to `conn`: HTTP `status`, body `text`; 200 = a stream */
	AGENT_DO_EVENT,  /* to stream `conn`: `data`, a packed mesos.v1.executor.Event */
	AGENT_DO_CLOSE,  /* end stream `conn` */
	AGENT_DO_START,  /* container `container`: make folder `path`, fetch `command`'s URIs into it, run it
			  * there in a session  of its own with `env` and nothing else but PATH; stdout and
			  * stderr to files of those names */
	AGENT_DO_KILL,   /* container `container`: signal `status` to its whole process group */
	AGENT_DO_REMOVE, /* remove folder `path` and what is in it */
	AGENT_DO_STOPPED,
};

struct agent_action {
	enum agent_action_kind kind;
	uint64_t conn;
	int status;
	char *text;
	char *container;
	char *path;
	char **env; /* "NAME=value", NULL-terminated */
	Mesos__V1__CommandInfo *command;
	uint8_t *data;
	size_t len;
};

struct agent_plan {
	struct agent_action *at;
	size_t n, cap;
};

void agent_plan_reset(struct agent_plan *plan);
void agent_plan_deinit(struct agent_plan *plan);

int agent_new(const struct agent_config *config, struct agent **ret, struct err *err);
struct agent *agent_free(struct agent *a);
int agent_step(struct agent *a, const struct agent_event *ev, struct agent_plan *plan);
uint64_t agent_next_ms(const struct agent *a);

#endif
