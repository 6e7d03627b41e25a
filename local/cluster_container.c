/* cluster_container.c: one container: sandbox made -> URIs fetched -> process started (AGENT_EV_STARTED) ->
 * all of its processes gone (AGENT_EV_EXITED). What goes wrong before it is started ends it with
 * AGENT_EV_START_FAILED, from the loop, also when it went wrong at once: the core is in the middle of a plan
 * then. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "local/cluster_parts.h"
#include "local/fetch.h"
#include "local/sandbox.h"

struct container {
	struct container *next, **back;
	struct cluster *cluster;
	struct agent_shell *agent;
	char *id, *path;
	char **env;
	Mesos__V1__CommandInfo *command;
	struct fetch *fetch;
	struct launch *launch;
	struct event *late; /* for a failure at once */
	struct err why;
	int64_t pid;
};

static char **strings_dup(char *const *from)
{
	size_t n = 0;

	while (from != NULL && from[n] != NULL)
		n++;
	char **all = calloc(n + 1, sizeof(*all));
	for (size_t i = 0; all != NULL && i < n; i++) {
		all[i] = strdup(from[i]);
		if (all[i] == NULL) {
			while (i-- > 0)
				free(all[i]);
			free(all);
			return NULL;
		}
	}
	return all;
}

static Mesos__V1__CommandInfo *command_dup(const Mesos__V1__CommandInfo *from)
{
	Mesos__V1__CommandInfo *ret = NULL;
	size_t len = mesos__v1__command_info__get_packed_size(from);
	uint8_t *bytes = malloc(len > 0 ? len : 1);

	if (bytes != NULL) {
		(void)mesos__v1__command_info__pack(from, bytes);
		ret = mesos__v1__command_info__unpack(NULL, len, bytes);
	}
	free(bytes);
	return ret;
}

struct container *container_free(struct container *k)
{
	if (k == NULL)
		return NULL;
	if (k->back != NULL) {
		*k->back = k->next;
		if (k->next != NULL)
			k->next->back = k->back;
	}
	fetch_free(k->fetch);
	if (k->late != NULL)
		event_free(k->late);
	for (size_t i = 0; k->env != NULL && k->env[i] != NULL; i++)
		free(k->env[i]);
	free(k->env);
	if (k->command != NULL)
		mesos__v1__command_info__free_unpacked(k->command, NULL);
	free(k->id);
	free(k->path);
	free(k);
	return NULL;
}

/* The end: tells the core, with what the container knows, and is gone. */
static void container_end(struct container *k, enum agent_event_kind kind, int status, const char *why)
{
	struct agent_event ev = {
		.kind = kind,
		.u.container = { .id = k->id, .pid = k->pid, .status = status, .text = why },
	};
	struct agent_shell *agent = k->agent;

	/* Out of the list first: the core may ask for a container of this name again. */
	*k->back = k->next;
	if (k->next != NULL)
		k->next->back = k->back;
	k->back = NULL;
	agent_shell_event(agent, &ev);
	container_free(k);
}

static void on_late(evutil_socket_t fd, short what, void *arg)
{
	struct container *k = arg;

	(void)fd, (void)what;
	container_end(k, AGENT_EV_START_FAILED, 0, k->why.text);
}

static void fail_late(struct container *k)
{
	event_active(k->late, 0, 0);
}

static void on_started(void *arg, int64_t pid)
{
	struct container *k = arg;

	k->pid = pid;
	struct agent_event ev = { .kind = AGENT_EV_STARTED, .u.container = { .id = k->id, .pid = pid } };
	agent_shell_event(k->agent, &ev);
}

static void on_failed(void *arg, const char *why)
{
	struct container *k = arg;

	k->launch = NULL;
	container_end(k, AGENT_EV_START_FAILED, 0, why);
}

static void on_exited(void *arg, int status)
{
	struct container *k = arg;

	k->launch = NULL;
	container_end(k, AGENT_EV_EXITED, status, NULL);
}

static void container_launch(struct container *k)
{
	static const struct launch_ops ops = {
		.started = on_started, .failed = on_failed, .exited = on_exited
	};

	if (launch_start(k->cluster->launcher, k->path, k->env, k->command, &ops, k, &k->launch, &k->why) < 0)
		fail_late(k);
}

static void on_fetched(void *arg, int result, const char *why)
{
	struct container *k = arg;

	k->fetch = NULL;
	if (result < 0)
		container_end(k, AGENT_EV_START_FAILED, 0, why);
	else
		container_launch(k);
}

int container_start(struct cluster *c, struct agent_shell *agent, struct container_list *list,
	const struct agent_action *start)
{
	struct container *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return -ENOMEM;
	*k = (struct container){
		.cluster = c,
		.agent = agent,
		.id = strdup(start->container),
		.path = strdup(start->path),
		.env = strings_dup(start->env),
		.command = command_dup(start->command),
	};
	k->late = event_new(c->loop, -1, 0, on_late, k);
	if (k->id == NULL || k->path == NULL || k->env == NULL || k->command == NULL || k->late == NULL) {
		container_free(k);
		return -ENOMEM;
	}
	k->next = list->first;
	k->back = &list->first;
	if (k->next != NULL)
		k->next->back = &k->next;
	list->first = k;
	if (sandbox_make(k->path, &k->why) < 0)
		fail_late(k);
	else if (k->command->n_uris == 0)
		container_launch(k);
	else if (fetch_start(c->loop, c->http, k->path, k->command->uris, k->command->n_uris, on_fetched, k,
			 &k->fetch, &k->why) < 0)
		fail_late(k);
	return 0;
}

struct container *container_find(const struct container_list *list, const char *id)
{
	for (struct container *k = list->first; k != NULL; k = k->next)
		if (strcmp(k->id, id) == 0)
			return k;
	return NULL;
}

void container_kill(struct container *k, int signal)
{
	if (k->launch != NULL)
		launch_kill(k->launch, signal);
	else if (k->fetch != NULL)
		fetch_cancel(k->fetch);
}

size_t container_list_count(const struct container_list *list)
{
	size_t n = 0;

	for (const struct container *k = list->first; k != NULL; k = k->next)
		n++;
	return n;
}
