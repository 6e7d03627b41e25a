/* identity_program.c: who one is in HDFS, without a job. With the options of `quern run` about HDFS:
 *
 *   mkdir URL    makes a folder: a line that says "done", or why not
 *   put URL      standard input to a new file, through DataNodes: likewise
 *   cat URL      a file to standard output, or one line that says why not
 *   tokens URL   as the driver of a job and an executor of it: takes tokens, then makes URL/NAME, with what
 *                executors are told and nothing else, for each line NAME on standard input; says how many
 * tokens there are, "ready", "done" for each; at its end cancels the tokens: "ended" */
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "cli/hdfs_options.h"
#include "hdfs_client/fs.h"
#include "hdfs_client/hdfs.h"
#include "scheduler/hdfs_tokens.h"

struct program {
	struct event_base *loop;
	struct hdfs_options options;
	const char *command, *url;
	struct event *input;
	struct hdfs_tokens *tokens;
	struct hdfs_access told; /* as an executor has it */
	int status;
};

static void say(const char *text)
{
	(void)puts(text);
	(void)fflush(stdout);
}

static void leave(struct program *p)
{
	(void)event_base_loopbreak(p->loop);
}

static void on_made(void *arg, int r, struct hdfs_answer *answer, const struct err *err)
{
	struct program *p = arg;

	(void)answer;
	say(r == 0 ? "done" : err->text);
	p->status = r == 0 ? 0 : 1;
	leave(p);
}

/* A file system of its own each time, as in another process. */
static void make(struct program *p, const struct hdfs_access *access, const char *url)
{
	struct err err = { "" };
	struct hdfs_url u;
	struct hdfs_fs *fs = NULL;

	int r = hdfs_url_parse(url, &u, &err);
	if (r == 0)
		r = hdfs_fs_new(p->loop, &u, access, &fs, &err);
	if (r == 0) {
		const struct hdfs_ask ask = {
			.op = HDFS_OP_MKDIRS, .path = u.path, .permission = HDFS_DEFAULT_PERMISSION
		};

		r = hdfs_fs_ask(fs, &ask, on_made, p, NULL, &err);
	}
	if (r == 0)
		(void)event_base_dispatch(p->loop);
	else
		on_made(p, r, NULL, &err);
	(void)hdfs_fs_free(fs);
	hdfs_url_deinit(&u);
}

/* ---- Bytes ---- */

static int put(struct hdfs *fs, const char *path, struct err *err)
{
	static const struct hdfs_create how = { .permission = HDFS_DEFAULT_PERMISSION };
	auto_hdfs_writer struct hdfs_writer *w = NULL;
	char bytes[1 << 16];
	size_t n;

	int r = hdfs_create(fs, path, &how, &w, err);
	while (r == 0 && (n = fread(bytes, 1, sizeof(bytes), stdin)) > 0)
		r = hdfs_write(w, bytes, n, err);
	return r < 0 ? r : hdfs_finish(w, err);
}

static int cat(struct hdfs *fs, const char *path, struct err *err)
{
	auto_hdfs_file struct hdfs_file *f = NULL;
	char bytes[1 << 16];
	uint64_t at = 0;
	ssize_t n = 0;

	int r = hdfs_open(fs, path, 0, UINT64_MAX, &f, NULL, err);
	for (; r == 0 && (n = hdfs_read(f, bytes, sizeof(bytes), at, err)) > 0; at += (uint64_t)n)
		(void)fwrite(bytes, 1, (size_t)n, stdout);
	return r < 0 ? r : (int)n;
}

static void move_bytes(struct program *p, bool up)
{
	auto_hdfs_pool struct hdfs_pool *pool = NULL;
	auto_free char *path = NULL;
	struct err err = { "" };
	struct hdfs *fs;

	int r = hdfs_pool_new(&p->options.access, &pool, &err);
	if (r == 0)
		r = hdfs_pool_get(pool, p->url, &fs, &path, &err);
	if (r == 0)
		r = up ? put(fs, path, &err) : cat(fs, path, &err);
	if (r < 0)
		say(err.text);
	else if (up)
		say("done");
	p->status = r < 0 ? 1 : 0;
}

/* ---- Tokens ---- */

static void on_changed(void *arg, const void *data, size_t len)
{
	struct program *p = arg;
	struct err err;

	hdfs_access_deinit(&p->told);
	if (hdfs_access_unpack(data, len, &p->told, &err) < 0)
		say(err.text);
	else
		(void)printf("executors have %zu token(s)%s\n", p->told.n_tokens,
			p->told.negotiate ? " and tickets" : "");
	(void)fflush(stdout);
}

static void on_ready(void *arg, int r, const char *why)
{
	struct program *p = arg;

	say(r == 0 ? "ready" : why);
	p->status = r == 0 ? 0 : 1;
	if (r < 0)
		leave(p);
}

static void on_ended(void *arg)
{
	say("ended");
	leave(arg);
}

static void on_warn(void *arg, const char *text)
{
	(void)arg;
	say(text);
}

static const struct hdfs_tokens_ops ops = {
	.changed = on_changed, .ready = on_ready, .ended = on_ended, .warn = on_warn
};

static void on_input(evutil_socket_t fd, short what, void *arg)
{
	struct program *p = arg;
	char line[256];
	auto_free char *url = NULL;

	(void)what;
	ssize_t n = read(fd, line, sizeof(line) - 1);
	if (n <= 0) {
		(void)event_del(p->input);
		if (!hdfs_tokens_end(p->tokens))
			on_ended(p);
		return;
	}
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	if (asprintf(&url, "%s/%s", p->url, line) < 0)
		exit(1);
	/* Not within the loop of the tokens: this one has a loop of its own. */
	struct program executor = { .loop = event_base_new() };
	if (executor.loop == NULL)
		exit(1);
	make(&executor, &p->told, url);
	event_base_free(executor.loop);
}

static void hold_tokens(struct program *p)
{
	struct err err = { "" };

	p->input = event_new(p->loop, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, p);
	if (p->input == NULL || event_add(p->input, NULL) < 0)
		exit(1);
	int r = hdfs_tokens_new(p->loop, &p->options.access, &ops, p, &p->tokens, &err);
	if (r == 0)
		r = hdfs_tokens_want(p->tokens, &p->url, 1, &err);
	if (r == 0)
		(void)event_base_dispatch(p->loop);
	else
		on_ready(p, r, err.text);
	(void)hdfs_tokens_free(p->tokens);
	event_free(p->input);
	hdfs_access_deinit(&p->told);
}

/* ---- The command line ---- */

static error_t take(int key, char *arg, struct argp_state *state)
{
	struct program *p = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &p->options;
		return 0;
	case ARGP_KEY_ARG:
		if (state->arg_num == 0)
			p->command = arg;
		else
			p->url = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

int main(int argc, char **argv)
{
	static const struct argp_child children[] = { { &hdfs_options_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = { .parser = take, .args_doc = "COMMAND URL", .children = children };
	struct program p = { .loop = event_base_new(), .status = 2 };
	struct err err = { "" };

	argp_err_exit_status = 2;
	if (p.loop == NULL || argp_parse(&argp, argc, argv, 0, NULL, &p) != 0 || p.url == NULL)
		return 2;
	if (hdfs_options_settle(&p.options, &err) < 0)
		say(err.text);
	else if (strcmp(p.command, "tokens") == 0)
		hold_tokens(&p);
	else if (strcmp(p.command, "put") == 0 || strcmp(p.command, "cat") == 0)
		move_bytes(&p, p.command[0] == 'p');
	else
		make(&p, &p.options.access, p.url);
	hdfs_options_deinit(&p.options);
	event_base_free(p.loop);
	return p.status;
}
