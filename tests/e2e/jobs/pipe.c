/* pipe.c: quern_pipe() and quern_sort_partitions() among other steps: WHAT INPUT OUTPUT [MORE]. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <quern/quern.h>

static void ones(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

/* A line as a key. */
static void by_line(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, line, quern_str("value"));
}

/* Lines that do not end with a 7. */
static void no_sevens(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	if (line.len > 0 && line.ptr[line.len - 1] == '7')
		quern_bad_record("it ends with a 7");
	quern_put(out, line);
}

static int print(quern_slice key, quern_slice value, void *arg)
{
	(void)key;
	(void)arg;
	(void)printf("%.*s\n", (int)value.len, value.ptr);
	return 0;
}

/* How many records, twice: the second time from what was kept. */
static int persisted(quern_set *lines, const char *command)
{
	quern_set *set = quern_persist(quern_pipe(lines, command), QUERN_MEMORY);
	uint64_t a = 0, b = 0;

	int r = quern_count(set, &a);
	if (r == 0)
		r = quern_count(set, &b);
	(void)printf("%" PRIu64 " %" PRIu64 "\n", a, b);
	return r;
}

static int counters(quern_job *job, quern_set *lines, const char *command)
{
	uint64_t n;

	int r = quern_count(quern_pipe(lines, command), &n);
	(void)printf("%" PRId64 " %" PRId64 "\n", quern_counter_total(job, "group:lines"),
		quern_counter_total(job, "group:less"));
	return r;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	const char *what = argc > 3 ? argv[1] : "", *more = argc > 4 ? argv[4] : "cat";
	quern_set *lines = quern_text(job, argc > 2 ? argv[2] : NULL), *set = NULL;

	if (strcmp(what, "take") == 0)
		return quern_take(quern_pipe(lines, more), 3, print, NULL);
	if (strcmp(what, "persisted") == 0)
		return persisted(lines, more);
	if (strcmp(what, "counters") == 0)
		return counters(job, lines, more);
	if (strcmp(what, "counts") == 0)
		set = quern_pipe(
			quern_reduce_by_key(quern_flat_map(lines, ones, NULL), quern_sum_u64, NULL), more);
	else if (strcmp(what, "chain") == 0)
		set = quern_pipe(
			quern_flat_map(quern_pipe(quern_pipe(lines, "cat"), "cat -n"), no_sevens, NULL),
			"cut -f 2");
	else if (strcmp(what, "sort_partitions") == 0)
		set = quern_sort_partitions(quern_map(lines, by_line, NULL), QUERN_DESCENDING);
	else if (strcmp(what, "sort_before") == 0)
		set = quern_pipe(quern_sort_by_key(quern_union(lines, lines), QUERN_THEN_BY_VALUE), more);
	else if (strcmp(what, "sort_behind") == 0)
		set = quern_sort_by_key(quern_map(quern_pipe(lines, more), by_line, NULL), QUERN_ASCENDING);
	return set != NULL ? quern_save_text(set, argv[3]) : 1;
}
