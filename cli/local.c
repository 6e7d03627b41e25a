/* local.c: `quern local`: the embedded cluster on its own, for other frameworks, other terminals, tests. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/vec.h"
#include "cli/commands.h"
#include "cli/parse.h"
#include "local/cluster.h"
#include "mesos/resources.h"

enum {
	KEY_AGENTS = 0x100,
	KEY_CORES,
	KEY_MEMORY,
	KEY_RESOURCES,
	KEY_HOSTNAME,
	KEY_ATTRIBUTES,
	KEY_IP,
	KEY_PORT,
	KEY_INTERVAL,
	KEY_WORK_DIR,
	KEY_KEEP,
	KEY_READY
};

enum { RESOURCES_MAX = 1 << 20, INTERVAL_MAX_MS = 3600000 };

struct local_options {
	uint32_t agents, cpus_milli, mem_mb, port;
	struct resources *resources; /* NULL: not said */
	const char *ip, *work_dir;
	VEC(const char *) hostnames;
	VEC(const char *) attributes;
	uint64_t allocation_interval_ms;
	bool keep;
	int ready_fd;
};

static const struct argp_option list[] = {
	{ .name = "agents", .key = KEY_AGENTS, .arg = "N", .doc = "how many agents (1)" },
	{ .name = "cores", .key = KEY_CORES, .arg = "N", .doc = "cores of each (those of this machine)" },
	{ .name = "memory",
		.key = KEY_MEMORY,
		.arg = "SIZE",
		.doc = "memory of each (1g for each core and 1g more)" },
	{ .name = "resources",
		.key = KEY_RESOURCES,
		.arg = "TEXT",
		.doc = "of each, as Mesos' agents take them: "
		       "\"cpus:4;cpus(analytics):2;mem:8192;ports:[7000-7999]\"; what "
		       "it does not name is as above" },
	{ .name = "hostname",
		.key = KEY_HOSTNAME,
		.arg = "NAME[,NAME...]",
		.doc = "names of the agents' hosts, in turn; nothing looks them up (the address)" },
	{ .name = "attributes",
		.key = KEY_ATTRIBUTES,
		.arg = "NAME:VALUE;...",
		.doc = "attributes of an agent: the first one's, and of the next one when given again" },
	{ .name = "ip", .key = KEY_IP, .arg = "ADDRESS", .doc = "address to listen on (127.0.0.1)" },
	{ .name = "port", .key = KEY_PORT, .arg = "PORT", .doc = "of the master, 0 for any (5050)" },
	{ .name = "allocation-interval",
		.key = KEY_INTERVAL,
		.arg = "TIME",
		.doc = "of the master: offers go out at once on some events, and this often (1s)" },
	{ .name = "work-dir",
		.key = KEY_WORK_DIR,
		.arg = "FOLDER",
		.doc = "sandboxes go here (a new folder in $TMPDIR)" },
	{ .name = "keep-sandboxes", .key = KEY_KEEP, .doc = "do not remove them" },
	{ .name = "ready-fd",
		.key = KEY_READY,
		.arg = "FD",
		.doc = "write HOST:PORT of the master to this descriptor once it listens" },
	{ 0 },
};

/* Cuts the text up where it is: it is the command line's. */
static int set_hostnames(struct local_options *o, char *text, struct err *err)
{
	char *name;

	o->hostnames.n = 0;
	while ((name = strsep(&text, ",")) != NULL) {
		if (*name == '\0' || strpbrk(name, "/ \t\n") != NULL)
			return err_set(err, -EINVAL, "--hostname: '%s' is no name of a host", name);
		if (vec_push(&o->hostnames, name) < 0)
			return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int set_resources(struct local_options *o, const char *text, struct err *err)
{
	struct resources *r;

	int k = resources_parse(text, &r, err);
	if (k < 0)
		return err_prefix(err, k, "--resources");
	(void)resources_free(o->resources);
	o->resources = r;
	return 0;
}

static int set_interval(struct local_options *o, const char *text, struct err *err)
{
	uint64_t ms;

	int r = parse_duration_ms(text, &ms, err);
	if (r < 0)
		return err_prefix(err, r, "--allocation-interval");
	if (ms == 0 || ms > INTERVAL_MAX_MS)
		return err_set(err, -EINVAL, "--allocation-interval: '%s' is not from 1ms to 1h", text);
	o->allocation_interval_ms = ms;
	return 0;
}

static int set(struct local_options *o, int key, char *arg, struct err *err)
{
	uint32_t n;
	int r = 0;

	switch (key) {
	case KEY_AGENTS:
		return parse_count(arg, 1, CLUSTER_AGENTS_MAX, &o->agents, err);
	case KEY_CORES:
		return parse_cpus_milli(arg, &o->cpus_milli, err);
	case KEY_MEMORY:
		return parse_memory_mb(arg, &o->mem_mb, err);
	case KEY_RESOURCES:
		return set_resources(o, arg, err);
	case KEY_HOSTNAME:
		return set_hostnames(o, arg, err);
	case KEY_ATTRIBUTES:
		return vec_push(&o->attributes, arg) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
	case KEY_IP:
		o->ip = arg;
		break;
	case KEY_PORT:
		return parse_count(arg, 0, 65535, &o->port, err);
	case KEY_INTERVAL:
		return set_interval(o, arg, err);
	case KEY_WORK_DIR:
		o->work_dir = arg;
		break;
	case KEY_KEEP:
		o->keep = true;
		break;
	default:
		r = parse_count(arg, 0, 1 << 20, &n, err);
		o->ready_fd = r < 0 ? -1 : (int)n;
		break;
	}
	return r;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct err err = { "" };

	if (key == ARGP_KEY_ARG)
		argp_error(state, "'%s': this command takes no arguments", arg);
	if (key < KEY_AGENTS || key > KEY_READY)
		return ARGP_ERR_UNKNOWN;
	if (set(state->input, key, arg, &err) < 0)
		argp_failure(state, 2, 0, "%s", err.text);
	return 0;
}

static const char doc[] =
	"Runs an embedded Mesos cluster: a master and its agents in one process, with Mesos' v1 scheduler "
	"and "
	"executor APIs, until it is interrupted.\v"
	"It is for trying things out and for tests: it isolates nothing and keeps nothing. Any framework "
	"that "
	"speaks the v1 HTTP API can use it. See also: http://HOST:PORT/state, /metrics/snapshot.\n\n"
	"Exit status: 0 interrupted, 2 the command line is wrong, 3 it could not start.";

/* What agents have: what was said, and of the kinds that were not named there what there is by default. */
static int describe(const struct local_options *o, struct buf *out)
{
	int r = o->resources != NULL ? resources_print(o->resources, out) : 0;

	if (r == 0 && !resources_named(o->resources, "cpus"))
		r = buf_add_fmt(out, ";cpus:%g", o->cpus_milli / 1000.0);
	if (r == 0 && !resources_named(o->resources, "mem"))
		r = buf_add_fmt(out, ";mem:%u", o->mem_mb);
	if (r == 0 && !resources_named(o->resources, "disk"))
		r = buf_add_str(out, ";disk:10240");
	if (r == 0 && !resources_named(o->resources, "ports"))
		r = buf_add_str(out, ";ports:[31000-32000]");
	return r < 0 ? r : buf_add(out, "", 1);
}

int command_local(int argc, char **argv)
{
	const struct argp argp = { .options = list, .parser = take, .doc = doc };
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct local_options o = {
		.agents = 1, .cpus_milli = (uint32_t)cores * 1000, .port = 5050, .ready_fd = -1
	};
	auto_buf struct buf resources = BUF_INIT(RESOURCES_MAX);

	argp_err_exit_status = 2;
	if (argp_parse(&argp, argc, argv, 0, NULL, &o) != 0)
		return 2;
	if (o.hostnames.n > o.agents) {
		(void)fprintf(stderr, "quern: --hostname gives %zu names to %u agent%s (--agents)\n",
			o.hostnames.n, o.agents, o.agents == 1 ? "" : "s");
		return 2;
	}
	if (o.attributes.n > o.agents) {
		(void)fprintf(stderr, "quern: --attributes is given %zu times to %u agent%s (--agents)\n",
			o.attributes.n, o.agents, o.agents == 1 ? "" : "s");
		return 2;
	}
	if (o.mem_mb == 0)
		o.mem_mb = 1024 + o.cpus_milli * 1024 / 1000;
	if (describe(&o, &resources) < 0) {
		(void)fputs("quern: the agents' resources are too many\n", stderr);
		return 1;
	}
	const struct cluster_config config = { .address = o.ip,
		.port = (uint16_t)o.port,
		.agent_hostnames = o.hostnames.at,
		.n_agent_hostnames = (uint32_t)o.hostnames.n,
		.agent_attributes = o.attributes.at,
		.n_agent_attributes = (uint32_t)o.attributes.n,
		.agents = o.agents,
		.allocation_interval_ms = o.allocation_interval_ms,
		.resources = (const char *)resources.data,
		.work_dir = o.work_dir,
		.keep_sandboxes = o.keep,
		.ready_fd = o.ready_fd,
		.life_fd = -1 };
	int status = cluster_main(&config);
	vec_deinit(&o.hostnames);
	(void)resources_free(o.resources);
	vec_deinit(&o.attributes);
	return status;
}
