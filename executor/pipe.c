#include "executor/pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "executor/command.h"
#include "executor/gate.h"
#include "executor/reader.h"
#include "executor/text.h"

enum {
	FEED = 64 << 10, /* bytes that are written at a time */
	KEEP = 1 << 20   /* bytes of a buffer that stay allocated for the next line */
};

struct pipe {
	struct stateful step;
	struct gate gate;  /* before the next step */
	struct flow *flow; /* borrowed */
	struct command *command;
	struct reports reports;
	char *text; /* of the command */
	bool values;
	Quern__ValueType key_type, value_type; /* of what goes in */
	uint32_t key_fields;
	quern_slice in_separator, out_separator; /* in `separators` */
	char *separators;
	struct buf to;   /* lines that the command has not got yet */
	struct buf line; /* the beginning of one of its own */
};

/* ---- Lines from it ---- */

/* A large line is rare: its memory is not kept for the next. */
static void empty(struct buf *b)
{
	if (b->cap > KEEP)
		buf_deinit(b);
	else
		buf_clear(b);
}

/* Through the gate: what is behind it is about this line alone, and must not be left by a jump for more. */
static void give(struct pipe *p, quern_slice key, quern_slice value)
{
	p->gate.in.emit(&p->gate.in, key, value);
}

/* The key is what stands before separator number `key_fields`; the whole line if there are not so many. */
static void give_line(struct pipe *p, const char *line, size_t len)
{
	const char *at = line, *end = line + len, *found = NULL;

	if (p->key_fields == 0) {
		give(p, quern_bytes(NULL, 0), quern_bytes(line, len));
		return;
	}
	for (uint32_t i = 0; i < p->key_fields; i++) {
		found = memmem(at, (size_t)(end - at), p->out_separator.ptr, p->out_separator.len);
		if (found == NULL)
			break;
		at = found + p->out_separator.len;
	}
	if (found == NULL)
		found = at = end;
	give(p, quern_bytes(line, (size_t)(found - line)), quern_bytes(at, (size_t)(end - at)));
}

/* Adds to the line that is not complete. */
static void keep(struct pipe *p, const char *data, size_t len)
{
	int r = buf_add(&p->line, data, len);

	if (r == -EMSGSIZE)
		flow_fail(p->flow, r, true, "the command '%.200s' printed a line of more than %d bytes",
			p->text, READER_LINE_MAX);
	else if (r < 0)
		flow_fail(p->flow, r, false, "out of memory for a line of the command '%.200s'", p->text);
}

static bool take_output(void *arg, const char *data, size_t len)
{
	struct pipe *p = arg;
	const char *newline, *end = data + len;

	if (p->line.len > 0 && (newline = memchr(data, '\n', len)) != NULL) {
		keep(p, data, (size_t)(newline - data));
		data = newline + 1;
		if (!p->flow->stop)
			give_line(p, (const char *)p->line.data, p->line.len);
		empty(&p->line);
	}
	while (!p->flow->stop && (newline = memchr(data, '\n', (size_t)(end - data))) != NULL) {
		give_line(p, data, (size_t)(newline - data));
		data = newline + 1;
	}
	if (!p->flow->stop)
		keep(p, data, (size_t)(end - data));
	return !p->flow->stop;
}

static void take_errors(void *arg, const char *data, size_t len)
{
	struct pipe *p = arg;

	reports_take(&p->reports, data, len);
}

/* ---- Its end ---- */

static void complain(struct pipe *p, int status)
{
	const struct reports *r = &p->reports;
	char words[128];

	status_words(status, words, sizeof(words));
	flow_fail(p->flow, -EIO, false, "the command '%.200s' %s%s%s%s%s", p->text, words,
		r->last[0] != '\0' ? "; it said: " : "", r->last, r->status[0] != '\0' ? "; it was at: " : "",
		r->status);
}

/* Listens until it has ended. */
static void end(struct pipe *p)
{
	int status = 0, r = command_end(p->command, &status);

	reports_end(&p->reports);
	if (r < 0)
		flow_fail(p->flow, r, false, "how the command '%.200s' ended is not known: %s", p->text,
			strerror(-r));
	else if (r == 0 && status != 0)
		complain(p, status);
	if (p->line.len > 0 && !p->flow->stop)
		give_line(p, (const char *)p->line.data, p->line.len);
}

/* ---- Lines to it ---- */

static void feed(struct pipe *p)
{
	int r = command_write(p->command, (const char *)p->to.data, p->to.len);

	empty(&p->to);
	if (r == COMMAND_FAILED)
		end(p);
	else if (r < 0)
		flow_fail(p->flow, r, false, "the command '%.200s' cannot be written to: %s", p->text,
			strerror(-r));
}

/* Appends a record's line. 0, TEXT_MISFIT, or -errno. */
static int put_line(struct pipe *p, quern_slice key, quern_slice value)
{
	int r = 0;

	if (key.ptr != NULL && !p->values) {
		r = text_put(&p->to, p->key_type, key);
		if (r == 0)
			r = buf_add(&p->to, p->in_separator.ptr, p->in_separator.len);
	}
	if (r == 0)
		r = text_put(&p->to, p->value_type, value);
	return r != 0 ? r : buf_add(&p->to, "\n", 1);
}

static void take_record(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct pipe *p = (struct pipe *)out;
	int r;

	if (p->flow->stop)
		return;
	r = put_line(p, key, value);
	if (r == TEXT_MISFIT)
		flow_fail_record(p->flow, -EINVAL, "the command '%.200s': " TEXT_MISFIT_WORDS, p->text,
			key.len != 8 && p->key_type != QUERN__VALUE_TYPE__BYTES ? key.len : value.len);
	else if (r < 0)
		flow_fail(p->flow, r, false, "out of memory for a record of %zu bytes", key.len + value.len);
	else if (p->to.len >= FEED)
		feed(p);
}

/* ---- Its life ---- */

/* The environment of the task with the pipe's own behind it, which wins. The array is the caller's to free().
 */
static char **environment_of(const struct pipe_config *config)
{
	size_t n = 0;

	while (config->environment != NULL && config->environment[n] != NULL)
		n++;
	char **ret = calloc(n + config->pipe->n_environment + 1, sizeof(*ret));
	for (size_t i = 0; ret != NULL && i < n; i++)
		ret[i] = config->environment[i];
	for (size_t i = 0; ret != NULL && i < config->pipe->n_environment; i++)
		ret[n + i] = config->pipe->environment[i];
	return ret;
}

static quern_slice separator(protobuf_c_boolean there, const ProtobufCBinaryData *b)
{
	return there ? quern_bytes(b->data, b->len) : quern_str("\t");
}

/* 0 or -ENOMEM. */
static int copy_words(struct pipe *p, const Quern__Pipe *from)
{
	quern_slice in = separator(from->has_in_separator, &from->in_separator);
	quern_slice out = separator(from->has_out_separator, &from->out_separator);

	p->text = strdup(from->command);
	p->separators = malloc(in.len + out.len + 1);
	if (p->text == NULL || p->separators == NULL)
		return -ENOMEM;
	memcpy(p->separators, in.ptr, in.len);
	memcpy(p->separators + in.len, out.ptr, out.len);
	p->in_separator = quern_bytes(p->separators, in.len);
	p->out_separator = quern_bytes(p->separators + in.len, out.len);
	p->values = from->values;
	p->key_type = from->key_type;
	p->value_type = from->value_type;
	p->key_fields = from->key_fields;
	return 0;
}

static void finish(struct stateful *step)
{
	struct pipe *p = (struct pipe *)step;

	feed(p);
	if (!p->flow->stop)
		end(p);
}

static struct stateful *pipe_free(struct stateful *step)
{
	struct pipe *p = (struct pipe *)step;

	(void)command_free(p->command);
	reports_deinit(&p->reports);
	buf_deinit(&p->to);
	buf_deinit(&p->line);
	free(p->separators);
	free(p->text);
	free(p);
	return NULL;
}

static int start(struct pipe *p, const struct pipe_config *config, struct err *err)
{
	auto_free char **environment = environment_of(config);

	if (environment == NULL || copy_words(p, config->pipe) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	const struct command_config command = { .text = p->text,
		.directory = config->directory,
		.environment = environment,
		.output = take_output,
		.errors = take_errors,
		.arg = p };
	return command_start(&command, &p->command, err);
}

int pipe_new(const struct pipe_config *config, struct quern_out *next, struct stateful **ret, struct err *err)
{
	struct pipe *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	p->step = (struct stateful){ .in = { take_record }, .finish = finish, .free = pipe_free };
	gate_init(&p->gate, next, config->flow->task);
	p->flow = config->flow;
	p->to = BUF_INIT(SIZE_MAX);
	p->line = BUF_INIT(READER_LINE_MAX);
	reports_init(&p->reports, STDERR_FILENO, config->count, config->count_arg);
	int r = start(p, config, err);
	if (r < 0)
		(void)pipe_free(&p->step);
	else
		*ret = &p->step;
	return r;
}
