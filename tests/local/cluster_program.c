/* A cluster for tests: every number of struct cluster_config from the command line, "HOST:PORT" on stdout. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "local/cluster.h"

enum { AGENTS = 1, RESOURCES, WORK_DIR, KEEP, PORT, LIFE, ALLOCATION, HEARTBEAT, REGISTRATION, GRACE };

static const struct option options[] = {
	{ "agents", required_argument, NULL, AGENTS },
	{ "resources", required_argument, NULL, RESOURCES },
	{ "work-dir", required_argument, NULL, WORK_DIR },
	{ "keep", no_argument, NULL, KEEP },
	{ "port", required_argument, NULL, PORT },
	{ "life-fd", required_argument, NULL, LIFE },
	{ "allocation-ms", required_argument, NULL, ALLOCATION },
	{ "heartbeat-ms", required_argument, NULL, HEARTBEAT },
	{ "registration-ms", required_argument, NULL, REGISTRATION },
	{ "grace-ms", required_argument, NULL, GRACE },
	{ NULL },
};

static int set(struct cluster_config *c, int option, const char *arg)
{
	uint64_t n = arg != NULL ? strtoull(arg, NULL, 10) : 0;

	switch (option) {
	case AGENTS:
		c->agents = (uint32_t)n;
		break;
	case RESOURCES:
		c->resources = arg;
		break;
	case WORK_DIR:
		c->work_dir = arg;
		break;
	case KEEP:
		c->keep_sandboxes = true;
		break;
	case PORT:
		c->port = (uint16_t)n;
		break;
	case LIFE:
		c->life_fd = (int)n;
		break;
	case ALLOCATION:
		c->allocation_interval_ms = n;
		break;
	case HEARTBEAT:
		c->heartbeat_interval_ms = n;
		break;
	case REGISTRATION:
		c->executor_registration_timeout_ms = n;
		break;
	case GRACE:
		c->executor_shutdown_grace_ms = n;
		break;
	default:
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct cluster_config config = {
		.agents = 1,
		.resources = "cpus:4;mem:4096;disk:10000;ports:[31000-32000]",
		.ready_fd = STDOUT_FILENO,
		.life_fd = -1,
		.allocation_interval_ms = 100,
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (set(&config, option, optarg) < 0)
			return 2;
	return cluster_main(&config);
}
