#include "cli/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/option_row.h"
#include "cli/parse.h"
#include "cli/properties.h"
#include "job/plan_check.h"

enum { KEY_FIRST = 0x100 }; /* argp: above every character */

static int set_mode(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	const struct mode_ops *mode = mode_find(value);

	if (mode != NULL) {
		o->mode = mode;
		return 0;
	}
	(void)err_set(err, -EINVAL, "unknown mode '%s': there are", value);
	for (const char *const *name = mode_names(); *name != NULL; name++) {
		size_t len = strlen(err->text);

		(void)snprintf(err->text + len, sizeof(err->text) - len, " %s", *name);
	}
	return -EINVAL;
}

static int set_name(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return option_text(&o->name, value, err);
}

static int set_total_cores(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_cpus_milli(value, &o->total_cores_milli, err);
}

static int set_task_cores(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_cpus_milli(value, &o->task_cpus_milli, err);
}

static int set_task_memory(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_memory_mb(value, &o->task_mem_mb, err);
}

/* Least cores and MB of a custom executor that Mesos does not warn about (MIN_CPUS, MIN_MEM of
 * src/slave/constants.hpp). */
enum { EXECUTOR_MIN_MILLI = 10, EXECUTOR_MIN_MB = 32 };

static int set_executor_cores(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	uint32_t milli;

	int r = parse_cpus_milli(value, &milli, err);
	if (r < 0)
		return r;
	if (milli < EXECUTOR_MIN_MILLI)
		return err_set(err, -EINVAL, "'%s': an executor needs 0.01 cores at least", value);
	o->executor_cpus_milli = milli;
	return 0;
}

static int set_executor_memory(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	uint32_t mb;

	int r = parse_memory_mb(value, &mb, err);
	if (r < 0)
		return r;
	if (mb < EXECUTOR_MIN_MB)
		return err_set(err, -EINVAL, "'%s': an executor needs 32 MB at least", value);
	o->executor_mem_mb = mb;
	return 0;
}

static int set_cache_memory(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	if (strcmp(value, "0") == 0) {
		o->cache_mem_mb = 0;
		return 0;
	}
	return parse_memory_mb(value, &o->cache_mem_mb, err);
}

static int set_locality_wait(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_duration_ms(value, &o->locality_wait_ms, err);
}

static int set_max_bad_records(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	uint32_t n;

	int r = parse_count(value, 0, UINT32_MAX, &n, err);
	if (r == 0)
		o->max_bad_records = n;
	return r;
}

static int set_recursive(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return option_bool(&o->recursive, value, err);
}

static int set_max_failures(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_count(value, 1, 1000, &o->task_max_failures, err);
}

static int set_task_timeout(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_duration_ms(value, &o->task_timeout_ms, err);
}

static int set_min_registered(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_percent(value, &o->min_registered_percent, err);
}

static int set_max_wait(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_duration_ms(value, &o->max_registered_wait_ms, err);
}

static int set_lease_idle(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_duration_ms(value, &o->lease_idle_ms, err);
}

static int set_lease_max(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_duration_ms(value, &o->lease_max_ms, err);
}

static int set_parallelism(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return parse_count(value, 1, 100000, &o->parallelism, err);
}

static int set_shuffle_compression(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	if (strcmp(value, "off") == 0) {
		o->shuffle_compression = 0;
		return 0;
	}
	return parse_count(value, 1, PLAN_COMPRESSION_MAX, &o->shuffle_compression, err);
}

static int set_files(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return files_parse(value, &o->files, err);
}

static int set_cflags(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return option_text(&o->cflags, value, err);
}

static int set_event_log(void *options, const char *value, struct err *err)
{
	struct run_options *o = options;

	return option_text(&o->event_log, value, err);
}

static const struct option_row rows[] = {
	{ "mode", "MODE", "how resources are held: coarse (the default), fine or adaptive", set_mode },
	{ "name", "NAME", "of the job, as the cluster shows it (its file name)", set_name },
	{ "total-executor-cores", "N", "most cores at a time (default: all of local[...], 16 on a cluster)",
		set_total_cores },
	{ "task-cores", "N", "cores of a task (1)", set_task_cores },
	{ "task-memory", "SIZE", "memory of a task (512m)", set_task_memory },
	{ "executor-cores", "N", "share of an executor itself, beside its tasks (0.1)", set_executor_cores },
	{ "executor-memory", "SIZE", "memory of an executor itself (128m)", set_executor_memory },
	{ "cache-memory", "SIZE",
		"memory of an executor for persisted sets, beside that (256m if the job calls "
		"quern_persist(), else 0)",
		set_cache_memory },
	{ "locality-wait", "TIME",
		"a stage is so much later at most for its tasks' waiting for their data's place (coarse: 3s, "
		"fine and adaptive: 1s)",
		set_locality_wait },
	{ "task-max-failures", "N", "attempts of a task before the job fails (4)", set_max_failures },
	{ "max-bad-records", "N",
		"records of all tasks that are left out when functions say they are bad (0)",
		set_max_bad_records },
	{ "task-timeout", "TIME", "an attempt that takes longer has failed (none)", set_task_timeout },
	{ "min-registered-ratio", "RATIO", "coarse: start when so much of the request is there (0.8)",
		set_min_registered },
	{ "max-registered-wait", "TIME", "coarse: give up when it is not there after (30s)", set_max_wait },
	{ "lease-idle", "TIME", "adaptive: an idle slot goes back after (100ms)", set_lease_idle },
	{ "lease-max", "TIME", "adaptive: a slot goes back between two tasks when it is held for (5s)",
		set_lease_max },
	{ "recursive", NULL, "folders within folders of an input are looked into as well", set_recursive },
	{ "parallelism", "N", "partitions of a shuffle where the job does not say (the cores)",
		set_parallelism },
	{ "shuffle-compression", "LEVEL",
		"of what goes through a shuffle: off, or zstd's 1 to 19 (1; local[...]: off)",
		set_shuffle_compression },
	{ "files", "FILE[#NAME],...", "files to send along, as NAME in the tasks' working directory",
		set_files },
	{ "event-log", "FILE",
		"write what happens, as JSON lines, compressed if FILE ends with .zst; it must not exist",
		set_event_log },
	{ "cflags", "FLAGS", "further flags for the compiler of the job", set_cflags },
};

enum {
	ROWS = sizeof(rows) / sizeof(rows[0]),
	KEY_CONF = KEY_FIRST + ROWS,
	KEY_FILE,
	KEY_EXPLAIN,
	OPTIONS = ROWS + 6
};

int options_set(struct run_options *o, const char *key, const char *value, struct err *err)
{
	auto_free char *name = strncmp(key, "quern.", 6) == 0 ? strdup(key + 6) : NULL;

	for (char *p = name; p != NULL && *p != '\0'; p++)
		if (*p == '.')
			*p = '-';
	int r = name != NULL ? option_rows_set(rows, ROWS, o, name, value, err) : -ENOENT;
	if (name != NULL && r == -ENOENT)
		r = cluster_options_set(&o->cluster, name, value, err);
	if (name != NULL && r == -ENOENT)
		r = detach_options_set(&o->detached, name, value, err);
	if (name != NULL && r == -ENOENT)
		r = hdfs_options_set(&o->hdfs, name, value, err);
	if (r == 0 && settings_add(&o->settings, key, value) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	if (r != -ENOENT)
		return r < 0 ? err_prefix(err, r, "%s", key) : 0;
	return err_set(err, -EINVAL, "unknown property '%s': an option --a-b is quern.a.b", key);
}

static int set_property(void *options, const char *property, const char *value, struct err *err)
{
	return options_set(options, property, value, err);
}

/* A pair of --conf. */
static int set_pair(struct run_options *o, const char *pair, struct err *err)
{
	auto_free char *copy = strdup(pair);
	char *property, *value;

	if (copy == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	int r = properties_cut(copy, &property, &value, err);
	return r < 0 ? r : options_set(o, property, value, err);
}

static int set_key(struct run_options *o, int key, char *arg, struct err *err)
{
	if (key == KEY_CONF)
		return set_pair(o, arg, err);
	const struct option_row *row = &rows[key - KEY_FIRST];
	int r = option_row_set(row, o, arg, err);
	if (r == 0 && settings_add_option(&o->settings, row->name, arg) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return r;
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct run_options *o = state->input;
	struct err err = { "" };

	switch (key) {
	case 'q':
		o->quiet = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case KEY_EXPLAIN:
		o->explain = true;
		return 0;
	case KEY_FILE: /* read before everything else, see options_parse() */
		return 0;
	default:
		if (key < KEY_FIRST || key > KEY_CONF)
			return ARGP_ERR_UNKNOWN;
		if (set_key(o, key, arg, &err) < 0)
			argp_failure(state, 2, 0, "%s", err.text);
		return 0;
	}
}

/* First pass: the properties files alone, so that the command line wins over them. */
static error_t take_files(int key, char *arg, struct argp_state *state)
{
	struct err err = { "" };

	if (key == KEY_FILE && properties_read(arg, set_property, state->input, &err) < 0)
		argp_failure(state, 2, 0, "%s", err.text);
	return key == ARGP_KEY_ARG ? ARGP_ERR_UNKNOWN : 0;
}

int options_init(struct run_options *o, struct err *err)
{
	*o = (struct run_options){ .task_cpus_milli = 1000,
		.task_mem_mb = 512,
		.executor_cpus_milli = 100,
		.executor_mem_mb = 128,
		.cache_mem_mb = UINT32_MAX,
		.locality_wait_ms = UINT64_MAX,
		.task_max_failures = 4,
		.shuffle_compression = UINT32_MAX,
		.min_registered_percent = 80,
		.max_registered_wait_ms = 30000,
		.lease_idle_ms = 100,
		.lease_max_ms = 5000,
		.mode = &mode_coarse };
	detach_options_init(&o->detached);
	return cluster_options_init(&o->cluster, err);
}

static void list_options(struct argp_option list[OPTIONS])
{
	option_rows_list(rows, ROWS, KEY_FIRST, list);
	list[ROWS] = (struct argp_option){ .name = "conf",
		.key = KEY_CONF,
		.arg = "KEY=VALUE",
		.doc = "any option above as a property: --task-cores is quern.task.cores" };
	list[ROWS + 1] = (struct argp_option){ .name = "properties-file",
		.key = KEY_FILE,
		.arg = "FILE",
		.doc = "properties, one a line; the command line wins over them" };
	list[ROWS + 2] =
		(struct argp_option){ .name = "quiet", .key = 'q', .doc = "print nothing but errors" };
	list[ROWS + 3] = (struct argp_option){
		.name = "verbose", .key = 'v', .doc = "say what happens on the cluster"
	};
	list[ROWS + 4] = (struct argp_option){ .name = "explain",
		.key = KEY_EXPLAIN,
		.doc = "print the graph, its stages, splits and shuffles, and run nothing" };
	list[ROWS + 5] = (struct argp_option){ 0 };
}

/* What a command has of its own does not count in the first pass; what is no option ends it. */
static error_t pass_over(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key == ARGP_KEY_ARG)
		state->next = state->argc;
	return 0;
}

enum { CHILDREN = 5 };

struct inputs {
	void *of[CHILDREN];
};

/* Above all parsers: hands them what they fill. */
static error_t hand_down(int key, char *arg, struct argp_state *state)
{
	const struct inputs *in = state->input;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	for (size_t i = 0; i < CHILDREN; i++)
		state->child_inputs[i] = in->of[i];
	return 0;
}

/* The options of the cluster, noted like ours. */
static error_t take_cluster(int key, char *arg, struct argp_state *state)
{
	struct run_options *o = state->input;

	state->input = &o->cluster;
	error_t r = cluster_options_take(key, arg, state);
	state->input = o;
	if (r == 0 && settings_note(&o->settings, cluster_options_list(), key, arg) < 0)
		argp_failure(state, 2, 0, "out of memory");
	return r;
}

/* One pass over the command line, with a parser and an input for the options of each group. */
static void pass(int argc, char **argv, const struct options_command *command, const struct argp_option *list,
	argp_parser_t const parsers[CHILDREN], struct inputs *inputs)
{
	const struct argp shared = { .options = list, .parser = parsers[0] };
	const struct argp own = { .options = command->own, .parser = parsers[1] };
	const struct argp cluster = { .options = cluster_options_list(), .parser = parsers[2] };
	const struct argp detached = { .options = detach_options_list(), .parser = parsers[3] };
	const struct argp hdfs = { .options = hdfs_options_argp.options, .parser = parsers[4] };
	const struct argp_child children[] = {
		{ &shared, 0, command->own != NULL ? "As of `quern run`:" : NULL, 1 },
		{ &own, 0, NULL, 0 },
		{ &cluster, 0, "The cluster:", 2 },
		{ &detached, 0, "A job that is detached:", 3 },
		{ &hdfs, 0, "HDFS:", 4 },
		{ 0 },
	};
	const struct argp all = {
		.parser = hand_down, .args_doc = command->args, .doc = command->doc, .children = children
	};

	if (argp_parse(&all, argc, argv, command->flags, NULL, inputs) != 0)
		exit(2);
}

/* What each option on its own cannot tell. */
static int check_all(const struct run_options *o, struct err *err)
{
	if (o->detached.detach && o->cluster.master.local)
		return err_set(err, -EINVAL,
			"--detach needs --master of a cluster: one in this process ends with it, and could "
			"host nothing");
	if (o->detached.detach && o->explain)
		return err_set(err, -EINVAL, "--explain runs nothing: leave --detach out");
	if (o->detached.detach && o->event_log != NULL && o->event_log[0] != '/')
		return err_set(err, -EINVAL,
			"--event-log: a job that is detached runs in no folder of yours: name the whole "
			"path, of "
			"a file system that all agents have");
	return cluster_options_check(&o->cluster, err);
}

void options_parse(int argc, char **argv, const struct options_command *command, struct run_options *ret)
{
	static const argp_parser_t first[CHILDREN] = { take_files, pass_over, pass_over, pass_over,
		pass_over };
	const argp_parser_t second[CHILDREN] = { take, command->take, take_cluster, detach_options_take,
		hdfs_options_argp.parser };
	struct argp_option list[OPTIONS];
	struct inputs inputs = { { ret, command->input, ret, &ret->detached, &ret->hdfs } };
	struct err err = { "" };

	list_options(list);
	argp_err_exit_status = 2;
	int r = options_init(ret, &err);
	if (r == 0) {
		pass(argc, argv, command, list, first, &inputs);
		pass(argc, argv, command, list, second, &inputs);
		r = check_all(ret, &err);
	}
	if (r < 0) {
		(void)fprintf(stderr, "%s: %s\n", argv[0], err.text);
		exit(2);
	}
}

void options_deinit(struct run_options *o)
{
	cluster_options_deinit(&o->cluster);
	files_deinit(&o->files);
	hdfs_options_deinit(&o->hdfs);
	settings_deinit(&o->settings);
	free(o->name);
	free(o->cflags);
	free(o->event_log);
}
