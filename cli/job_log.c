/* job_log.c: `quern log`: what a detached job has printed, read out of its driver's sandbox through the
 * agent. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/job_follow.h"
#include "mesos/agent.pb-c.h"

enum { PIECE = 64 << 10 }; /* what an agent gives at a time at most: 16 pages */

static const struct argp_option own[] = {
	{ .name = "follow", .key = 'f', .doc = "go on until the job is over" },
	{ 0 },
};

static const struct jobs_usage usage = { .own = own,
	.args = "ID",
	.doc = "Prints what a detached job's quern_main() has printed, to stdout, and what its driver has "
	       "said, to "
	       "stderr.\v"
	       "Both are in the driver's sandbox, on the agent that hosts it, which keeps them for a week as "
	       "a rule (its --gc_delay), also when the job is over.",
	.min = 1,
	.max = 1 };

/* A file that is read on, and where it goes. */
struct printed {
	const char *name;
	FILE *out;
	uint64_t offset;
};

static int print(struct printed *p, const Mesos__V1__Agent__Response__ReadFile *piece, struct err *err)
{
	if (fwrite(piece->data.data, 1, piece->data.len, p->out) != piece->data.len || fflush(p->out) != 0)
		return err_errno(err, -(errno != 0 ? errno : EIO), "%s", p->name);
	p->offset += piece->data.len;
	return 0;
}

/* All that is there now. A file that is not there is empty: the agent makes it with the first byte. */
static int print_on(const struct jobs_command *c, const struct job *j, struct printed *p, struct err *err)
{
	auto_free char *path = NULL;
	size_t len = 1;
	int r = 0;

	if (asprintf(&path, "%s/%s", j->sandbox, p->name) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	while (r == 0 && len > 0) {
		Mesos__V1__Agent__Call call = MESOS__V1__AGENT__CALL__INIT;
		Mesos__V1__Agent__Call__ReadFile read = MESOS__V1__AGENT__CALL__READ_FILE__INIT;
		ProtobufCMessage *m = NULL;

		read.path = path;
		read.offset = p->offset;
		read.has_length = 1;
		read.length = PIECE;
		call.has_type = 1;
		call.type = MESOS__V1__AGENT__CALL__TYPE__READ_FILE;
		call.read_file = &read;
		r = console_ask_agent(
			c->console, j->agent, &call.base, &mesos__v1__agent__response__descriptor, &m, err);
		if (r < 0)
			break;
		const Mesos__V1__Agent__Response *answer = (const Mesos__V1__Agent__Response *)m;
		len = answer->read_file != NULL ? answer->read_file->data.len : 0;
		if (len > 0)
			r = print(p, answer->read_file, err);
		protobuf_c_message_free_unpacked(m, NULL);
	}
	return r;
}

static int print_both(
	const struct jobs_command *c, const struct job *j, struct printed *files, struct err *err)
{
	int r = j->agent != NULL
			? 0
			: err_set(err, -EINVAL,
				  "%s is not detached: what it prints is where it was started, on %s", j->id,
				  j->host);

	for (size_t i = 0; r == 0 && i < 2; i++) {
		if (files[i].offset < j->log_from[i])
			files[i].offset = j->log_from[i];
		r = print_on(c, j, &files[i], err);
	}
	return r;
}

static int run(const struct jobs_command *c)
{
	struct printed files[2] = { { "stdout", stdout, 0 }, { "stderr", stderr, 0 } };
	struct job_follow f = { .c = c };
	struct err err = { "" };
	bool over = false;
	int r = 0;

	for (unsigned round = 0; r == 0 && !over; round++) {
		struct jobs_answer a = { 0 };
		const struct job *j;

		if (round > 0)
			job_follow_pause(round);
		r = job_follow_look(&f, c->args[0], &a, &j, &err);
		over = !c->given['f'] || (j != NULL && job_is_over(j));
		if (r == 0 && j != NULL)
			r = print_both(c, j, files, &err);
		jobs_answer_deinit(&a);
	}
	job_follow_deinit(&f);
	return r < 0 ? jobs_fail(c, r, &err) : 0;
}

int command_log(int argc, char **argv)
{
	struct jobs_command c;

	int status = jobs_command_init(&c, argc, argv, &usage);
	if (status == 0)
		status = run(&c);
	jobs_command_deinit(&c);
	return status;
}
