#include "executor/split_read.h"

#include <errno.h>
#include <string.h>

#include "executor/bytes.h"
#include "job/records.h"

/* A line is a key, the separator and a value; or a key alone. */
static void take_line(struct quern_out *in, quern_slice key, quern_slice line)
{
	struct pairs *p = (struct pairs *)in;
	const char *end = line.ptr + line.len;
	const char *found = memmem(line.ptr, line.len, p->separator.ptr, p->separator.len);

	(void)key;
	if (found == NULL) {
		p->out->emit(p->out, line, quern_bytes(end, 0));
		return;
	}
	const char *value = found + p->separator.len;
	p->out->emit(p->out, quern_bytes(line.ptr, (size_t)(found - line.ptr)),
		quern_bytes(value, (size_t)(end - value)));
}

void split_reader_init(struct split_reader *r, const Quern__Source *source, struct keep *keep)
{
	*r = (struct split_reader){ .source = source, .lines = READER_INIT };
	r->lines.keep = keep;
	r->pairs.in.emit = take_line;
	r->pairs.separator = quern_bytes(source->separator.data, source->separator.len);
	binary_reader_init(&r->binary, keep);
	seq_reader_init(&r->seq, keep);
}

static void give_records(
	struct split_reader *r, const ProtobufCBinaryData *records, struct quern_out *out, struct flow *flow)
{
	const uint8_t *p = records->data, *end = p + records->len;
	quern_slice key, value;
	int e = 0;

	while (!flow->stop && (e = record_next_optional(&p, end, &key, &value)) > 0) {
		r->records++;
		out->emit(out, key, value);
	}
	if (e < 0)
		flow_fail(flow, e, true, "the records of a split are none");
	r->bytes += records->len;
}

static void give_range(
	struct split_reader *r, const Quern__Range *range, struct quern_out *out, struct flow *flow)
{
	uint8_t number[8];

	for (uint64_t i = range->start; i < range->end && !flow->stop; i++) {
		put_le64(number, i);
		r->records++;
		out->emit(out, quern_bytes(NULL, 0), quern_bytes(number, sizeof(number)));
	}
}

/* The files of a format that is not lines. */
static void read_files(
	struct split_reader *r, const Quern__Split *split, struct quern_out *out, struct flow *flow)
{
	if (r->source->format == QUERN__SOURCE__FORMAT__FIXED && r->source->width == 0)
		flow_fail(flow, -EINVAL, true, "records of no bytes");
	for (size_t i = 0; i < split->n_extents && !flow->stop; i++) {
		if (flow->task != NULL)
			flow->task->path = split->extents[i]->path;
		switch (r->source->format) {
		case QUERN__SOURCE__FORMAT__WHOLE:
			binary_reader_whole(&r->binary, split->extents[i], out, flow);
			break;
		case QUERN__SOURCE__FORMAT__FIXED:
			binary_reader_fixed(&r->binary, split->extents[i], r->source->width, out, flow);
			break;
		case QUERN__SOURCE__FORMAT__SEQ:
			seq_reader_run(&r->seq, split->extents[i], out, flow);
			break;
		default:
			flow_fail(flow, -EINVAL, true, "a source of an unknown format %d",
				(int)r->source->format);
			break;
		}
	}
}

void split_reader_run(
	struct split_reader *r, const Quern__Split *split, struct quern_out *out, struct flow *flow)
{
	if (split->has_records)
		give_records(r, &split->records, out, flow);
	if (split->range != NULL)
		give_range(r, split->range, out, flow);
	switch (r->source->format) {
	case QUERN__SOURCE__FORMAT__LINES:
		reader_run(&r->lines, split, out, flow);
		break;
	case QUERN__SOURCE__FORMAT__PAIRS:
		r->pairs.out = out;
		reader_run(&r->lines, split, &r->pairs.in, flow);
		break;
	default:
		read_files(r, split, out, flow);
		break;
	}
}

uint64_t split_reader_records(const struct split_reader *r)
{
	return r->records + r->lines.records + r->binary.records + r->seq.records;
}

uint64_t split_reader_bytes(const struct split_reader *r)
{
	return r->bytes + r->lines.bytes + r->binary.bytes + r->seq.bytes;
}

void split_reader_deinit(struct split_reader *r)
{
	if (r->source == NULL)
		return;
	reader_deinit(&r->lines);
	binary_reader_deinit(&r->binary);
	seq_reader_deinit(&r->seq);
}
