/* stream.c: `quern stream`: runs the job quern-stream.so (stream_job.c) with the commands that it is given.
 *
 * Whoever comes from Hadoop Streaming may write its options, with one dash as well: -mapper, -reducer,
 * -combiner, -input, -output, -numReduceTasks, -file, -files, -cmdenv, -D. */
#include "cli/stream.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/paths.h"
#include "cli/run.h"
#include "hdfs_client/url.h"

enum {
	KEY_MAP = 0x1000, /* argp: above every character */
	KEY_COMBINE,
	KEY_REDUCE,
	KEY_REDUCERS,
	KEY_KEY_FIELDS,
	KEY_PARTITION_FIELDS,
	KEY_SEPARATOR,
	KEY_NUMERIC,
	KEY_REVERSE,
	KEY_COMPRESS,
	KEY_ENV,
	KEY_FILE,
	KEY_PARTITIONER,
	EXIT_USAGE = 2,
	NAME_MAX_BYTES = 60, /* of a job that is named by its command */
};

static const struct argp_option own[] = {
	{ "map", KEY_MAP, "COMMAND", 0, "gets lines of the input, prints lines: key, separator, value", 0 },
	{ "mapper", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "combine", KEY_COMBINE, "COMMAND", 0, "like --reduce, on what one task of --map has printed", 0 },
	{ "combiner", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "reduce", KEY_REDUCE, "COMMAND", 0,
		"gets lines of key, tab, value, in the order of the keys (none: the output is that of --map)",
		0 },
	{ "reducer", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "input", 'i', "PATH", 0, "file, folder or glob; may be repeated", 0 },
	{ "output", 'o', "PATH", 0, "folder that does not exist", 0 },
	{ "reducers", KEY_REDUCERS, "N", 0, "tasks of --reduce, 0 for none of them (the cores)", 0 },
	{ "numReduceTasks", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "key-fields", KEY_KEY_FIELDS, "N", 0, "so many fields of a line are its key (1)", 0 },
	{ "partition-fields", KEY_PARTITION_FIELDS, "N", 0,
		"records with so many equal fields come to one task, by which all of the key sorts them "
		"(--key-fields)",
		0 },
	{ "separator", KEY_SEPARATOR, "TEXT", 0, "between the fields of a line of --map (a tab)", 0 },
	{ "numeric", KEY_NUMERIC, NULL, 0, "keys are in the order of the numbers that they begin with", 0 },
	{ "reverse", KEY_REVERSE, NULL, 0, "the greatest key first", 0 },
	{ "compress", KEY_COMPRESS, "CODEC", 0, "of the output: gzip or zstd", 0 },
	{ "env", KEY_ENV, "NAME=VALUE", 0, "a variable for the commands to see; may be repeated", 0 },
	{ "cmdenv", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "define", 'D', "KEY=VALUE", 0, "a property of Hadoop's, or of quern's: see quern-stream(1)", 0 },
	{ "jobconf", 0, NULL, OPTION_ALIAS | OPTION_HIDDEN, NULL, 0 },
	{ "file", KEY_FILE, "FILE", OPTION_HIDDEN, NULL, 0 },
	{ "partitioner", KEY_PARTITIONER, "CLASS", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

/* ---- Options ---- */

/* Options of Hadoop Streaming that mean nothing here. */
static const struct {
	const char *name, *instead;
} foreign[] = {
	{ "inputformat", "input is text: leave it out" },
	{ "outputformat", "output is text: leave it out" },
	{ "inputreader", "input is text, a record is a line" },
	{ "io", "commands get lines of text" },
	{ "archives", "pack them out in the command; --files sends them along" },
	{ "libjars", "no Java runs here" },
	{ "background", "put '&' behind the command" },
	{ "lazyOutput", "leave it out" },
	{ "mapdebug", "see --verbose" },
	{ "reducedebug", "see --verbose" },
	{ "info", "see --help" },
};

/* Whether one of our own options begins so. */
static bool is_own(const char *name, size_t len)
{
	for (const struct argp_option *o = own; o->name != NULL; o++)
		if (strncmp(o->name, name, len) == 0)
			return true;
	return false;
}

/* "-outputformat" must not be taken for -o with the folder "utputformat". */
static void refuse_foreign(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		const char *name = argv[i] + strspn(argv[i], "-");
		size_t len = strcspn(name, "="), dashes = (size_t)(name - argv[i]);

		for (size_t k = 0; dashes > 0 && k < sizeof(foreign) / sizeof(foreign[0]); k++)
			if (strlen(foreign[k].name) == len && strncmp(foreign[k].name, name, len) == 0) {
				(void)fprintf(stderr, "%s: there is no %s here: %s\n", argv[0], argv[i],
					foreign[k].instead);
				exit(EXIT_USAGE);
			}
		if (dashes == 1 && len > 1 && (*name == 'i' || *name == 'o') &&
			isalpha((unsigned char)name[1]) && !is_own(name, len)) {
			(void)fprintf(stderr, "%s: there is no option %s: write '-%c %s' for a path\n",
				argv[0], argv[i], *name, name + 1);
			exit(EXIT_USAGE);
		}
	}
}

/* "NONE" is none, as Hadoop has it. */
static int set_command(char **command, const char *value, struct err *err)
{
	free(*command);
	*command = strcmp(value, "NONE") == 0 ? NULL : strdup(value);
	return *command != NULL || strcmp(value, "NONE") == 0 ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int set_order_by(struct stream_options *s, int key)
{
	if (key == KEY_NUMERIC)
		s->numeric = true;
	else
		s->reverse = true;
	return 0;
}

/* What -D mapreduce.partition.keypartitioner.options goes with. */
static int set_partitioner(const char *value, struct err *err)
{
	const char *dot = strrchr(value, '.'), *name = dot != NULL ? dot + 1 : value;

	if (strcmp(name, "KeyFieldBasedPartitioner") == 0 || strcmp(name, "HashPartitioner") == 0)
		return 0;
	return err_set(err, -EINVAL, "there are KeyFieldBasedPartitioner and HashPartitioner");
}

static int add_variable(struct stream_options *s, const char *value, struct err *err)
{
	const char *equals = strchr(value, '=');

	if (equals == NULL || equals == value)
		return err_set(err, -EINVAL, "'%s': write NAME=VALUE", value);
	return vec_push(&s->environment, value) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int add_input(struct stream_options *s, const char *value, struct err *err)
{
	return vec_push(&s->inputs, value) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}

/* ARGP_ERR_UNKNOWN: it is none of them; or as the setters. */
static int set_value(struct stream_options *s, int key, char *value, struct err *err)
{
	switch (key) {
	case KEY_MAP:
		return set_command(&s->map, value, err);
	case KEY_COMBINE:
		return set_command(&s->combine, value, err);
	case KEY_REDUCE:
		return set_command(&s->reduce, value, err);
	case KEY_REDUCERS:
		return stream_set_reducers(s, value, err);
	case KEY_KEY_FIELDS:
		return stream_set_key_fields(s, value, err);
	case KEY_PARTITION_FIELDS:
		return stream_set_partition_fields(s, value, err);
	case KEY_SEPARATOR:
		return stream_set_separator(s, value, err);
	case KEY_COMPRESS:
		return stream_set_codec(s, value, err);
	case KEY_ENV:
		return add_variable(s, value, err);
	case KEY_FILE:
		return files_add(&s->run.files, value, err);
	case KEY_PARTITIONER:
		return set_partitioner(value, err);
	case 'D':
		return stream_property_set(s, value, err);
	case 'i':
	case ARGP_KEY_ARG: /* of a glob that the shell has made several words of */
		return add_input(s, value, err);
	case KEY_NUMERIC:
	case KEY_REVERSE:
		return set_order_by(s, key);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A path that would mean something else where the driver runs. 0, or -EINVAL with a sentence. */
static int check_path(const struct stream_options *s, const char *path, struct err *err)
{
	if (!s->run.detached.detach || path[0] == '/' || hdfs_url_is(path))
		return 0;
	return err_set(err, -EINVAL,
		"'%s': a job that is detached runs in no folder of yours: name the whole path, of a file "
		"system that all agents have, or a URL of HDFS",
		path);
}

static int check_paths(const struct stream_options *s, struct err *err)
{
	int r = check_path(s, s->output, err);

	for (size_t i = 0; r == 0 && i < s->inputs.n; i++)
		r = check_path(s, s->inputs.at[i], err);
	return r;
}

/* What does not fit together. 0, or -EINVAL with a sentence. */
static int check(const struct stream_options *s, struct err *err)
{
	const char *separator = s->separator != NULL ? s->separator : "\t";

	if (s->map == NULL)
		return err_set(err, -EINVAL, "no --map: `--map cat` takes lines as they are");
	if (s->inputs.n == 0)
		return err_set(err, -EINVAL, "no --input");
	if (s->output == NULL)
		return err_set(err, -EINVAL, "no --output");
	if (s->combine != NULL && s->reduce == NULL)
		return err_set(err, -EINVAL, "--combine without --reduce");
	if (s->reduce == NULL && s->reducers != UINT32_MAX && s->reducers != 0)
		return err_set(err, -EINVAL, "--reducers without --reduce: `--reduce cat` sorts alone");
	if (s->partition_fields > s->key_fields)
		return err_set(err, -EINVAL, "--partition-fields: a key has %u fields only (--key-fields)",
			s->key_fields);
	if (s->key_separator != NULL && strcmp(s->key_separator, separator) != 0)
		return err_set(err, -EINVAL,
			"-D mapreduce.map.output.key.field.separator: fields of a key are separated as those "
			"of "
			"a line, by '%s'",
			separator);
	return check_paths(s, err);
}

static const char *name_of(int key)
{
	size_t i = 0;

	while (own[i].name != NULL && own[i].key != key)
		i++;
	return own[i].name != NULL ? own[i].name : "input"; /* of a word that is no option */
}

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct stream_options *s = state->input;
	struct err err = { "" };

	switch (key) {
	case 'o':
		s->output = arg;
		return 0;
	case ARGP_KEY_END:
		if (check(s, &err) < 0)
			argp_error(state, "%s", err.text);
		return 0;
	default:
		break;
	}
	int r = set_value(s, key, arg, &err);
	if (r < 0 && strncmp(err.text, "-D", 2) != 0)
		r = err_prefix(&err, r, "--%s", name_of(key));
	if (r < 0)
		argp_failure(state, EXIT_USAGE, 0, "%s", err.text);
	return r;
}

/* ---- Files that the commands name ---- */

/* Whether `name` is shipped already. */
static bool has(const struct files *files, const char *name)
{
	for (size_t i = 0; i < files->list.n; i++)
		if (strcmp(files->list.at[i].name, name) == 0)
			return true;
	return false;
}

/* Whether this very file is there under that name. */
static bool has_file(const struct files *files, const char *name, const struct stat *st)
{
	struct stat other;

	for (size_t i = 0; i < files->list.n; i++)
		if (strcmp(files->list.at[i].name, name) == 0 && stat(files->list.at[i].path, &other) == 0)
			return other.st_dev == st->st_dev && other.st_ino == st->st_ino;
	return false;
}

/* A file that a command calls ./NAME, where we are, is sent along without being asked for. */
static int ship(struct files *files, const char *command, struct err *err)
{
	static const char blank[] = " \t\n;|&()<>\"'`";

	for (const char *p = command; p != NULL && *(p += strspn(p, blank)) != '\0'; p += strcspn(p, blank)) {
		auto_free char *word = strndup(p, strcspn(p, blank));
		struct stat st;

		if (word == NULL)
			return err_set(err, -ENOMEM, "out of memory");
		if (strncmp(word, "./", 2) != 0 || strpbrk(word + 2, "/#") != NULL || has(files, word + 2) ||
			stat(word, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		int r = files_add(files, word, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The program that a command begins with: one that has its place below where we are is sent along, and is
 * found as ./NAME then; so is one that is called by the name of a file that is sent along, which is where
 * Hadoop looks for it. */
static int run_here(struct files *files, char **command, struct err *err)
{
	auto_free char *word = *command != NULL ? strndup(*command, strcspn(*command, " \t\n;|&()<>")) : NULL;
	struct stat st;
	char *here;

	if (*command == NULL)
		return 0;
	if (word == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	const char *slash = strrchr(word, '/'), *name = slash != NULL ? slash + 1 : word;
	if (slash != NULL ? word[0] == '/' || stat(word, &st) < 0 || !S_ISREG(st.st_mode) : !has(files, name))
		return 0;
	if (slash != NULL && !has_file(files, name, &st)) {
		int r = files_add(files, word, err); /* another file of that name is a mistake */

		if (r < 0)
			return r;
	}
	if (asprintf(&here, "./%s%s", name, *command + strlen(word)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	free(*command);
	*command = here;
	return 0;
}

/* ---- The job ---- */

/* Its arguments: argv of run_job(). */
struct words {
	VEC(char *) list;
	bool failed; /* no memory */
};

static void add(struct words *w, const char *name, const char *value)
{
	char *word;

	if (value == NULL)
		return;
	if (asprintf(&word, "%s=%s", name, value) < 0) {
		w->failed = true;
	} else if (vec_push(&w->list, word) < 0) {
		free(word);
		w->failed = true;
	}
}

static void add_number(struct words *w, const char *name, uint32_t value)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", (unsigned)value);
	add(w, name, text);
}

static void fill_words(struct words *w, const struct stream_options *s)
{
	const bool reduces = s->reduce != NULL && s->reducers != 0;

	add(w, "map", s->map);
	add(w, "combine", reduces ? s->combine : NULL);
	add(w, "reduce", reduces ? s->reduce : NULL);
	add(w, "output", s->output);
	for (size_t i = 0; i < s->inputs.n; i++)
		add(w, "input", s->inputs.at[i]);
	for (size_t i = 0; i < s->environment.n; i++)
		add(w, "env", s->environment.at[i]);
	add(w, "separator", s->separator);
	add(w, "compress", s->codec);
	add_number(w, "reducers",
		s->reducers != UINT32_MAX ? s->reducers
		: s->run.parallelism > 0  ? s->run.parallelism
					  : run_slots(&s->run));
	add_number(w, "key-fields", s->key_fields);
	add_number(w, "partition-fields", s->partition_fields);
	add(w, "order",
		s->numeric   ? s->reverse ? "numeric-reverse" : "numeric"
		: s->reverse ? "reverse"
			     : NULL);
}

static int prepare(struct stream_options *s, struct paths *paths, struct words *w, struct err *err)
{
	char **commands[] = { &s->map, &s->combine, &s->reduce };
	int r = paths_find(paths, err);

	for (size_t i = 0; i < 3 && r == 0; i++)
		r = ship(&s->run.files, *commands[i], err);
	for (size_t i = 0; i < 3 && r == 0; i++)
		r = run_here(&s->run.files, commands[i], err);
	if (r < 0)
		return r;
	if (s->run.name == NULL && asprintf(&s->run.name, "%.*s", NAME_MAX_BYTES, s->map) < 0) {
		s->run.name = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (vec_push(&w->list, paths->stream) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	fill_words(w, s);
	return w->failed || vec_push(&w->list, NULL) < 0 ? err_set(err, -ENOMEM, "out of memory") : 0;
}

int command_stream(int argc, char **argv)
{
	struct stream_options s = { .reducers = UINT32_MAX, .key_fields = 1 };
	const struct options_command command = {
		.own = own,
		.take = take,
		.input = &s,
		.args = "[PATH...]",
		.doc = "Runs a job whose functions are commands in any language: lines in, lines out.\v"
		       "PATHs are further inputs. A file that a command calls ./NAME is sent along, and so "
		       "is the file DIR/NAME that one begins with. Hadoop "
		       "Streaming's options (-mapper, -reducer, ...) are understood.\n\n"
		       "Exit status: 0 done, 1 the job failed, 2 the command line is wrong, 3 no cluster, "
		       "130 "
		       "interrupted.",
		.flags = ARGP_LONG_ONLY,
	};
	struct paths paths = { 0 };
	struct words w = { 0 };
	struct err err = { "" };
	int status = 1;

	refuse_foreign(argc, argv);
	options_parse(argc, argv, &command, &s.run);
	if (prepare(&s, &paths, &w, &err) < 0)
		(void)fprintf(stderr, "quern: %s\n", err.text);
	else
		status = run_job(&s.run, (int)w.list.n - 1, w.list.at);
	for (size_t i = 1; i < w.list.n; i++)
		free(w.list.at[i]);
	vec_deinit(&w.list);
	free(s.map);
	free(s.combine);
	free(s.reduce);
	vec_deinit(&s.inputs);
	vec_deinit(&s.environment);
	paths_deinit(&paths);
	options_deinit(&s.run);
	return status;
}
