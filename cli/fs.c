/* fs.c: `quern fs COMMAND ...`: HDFS by hand. */
#include "cli/fs.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "cli/commands.h"
#include "cli/fs_copy.h"
#include "cli/fs_text.h"

static const struct fs_command *const commands[] = { &fs_ls, &fs_stat, &fs_cat, &fs_head, &fs_tail, &fs_get,
	&fs_put, &fs_mkdir, &fs_rm, &fs_rmdir, &fs_mv, &fs_touch, &fs_chmod, &fs_du, &fs_count, &fs_test,
	&fs_locate, &fs_checksum };
enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static const struct fs_command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

void fs_fail(struct fs *f, const struct err *err)
{
	f->status = 1;
	if (fs_interrupted() != 0)
		return; /* that says it all */
	redraw_clear(&f->progress.line);
	(void)fprintf(stderr, "%s: ", f->name);
	fs_write_name(stderr, err->text);
	(void)fputc('\n', stderr);
}

void fs_warn(struct fs *f)
{
	const char *text;

	while ((text = hdfs_pool_warning(f->pool)) != NULL) {
		redraw_clear(&f->progress.line);
		(void)fprintf(stderr, "%s: warning: ", f->name);
		fs_write_name(stderr, text);
		(void)fputc('\n', stderr);
	}
}

/* By another thread. */
static void on_waiting(void *arg, const char *text)
{
	const struct fs *f = arg;

	(void)fprintf(stderr, "%s%s: warning: ", isatty(STDERR_FILENO) ? "\r\x1b[K" : "", f->name);
	fs_write_name(stderr, text);
	(void)fputc('\n', stderr);
}

uint64_t fs_number(const struct fs *f, char letter, uint64_t otherwise)
{
	const char *text = f->values[(unsigned char)letter];
	char *end;

	if (text == NULL)
		return otherwise;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	if (text[0] >= '0' && text[0] <= '9' && errno == 0 && *end == '\0')
		return n;
	(void)fprintf(stderr, "%s: -%c: '%s' is no whole number\n", f->name, letter, text);
	exit(2);
}

/* ---- The command line ---- */

/* Of one command. */
struct parsing {
	struct fs *f;
	const struct fs_command *command;
};

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &p->f->options;
		return 0;
	case ARGP_KEY_ARGS:
		p->f->args = state->argv + state->next;
		p->f->n = (size_t)(state->argc - state->next);
		return 0;
	case ARGP_KEY_END:
		if (p->f->n < p->command->min)
			argp_error(state, "too few arguments: it takes %s", p->command->args);
		return 0;
	default:
		if (key <= 0 || key >= 128)
			return ARGP_ERR_UNKNOWN;
		p->f->given[key] = true;
		p->f->values[key] = arg;
		return 0;
	}
}

/* What stands before the command, and the command. */
static error_t take_word(int key, char *arg, struct argp_state *state)
{
	struct parsing *p = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &p->f->options;
		return 0;
	case ARGP_KEY_ARG:
		p->command = find(arg);
		if (p->command == NULL)
			argp_failure(
				state, 2, 0, "there is no command '%s'; `quern fs --help` lists them", arg);
		p->f->args = state->argv + state->next - 1;
		p->f->n = (size_t)(state->argc - state->next + 1);
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_state_help(state, stderr, ARGP_HELP_STD_ERR);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The list of commands goes behind the options. */
static char *list_commands(int key, const char *text, void *input)
{
	auto_buf struct buf b = BUF_INIT(1 << 16);

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)text;
	int r = buf_add_str(&b, "Commands:\n");
	for (size_t i = 0; i < N_COMMANDS && r == 0; i++)
		r = buf_add_fmt(&b, "  %-9s %s\n", commands[i]->name, commands[i]->help);
	if (r == 0)
		r = buf_add_fmt(&b, "\n%s", text);
	if (r < 0 || buf_add(&b, "", 1) < 0)
		return (char *)text;
	return (char *)buf_steal(&b, &(size_t){ 0 });
}

static const char doc[] =
	"Files in HDFS, by WebHDFS: much as `hdfs dfs` has them, but without Java."
	"\v"
	"A URL is hdfs://NAMENODE[:PORT]/PATH (also webhdfs://, swebhdfs://), a path of fs.defaultFS, or one "
	"in "
	"one's own folder there; it may be a pattern. `quern fs COMMAND --help` tells more.\n\n"
	"Exit status: 0 done, 1 something failed, 2 the command line is wrong, 130 interrupted.";

static const struct argp_child hdfs_child[] = { { &hdfs_options_argp, 0, "HDFS:", 1 }, { 0 } };

static void parse(struct fs *f, int argc, char **argv, struct parsing *p)
{
	const struct argp words = { .parser = take_word,
		.args_doc = "COMMAND [ARG...]",
		.doc = doc,
		.children = hdfs_child,
		.help_filter = list_commands };

	if (argc > 1 && argv[1][0] == '-' && find(argv[1] + 1) != NULL)
		argv[1]++; /* as after `hdfs dfs` */
	if (argp_parse(&words, argc, argv, ARGP_IN_ORDER, NULL, p) != 0 || p->command == NULL)
		exit(2);
	char **rest = f->args;
	int n = (int)f->n;
	const struct argp command = { .options = p->command->options,
		.parser = take,
		.args_doc = p->command->args,
		.doc = p->command->help,
		.children = hdfs_child };
	if (asprintf(&rest[0], "quern fs %s", p->command->name) < 0) {
		(void)fputs("quern: out of memory\n", stderr);
		exit(1);
	}
	f->name = rest[0];
	f->args = NULL;
	f->n = 0;
	if (argp_parse(&command, n, rest, 0, NULL, p) != 0)
		exit(2);
}

/* ---- Running it ---- */

void fs_flush(struct fs *f)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	fs_end_by_pipe(-errno);
	(void)fprintf(stderr, "%s: standard output: %s\n", f->name, strerror(errno));
	exit(1);
}

int command_fs(int argc, char **argv)
{
	struct fs f = { 0 };
	struct parsing p = { .f = &f };
	struct err err = { "" };

	argp_err_exit_status = 2;
	parse(&f, argc, argv, &p);
	fs_catch_signals();
	int r = hdfs_options_settle(&f.options, &err);
	if (r == 0)
		r = hdfs_pool_new(&f.options.access, &f.pool, &err);
	if (r < 0) {
		fs_fail(&f, &err);
		f.status = r == -ENOMEM ? 1 : 2;
	} else {
		hdfs_pool_on_waiting(f.pool, on_waiting, &f);
		p.command->run(&f);
		fs_copy_end(&f);
		fs_warn(&f);
		fs_flush(&f);
	}
	f.pool = hdfs_pool_free(f.pool);
	hdfs_options_deinit(&f.options);
	free((char *)f.name);
	return fs_interrupted() != 0 ? 128 + fs_interrupted() : f.status;
}
