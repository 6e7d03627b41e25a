#include "local/cluster.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "local/cluster_parts.h"
#include "local/sandbox.h"

enum { STOP_EXTRA_MS = 10000 }; /* beyond the executors' grace, before a clean stop becomes a hard one */

static uint64_t clock_ms(clockid_t which)
{
	struct timespec t;

	(void)clock_gettime(which, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t cluster_now_ms(const struct cluster *c)
{
	return clock_ms(CLOCK_MONOTONIC) + c->clock_offset_ms;
}

static void end_loop(struct cluster *c)
{
	(void)event_base_loopbreak(c->loop);
}

void cluster_fail(struct cluster *c, const char *why)
{
	if (c->status == CLUSTER_STOPPED)
		(void)fprintf(stderr, "quern: the local cluster ends: %s\n", why);
	c->status = CLUSTER_FAILED;
	end_loop(c);
}

void cluster_arm(const struct cluster *c, struct event *timer, uint64_t at_ms, uint64_t *armed_ms)
{
	uint64_t now = cluster_now_ms(c), wait;

	if (at_ms == *armed_ms)
		return;
	*armed_ms = at_ms;
	if (at_ms == UINT64_MAX) {
		(void)event_del(timer);
		return;
	}
	wait = at_ms > now ? at_ms - now : 0;
	const struct timeval tv = { .tv_sec = (time_t)(wait / 1000),
		.tv_usec = (suseconds_t)(wait % 1000 * 1000) };
	(void)event_add(timer, &tv);
}

/* --- what happens ------------------------------------------------------------------------------------------
 */

static void deliver(void *arg, uint32_t from, uint32_t to, const uint8_t *data, size_t len)
{
	struct cluster *c = arg;

	if (to == POST_MASTER)
		master_shell_deliver(c->master, from, data, len);
	else if (to <= c->config->agents)
		agent_shell_deliver(c->agents[to - 1], data, len);
}

void cluster_agent_registered(struct cluster *c)
{
	char line[300];

	if (++c->registered < c->config->agents || c->config->ready_fd < 0)
		return;
	int n = snprintf(line, sizeof(line), "%s:%u\n", c->address, master_shell_port(c->master));
	if (write(c->config->ready_fd, line, (size_t)n) < 0 && errno != EPIPE)
		cluster_fail(c, "nobody can be told that it is ready");
	(void)close(c->config->ready_fd);
}

void cluster_agent_stopped(struct cluster *c)
{
	/* What the agents said last goes to the master and to the frameworks first. */
	if (++c->stopped == c->config->agents)
		(void)event_base_loopexit(c->loop, &(const struct timeval){ .tv_usec = 1000 });
}

static void on_stop_timeout(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	end_loop(arg);
}

/* The first time: cleanly. The second time: now. */
static void on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct cluster *c = arg;
	uint64_t grace =
		c->config->executor_shutdown_grace_ms > 0 ? c->config->executor_shutdown_grace_ms : 5000;

	(void)fd, (void)what;
	if (c->stopping) {
		end_loop(c);
		return;
	}
	c->stopping = true;
	grace += STOP_EXTRA_MS;
	const struct timeval tv = { .tv_sec = (time_t)(grace / 1000),
		.tv_usec = (suseconds_t)(grace % 1000 * 1000) };
	(void)event_base_once(c->loop, -1, EV_TIMEOUT, on_stop_timeout, c, &tv);
	for (uint32_t i = 0; i < c->config->agents; i++)
		agent_shell_stop(c->agents[i]);
}

static void on_life(evutil_socket_t fd, short what, void *arg)
{
	char piece[256];

	(void)what;
	ssize_t n = read(fd, piece, sizeof(piece));
	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		end_loop(arg);
}

/* --- building up -------------------------------------------------------------------------------------------
 */

static int check_config(const struct cluster_config *config, struct err *err)
{
	if (config->agents < 1 || config->agents > CLUSTER_AGENTS_MAX)
		return err_set(err, -EINVAL, "a cluster has 1 to %d agents, not %u", CLUSTER_AGENTS_MAX,
			config->agents);
	if (config->resources == NULL)
		return err_set(err, -EINVAL, "the agents have no resources");
	if (config->n_agent_hostnames > config->agents)
		return err_set(err, -EINVAL, "%u host names are too many for %u agent%s",
			config->n_agent_hostnames, config->agents, config->agents == 1 ? "" : "s");
	if (config->n_agent_attributes > config->agents)
		return err_set(err, -EINVAL, "attributes of %u agents are too many for %u",
			config->n_agent_attributes, config->agents);
	return 0;
}

static int make_work_dir(struct cluster *c, struct err *err)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct stat st;
	const char *tmp = getenv("TMPDIR");
	int r = 0;

	if (c->config->work_dir != NULL) {
		c->work_dir_ours = stat(c->config->work_dir, &st) < 0;
		(void)snprintf(path, sizeof(path), "%s", c->config->work_dir);
		r = sandbox_make(path, err);
	} else {
		c->work_dir_ours = true;
		(void)snprintf(path, sizeof(path), "%s/quern-cluster-XXXXXX",
			tmp != NULL && tmp[0] == '/' ? tmp : "/tmp");
		if (mkdtemp(path) == NULL)
			r = err_errno(err, -errno, "cannot make a work folder '%s'", path);
	}
	if (r < 0)
		return r;
	if (realpath(path, real) == NULL)
		return err_errno(err, -errno, "work folder '%s'", path);
	c->work_dir = strdup(real);
	return c->work_dir != NULL ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* Ports of many agents and the streams of their executors: as many files as we may. */
static void raise_file_limit(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

static int choose_seed(struct cluster *c, struct err *err)
{
	c->seed = c->config->seed;
	if (c->seed == 0 && getrandom(&c->seed, sizeof(c->seed), 0) != (ssize_t)sizeof(c->seed))
		return err_errno(err, -errno, "no random numbers");
	return 0;
}

static int build_up(struct cluster *c, struct err *err)
{
	int r = check_config(c->config, err);
	if (r == 0)
		r = choose_seed(c, err);
	if (r < 0)
		return r;
	c->loop = event_base_new();
	c->agents = calloc(c->config->agents, sizeof(*c->agents));
	if (c->loop == NULL || c->agents == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	r = launcher_new(c->loop, &c->launcher, err);
	if (r < 0)
		return r;
	raise_file_limit();
	r = http_client_new(c->loop, 0, &c->http, err);
	if (r == 0)
		r = post_new(c->loop, deliver, c, &c->post, err);
	if (r == 0)
		r = master_shell_new(c, &c->master, err);
	if (r == 0) /* not before the port is ours: a cluster that does not start leaves nothing */
		r = make_work_dir(c, err);
	for (uint32_t i = 0; r == 0 && i < c->config->agents; i++)
		r = agent_shell_new(c, i, &c->agents[i], err);
	return r;
}

/* --- running
 * ------------------------------------------------------------------------------------------------ */

struct watches {
	struct event *interrupt, *hangup, *terminate, *life;
};

static struct event *watch_signal(struct cluster *c, int signal)
{
	struct event *ev = evsignal_new(c->loop, signal, on_signal, c);

	if (ev != NULL && event_add(ev, NULL) < 0) {
		event_free(ev);
		ev = NULL;
	}
	return ev;
}

static int watch(struct cluster *c, struct watches *w)
{
	w->terminate = watch_signal(c, SIGTERM);
	if (w->terminate == NULL)
		return -ENOMEM;
	if (c->config->life_fd >= 0) {
		(void)signal(SIGINT, SIG_IGN);
		(void)signal(SIGHUP, SIG_IGN);
		w->life = event_new(c->loop, c->config->life_fd, EV_READ | EV_PERSIST, on_life, c);
		return w->life == NULL || event_add(w->life, NULL) < 0 ? -ENOMEM : 0;
	}
	w->interrupt = watch_signal(c, SIGINT);
	w->hangup = watch_signal(c, SIGHUP);
	return w->interrupt == NULL || w->hangup == NULL ? -ENOMEM : 0;
}

static void unwatch(const struct watches *w)
{
	struct event *const all[] = { w->interrupt, w->hangup, w->terminate, w->life };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] != NULL)
			event_free(all[i]);
}

static void run(struct cluster *c)
{
	struct watches w = { .interrupt = NULL };

	if (watch(c, &w) < 0) {
		cluster_fail(c, "out of memory");
	} else {
		for (uint32_t i = 0; i < c->config->agents; i++)
			agent_shell_link_up(c->agents[i]);
		if (c->status == CLUSTER_STOPPED && event_base_dispatch(c->loop) < 0)
			cluster_fail(c, "its event loop does not run");
	}
	unwatch(&w);
}

/* In this order: no process of a container is left when its sandbox goes. */
static void take_down(struct cluster *c)
{
	struct err err;

	c->launcher = launcher_free(c->launcher);
	c->http = http_client_free(c->http);
	for (uint32_t i = 0; c->agents != NULL && i < c->config->agents; i++)
		c->agents[i] = agent_shell_free(c->agents[i]);
	free(c->agents);
	c->master = master_shell_free(c->master);
	c->post = post_free(c->post);
	if (c->work_dir != NULL && c->work_dir_ours && !c->config->keep_sandboxes &&
		sandbox_remove(c->work_dir, &err) < 0)
		(void)fprintf(stderr, "quern: %s\n", err.text);
	free(c->work_dir);
	if (c->loop != NULL) {
		(void)event_base_loop(c->loop, EVLOOP_NONBLOCK); /* libevent frees some things later */
		event_base_free(c->loop);
	}
}

int cluster_main(const struct cluster_config *config)
{
	struct err err = { "" };
	struct cluster c = {
		.config = config,
		.address = config->address != NULL ? config->address : "127.0.0.1",
		.clock_offset_ms = clock_ms(CLOCK_REALTIME) - clock_ms(CLOCK_MONOTONIC),
		.status = CLUSTER_STOPPED,
	};

	c.hostname = config->hostname != NULL ? config->hostname : c.address;
	(void)signal(SIGPIPE, SIG_IGN);
	if (build_up(&c, &err) < 0) {
		(void)fprintf(stderr, "quern: no local cluster: %s\n", err.text);
		c.status = CLUSTER_NO_START;
		if (config->ready_fd >= 0)
			(void)close(config->ready_fd);
	} else {
		run(&c);
	}
	take_down(&c);
	return c.status;
}
