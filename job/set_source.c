/* set_source.c: where records come from. */
#include <inttypes.h>

#include "job/plan_check.h"
#include "job/records.h"
#include "job/set.h"

enum {
	RECORDS_MAX =
		15 << 20 /* bytes in memory that a plan carries: session.h has 1 MiB more for all else */
};

/* A set of a source of which nothing is said yet. */
static quern_set *set_source(quern_job *job)
{
	quern_set *set = set_new(job);

	if (set->error != NULL)
		return set;
	set->kind = SET_SOURCE;
	set->source = memory_take(&job->memory, sizeof(*set->source));
	if (set->source == NULL)
		return &job->no_memory;
	quern__source__init(set->source);
	return set;
}

/* The same of files; `what` names the caller. */
static quern_set *set_files(quern_job *job, const char *what, const char *path, Quern__Source__Format format)
{
	if (path == NULL || *path == '\0')
		return set_wrong(job, memory_format(&job->memory, "%s(): the path is %s", what,
					      path == NULL ? "NULL: is an argument missing?" : "empty"));
	quern_set *set = set_source(job);
	if (set->error != NULL)
		return set;
	set->source->has_format = format != QUERN__SOURCE__FORMAT__LINES;
	set->source->format = format;
	set->source->text = memory_take(&job->memory, sizeof(*set->source->text));
	if (set->source->text == NULL)
		return &job->no_memory;
	set->source->n_text = 1;
	set->source->text[0] = memory_copy(&job->memory, path, strlen(path));
	return set->source->text[0] != NULL ? set : &job->no_memory;
}

/* ---- Files ---- */

quern_set *quern_text(quern_job *job, const char *path)
{
	return set_files(job, "quern_text", path, QUERN__SOURCE__FORMAT__LINES);
}

quern_set *quern_text_pairs(quern_job *job, const char *path, const char *separator)
{
	size_t len = separator != NULL ? strlen(separator) : 0;

	if (len == 0 || len > PLAN_SEPARATOR_MAX || strchr(separator, '\n') != NULL)
		return set_wrong(
			job, "quern_text_pairs(): the separator is NULL, empty, too long, or has a newline");
	quern_set *set = set_files(job, "quern_text_pairs", path, QUERN__SOURCE__FORMAT__PAIRS);
	if (set->error != NULL)
		return set;
	set->has_key = true;
	set->source->has_separator = true;
	set->source->separator.len = len;
	set->source->separator.data = memory_copy(&job->memory, separator, len);
	return set->source->separator.data != NULL ? set : &job->no_memory;
}

quern_set *quern_whole_files(quern_job *job, const char *path)
{
	quern_set *set = set_files(job, "quern_whole_files", path, QUERN__SOURCE__FORMAT__WHOLE);

	if (set->error == NULL)
		set->has_key = true;
	return set;
}

quern_set *quern_fixed(quern_job *job, const char *path, uint32_t width)
{
	if (width == 0 || width > PLAN_WIDTH_MAX)
		return set_wrong(
			job, memory_format(&job->memory,
				     "quern_fixed(): a width of %" PRIu32 " bytes is not from 1 to %d", width,
				     PLAN_WIDTH_MAX));
	quern_set *set = set_files(job, "quern_fixed", path, QUERN__SOURCE__FORMAT__FIXED);
	if (set->error == NULL) {
		set->source->has_width = true;
		set->source->width = width;
	}
	return set;
}

quern_set *quern_seq(quern_job *job, const char *path)
{
	quern_set *set = set_files(job, "quern_seq", path, QUERN__SOURCE__FORMAT__SEQ);

	if (set->error == NULL)
		set->has_key = true; /* a record says itself whether it has one */
	return set;
}

quern_set *quern_checkpoint(quern_set *from, const char *path)
{
	quern_job *job = from->job;

	if (from->error != NULL)
		return from;
	if (quern_save_seq(from, path, QUERN_ZSTD) != 0)
		return set_wrong(job,
			"quern_checkpoint(): the set could not be saved, as was said when that was tried");
	quern_set *set = set_files(job, "quern_checkpoint", path, QUERN__SOURCE__FORMAT__SEQ);
	if (set->error == NULL) {
		set_types(set, from);
		set->source->has_file_each = set->source->file_each = true;
	}
	return set;
}

/* ---- Memory ---- */

/* A set of the records in `data`, which is freed. `r`: an error of making it. */
static quern_set *set_records(quern_job *job, const char *what, int r, struct buf *data)
{
	quern_set *set;

	if (r == -EMSGSIZE)
		set = set_wrong(job, memory_format(&job->memory,
					     "%s(): more than %d MiB, which is too much to travel with a "
					     "plan: write a file "
					     "and read that",
					     what, RECORDS_MAX >> 20));
	else
		set = r < 0 ? &job->no_memory : set_source(job);
	if (set->error == NULL) {
		set->source->has_records = true;
		set->source->records.len = data->len;
		set->source->records.data = memory_copy(&job->memory, data->data, data->len);
		if (set->source->records.data == NULL)
			set = &job->no_memory;
	}
	buf_deinit(data);
	return set;
}

quern_set *quern_lines_from(quern_job *job, const char *const *lines, size_t n)
{
	struct buf data = BUF_INIT(RECORDS_MAX);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = record_put_optional(&data, quern_bytes(NULL, 0), quern_str(lines[i]));
	return set_records(job, "quern_lines_from", r, &data);
}

quern_set *quern_records_from(quern_job *job, const quern_record *records, size_t n)
{
	struct buf data = BUF_INIT(RECORDS_MAX);
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = record_put_optional(&data, records[i].key, records[i].value);
	quern_set *set = set_records(job, "quern_records_from", r, &data);
	if (set->error == NULL)
		set->has_key = true;
	return set;
}

quern_set *quern_range(quern_job *job, uint64_t start, uint64_t end)
{
	quern_set *set = set_source(job);

	if (set->error != NULL)
		return set;
	set->value_type = QUERN__VALUE_TYPE__U64;
	set->source->range = memory_take(&job->memory, sizeof(*set->source->range));
	if (set->source->range == NULL)
		return &job->no_memory;
	quern__range__init(set->source->range);
	set->source->range->start = start;
	set->source->range->end = end;
	return set;
}

/* ---- Pieces ---- */

quern_set *quern_pieces(quern_set *from, uint32_t pieces)
{
	if (from->error != NULL)
		return from;
	if (from->kind != SET_SOURCE)
		return set_wrong(
			from->job, "quern_pieces(): the set is no source (quern_text(), quern_range(), ...)");
	if (from->source->file_each)
		return set_wrong(
			from->job, "quern_pieces(): a checkpoint has the partitions of what it was made of");
	quern_set *set = set_copy(from);
	if (set->error != NULL)
		return set;
	set->source = memory_take(&set->job->memory, sizeof(*set->source));
	if (set->source == NULL)
		return &set->job->no_memory;
	*set->source = *from->source;
	set->source->has_pieces = true;
	set->source->pieces = pieces;
	return set;
}
