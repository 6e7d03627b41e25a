#include "cli/jobs_command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/fs_text.h"
#include "cli/properties.h"
#include "scheduler/driver.h"

enum { KEY_FILE = 0x500, KEY_FIRST };

/* Those of `quern run` that are about finding a cluster and being let in. */
static const char *const shared[] = { "master", "master-timeout", "principal", "secret-file" };
enum { SHARED = sizeof(shared) / sizeof(shared[0]) };

enum { OWN_MAX = 8 };

static const struct argp_option options[] = {
	{ .name = "master", .key = KEY_FIRST, .arg = "URL", .doc = "of the cluster, as of `quern run`" },
	{ .name = "master-timeout",
		.key = KEY_FIRST + 1,
		.arg = "TIME",
		.doc = "give up without a master for so long (30s)" },
	{ .name = "principal", .key = KEY_FIRST + 2, .arg = "NAME", .doc = "who asks" },
	{ .name = "secret-file", .key = KEY_FIRST + 3, .arg = "FILE", .doc = "file with that one's secret" },
	{ .name = "properties-file",
		.key = KEY_FILE,
		.arg = "FILE",
		.doc = "the same as properties; the command line wins over them" },
	{ 0 },
};

struct parsing {
	struct jobs_command *c;
	const struct jobs_usage *usage;
	bool files; /* the first pass: properties files alone */
};

/* What else is in a properties file is about jobs, and passed over. */
static int take_property(void *arg, const char *property, const char *value, struct err *err)
{
	struct jobs_command *c = arg;
	auto_free char *name = strncmp(property, "quern.", 6) == 0 ? strdup(property + 6) : NULL;

	for (char *p = name; p != NULL && *p != '\0'; p++)
		if (*p == '.')
			*p = '-';
	for (size_t i = 0; name != NULL && i < SHARED; i++)
		if (strcmp(name, shared[i]) == 0)
			return cluster_options_set(&c->cluster, name, value, err);
	return 0;
}

static error_t take_argument(struct parsing *p, int key, char *arg, struct argp_state *state)
{
	switch (key) {
	case ARGP_KEY_ARGS:
		p->c->args = state->argv + state->next;
		p->c->n = state->argc - state->next;
		return 0;
	case ARGP_KEY_END:
		if (!p->files && p->c->n < p->usage->min)
			argp_error(state, "no job: name one by its id");
		if (!p->files && p->usage->max >= 0 && p->c->n > p->usage->max)
			argp_error(state, "too many arguments");
		return 0;
	default:
		(void)arg;
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;
	struct err err = { "" };
	int r = 0;

	if (key == KEY_FILE)
		r = p->files ? properties_read(arg, take_property, p->c, &err) : 0;
	else if (key >= KEY_FIRST && key < KEY_FIRST + SHARED)
		r = p->files ? 0 : cluster_options_set(&p->c->cluster, shared[key - KEY_FIRST], arg, &err);
	else if (key > 0 && key < 128)
		p->c->given[key] = true;
	else
		return take_argument(p, key, arg, state);
	if (r < 0)
		argp_failure(state, JOBS_BAD_USAGE, 0, "%s", err.text);
	return 0;
}

int jobs_command_init(struct jobs_command *c, int argc, char **argv, const struct jobs_usage *usage)
{
	struct argp_option list[OWN_MAX + sizeof(options) / sizeof(options[0])];
	size_t n = 0;
	struct parsing p = { .c = c, .usage = usage };
	struct err err = { "" };

	*c = (struct jobs_command){ .name = argv[0] };
	argp_err_exit_status = JOBS_BAD_USAGE;
	for (; usage->own != NULL && n < OWN_MAX && usage->own[n].key != 0; n++)
		list[n] = usage->own[n];
	memcpy(list + n, options, sizeof(options));
	int r = cluster_options_init(&c->cluster, &err);
	for (int pass = 0; r == 0 && pass < 2; pass++) {
		const struct argp argp = {
			.options = list, .parser = take, .args_doc = usage->args, .doc = usage->doc
		};

		p.files = pass == 0;
		if (argp_parse(&argp, argc, argv, 0, NULL, &p) != 0)
			exit(JOBS_BAD_USAGE);
	}
	if (r == 0 && c->cluster.master.local)
		r = err_set(&err, -EINVAL, "--master: name the cluster to look at");
	if (r == 0)
		r = console_new(&c->cluster, &c->console, &err);
	return r < 0 ? jobs_fail(c, r, &err) : 0;
}

void jobs_command_deinit(struct jobs_command *c)
{
	c->console = console_free(c->console);
	cluster_options_deinit(&c->cluster);
}

int jobs_ask(const struct jobs_command *c, struct jobs_answer *ret, struct err *err)
{
	Mesos__V1__Master__Call call = MESOS__V1__MASTER__CALL__INIT;
	ProtobufCMessage *message = NULL;

	call.has_type = 1;
	call.type = MESOS__V1__MASTER__CALL__TYPE__GET_FRAMEWORKS;
	int r = console_ask_master(
		c->console, &call.base, &mesos__v1__master__response__descriptor, &message, err);
	if (r < 0)
		return r;
	*ret = (struct jobs_answer){ .message = (Mesos__V1__Master__Response *)message };
	r = jobs_list(ret->message, &ret->jobs);
	if (r < 0) {
		jobs_answer_deinit(ret);
		return err_set(err, r, "out of memory");
	}
	return 0;
}

void jobs_answer_deinit(struct jobs_answer *a)
{
	if (a->message != NULL)
		mesos__v1__master__response__free_unpacked(a->message, NULL);
	vec_deinit(&a->jobs);
	*a = (struct jobs_answer){ 0 };
}

int jobs_fail(const struct jobs_command *c, int code, const struct err *err)
{
	(void)fprintf(stderr, "%s: ", c->name);
	fs_write_name(stderr, err->text);
	(void)fputc('\n', stderr);
	switch (code) {
	case -EINVAL:
	case -ENOENT:
		return JOBS_BAD_USAGE;
	case -EHOSTUNREACH:
	case -ENOTSUP:
		return DRIVER_NO_CLUSTER;
	default:
		return DRIVER_JOB_FAILED;
	}
}
