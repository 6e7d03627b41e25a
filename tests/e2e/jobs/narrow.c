/* narrow.c: what quern.h does to values, partitions and their numbers, for narrow_test.py. A line is
 * "KEY<TAB>VALUE", or a value alone. A value that begins with '!' ends the first attempt that sees it: see
 * trouble(). */
#include <quern/quern.h>

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static quern_slice memory; /* of the job: the folder that remembers, with its NUL */

/* "!fail3" and "!kill3": the first attempt fails or dies, the folder `arg` remembers. '?' instead of '!':
 * only in a function that has a whole partition. */
static void trouble(quern_slice value, char mark, const char *arg)
{
	char path[512];

	if (value.len < 6 || value.ptr[0] != mark)
		return;
	(void)snprintf(path, sizeof(path), "%s/%.*s", arg, (int)value.len, value.ptr);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd < 0 || close(fd) < 0)
		return;
	if (value.ptr[1] == 'k')
		(void)kill(getpid(), SIGKILL);
	quern_fail("for once: %.*s", (int)value.len, value.ptr);
}

static void record(quern_slice line, quern_out *out, void *arg)
{
	const char *tab = line.len > 0 ? memchr(line.ptr, '\t', line.len) : NULL;
	quern_slice value = line;

	if (tab != NULL)
		value = quern_bytes(tab + 1, (size_t)(line.ptr + line.len - tab - 1));
	trouble(value, '!', arg);
	if (tab != NULL)
		quern_emit(out, quern_bytes(line.ptr, (size_t)(tab - line.ptr)), value);
	else
		quern_put(out, value);
}

/* ---- Values ---- */

static void reversed(quern_slice value, quern_out *out, void *arg)
{
	char *copy = malloc(value.len + 1);

	if (copy == NULL)
		quern_fail("no memory");
	for (size_t i = 0; i < value.len; i++)
		copy[i] = value.ptr[value.len - 1 - i];
	if (*(const int *)arg != 0)
		quern_emit(out, quern_str("not a key"), quern_bytes(copy, value.len));
	else
		quern_put(out, quern_bytes(copy, value.len));
	free(copy);
}

static void words(quern_slice value, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&value, &word))
		quern_put(out, word);
}

static void no_value(quern_slice value, quern_out *out, void *arg)
{
	(void)value, (void)out, (void)arg;
}

static void write_down(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) < 0)
		quern_fail("cannot write to %s", path);
}

/* What stands before the separator, that, and what stands behind it: room for 4 KiB. */
static quern_slice joined(char text[4096], quern_slice before, char separator, quern_slice behind)
{
	if (before.len + behind.len > 4000)
		quern_fail("too long");
	if (before.len > 0)
		memcpy(text, before.ptr, before.len);
	text[before.len] = separator;
	if (behind.len > 0)
		memcpy(text + before.len + 1, behind.ptr, behind.len);
	return quern_bytes(text, before.len + 1 + behind.len);
}

static void note(quern_slice key, quern_slice value, void *arg)
{
	char text[4096];
	quern_slice row = joined(text, key, '=', value);

	text[row.len] = '\n';
	write_down(arg, text, row.len + 1);
}

/* ---- Partitions ---- */

/* All records as they are, and at the end how many there were: "<partition> has <n>". */
static void numbered(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;
	char text[64];
	size_t n = 0;

	while (quern_next(records, &key, &value)) {
		trouble(value, '?', arg);
		n++;
		if (key.ptr != NULL)
			quern_emit(out, key, value);
		else
			quern_put(out, value);
	}
	int len = snprintf(text, sizeof(text), "%" PRIu32 " has %zu", partition, n);
	quern_put(out, quern_bytes(text, (size_t)len));
}

/* The first few of each partition. */
static void first_few(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;

	(void)partition;
	for (int i = 0; i < *(const int *)arg && quern_next(records, &key, &value); i++)
		quern_put(out, value);
}

/* Each record with the one before it: what a function keeps in its variables. */
static void neighbours(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;
	size_t before = 0;
	char text[64];

	(void)partition, (void)arg;
	while (quern_next(records, &key, &value)) {
		int len = snprintf(text, sizeof(text), "%zu %zu", before, value.len);
		quern_put(out, quern_bytes(text, (size_t)len));
		before = value.len;
	}
}

/* Never ends by itself. */
static void endless(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	(void)partition, (void)records, (void)arg;
	for (uint64_t i = 0;; i++)
		quern_emit_u64(out, quern_str("n"), i);
}

static void note_partition(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;
	char text[64];
	size_t n = 0;

	while (quern_next(records, &key, &value))
		n++;
	quern_put(out, quern_str("goes nowhere"));
	int len = snprintf(text, sizeof(text), "%" PRIu32 " %zu\n", partition, n);
	write_down(arg, text, (size_t)len);
}

static bool not_comment(quern_slice value, void *arg)
{
	(void)arg;
	return value.len == 0 || value.ptr[0] != '#';
}

/* ---- Numbers ---- */

static void with_number(uint64_t index, quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	char text[4096], number[32];

	(void)arg;
	(void)snprintf(number, sizeof(number), "%" PRIu64, index);
	if (index % 3 != 2) /* any number of records */
		quern_emit(out, key, joined(text, quern_str(number), ' ', value));
}

/* One record more each time that the job is looked at: file `arg` counts. */
static void other_each_time(quern_slice value, quern_out *out, void *arg)
{
	write_down(arg, ".", 1);
	int fd = open(arg, O_RDONLY);
	off_t n = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (n < 0 || close(fd) < 0)
		quern_fail("cannot look at a file");
	for (off_t i = 0; i < n; i++)
		quern_put(out, value);
}

/* ---- Where records go ---- */

static uint32_t by_length(quern_slice key, uint32_t partitions, void *arg)
{
	return (uint32_t)(key.len + *(const uint32_t *)arg) % partitions;
}

static uint32_t nowhere(quern_slice key, uint32_t partitions, void *arg)
{
	(void)arg;
	return key.len > 5 ? partitions : 0;
}

/* The number in a value, as key. */
static void number_as_key(quern_slice value, quern_out *out, void *arg)
{
	char text[32] = "";
	uint64_t bits;

	(void)arg;
	memcpy(text, value.ptr, value.len < 31 ? value.len : 31);
	bits = (uint64_t)strtoll(text, NULL, 10);
	quern_emit(out, quern_bytes(&bits, 8), value);
}

static uint32_t by_digit(quern_slice key, uint32_t partitions, void *arg)
{
	(void)arg;
	return (uint32_t)(quern_as_u64(key) % partitions);
}

static quern_set *moved(quern_set *set, const char *what, uint32_t n, const char *how)
{
	const uint32_t seven = 7;
	const unsigned order = (strchr(how, 'd') != NULL ? QUERN_DESCENDING : 0) |
			       (strchr(how, 'v') != NULL ? QUERN_THEN_BY_VALUE : 0);

	if (strcmp(what, "repartition") == 0)
		return quern_repartition(set, n);
	if (strcmp(what, "coalesce") == 0)
		return quern_coalesce(set, n);
	if (strcmp(what, "coalesce_union") == 0)
		return quern_coalesce(quern_union(quern_filter(set, not_comment, NULL), set), n);
	if (strcmp(what, "partition_by") == 0)
		return quern_partition_by(set, n, by_length, QUERN_ARG(seven));
	if (strcmp(what, "partition_by_nothing") == 0)
		return quern_partition_by(set, n, nowhere, NULL);
	if (strcmp(what, "partition_by_hash") == 0)
		return quern_partition_by(set, n, NULL, NULL);
	if (strcmp(what, "partition_and_sort") == 0)
		return quern_partition_and_sort(set, n, by_length, QUERN_ARG(seven), order);
	if (strcmp(what, "partition_and_sort_hash") == 0)
		return quern_partition_and_sort(set, n, NULL, NULL, order);
	if (strcmp(what, "partition_and_sort_numbers") == 0)
		return quern_partition_and_sort(
			quern_typed(quern_map(set, number_as_key, NULL), QUERN_I64, QUERN_BYTES), n, by_digit,
			NULL, order);
	return NULL;
}

static quern_set *sampled(quern_set *set, const char *what, double fraction, uint64_t seed)
{
	if (strcmp(what, "sample") == 0)
		return quern_sample(set, false, fraction, seed);
	if (strcmp(what, "sample_again") == 0)
		return quern_sample(set, true, fraction, seed);
	if (strcmp(what, "sample_union") == 0)
		return quern_union(quern_sample(set, false, fraction, seed),
			quern_sample(quern_filter(set, not_comment, NULL), false, fraction, seed));
	return NULL;
}

static quern_set *of_partitions(quern_set *set, const char *what, int n)
{
	if (strcmp(what, "map_partitions") == 0)
		return quern_map_partitions(set, numbered, &memory);
	if (strcmp(what, "map_partitions_twice") == 0)
		return quern_map_partitions(quern_map_partitions(set, numbered, &memory), numbered, &memory);
	if (strcmp(what, "map_partitions_sorted") == 0)
		return quern_sort_by_key(quern_map_partitions(set, numbered, &memory), QUERN_ASCENDING);
	if (strcmp(what, "map_partitions_union") == 0)
		return quern_union(quern_map_partitions(set, numbered, &memory),
			quern_map_partitions(set, numbered, &memory));
	if (strcmp(what, "first_few") == 0)
		return quern_map_partitions(set, first_few, QUERN_ARG(n));
	if (strcmp(what, "neighbours") == 0)
		return quern_map_partitions(set, neighbours, NULL);
	return NULL;
}

static quern_set *other(quern_set *set, const char *what)
{
	const int no = 0, yes = 1;

	if (strcmp(what, "map_values") == 0)
		return quern_map_values(set, reversed, QUERN_ARG(no));
	if (strcmp(what, "map_values_keys") == 0)
		return quern_map_values(set, reversed, QUERN_ARG(yes));
	if (strcmp(what, "map_values_wrong") == 0)
		return quern_map_values(set, no_value, NULL);
	if (strcmp(what, "map_values_typed") == 0)
		return quern_map_values(
			quern_typed(quern_map(set, number_as_key, NULL), QUERN_I64, QUERN_BYTES), reversed,
			QUERN_ARG(no));
	if (strcmp(what, "flat_map_values") == 0)
		return quern_flat_map_values(set, words, NULL);
	if (strcmp(what, "distinct") == 0)
		return quern_distinct(set);
	if (strcmp(what, "zip") == 0)
		return quern_zip_with_index(quern_filter(set, not_comment, NULL), with_number, NULL);
	if (strcmp(what, "zip_sorted") == 0)
		return quern_zip_with_index(quern_sort_by_key(set, QUERN_ASCENDING), NULL, NULL);
	if (strcmp(what, "zip_twice") == 0)
		return quern_zip_with_index(quern_union(quern_zip_with_index(set, with_number, NULL),
						    quern_zip_with_index(set, with_number, NULL)),
			with_number, NULL);
	return NULL;
}

static int print(quern_slice key, quern_slice value, void *arg)
{
	char text[4096];
	quern_slice row = joined(text, key, '=', value);

	(void)arg;
	return fwrite(row.ptr, 1, row.len, stdout) != row.len || putchar('\n') == EOF;
}

static int print_numbered(quern_slice key, quern_slice value, void *arg)
{
	char number[32];

	(void)snprintf(number, sizeof(number), "%" PRIu64, quern_as_u64(key));
	return print(quern_str(number), value, arg);
}

static int print_values(quern_slice key, quern_slice value, void *arg)
{
	(void)key, (void)arg;
	return printf("%" PRIu64 "\n", quern_as_u64(value)) < 0;
}

/* Numbers of what a shuffle gave are those of the first time: it is not counted again, nor run. */
static int zip_shuffled(quern_set *set)
{
	quern_set *zipped = quern_zip_with_index(quern_repartition(set, 3), NULL, NULL);
	quern_set *moved_on = quern_repartition(zipped, 2);
	uint64_t n = 0;

	int r = quern_collect(quern_sort_by_key(moved_on, QUERN_ASCENDING), print_numbered, NULL);
	if (r == 0)
		r = quern_count(moved_on, &n);
	(void)printf("%" PRIu64 "\n", n);
	return r;
}

static int mistakes(quern_set *set)
{
	uint64_t n = 0;
	int failed = 0;

	failed += quern_count(quern_sample(set, false, 1.5, 1), &n) != 0;
	failed += quern_count(quern_sample(set, true, -1, 1), &n) != 0;
	failed += quern_count(quern_repartition(set, 0), &n) != 0;
	failed += quern_count(quern_coalesce(set, 1000001), &n) != 0;
	failed += quern_count(quern_partition_by(set, 0, by_length, NULL), &n) != 0;
	failed += quern_count(quern_partition_and_sort(set, 2, NULL, NULL, 8), &n) != 0;
	failed += quern_count(quern_map_partitions(set, NULL, NULL), &n) != 0;
	failed += quern_foreach(set, NULL, NULL) != 0;
	int r = quern_count(set, &n);
	(void)printf("%d mistakes, %" PRIu64 " records\n", failed, n);
	return r;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	const char *what = argc > 3 ? argv[1] : "", *more = argc > 5 ? argv[5] : "",
		   *out = argc > 4 ? argv[4] : "";

	if (argc < 4)
		return 1;
	memory = quern_bytes(argv[3], strlen(argv[3]) + 1);
	quern_set *lines = quern_text(job, argv[2]);
	quern_set *set = quern_map(lines, record, &memory);
	const quern_slice path = quern_bytes(out, strlen(out) + 1);
	const int few = 3;

	if (strcmp(what, "foreach") == 0)
		return quern_foreach(set, note, &path);
	if (strcmp(what, "foreach_partition") == 0)
		return quern_foreach_partition(set, note_partition, &path);
	if (strcmp(what, "mistakes") == 0)
		return mistakes(set);
	if (strcmp(what, "take_endless") == 0)
		return quern_take(quern_map_partitions(set, endless, NULL), strtoull(more, NULL, 10),
			print_values, NULL);
	if (strcmp(what, "take_partitions") == 0)
		return quern_take(quern_map_partitions(quern_map_partitions(set, numbered, &memory),
					  first_few, QUERN_ARG(few)),
			strtoull(more, NULL, 10), print, NULL);
	if (strcmp(what, "take_zip") == 0)
		return quern_take(quern_zip_with_index(set, NULL, NULL), strtoull(more, NULL, 10),
			print_numbered, NULL);
	if (strcmp(what, "zip_shuffled") == 0)
		return zip_shuffled(set);
	if (strcmp(what, "zip_changed") == 0)
		return quern_save_text(
			quern_zip_with_index(quern_flat_map(lines, other_each_time, &path), NULL, NULL),
			more);
	quern_set *result = moved(set, what, (uint32_t)strtoul(more, NULL, 10), argc > 6 ? argv[6] : "");
	if (result == NULL)
		result = sampled(set, what, strtod(more, NULL), argc > 6 ? strtoull(argv[6], NULL, 10) : 0);
	if (result == NULL)
		result = of_partitions(set, what, atoi(more));
	if (result == NULL)
		result = other(set, what);
	return result != NULL ? quern_save_text(result, out) : 1;
}
