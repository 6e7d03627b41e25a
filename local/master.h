/* master.h: the embedded master's core: frameworks, roles, the allocator, offers, task states. No I/O, no
 * clock. It behaves as Apache Mesos does in everything that a framework can see; where a rule comes from
 * Mesos' source, the .c file names it.
 *
 * Whose memory: as in scheduler/sched.h. -ENOMEM is fatal. Equal seed and events give equal plans, byte for
 * byte. */
#ifndef QUERN_LOCAL_MASTER_H
#define QUERN_LOCAL_MASTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "local/cluster.pb-c.h"
#include "mesos/scheduler.pb-c.h"

struct master;

struct master_config {
	const char *hostname, *ip; /* in MasterInfo */
	uint16_t port;
	uint64_t allocation_interval_ms;      /* 0: 1000, as --allocation_interval */
	uint64_t heartbeat_interval_ms;       /* 0: 15000 */
	uint64_t agent_reregister_timeout_ms; /* 0: 600000; an agent away for longer is removed */
	uint64_t agent_ping_timeout_ms; /* 0: 75000; an agent's link down for so long: its tasks are lost or
					   unreachable */
	uint64_t offer_timeout_ms;      /* 0: none */
	uint64_t seed;                  /* of ids */
};

enum master_event_kind {
	MASTER_EV_CALL,       /* u.call: an HTTP request with a decoded scheduler call. Answered with one
				 MASTER_DO_REPLY */
	MASTER_EV_CLOSED,     /* u.conn: the connection of a subscription ended */
	MASTER_EV_AGENT,      /* u.agent: a message of an agent */
	MASTER_EV_AGENT_DOWN, /* u.agent: its link ended */
	MASTER_EV_TICK,
};

struct master_event {
	uint64_t now_ms;
	enum master_event_kind kind;
	union {
		struct {
			uint64_t conn; /* the shell's number of the connection; a subscription's stays valid
					  until CLOSED */
			const char *stream_id; /* Mesos-Stream-Id header, or NULL */
			const Mesos__V1__Scheduler__Call *call;
		} call;
		uint64_t conn;
		struct {
			uint64_t link; /* the shell's number of the agent's link */
			const Quern__Local__ToMaster *message;
		} agent;
	} u;
};

enum master_action_kind {
	MASTER_DO_REPLY, /* to `conn`: HTTP status `status`, body `text`; with 200: a stream, `stream_id` is
			    its header */
	MASTER_DO_EVENT, /* to stream `conn`: `data`, a packed mesos.v1.scheduler.Event */
	MASTER_DO_CLOSE, /* end stream `conn` */
	MASTER_DO_AGENT, /* to link `link`: `data`, a packed ToAgent */
};

struct master_action {
	enum master_action_kind kind;
	uint64_t conn, link;
	int status;
	char *text;
	char *stream_id;
	uint8_t *data;
	size_t len;
};

struct master_plan {
	struct master_action *at;
	size_t n, cap;
};

void master_plan_reset(struct master_plan *plan);
void master_plan_deinit(struct master_plan *plan);

int master_new(const struct master_config *config, struct master **ret, struct err *err);
struct master *master_free(struct master *m);
int master_step(struct master *m, const struct master_event *ev, struct master_plan *plan);
uint64_t master_next_ms(const struct master *m);

/* For /metrics/snapshot and /state. Counters have Mesos' names. Jansson objects, owned by the caller; NULL =
 * no memory. */
struct json_t;
struct json_t *master_metrics(const struct master *m, uint64_t now_ms);
struct json_t *master_state(const struct master *m, uint64_t now_ms);

/* For GET_AGENTS of the operators' API: appends a packed mesos.v1.master.Response. 0 or -ENOMEM. */
int master_list_agents(const struct master *m, struct buf *out);

#endif
