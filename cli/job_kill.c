/* job_kill.c: `quern kill`: takes jobs of a cluster down. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/commands.h"
#include "cli/jobs_command.h"
#include "scheduler/driver.h"

static const struct jobs_usage usage = { .args = "ID...",
	.doc = "Ends jobs: the master takes down the framework of each, with all of its tasks. A driver that "
	       "is "
	       "there removes its unfinished output.\v"
	       "ID may be the last part of one alone, 0012, if no other job has it.",
	.min = 1,
	.max = -1 };

static int tear_down(const struct jobs_command *c, const char *id, struct err *err)
{
	Mesos__V1__Master__Call call = MESOS__V1__MASTER__CALL__INIT;
	Mesos__V1__Master__Call__Teardown teardown = MESOS__V1__MASTER__CALL__TEARDOWN__INIT;
	Mesos__V1__FrameworkID framework = MESOS__V1__FRAMEWORK_ID__INIT;

	framework.value = (char *)(uintptr_t)id;
	teardown.framework_id = &framework;
	call.has_type = 1;
	call.type = MESOS__V1__MASTER__CALL__TYPE__TEARDOWN;
	call.teardown = &teardown;
	return console_ask_master(c->console, &call.base, NULL, NULL, err);
}

/* All of them, whatever becomes of one; the first failure is the exit status. */
static int run(const struct jobs_command *c)
{
	struct jobs_answer a = { 0 };
	struct err err = { "" };
	int status = 0;

	int r = jobs_ask(c, &a, &err);
	if (r < 0)
		return jobs_fail(c, r, &err);
	for (int i = 0; i < c->n; i++) {
		const struct job *j = NULL;

		r = jobs_find(&a.jobs, c->args[i], &j, &err);
		if (r == 0 && job_is_over(j))
			r = err_set(&err, -EALREADY, "%s is over: %s", j->id, job_state_name(j->state));
		if (r == 0)
			r = tear_down(c, j->id, &err);
		if (r < 0) {
			int failed = jobs_fail(c, r, &err);

			status = status != 0 ? status : failed;
		}
	}
	jobs_answer_deinit(&a);
	return status;
}

int command_kill(int argc, char **argv)
{
	struct jobs_command c;

	int status = jobs_command_init(&c, argc, argv, &usage);
	if (status == 0)
		status = run(&c);
	jobs_command_deinit(&c);
	return status;
}
