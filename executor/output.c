#include "executor/output.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "executor/encode.h"
#include "executor/part_file.h"
#include "executor/seq.h"
#include "executor/text.h"
#include "job/records.h"
#include "job/stage.h"

enum { PART_BUFFER = 256 << 10 };

struct part {
	struct quern_out in;
	Quern__ValueType key_type, value_type;
	bool has_key;
	char *name; /* below _temporary */
	struct part_file *file;
	struct err err;          /* what the file said, once it has failed */
	struct buf out;          /* printed */
	struct encoder *encoder; /* NULL: the file is plain, or has records */
	struct seq_writer *seq;  /* NULL: it has no records */
	struct buf packed;       /* compressed */
	uint64_t records, bytes;
	struct flow *flow;
};

static int part_open(
	struct part *p, const Quern__Sink *sink, const Quern__Task *task, struct keep *keep, struct err *err)
{
	if (asprintf(&p->name, "%u.%u.%u.part-%05u%s", task->stage, task->partition, task->attempt,
		    task->partition, sink_suffix(sink)) < 0) {
		p->name = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	return part_file_new(sink->path, p->name, keep, &p->file, err);
}

/* Writes all of `b` and empties it. */
static int part_write(struct part *p, struct buf *b)
{
	int r = part_file_write(p->file, b->data, b->len, &p->err);
	if (r < 0)
		return r;
	p->bytes += b->len;
	buf_clear(b);
	return 0;
}

/* Writes what is buffered; compressed, when there is enough to be worth it. */
static int part_flush(struct part *p)
{
	if (p->encoder == NULL)
		return part_write(p, &p->out);
	int r = encoder_put(p->encoder, p->out.data, p->out.len, &p->packed);
	buf_clear(&p->out);
	return r == 0 && p->packed.len >= PART_BUFFER ? part_write(p, &p->packed) : r;
}

/* Writes everything. */
static int part_end(struct part *p)
{
	int r = p->seq != NULL ? seq_end(p->seq, &p->out) : 0;

	if (r == 0)
		r = part_flush(p);
	if (r < 0 || p->encoder == NULL)
		return r;
	r = encoder_end(p->encoder, &p->packed);
	return r < 0 ? r : part_write(p, &p->packed);
}

static int put_field(struct part *p, Quern__ValueType type, quern_slice s)
{
	int r = text_put(&p->out, type, s);

	if (r == TEXT_MISFIT)
		flow_fail_record(p->flow, -EINVAL, "output: " TEXT_MISFIT_WORDS, s.len);
	return r < 0 ? r : 0;
}

/* 0 or a negative errno. */
static int put_line(struct part *p, quern_slice key, quern_slice value)
{
	int r = 0;

	if (p->has_key && key.ptr != NULL) { /* NULL: this record has none (job/out.h) */
		r = put_field(p, p->key_type, key);
		if (r == 0)
			r = buf_add(&p->out, "\t", 1);
	}
	if (r == 0)
		r = put_field(p, p->value_type, value);
	return r < 0 ? r : buf_add(&p->out, "\n", 1);
}

/* Sets p->err where nobody has. */
static int why(struct part *p, int r)
{
	return p->err.text[0] != '\0' ? r : err_errno(&p->err, r, "output '%s'", p->name);
}

/* A record went into p->out, or failed. */
static void part_added(struct part *p, int r)
{
	p->records++;
	if (r == 0 && p->out.len >= PART_BUFFER)
		r = part_flush(p);
	if (r < 0) {
		(void)why(p, r);
		flow_fail(p->flow, r, r == -EMSGSIZE, "%s", p->err.text);
	}
}

static void emit_text(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct part *p = (struct part *)out;

	if (!p->flow->stop)
		part_added(p, put_line(p, key, value));
}

static void emit_raw(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct part *p = (struct part *)out;

	if (p->flow->stop)
		return;
	int r = buf_add(&p->out, key.ptr, key.len);
	part_added(p, r < 0 ? r : buf_add(&p->out, value.ptr, value.len));
}

static void emit_seq(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct part *p = (struct part *)out;

	if (!p->flow->stop)
		part_added(p, seq_add(p->seq, key, value, &p->out));
}

/* What the file's bytes are made with. */
static int part_begin(struct part *p, const Quern__Sink *sink, struct keep *keep, struct err *err)
{
	if (sink->kind != QUERN__SINK__KIND__SEQ) {
		p->in.emit = sink->kind == QUERN__SINK__KIND__RAW ? emit_raw : emit_text;
		return sink->codec == QUERN__CODEC__PLAIN ? 0 : encoder_new(sink->codec, &p->encoder, err);
	}
	p->in.emit = emit_seq;
	p->seq = malloc(sizeof(*p->seq));
	if (p->seq == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	int r = seq_writer_init(p->seq, sink, sink->codec == QUERN__CODEC__PLAIN ? 0 : SEQ_LEVEL, keep);
	return r < 0 ? err_errno(err, r, "output: random bytes for a seq file") : 0;
}

int part_new(const Quern__Sink *sink, const Quern__Task *task, struct keep *keep, struct flow *flow,
	struct part **ret, struct err *err)
{
	auto_part struct part *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_set(err, -ENOMEM, "output: out of memory");
	p->key_type = sink->key_type;
	p->value_type = sink->value_type;
	p->has_key = sink->has_key;
	p->out = p->packed = BUF_INIT(SIZE_MAX / 2);
	p->flow = flow;
	int r = part_begin(p, sink, keep, err);
	if (r == 0)
		r = part_open(p, sink, task, keep, err);
	if (r < 0)
		return r;
	*ret = p, p = NULL;
	return 0;
}

struct quern_out *part_in(struct part *p)
{
	return &p->in;
}

int part_finish(struct part *p, const char **ret, struct err *err)
{
	int r = part_end(p);

	if (r == 0)
		r = part_file_finish(p->file, &p->err);
	if (r < 0) {
		(void)why(p, r);
		return err_set(err, r, "%s", p->err.text);
	}
	*ret = p->name;
	return 0;
}

uint64_t part_records(const struct part *p)
{
	return p->records;
}

uint64_t part_bytes(const struct part *p)
{
	return p->bytes;
}

struct part *part_free(struct part *p)
{
	if (p == NULL)
		return NULL;
	p->file = part_file_free(p->file);
	free(p->name);
	buf_deinit(&p->out);
	buf_deinit(&p->packed);
	p->encoder = encoder_free(p->encoder);
	if (p->seq != NULL)
		seq_writer_deinit(p->seq);
	free(p->seq);
	free(p);
	return NULL;
}

static void collect_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct collect *c = (struct collect *)out;

	if (c->flow->stop)
		return;
	int r = record_put(&c->data, key, value);
	if (r == -EMSGSIZE)
		flow_fail(c->flow, r, true,
			"a task collects more than %d MiB for the driver: write a file with "
			"quern_save_text()",
			COLLECT_MAX >> 20);
	else if (r < 0)
		flow_fail(c->flow, r, false, "out of memory for collected records");
	else if (++c->records == c->limit)
		c->flow->stop = true;
}

static void count_emit(struct quern_out *out, quern_slice key, quern_slice value)
{
	struct collect *c = (struct collect *)out;

	(void)key, (void)value;
	c->records++;
}

void collect_init(struct collect *c, uint64_t limit, struct flow *flow)
{
	*c = (struct collect){ .in = { collect_emit },
		.data = BUF_INIT(COLLECT_MAX),
		.limit = limit == 0 ? UINT64_MAX : limit,
		.flow = flow };
}

void count_init(struct collect *c, struct flow *flow)
{
	*c = (struct collect){ .in = { count_emit }, .data = BUF_INIT(8), .flow = flow };
}

void collect_deinit(struct collect *c)
{
	buf_deinit(&c->data);
}
