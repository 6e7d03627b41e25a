#include "job/source_splits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "job/records.h"

static Quern__Split *add_split(struct input_splits *s)
{
	Quern__Split *split = malloc(sizeof(*split));

	if (split == NULL)
		return NULL;
	quern__split__init(split);
	s->at[s->n++] = split;
	return split;
}

/* ---- Records ---- */

static bool add_records(struct input_splits *s, const uint8_t *from, const uint8_t *to)
{
	Quern__Split *split = add_split(s);
	size_t len = (size_t)(to - from);

	if (split == NULL)
		return false;
	split->has_records = true;
	split->records.data = malloc(len > 0 ? len : 1);
	if (split->records.data == NULL)
		return false;
	if (len > 0)
		memcpy(split->records.data, from, len);
	split->records.len = len;
	return true;
}

static size_t count_records(const ProtobufCBinaryData *records)
{
	const uint8_t *p = records->data, *end = p + records->len;
	quern_slice key, value;
	size_t n = 0;

	while (record_next_optional(&p, end, &key, &value) > 0)
		n++;
	return n;
}

/* The i-th of `n` pieces ends behind so many of `all`. */
static uint64_t end_of(uint64_t all, uint64_t i, uint64_t n)
{
	return all / n * (i + 1) + (i + 1 < all % n ? i + 1 : all % n);
}

static bool cut_records(const ProtobufCBinaryData *records, uint64_t n, struct input_splits *ret)
{
	const uint8_t *p = records->data, *end = p + records->len;
	size_t all = count_records(records), taken = 0;
	quern_slice key, value;
	bool good = true;

	for (uint64_t i = 0; i < n && good; i++) {
		const uint8_t *from = p;

		while (taken < end_of(all, i, n) && record_next_optional(&p, end, &key, &value) > 0)
			taken++;
		good = add_records(ret, from, p);
	}
	ret->bytes = records->len;
	return good;
}

/* ---- Ranges ---- */

static bool cut_range(const Quern__Range *range, uint64_t n, struct input_splits *ret)
{
	uint64_t all = range->end > range->start ? range->end - range->start : 0, from = 0;

	for (uint64_t i = 0; i < n; i++) {
		Quern__Split *split = add_split(ret);

		if (split == NULL || (split->range = malloc(sizeof(*split->range))) == NULL)
			return false;
		quern__range__init(split->range);
		split->range->start = range->start + from;
		from = end_of(all, i, n);
		split->range->end = range->start + from;
	}
	return true;
}

/* ---- All ---- */

/* How many pieces. */
static uint64_t pieces_of(const Quern__Source *source, const struct input_config *config)
{
	uint64_t n = source->pieces, most;

	if (n == 0) {
		uint64_t large = source->has_records ? source->records.len / SOURCE_RECORDS_SPLIT + 1 : 1;

		n = config->parallelism > large ? config->parallelism : large;
	}
	if (source->has_records)
		most = count_records(&source->records);
	else
		most = source->range->end > source->range->start ? source->range->end - source->range->start
								 : 0;
	n = n < most ? n : most;
	n = n < INPUT_SPLITS_MAX ? n : INPUT_SPLITS_MAX;
	return n > 0 ? n : 1;
}

int source_splits(const Quern__Source *source, const struct input_config *config, struct input_splits *ret,
	struct err *err)
{
	struct input_config files = *config;

	if (source->n_text > 0) {
		files.pieces = source->pieces;
		files.format = source->format;
		files.width = source->width;
		files.file_each = source->file_each;
		return input_splits(source->text, source->n_text, &files, ret, err);
	}
	struct input_splits splits = { 0 };
	uint64_t n = pieces_of(source, config);
	splits.at = calloc(n, sizeof(*splits.at));
	bool good = splits.at != NULL && (source->has_records ? cut_records(&source->records, n, &splits)
							      : cut_range(source->range, n, &splits));
	if (!good) {
		if (splits.at != NULL)
			input_splits_deinit(&splits);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = splits;
	return 0;
}
