/* api.c: every function of quern.h, by name: api.c WHAT INPUT [OUTPUT] [MORE]. Lines of the input are
 * "key<TAB>number<TAB>text". What comes to quern_main() is printed. */
#include <fcntl.h>
#include <inttypes.h>
#include <quern/quern.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct row {
	quern_slice key, number, text;
};

static struct row parse(quern_slice line)
{
	const char *first = memchr(line.ptr, '\t', line.len);
	const char *second =
		first != NULL ? memchr(first + 1, '\t', (size_t)(line.ptr + line.len - first - 1)) : NULL;

	if (second == NULL)
		quern_fail("a line of %zu bytes without two tabs", line.len);
	return (struct row){ quern_bytes(line.ptr, (size_t)(first - line.ptr)),
		quern_bytes(first + 1, (size_t)(second - first - 1)),
		quern_bytes(second + 1, (size_t)(line.ptr + line.len - second - 1)) };
}

static long long number_of(quern_slice s)
{
	char text[32] = "";

	memcpy(text, s.ptr, s.len < sizeof(text) ? s.len : sizeof(text) - 1);
	return strtoll(text, NULL, 10);
}

/* ---- Steps ---- */

static void reversed(quern_slice line, quern_out *out, void *arg)
{
	char *copy = malloc(line.len + 1);

	(void)arg;
	if (copy == NULL)
		quern_fail("out of memory");
	for (size_t i = 0; i < line.len; i++)
		copy[i] = line.ptr[line.len - 1 - i];
	quern_put(out, quern_bytes(copy, line.len));
	free(copy);
}

static void text_by_key(quern_slice line, quern_out *out, void *arg)
{
	struct row row = parse(line);

	(void)arg;
	quern_emit(out, row.key, row.text);
}

static void words(quern_slice line, quern_out *out, void *arg)
{
	struct row row = parse(line);
	quern_slice word;

	(void)arg;
	while (quern_next_word(&row.text, &word))
		quern_put(out, word);
}

static void word_ones(quern_slice line, quern_out *out, void *arg)
{
	struct row row = parse(line);
	quern_slice word;

	(void)arg;
	while (quern_next_word(&row.text, &word))
		quern_emit_u64(out, word, 1);
}

static void u64_by_key(quern_slice line, quern_out *out, void *arg)
{
	struct row row = parse(line);

	(void)arg;
	quern_emit_u64(out, row.key, (uint64_t)number_of(row.number));
}

static void i64_by_key(quern_slice line, quern_out *out, void *arg)
{
	struct row row = parse(line);

	(void)arg;
	quern_emit_i64(out, row.key, number_of(row.number));
}

/* Eighths, so that sums are exact whatever their order. */
static void double_by_key(quern_slice line, quern_out *out, void *arg)
{
	struct row row = parse(line);

	(void)arg;
	quern_emit_double(out, row.key, (double)(number_of(row.number) % (1 << 20)) / 8);
}

static void swap(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, value, key);
}

static void one_for_value(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)arg;
	(void)key;
	quern_emit_u64(out, value, 1);
}

static void twice(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	const char *mark = arg;

	for (int i = 0; i < 2 && value.len > 20; i++)
		quern_emit(out, key, i == 0 ? value : quern_str(mark));
}

/* Ends the first attempt at a line that says how: "fail", "exit", "abort", "kill". `arg`: a folder that
 * remembers. */
static void flaky(quern_slice line, quern_out *out, void *arg)
{
	struct row row = parse(line);
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%.*s", (const char *)arg, (int)row.number.len, row.number.ptr);
	if (row.text.len == 4 || row.text.len == 5) {
		int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
		bool first = fd >= 0 && close(fd) == 0;

		if (first && memcmp(row.text.ptr, "fail", 4) == 0)
			quern_fail("for once");
		if (first && memcmp(row.text.ptr, "exit", 4) == 0)
			exit(0);
		if (first && memcmp(row.text.ptr, "abor", 4) == 0)
			abort();
		if (first && memcmp(row.text.ptr, "kill", 4) == 0)
			(void)kill(getpid(), SIGKILL);
	}
	quern_emit_u64(out, row.key, 1);
}

static void without_key(quern_slice line, quern_out *out, void *arg)
{
	struct row row = parse(line);

	(void)arg;
	if (row.key.len % 2 == 0)
		quern_emit(out, quern_str(""), row.number);
	else
		quern_put(out, row.number);
}

static bool contains(quern_slice line, void *arg)
{
	const char *word = arg;
	size_t len = strlen(word);

	for (size_t i = 0; i + len <= line.len; i++)
		if (memcmp(line.ptr + i, word, len) == 0)
			return true;
	return false;
}

struct range {
	uint64_t low, high;
};

static bool count_in_range(quern_slice key, quern_slice value, void *arg)
{
	const struct range *range = arg;
	uint64_t n = quern_as_u64(value);

	return key.len > 0 && n >= range->low && n <= range->high;
}

/* A table of a megabyte that is sent along: of each byte whether it counts. */
struct table {
	unsigned char weight[1 << 20];
};

static void weigh(quern_slice line, quern_out *out, void *arg)
{
	const struct table *table = arg;
	uint64_t sum = 0;

	for (size_t i = 0; i < line.len; i++)
		sum += table->weight[(unsigned char)line.ptr[i] * 4096U + i % 4096];
	quern_emit_u64(out, quern_str("weight"), sum);
}

/* A large value: the line many times over. */
static void swell(quern_slice line, quern_out *out, void *arg)
{
	const size_t *times = arg;
	struct row row = parse(line);
	char *value = malloc(row.text.len * *times + 1);

	if (value == NULL)
		quern_fail("out of memory");
	for (size_t i = 0; i < *times; i++)
		memcpy(value + i * row.text.len, row.text.ptr, row.text.len);
	quern_emit(out, row.key, quern_bytes(value, row.text.len * *times));
	free(value);
}

static void length(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit_u64(out, key, value.len);
}

/* ---- Reductions ---- */

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
	while (b != 0) {
		uint64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static void divisor(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	uint64_t n = common_divisor(quern_as_u64(a), quern_as_u64(b));

	(void)arg;
	quern_put(out, quern_bytes(&n, sizeof(n))); /* little-endian machines only: for a test that will do */
}

/* The greater as bytes, or with arg 1 the smaller. */
static void greater(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	const int *smaller = arg;
	int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

	if (order == 0)
		order = a.len < b.len ? -1 : 1;
	quern_put(out, (order > 0) != (*smaller != 0) ? a : b);
}

/* ---- What is done with them ---- */

static int print(quern_slice key, quern_slice value, void *arg)
{
	(void)arg;
	return fwrite(key.ptr, 1, key.len, stdout) != key.len || putchar('=') == EOF ||
	       fwrite(value.ptr, 1, value.len, stdout) != value.len || putchar('\n') == EOF;
}

static int print_number(quern_slice key, quern_slice value, void *arg)
{
	(void)arg;
	return printf("%.*s=%" PRIu64 "\n", (int)key.len, key.ptr, quern_as_u64(value)) < 0;
}

static int stop_at_third(quern_slice key, quern_slice value, void *arg)
{
	int *left = arg;

	if (print(key, value, NULL) != 0)
		return 1;
	return --*left == 0 ? 33 : 0;
}

static const struct {
	const char *name;
	quern_map_fn *values;
	quern_reduce_fn *fn;
} reductions[] = {
	{ "sum_u64", u64_by_key, quern_sum_u64 },
	{ "min_u64", u64_by_key, quern_min_u64 },
	{ "max_u64", u64_by_key, quern_max_u64 },
	{ "sum_i64", i64_by_key, quern_sum_i64 },
	{ "min_i64", i64_by_key, quern_min_i64 },
	{ "max_i64", i64_by_key, quern_max_i64 },
	{ "sum_double", double_by_key, quern_sum_double },
	{ "min_double", double_by_key, quern_min_double },
	{ "max_double", double_by_key, quern_max_double },
};

static int reduce(quern_set *lines, const char *name, const char *output)
{
	for (size_t i = 0; i < sizeof(reductions) / sizeof(reductions[0]); i++)
		if (strcmp(name, reductions[i].name) == 0)
			return quern_save_text(
				quern_reduce_by_key(quern_flat_map(lines, reductions[i].values, NULL),
					reductions[i].fn, NULL),
				output);
	return 1;
}

/* By key, or by number; `how` has d for descending, v for values as well, and a number of partitions. */
static quern_set *sorted(quern_set *lines, bool by_number, const char *how)
{
	unsigned order = (strchr(how, 'd') != NULL ? QUERN_DESCENDING : QUERN_ASCENDING) |
			 (strchr(how, 'v') != NULL ? QUERN_THEN_BY_VALUE : QUERN_ASCENDING);
	uint32_t partitions = (uint32_t)strtoul(how, NULL, 10);
	quern_set *set =
		by_number ? quern_typed(quern_map_pairs(quern_map(lines, i64_by_key, NULL), swap, NULL),
				    QUERN_I64, QUERN_BYTES)
			  : quern_map(lines, text_by_key, NULL);

	set = quern_sort_by_key(set, order);
	return partitions > 0 ? quern_partitions(set, partitions) : set;
}

/* Kept, shuffled and read sets, some of them twice. */
static quern_set *unions(quern_set *lines, quern_set *texts)
{
	const int smaller = 0;
	quern_set *kept = quern_persist(texts, QUERN_MEMORY);
	quern_set *most = quern_reduce_by_key(quern_union(kept, texts), greater, QUERN_ARG(smaller));
	quern_set *all = quern_union(quern_union(lines, kept), quern_union(most, kept));
	uint64_t n;

	if (quern_count(kept, &n) != 0 || quern_count(quern_union(most, kept), &n) != 0)
		quern_fail("no number");
	return quern_union(all, most);
}

static int save(quern_set *lines, const char *what, const char *output, const char *more)
{
	const int smaller = strcmp(more, "smaller") == 0;
	const quern_slice word = quern_bytes(more, strlen(more) + 1);
	const size_t times = strtoul(more, NULL, 10);
	quern_set *texts = quern_map(lines, text_by_key, NULL), *set = NULL;

	if (strcmp(what, "lines") == 0)
		set = lines;
	else if (strcmp(what, "map") == 0)
		set = quern_map(lines, reversed, NULL);
	else if (strcmp(what, "map_pairs") == 0)
		set = quern_map_pairs(texts, swap, NULL);
	else if (strcmp(what, "flat_map") == 0)
		set = quern_flat_map(lines, words, NULL);
	else if (strcmp(what, "flat_map_pairs") == 0)
		set = quern_flat_map_pairs(texts, twice, &word);
	else if (strcmp(what, "filter") == 0)
		set = quern_filter(lines, contains, &word);
	else if (strcmp(what, "divisor") == 0)
		set = quern_typed(quern_reduce_by_key(quern_map(lines, u64_by_key, NULL), divisor, NULL),
			QUERN_BYTES, QUERN_U64);
	else if (strcmp(what, "greater") == 0)
		set = quern_reduce_by_key(texts, greater, QUERN_ARG(smaller));
	else if (strcmp(what, "without_key") == 0)
		set = quern_flat_map(lines, without_key, NULL);
	else if (strcmp(what, "reduce_without_key") == 0)
		set = quern_reduce_by_key(
			quern_flat_map(lines, without_key, NULL), greater, QUERN_ARG(smaller));
	else if (strcmp(what, "key_typed") == 0)
		set = quern_typed(quern_map_pairs(quern_map(lines, i64_by_key, NULL), swap, NULL), QUERN_I64,
			QUERN_BYTES);
	else if (strcmp(what, "unions") == 0)
		set = unions(lines, texts);
	else if (strcmp(what, "sort") == 0 || strcmp(what, "sort_numbers") == 0)
		set = sorted(lines, strcmp(what, "sort_numbers") == 0, more);
	else if (strcmp(what, "flaky") == 0)
		set = quern_reduce_by_key(quern_map(lines, flaky, &word), quern_sum_u64, NULL);
	else if (strcmp(what, "large_values") == 0)
		set = quern_typed(
			quern_map_pairs(quern_reduce_by_key(quern_map(lines, swell, QUERN_ARG(times)),
						greater, QUERN_ARG(smaller)),
				length, NULL),
			QUERN_BYTES, QUERN_U64);
	return set != NULL ? quern_save_text(set, output) : 1;
}

/* Counts of words in a range of the counts, again and again from the same shuffle. */
static int loop(quern_set *lines, long rounds)
{
	quern_set *counts = quern_reduce_by_key(quern_flat_map(lines, word_ones, NULL), quern_sum_u64, NULL);
	int r = 0;

	for (long i = 0; i < rounds && r == 0; i++) {
		const struct range range = { (uint64_t)1 << i, ((uint64_t)2 << i) - 1 };
		uint64_t n = 0;

		r = quern_count(quern_filter_pairs(counts, count_in_range, QUERN_ARG(range)), &n);
		(void)printf("%" PRIu64 "\n", n);
	}
	return r;
}

/* Leaves a file in the folder `arg` each time it sees a line: the next one of quern_main()'s set is not to.
 */
static void mark(quern_slice line, quern_out *out, void *arg)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/seen-XXXXXX", (const char *)arg);
	int fd = mkstemp(path);
	if (fd < 0 || close(fd) < 0)
		quern_fail("cannot make %s", path);
	quern_emit_u64(out, line, 1);
}

/* Several actions on what one shuffle has moved, and on sets that are made of it. */
static int once(quern_set *lines, const char *folder)
{
	const quern_slice arg = quern_bytes(folder, strlen(folder) + 1);
	quern_set *counts = quern_reduce_by_key(quern_map(lines, mark, &arg), quern_sum_u64, NULL);
	quern_set *swapped = quern_map_pairs(counts, one_for_value, NULL);
	uint64_t a = 0, b = 0, c = 0;

	int r = quern_count(counts, &a);
	if (r == 0)
		r = quern_count(swapped, &b);
	if (r == 0)
		r = quern_count(quern_reduce_by_key(swapped, quern_sum_u64, NULL), &c);
	(void)printf("%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", a, b, c);
	return r;
}

/* How many words occur how often: a shuffle of what a shuffle gave. */
static int histogram(quern_set *lines, uint32_t partitions, const char *output)
{
	quern_set *counts = quern_reduce_by_key(quern_flat_map(lines, word_ones, NULL), quern_sum_u64, NULL);
	quern_set *by_count = quern_map_pairs(quern_partitions(counts, partitions), one_for_value, NULL);

	return quern_save_text(
		quern_typed(quern_reduce_by_key(by_count, quern_sum_u64, NULL), QUERN_U64, QUERN_U64),
		output);
}

static int weight(quern_set *lines)
{
	static struct table table;

	for (size_t i = 0; i < sizeof(table.weight); i++)
		table.weight[i] = (unsigned char)((i * 2654435761U) >> 20);
	return quern_collect(
		quern_reduce_by_key(quern_map(lines, weigh, QUERN_ARG(table)), quern_sum_u64, NULL),
		print_number, NULL);
}

/* Only the last of these is right; the others say why they are not. */
static int mistakes(quern_job *job, quern_set *lines)
{
	uint64_t n = 0;
	int failed = 0;

	failed += quern_count(quern_text(job, ""), &n) != 0;
	failed += quern_count(quern_map(lines, NULL, NULL), &n) != 0;
	failed += quern_count(quern_partitions(lines, 3), &n) != 0;
	failed += quern_save_text(lines, NULL) != 0;
	int r = quern_count(lines, &n);
	(void)printf("%d mistakes, %" PRIu64 " lines\n", failed, n);
	return r;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	quern_set *lines = quern_text(job, argc > 2 ? argv[2] : NULL);
	uint64_t n = 0;
	int left = 3, r;

	if (argc < 3)
		return 1;
	if (strcmp(what, "reduce") == 0 && argc == 5)
		return reduce(lines, argv[4], argv[3]);
	if (strcmp(what, "loop") == 0 && argc == 4)
		return loop(lines, strtol(argv[3], NULL, 10));
	if (strcmp(what, "histogram") == 0 && argc == 5)
		return histogram(lines, (uint32_t)strtoul(argv[4], NULL, 10), argv[3]);
	if (strcmp(what, "weight") == 0)
		return weight(lines);
	if (strcmp(what, "once") == 0 && argc == 4)
		return once(lines, argv[3]);
	if (strcmp(what, "mistakes") == 0)
		return mistakes(job, lines);
	if (strcmp(what, "collect") == 0)
		return quern_collect(quern_map(lines, text_by_key, NULL), print, NULL);
	if (strcmp(what, "take") == 0 && argc == 4)
		return quern_take(
			quern_map(lines, text_by_key, NULL), strtoull(argv[3], NULL, 10), print, NULL);
	if (strcmp(what, "take_counts") == 0 && argc == 4)
		return quern_take(
			quern_reduce_by_key(quern_flat_map(lines, word_ones, NULL), quern_sum_u64, NULL),
			strtoull(argv[3], NULL, 10), print_number, NULL);
	if (strcmp(what, "count") == 0) {
		r = quern_count(lines, &n);
		(void)printf("%" PRIu64 "\n", n);
		return r;
	}
	if (strcmp(what, "stop") == 0) {
		r = quern_collect(lines, stop_at_third, &left);
		(void)printf("returned %d\n", r);
		return r == 33 ? quern_count(lines, &n) : 1;
	}
	return argc >= 4 ? save(lines, what, argv[3], argc > 4 ? argv[4] : "") : 1;
}
