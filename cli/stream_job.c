/* stream_job.c: the job of `quern stream`: what other programs make of lines, as Hadoop Streaming has it. It
 * uses what any job may use. Its arguments are NAME=VALUE; cli/stream.c makes them.
 *
 *     texts -> map -> [sort -> combine] -> partition and sort -> reduce -> text */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quern/quern.h>

enum { VARIABLES_MAX = 1000 };

struct stream {
	const char *map, *combine, *reduce; /* reduce NULL: what map gives is written as it is */
	const char *output, *separator;     /* separator NULL: a tab */
	uint32_t reducers;
	uint32_t key_fields, partition_fields;
	unsigned order;
	bool numeric;
	enum quern_codec codec;
	const char *environment[VARIABLES_MAX + 1];
	size_t n_environment;
	quern_set *lines; /* NULL: no input so far */
};

/* ---- Arguments ---- */

static void add_input(quern_job *job, struct stream *s, const char *path)
{
	quern_set *text = quern_text(job, path);

	s->lines = s->lines != NULL ? quern_union(s->lines, text) : text;
}

static void add_variable(struct stream *s, const char *text)
{
	if (s->n_environment == VARIABLES_MAX)
		quern_fail("more than %d variables", VARIABLES_MAX);
	s->environment[s->n_environment++] = text;
}

static uint32_t number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (end == text || *end != '\0' || n > UINT32_MAX)
		quern_fail("'%s' is no number", text);
	return (uint32_t)n;
}

static enum quern_codec codec(const char *text)
{
	if (strcmp(text, "gzip") != 0 && strcmp(text, "zstd") != 0)
		quern_fail("'%s': there are gzip and zstd", text);
	return strcmp(text, "gzip") == 0 ? QUERN_GZIP : QUERN_ZSTD;
}

static void take_order(struct stream *s, const char *text)
{
	s->numeric = strncmp(text, "numeric", strlen("numeric")) == 0;
	s->order = strstr(text, "reverse") != NULL ? QUERN_DESCENDING : QUERN_ASCENDING;
}

static void take(quern_job *job, struct stream *s, const char *argument)
{
	const char *equals = strchr(argument, '='), *value = equals != NULL ? equals + 1 : "";
	const size_t len = equals != NULL ? (size_t)(equals - argument) : strlen(argument);
	const struct {
		const char *name, **value;
	} texts[] = { { "map", &s->map }, { "combine", &s->combine }, { "reduce", &s->reduce },
		{ "output", &s->output }, { "separator", &s->separator } };
	const struct {
		const char *name;
		uint32_t *value;
	} numbers[] = { { "reducers", &s->reducers }, { "key-fields", &s->key_fields },
		{ "partition-fields", &s->partition_fields } };

#define IS(what) (strlen(what) == len && strncmp(argument, what, len) == 0)
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (IS(texts[i].name)) {
			*texts[i].value = value;
			return;
		}
	}
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (IS(numbers[i].name)) {
			*numbers[i].value = number(value);
			return;
		}
	}
	if (IS("input"))
		add_input(job, s, value);
	else if (IS("env"))
		add_variable(s, value);
	else if (IS("compress"))
		s->codec = codec(value);
	else if (IS("order"))
		take_order(s, value);
	else
		quern_fail("unknown argument '%s'", argument);
#undef IS
}

/* ---- Keys ---- */

/* What the task of a key follows from. */
struct fields {
	uint32_t n, skip; /* the first n fields, behind so many bytes */
	char separator[32];
};

/* FNV-1a, its high bits folded in (http://www.isthe.com/chongo/tech/comp/fnv/). */
static uint32_t hash(quern_slice s)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < s.len; i++)
		h = (h ^ (unsigned char)s.ptr[i]) * 0x100000001b3;
	return (uint32_t)(h ^ h >> 32);
}

static uint32_t by_first_fields(quern_slice key, uint32_t partitions, void *arg)
{
	const struct fields *f = arg;
	const char *begin = key.ptr + f->skip, *end = key.ptr + key.len, *at = begin, *found = end;

	for (uint32_t i = 0; i < f->n && found != NULL; i++) {
		found = memmem(at, (size_t)(end - at), f->separator, strlen(f->separator));
		at = found != NULL ? found + strlen(f->separator) : end;
	}
	return hash(quern_bytes(begin, (size_t)((found != NULL ? found : end) - begin))) % partitions;
}

enum { NUMBER_SIZE = 8, DIGITS = 64 /* bytes of a key that are looked at for a number */ };

/* Puts the number that a key begins with before it, so that their bytes have the order of the numbers. */
static void put_number(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	char text[DIGITS + 1], *room = malloc(NUMBER_SIZE + key.len);
	quern_buffer b = { room, 0, NUMBER_SIZE + key.len };
	const size_t len = key.len < DIGITS ? key.len : DIGITS;

	(void)arg;
	if (room == NULL)
		quern_fail("out of memory for a key of %zu bytes", key.len);
	memcpy(text, key.ptr, len);
	text[len] = '\0';
	quern_encode_double(&b, strtod(text, NULL) + 0.0, QUERN_UP); /* + 0.0: -0 is 0 */
	quern_append(&b, key);
	quern_emit(out, quern_written(&b), value);
	free(room);
}

static void take_number_off(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, quern_bytes(key.ptr + NUMBER_SIZE, key.len - NUMBER_SIZE), value);
}

/* ---- The job ---- */

/* Sorted by keys; to be reduced as well: all records of a key in one of the partitions. */
static quern_set *sorted(const struct stream *s, quern_set *set, bool to_reduce)
{
	const bool by_fields = s->partition_fields > 0 && s->partition_fields < s->key_fields;
	struct fields fields = { .n = s->partition_fields, .skip = s->numeric ? NUMBER_SIZE : 0 };

	(void)snprintf(
		fields.separator, sizeof(fields.separator), "%s", s->separator != NULL ? s->separator : "\t");
	if (s->numeric)
		set = quern_map_pairs(set, put_number, NULL);
	if (to_reduce)
		set = quern_partition_and_sort(set, s->reducers, by_fields ? by_first_fields : NULL,
			by_fields ? QUERN_ARG(fields) : NULL, s->order);
	else
		set = quern_sort_partitions(set, s->order);
	return s->numeric ? quern_map_pairs(set, take_number_off, NULL) : set;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	struct stream s = { .reducers = 1, .key_fields = 1 };

	for (int i = 1; i < argc; i++)
		take(job, &s, argv[i]);
	if (s.lines == NULL || s.map == NULL || s.output == NULL)
		quern_fail("map=, input= and output= have to be there");
	const struct quern_pipe_options to_pairs = { .key_fields = s.reduce != NULL ? s.key_fields : 0,
		.key_separator = s.separator,
		.environment = s.environment };
	/* What combines prints what it was given: a key of those fields, a tab, and a value. */
	const struct quern_pipe_options again = { .key_fields = s.separator != NULL ? 1 : s.key_fields,
		.environment = s.environment };
	const struct quern_pipe_options to_lines = { .environment = s.environment };
	quern_set *set = quern_pipe_with(s.lines, s.map, &to_pairs);
	if (s.combine != NULL)
		set = quern_pipe_with(sorted(&s, set, false), s.combine, &again);
	if (s.reduce != NULL)
		set = quern_pipe_with(sorted(&s, set, true), s.reduce, &to_lines);
	return quern_save_text_compressed(set, s.output, s.codec);
}
