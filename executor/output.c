#include "executor/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/write.h"
#include "executor/bytes.h"
#include "executor/encode.h"
#include "executor/seq.h"
#include "job/records.h"
#include "job/stage.h"

enum { PART_BUFFER = 256 << 10, NUMBER_MAX = 32 /* characters of a printed number */ };

struct part {
	struct quern_out in;
	Quern__ValueType key_type, value_type;
	bool has_key;
	int fd;
	char *path;
	const char *name; /* end of path: what is below _temporary */
	bool made, finished;
	struct buf out;          /* printed */
	struct encoder *encoder; /* NULL: the file is plain, or has records */
	struct seq_writer *seq;  /* NULL: it has no records */
	struct buf packed;       /* compressed */
	uint64_t records, bytes;
	struct flow *flow;
};

static int part_open(struct part *p, const Quern__Sink *sink, const Quern__Task *task, struct err *err)
{
	if (asprintf(&p->path, "%s/_temporary/%u.%u.%u/part-%05u%s", sink->path, task->stage, task->partition,
		    task->attempt, task->partition, sink_suffix(sink)) < 0) {
		p->path = NULL;
		return err_set(err, -ENOMEM, "output: out of memory");
	}
	p->name = p->path + strlen(sink->path) + strlen("/_temporary/");

	char *slash = strrchr(p->path, '/');
	*slash = '\0';
	int r = mkdir(p->path, 0777) < 0 && errno != EEXIST ? -errno : 0;
	if (r < 0)
		(void)err_errno(err, r, "output: cannot make folder '%s'", p->path);
	*slash = '/';
	if (r < 0)
		return r;
	/* An attempt that is run again, since word of its end was lost, must not touch what it wrote before.
	 */
	p->fd = open(p->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (p->fd < 0)
		return err_errno(err, -errno, "output '%s'", p->path);
	p->made = true;
	return 0;
}

/* Writes all of `b` and empties it. */
static int part_write(struct part *p, struct buf *b)
{
	int r = write_all(p->fd, b->data, b->len);
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

static size_t print_u64(char *to, uint64_t v)
{
	char digits[NUMBER_MAX];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	for (size_t i = 0; i < n; i++)
		to[i] = digits[n - 1 - i];
	return n;
}

static size_t print_i64(char *to, uint64_t bits)
{
	if (bits >> 63 == 0)
		return print_u64(to, bits);
	to[0] = '-';
	return 1 + print_u64(to + 1, -bits);
}

/* With as few digits as give the same number back. */
static size_t print_double(char *to, uint64_t bits)
{
	double v;
	int n = 0;

	memcpy(&v, &bits, sizeof(v));
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(to, NUMBER_MAX, "%.*g", digits, v);
		if (strtod(to, NULL) == v)
			break;
	}
	return (size_t)n;
}

static int put_field(struct part *p, Quern__ValueType type, quern_slice s)
{
	if (type == QUERN__VALUE_TYPE__BYTES)
		return buf_add(&p->out, s.ptr, s.len);
	if (s.len != 8) {
		flow_fail_record(p->flow, -EINVAL,
			"output: a field of %zu bytes is to be printed as a number, which has 8", s.len);
		return 0;
	}
	int r = buf_reserve(&p->out, NUMBER_MAX);
	if (r < 0)
		return r;
	char *to = (char *)p->out.data + p->out.len;
	uint64_t bits = get_le64(s.ptr);
	p->out.len += type == QUERN__VALUE_TYPE__U64   ? print_u64(to, bits)
		      : type == QUERN__VALUE_TYPE__I64 ? print_i64(to, bits)
						       : print_double(to, bits);
	return 0;
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

/* A record went into p->out, or failed. */
static void part_added(struct part *p, int r)
{
	p->records++;
	if (r == 0 && p->out.len >= PART_BUFFER)
		r = part_flush(p);
	if (r < 0)
		flow_fail(p->flow, r, r == -EMSGSIZE, "output '%s': %s", p->path, strerror(-r));
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
	p->fd = -1;
	p->out = p->packed = BUF_INIT(SIZE_MAX / 2);
	p->flow = flow;
	int r = part_begin(p, sink, keep, err);
	if (r == 0)
		r = part_open(p, sink, task, err);
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
	int fd = p->fd;

	/* The commit's rename must not outlive the bytes. */
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	p->fd = -1;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r < 0)
		return err_errno(err, r, "output '%s'", p->path);
	p->finished = true;
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
	if (p->fd >= 0)
		(void)close(p->fd);
	if (p->made && !p->finished) {
		(void)unlink(p->path);
		*strrchr(p->path, '/') = '\0';
		(void)rmdir(p->path);
	}
	free(p->path);
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
