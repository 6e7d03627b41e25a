/* stream_property.c: -D KEY=VALUE of `quern stream`: the properties of Hadoop's that mean something here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/parse.h"
#include "cli/stream.h"
#include "job/pipe_check.h"
#include "job/plan_check.h"

enum { FIELDS_MAX = 1000 };

/* ---- Values ---- */

int stream_set_reducers(struct stream_options *s, const char *value, struct err *err)
{
	return parse_count(value, 0, PLAN_PARTITIONS_MAX, &s->reducers, err);
}

int stream_set_key_fields(struct stream_options *s, const char *value, struct err *err)
{
	return parse_count(value, 1, FIELDS_MAX, &s->key_fields, err);
}

int stream_set_partition_fields(struct stream_options *s, const char *value, struct err *err)
{
	return parse_count(value, 1, FIELDS_MAX, &s->partition_fields, err);
}

/* "\t" is what a shell makes hard to say. */
int stream_set_separator(struct stream_options *s, const char *value, struct err *err)
{
	size_t len = strlen(value);

	if (len < 1 || len > PIPE_SEPARATOR_MAX || strchr(value, '\n') != NULL)
		return err_set(err, -EINVAL, "'%.100s' is no separator: 1 to %d bytes, no newline", value,
			PIPE_SEPARATOR_MAX);
	s->separator = strcmp(value, "\\t") == 0 || strcmp(value, "\t") == 0 ? NULL : value;
	return 0;
}

int stream_set_codec(struct stream_options *s, const char *value, struct err *err)
{
	if (strcmp(value, "gzip") != 0 && strcmp(value, "zstd") != 0)
		return err_set(err, -EINVAL, "unknown compression '%s': there are gzip and zstd", value);
	s->codec = value;
	return 0;
}

static int set_name(struct stream_options *s, const char *value, struct err *err)
{
	return options_set(&s->run, "quern.name", value, err);
}

static int set_attempts(struct stream_options *s, const char *value, struct err *err)
{
	return options_set(&s->run, "quern.task.max.failures", value, err);
}

static int set_memory(struct stream_options *s, const char *value, struct err *err)
{
	return options_set(&s->run, "quern.task.memory", value, err);
}

/* stream.c holds it against the other one. */
static int set_key_separator(struct stream_options *s, const char *value, struct err *err)
{
	(void)err;
	s->key_separator = value;
	return 0;
}

/* "-k1,2": of the key's fields the first two. Others than the first ones cannot be chosen. */
static int set_partition(struct stream_options *s, const char *value, struct err *err)
{
	if (strcmp(value, "-k1") == 0) {
		s->partition_fields = 0;
		return 0;
	}
	if (strncmp(value, "-k1,", 4) != 0)
		return err_set(err, -EINVAL, "'%s': only -k1,N can be done: the first N fields", value);
	return stream_set_partition_fields(s, value + 4, err);
}

/* "-nr", "-k1nr", "-n -r": the key as a whole. */
static int set_order(struct stream_options *s, const char *value, struct err *err)
{
	bool numeric = false, reverse = false;

	for (const char *p = value; *p != '\0'; p++) {
		if (strncmp(p, "k1", 2) == 0 && p > value && p[-1] == '-')
			p++;
		else if (*p == 'n')
			numeric = true;
		else if (*p == 'r')
			reverse = true;
		else if (*p != '-' && *p != ' ')
			return err_set(
				err, -EINVAL, "'%s': only -n and -r can be done, of the whole key", value);
	}
	s->numeric = numeric;
	s->reverse = reverse;
	return 0;
}

static int set_compress(struct stream_options *s, const char *value, struct err *err)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return err_set(err, -EINVAL, "'%s': true or false", value);
	if (value[0] == 'f')
		s->codec = NULL;
	else if (s->codec == NULL)
		s->codec = "gzip";
	return 0;
}

/* By the name of Hadoop's class. */
static int set_compress_codec(struct stream_options *s, const char *value, struct err *err)
{
	const char *dot = strrchr(value, '.'), *name = dot != NULL ? dot + 1 : value;

	if (strcmp(name, "GzipCodec") == 0)
		return stream_set_codec(s, "gzip", err);
	if (strcmp(name, "ZStandardCodec") == 0)
		return stream_set_codec(s, "zstd", err);
	return err_set(err, -EINVAL, "'%s': there are GzipCodec and ZStandardCodec", value);
}

/* ---- Names ---- */

static const struct property {
	const char *name, *old; /* `old`: as earlier versions of Hadoop had it; or NULL */
	int (*set)(struct stream_options *s, const char *value, struct err *err);
} properties[] = {
	{ "mapreduce.job.name", "mapred.job.name", set_name },
	{ "mapreduce.job.reduces", "mapred.reduce.tasks", stream_set_reducers },
	{ "mapreduce.map.maxattempts", "mapred.map.max.attempts", set_attempts },
	{ "mapreduce.map.memory.mb", NULL, set_memory },
	{ "mapreduce.map.output.key.field.separator", "map.output.key.field.separator", set_key_separator },
	{ "mapreduce.output.fileoutputformat.compress", "mapred.output.compress", set_compress },
	{ "mapreduce.output.fileoutputformat.compress.codec", "mapred.output.compression.codec",
		set_compress_codec },
	{ "mapreduce.partition.keycomparator.options", "mapred.text.key.comparator.options", set_order },
	{ "mapreduce.partition.keypartitioner.options", "mapred.text.key.partitioner.options",
		set_partition },
	{ "stream.map.output.field.separator", NULL, stream_set_separator },
	{ "stream.num.map.output.key.fields", NULL, stream_set_key_fields },
};

enum { PROPERTIES = sizeof(properties) / sizeof(properties[0]) };

static int unknown(const char *key, struct err *err)
{
	(void)err_set(err, -EINVAL, "-D: unknown property '%.100s': there are quern.*", key);
	for (size_t i = 0; i < PROPERTIES; i++) {
		size_t len = strlen(err->text);

		(void)snprintf(err->text + len, sizeof(err->text) - len, " %s", properties[i].name);
	}
	return -EINVAL;
}

int stream_property_set(struct stream_options *s, const char *property, struct err *err)
{
	const char *value = strchr(property, '=');
	auto_free char *key = value != NULL ? strndup(property, (size_t)(value - property)) : NULL;
	int r;

	if (value == NULL || value == property)
		return err_set(err, -EINVAL, "-D '%s': write KEY=VALUE", property);
	if (key == NULL)
		return err_set(err, -ENOMEM, "out of memory");
	value++;
	if (strncmp(key, "quern.", 6) == 0)
		return options_set(&s->run, key, value, err);
	for (size_t i = 0; i < PROPERTIES; i++) {
		const struct property *p = &properties[i];

		if (strcmp(p->name, key) != 0 && (p->old == NULL || strcmp(p->old, key) != 0))
			continue;
		r = p->set(s, value, err);
		return r < 0 ? err_prefix(err, r, "-D %s", key) : 0;
	}
	return unknown(key, err);
}
