/* leader_command.c: `quern leader`: where a cluster's masters are, for the benchmark suite, which asks them
 * itself. */
#include <errno.h>
#include <stdio.h>

#include "cli/commands.h"
#include "cli/leader.h"
#include "scheduler/driver.h"

enum { TIMEOUT_MS = 30000, BAD_USAGE = 2 };

static int print(const struct master_url *m, struct err *err)
{
	struct leader leader;

	if (m->local) {
		(void)printf("local %u %u\n", m->agents, m->cores);
		return 0;
	}
	int r = leader_find(m, TIMEOUT_MS, &leader, err);
	if (r < 0)
		return r;
	for (size_t i = 0; leader.endpoints[i] != NULL; i++)
		(void)printf("%s\n", leader.endpoints[i]);
	leader_deinit(&leader);
	return 0;
}

int command_leader(int argc, char **argv)
{
	struct master_url m = { 0 };
	struct err err = { "" };

	if (argc != 2) {
		(void)fprintf(stderr, "%s: one argument is wanted: what --master would be\n", argv[0]);
		return BAD_USAGE;
	}
	int r = master_parse(argv[1], &m, &err);
	int status = r < 0 ? BAD_USAGE : 0;
	if (r == 0) {
		r = print(&m, &err);
		status = r < 0 ? DRIVER_NO_CLUSTER : 0;
	}
	if (r < 0)
		(void)fprintf(stderr, "%s: %s\n", argv[0], err.text);
	master_deinit(&m);
	return status;
}
