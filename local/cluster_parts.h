/* cluster_parts.h: what the parts of the cluster's shell know of one another. cluster.c makes them and takes
 * them down; cluster_master.c and cluster_agent.c each bind one core to its HTTP port, its timer and the
 * post; cluster_container.c brings a container from AGENT_DO_START to its end. */
#ifndef QUERN_LOCAL_CLUSTER_PARTS_H
#define QUERN_LOCAL_CLUSTER_PARTS_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/http.h"
#include "local/agent.h"
#include "local/cluster.h"
#include "local/launch.h"
#include "local/post.h"

enum { POST_MASTER = 0 }; /* of the post; agent i has i + 1 */

struct master_shell;
struct agent_shell;
struct container;

struct cluster {
	const struct cluster_config *config;
	const char *address, *hostname;
	char *work_dir; /* absolute */
	bool work_dir_ours;
	uint64_t seed;
	uint64_t clock_offset_ms; /* wall clock minus monotonic clock, when the cluster started */
	int status;
	bool stopping;
	uint32_t registered, stopped; /* agents */

	struct event_base *loop;
	struct http_client *http; /* of the fetchers */
	struct launcher *launcher;
	struct post *post;
	struct master_shell *master;
	struct agent_shell **agents;
};

/* The time as the cores see it: wall clock at the start, monotonic from there on. */
uint64_t cluster_now_ms(const struct cluster *c);

/* The cluster cannot go on: says so and stops at once. */
void cluster_fail(struct cluster *c, const char *why);

/* One agent has registered with the master; has stopped. */
void cluster_agent_registered(struct cluster *c);
void cluster_agent_stopped(struct cluster *c);

/* Sets a timer to `at_ms` of cluster_now_ms(); UINT64_MAX: off. *armed_ms is what it was set to before. */
void cluster_arm(const struct cluster *c, struct event *timer, uint64_t at_ms, uint64_t *armed_ms);

/* --- cluster_master.c */
int master_shell_new(struct cluster *c, struct master_shell **ret, struct err *err);
struct master_shell *master_shell_free(struct master_shell *s);
uint16_t master_shell_port(const struct master_shell *s);
void master_shell_deliver(struct master_shell *s, uint32_t from, const uint8_t *data, size_t len);

/* --- cluster_agent.c */
int agent_shell_new(struct cluster *c, uint32_t index, struct agent_shell **ret, struct err *err);
/* After the launcher is gone: nothing of a container runs any more. */
struct agent_shell *agent_shell_free(struct agent_shell *s);
void agent_shell_link_up(struct agent_shell *s);
void agent_shell_deliver(struct agent_shell *s, const uint8_t *data, size_t len);
void agent_shell_stop(struct agent_shell *s);

/* Feeds one event, its time filled in, to the core. Not from inside a step. */
void agent_shell_event(struct agent_shell *s, struct agent_event *ev);

/* --- cluster_container.c */
struct container_list {
	struct container *first;
};

/* Begins with it; all that happens comes as events of the agent, from the loop. -ENOMEM only. */
int container_start(struct cluster *c, struct agent_shell *agent, struct container_list *list,
	const struct agent_action *start);
struct container *container_find(const struct container_list *list, const char *id);
void container_kill(struct container *k, int signal);
struct container *container_free(struct container *k);
size_t container_list_count(const struct container_list *list);

#endif
