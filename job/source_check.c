#include "job/source_check.h"

#include <errno.h>
#include <inttypes.h>

#include "job/plan_check.h"
#include "job/records.h"

static int check_paths(const Quern__Source *s, struct err *err)
{
	if (s->n_text > PLAN_PATHS_MAX)
		return err_set(err, -EBADMSG, "%zu paths are more than %d", s->n_text, PLAN_PATHS_MAX);
	for (size_t i = 0; i < s->n_text; i++)
		if (s->text[i][0] == '\0')
			return err_set(err, -EBADMSG, "a path is empty");
	return 0;
}

/* What files are to be read as. */
static int check_format(const Quern__Source *s, struct err *err)
{
	if (protobuf_c_enum_descriptor_get_value(&quern__source__format__descriptor, (int)s->format) == NULL)
		return err_set(err, -EBADMSG, "files of unknown format %d", (int)s->format);
	if (s->format == QUERN__SOURCE__FORMAT__PAIRS &&
		(s->separator.len == 0 || s->separator.len > PLAN_SEPARATOR_MAX))
		return err_set(err, -EBADMSG, "a separator of %zu bytes is not from 1 to %d",
			s->separator.len, PLAN_SEPARATOR_MAX);
	if (s->format == QUERN__SOURCE__FORMAT__FIXED && (s->width == 0 || s->width > PLAN_WIDTH_MAX))
		return err_set(err, -EBADMSG, "records of %" PRIu32 " bytes are not from 1 to %d", s->width,
			PLAN_WIDTH_MAX);
	return 0;
}

static int check_records(const ProtobufCBinaryData *records, struct err *err)
{
	const uint8_t *p = records->data, *end = p + records->len;
	quern_slice key, value;
	int r;

	do {
		r = record_next_optional(&p, end, &key, &value);
	} while (r > 0);
	return r < 0 ? err_set(err, -EBADMSG, "what should be records is none") : 0;
}

int source_check(const Quern__Source *s, struct err *err)
{
	int kinds = (s->n_text > 0) + (s->n_shuffles > 0) + (s->has_records != 0) + (s->range != NULL);

	if (kinds != 1)
		return err_set(err, -EBADMSG, "the source is not exactly one");
	int r = check_paths(s, err);
	if (r == 0)
		r = check_format(s, err);
	return r == 0 ? check_records(&s->records, err) : r;
}
