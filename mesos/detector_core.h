/* detector_core.h: which master leads, by what ZooKeeper says: an event and the time in, what to ask for and
 * what to tell out. No I/O: detector_zk.c has it.
 *
 * One question is under way at a time: the list of nodes, then the content of the leader's. A watch, or a
 * connection that is back, makes the list be asked for again. While ZooKeeper cannot be reached the leader
 * stays whoever it was: that ZooKeeper is away does not mean that the master is. */
#ifndef QUERN_MESOS_DETECTOR_CORE_H
#define QUERN_MESOS_DETECTOR_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mesos/leader.h"

enum {
	DETECTOR_RETRY_MS =
		1000, /* until a question that failed is asked again, or names are looked up again */
	DETECTOR_REOPEN_MS = 30000, /* without a connection: the names may have other addresses by now */
	DETECTOR_WHY_MAX = 512,
};

enum detector_event_kind {
	DETECTOR_EV_OPEN_FAILED,  /* no session could be begun, for the reason in `text` */
	DETECTOR_EV_CONNECTED,    /* to a server of ZooKeeper, with a session */
	DETECTOR_EV_DISCONNECTED, /* the session may go on */
	DETECTOR_EV_EXPIRED,      /* it does not */
	DETECTOR_EV_DENIED,       /* the credentials were not understood */
	DETECTOR_EV_CHANGED,      /* a watch: the path was made, or its nodes are others */
	DETECTOR_EV_LISTED,       /* `result`; when OK `names` */
	DETECTOR_EV_AWAITED,      /* `result`: is the path there? A watch is set either way */
	DETECTOR_EV_READ,         /* `result`; when OK `data` of `len` bytes */
	DETECTOR_EV_TICK,
};

enum detector_result {
	DETECTOR_OK,
	DETECTOR_NO_NODE,
	DETECTOR_NO_AUTH,
	DETECTOR_FAILED, /* the question has to be asked again */
};

struct detector_event {
	enum detector_event_kind kind;
	uint64_t now_ms;
	enum detector_result result;
	const char *const *names;
	size_t n_names;
	const void *data;
	size_t len;
	const char *text;
};

enum detector_ask {
	DETECTOR_ASK_NOTHING,
	DETECTOR_ASK_LIST,  /* the nodes below the path, with a watch: LISTED follows */
	DETECTOR_ASK_AWAIT, /* whether the path is there, with a watch: AWAITED follows */
	DETECTOR_ASK_READ,  /* the node `core.node`: READ follows */
	DETECTOR_ASK_OPEN,  /* drop the session if there is one, without a word of it, and begin another */
};

enum detector_tell {
	DETECTOR_TELL_NOTHING,
	DETECTOR_TELL_LEADS, /* `core.endpoint` */
	DETECTOR_TELL_NONE,  /* nobody leads, as far as is known: `core.why`. Told again for another reason */
	DETECTOR_TELL_FAILED, /* and nobody will: `core.why`. The end */
};

struct detector_plan {
	enum detector_ask ask;
	enum detector_tell tell;
};

struct detector_core {
	const char *path, *hosts; /* borrowed: of ZooKeeper, for sentences */
	bool connected, busy, again, over;
	bool led; /* there was a leader before */
	char node[LEADER_NAME_MAX];
	char endpoint[LEADER_ENDPOINT_MAX]; /* "": nobody leads */
	char leader[LEADER_NAME_MAX];       /* the node that this is from */
	char why[DETECTOR_WHY_MAX];
	uint64_t retry_ms, reopen_ms; /* UINT64_MAX: not */
};

/* The caller then opens the first session. */
void detector_core_init(struct detector_core *core, const char *path, const char *hosts, uint64_t now_ms);

struct detector_plan detector_core_step(struct detector_core *core, const struct detector_event *ev);

/* When the next TICK is due; UINT64_MAX: never. */
uint64_t detector_core_next_ms(const struct detector_core *core);

#endif
