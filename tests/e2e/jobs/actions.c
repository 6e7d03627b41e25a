/* Actions that make few values of many, aggregations by key, accumulators, bad records: for actions_test.py,
 * which knows what is right. Lines are key, TAB, number, TAB, text. argv: what to do, the input, and more. */
#include <quern/quern.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const quern_slice tab = { "\t", 1 };

/* ---- Records of lines ---- */

static void number_of_key(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit_i64(out, quern_need_field(line, tab, 0), quern_need_i64(quern_need_field(line, tab, 1)));
}

static void text_of_key(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, quern_need_field(line, tab, 0), quern_need_field(line, tab, 2));
}

static bool never(quern_slice value, void *arg)
{
	(void)value, (void)arg;
	return false;
}

static quern_set *numbers(quern_set *lines)
{
	return quern_typed(quern_map(lines, number_of_key, NULL), QUERN_BYTES, QUERN_I64);
}

/* ---- Printing ---- */

static int print_bytes(quern_slice key, quern_slice value, void *name)
{
	(void)printf("%s\t", (const char *)name);
	(void)fwrite(key.ptr, 1, key.len, stdout);
	(void)putchar('\t');
	(void)fwrite(value.ptr, 1, value.len, stdout);
	(void)putchar('\n');
	return 0;
}

static int print_i64(quern_slice key, quern_slice value, void *name)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%" PRId64, quern_as_i64(value));

	return print_bytes(key, quern_bytes(text, (size_t)n), name);
}

/* ---- Reductions of the user's own ---- */

static void greater(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n == 0 ? 0 : memcmp(a.ptr, b.ptr, n);

	(void)arg;
	quern_put(out, c > 0 || (c == 0 && a.len > b.len) ? a : b);
}

struct size {
	uint64_t n, bytes;
};

static void add_size(quern_slice size, quern_slice value, quern_out *out, void *arg)
{
	struct size s;

	memcpy(&s, size.ptr, sizeof(s));
	s.n++;
	s.bytes += value.len * *(const uint64_t *)arg;
	quern_put(out, quern_bytes(&s, sizeof(s)));
}

static void merge_sizes(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	struct size x, y;

	(void)arg;
	memcpy(&x, a.ptr, sizeof(x));
	memcpy(&y, b.ptr, sizeof(y));
	x.n += y.n;
	x.bytes += y.bytes;
	quern_put(out, quern_bytes(&x, sizeof(x)));
}

static void size_as_text(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	char text[64];
	struct size s;

	(void)arg;
	memcpy(&s, value.ptr, sizeof(s));
	int n = snprintf(text, sizeof(text), "%" PRIu64 "/%" PRIu64, s.n, s.bytes);
	quern_emit(out, key, quern_bytes(text, (size_t)n));
}

static void size_of_value(quern_slice value, quern_out *out, void *arg)
{
	const struct size none = { 0 };

	add_size(quern_bytes(&none, sizeof(none)), value, out, arg);
}

static int print_size(quern_slice key, quern_slice value, void *name)
{
	struct size s;

	(void)key;
	memcpy(&s, value.ptr, sizeof(s));
	return printf("%s\t\t%" PRIu64 "/%" PRIu64 "\n", (const char *)name, s.n, s.bytes) < 0;
}

static int print_stats(quern_set *set, const char *name)
{
	struct quern_stats s;

	int r = quern_stats(set, &s);
	if (r == 0)
		(void)printf("%s\t\t%" PRIu64 " %.17g %.17g %.17g %.17g %.17g\n", name, s.count, s.sum,
			s.mean, s.min, s.max, s.squares);
	return r;
}

/* ---- What to do ---- */

static int one_value(quern_set *lines)
{
	const uint64_t times = 3;
	const struct size zero = { 0 };
	int64_t none = 0;
	quern_set *texts = quern_map(lines, text_of_key, NULL), *empty = quern_filter(lines, never, NULL);
	bool is = false, is_not = true;

	int r = quern_reduce(texts, greater, NULL, print_bytes, "reduce");
	if (r == 0)
		r = quern_reduce(numbers(lines), quern_sum_i64, NULL, print_i64, "sum");
	if (r == 0)
		r = quern_reduce(empty, greater, NULL, print_bytes, "never");
	if (r == 0)
		r = quern_fold(numbers(lines), quern_bytes(&none, sizeof(none)), quern_sum_i64, NULL,
			print_i64, "fold");
	if (r == 0)
		r = quern_fold(empty, quern_str("zero"), greater, NULL, print_bytes, "fold_none");
	if (r == 0)
		r = quern_aggregate(texts, quern_bytes(&zero, sizeof(zero)), add_size, merge_sizes,
			QUERN_ARG(times), print_size, "aggregate");
	if (r == 0)
		r = quern_first(lines, print_bytes, "first");
	if (r == 0)
		r = quern_is_empty(empty, &is);
	if (r == 0)
		r = quern_is_empty(lines, &is_not);
	(void)printf("is_empty\t\t%d %d\n", is, is_not);
	if (r == 0)
		r = print_stats(numbers(lines), "stats");
	return r != 0 ? r : print_stats(numbers(empty), "stats_none");
}

static int tops(quern_set *lines, uint64_t n)
{
	quern_set *set = numbers(lines);
	int r = quern_top(set, n, QUERN_BY_VALUE, print_i64, "top_value");

	if (r == 0)
		r = quern_take_ordered(set, n, QUERN_BY_VALUE, print_i64, "least_value");
	if (r == 0)
		r = quern_top(set, n, QUERN_THEN_BY_VALUE, print_i64, "top_key_value");
	if (r == 0)
		r = quern_take_ordered(set, n, QUERN_ASCENDING, print_i64, "least_key");
	return r != 0 ? r : quern_take_ordered(set, n, QUERN_DESCENDING, print_i64, "greatest_key");
}

static int by_key(quern_set *lines, const char *what, const char *out)
{
	const uint64_t times = 2;
	const struct size zero = { 0 };
	int64_t none = 0;
	quern_set *texts = quern_map(lines, text_of_key, NULL);

	if (strcmp(what, "aggregate_by_key") == 0)
		return quern_save_text(
			quern_map_pairs(quern_aggregate_by_key(texts, quern_bytes(&zero, sizeof(zero)),
						add_size, merge_sizes, QUERN_ARG(times)),
				size_as_text, NULL),
			out);
	if (strcmp(what, "combine_by_key") == 0)
		return quern_save_text(quern_map_pairs(quern_combine_by_key(texts, size_of_value, merge_sizes,
							       QUERN_ARG(times)),
					       size_as_text, NULL),
			out);
	if (strcmp(what, "fold_by_key") == 0)
		return quern_save_text(quern_fold_by_key(numbers(lines), quern_bytes(&none, sizeof(none)),
					       quern_max_i64, NULL),
			out);
	if (strcmp(what, "count_by_key") == 0)
		return quern_save_text(quern_count_by_key(texts), out);
	return quern_save_text(quern_count_by_value(texts), out);
}

/* ---- Accumulators ---- */

struct counting {
	quern_accumulator lines, least, longest;
	char mark[200]; /* a file: who makes it dies */
};

static void count_line(quern_slice line, quern_out *out, void *arg)
{
	const struct counting *c = arg;
	int64_t number = quern_need_i64(quern_need_field(line, tab, 1));

	quern_add_u64(c->lines, 1);
	quern_add_i64(c->least, number);
	quern_add_double(c->longest, (double)line.len);
	quern_counter_add(number < 0 ? "sign:negative" : "sign:other", 1);
	if (number == 13) {
		int fd = open(c->mark, O_CREAT | O_EXCL | O_CLOEXEC, 0600);

		if (fd >= 0)
			abort();
	}
	number_of_key(line, out, NULL);
}

static void print_totals(const quern_job *job, const struct counting *c, const char *when)
{
	(void)printf("%s\t%" PRIu64 " %" PRId64 " %.17g %" PRId64 " %" PRId64 " %" PRId64 "\n", when,
		quern_total_u64(job, c->lines), quern_total_i64(job, c->least),
		quern_total_double(job, c->longest), quern_counter_total(job, "sign:negative"),
		quern_counter_total(job, "sign:other"), quern_counter_total(job, "sign:none"));
}

static int count_lines(quern_job *job, quern_set *lines, const char *mark)
{
	struct counting c = { .lines = quern_accumulator_u64(job, "lines"),
		.least = quern_accumulator_by(job, "least", quern_min_i64),
		.longest = quern_accumulator_by(job, "longest", quern_max_double) };
	uint64_t n;

	(void)snprintf(c.mark, sizeof(c.mark), "%s", mark);
	print_totals(job, &c, "before");
	quern_set *set = quern_map(lines, count_line, QUERN_ARG(c));
	quern_set *sums = quern_reduce_by_key(set, quern_sum_i64, NULL);
	int r = quern_count(sums, &n);
	print_totals(job, &c, "reduced");
	/* The shuffle is there: nothing is computed again. */
	if (r == 0)
		r = quern_count(sums, &n);
	print_totals(job, &c, "again");
	/* One more time, although a sample is taken before; and results of tasks, large ones as well. */
	if (r == 0)
		r = quern_count(quern_sort_by_key(set, QUERN_ASCENDING), &n);
	print_totals(job, &c, "sorted");
	/* And although records are counted before. */
	if (r == 0)
		r = quern_count(quern_zip_with_index(set, NULL, NULL), &n);
	print_totals(job, &c, "numbered");
	return r;
}

static int drop_record(quern_slice key, quern_slice value, void *arg)
{
	(void)key, (void)value, (void)arg;
	return 0;
}

/* Results that do not fit into a status update, and an output. */
static int count_results(quern_job *job, quern_set *lines, const char *mark, const char *out)
{
	struct counting c = { .lines = quern_accumulator_u64(job, "lines"),
		.least = quern_accumulator_by(job, "least", quern_min_i64),
		.longest = quern_accumulator_by(job, "longest", quern_max_double) };

	(void)snprintf(c.mark, sizeof(c.mark), "%s", mark);
	quern_set *set = quern_map(lines, count_line, QUERN_ARG(c));
	int r = quern_collect(set, drop_record, NULL);
	print_totals(job, &c, "collected");
	if (r == 0)
		r = quern_save_text(set, out);
	print_totals(job, &c, "saved");
	return r;
}

/* ---- Bad records ---- */

static void fails_at(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	if (quern_need_i64(quern_need_field(line, tab, 1)) == 13)
		quern_fail("thirteen");
	quern_put(out, line);
}

static void bad_reduction(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)arg, (void)b;
	if (a.len > 0)
		quern_bad_record("never two");
	quern_put(out, a);
}

/* Keys of one value are bad ones. */
static void several(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	quern_slice value;
	uint64_t n = 0;

	(void)arg;
	while (quern_next_value(values, &value))
		n++;
	if (n == 1)
		quern_bad_record("it is alone");
	quern_emit_u64(out, key, n);
}

/* Records of the partition as they are, but counted; what comes behind may find them bad. */
static void whole(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;

	(void)partition;
	while (quern_next(records, &key, &value)) {
		quern_add_u64(*(const quern_accumulator *)arg, 1);
		if (value.len > 4 && memcmp(value.ptr, "fail", 4) == 0)
			quern_bad_record("a partition has no one record");
		quern_put(out, value);
	}
}

static int partitions(quern_job *job, quern_set *lines, const char *out)
{
	quern_accumulator taken = quern_accumulator_u64(job, "taken");

	int r = quern_save_text(numbers(quern_map_partitions(lines, whole, QUERN_ARG(taken))), out);
	(void)printf("taken\t%" PRIu64 "\n", quern_total_u64(job, taken));
	return r;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	quern_set *lines = quern_text(job, argc > 2 ? argv[2] : NULL);
	const char *what = argc > 1 ? argv[1] : "", *more = argc > 3 ? argv[3] : "";

	if (strcmp(what, "one_value") == 0)
		return one_value(lines);
	if (strcmp(what, "tops") == 0)
		return tops(lines, strtoull(more, NULL, 10));
	if (strcmp(what, "totals") == 0)
		return count_lines(job, lines, more);
	if (strcmp(what, "results") == 0)
		return count_results(job, lines, more, argc > 4 ? argv[4] : NULL);
	if (strcmp(what, "numbers") == 0)
		return quern_save_text(numbers(lines), more);
	if (strcmp(what, "fail") == 0)
		return quern_save_text(quern_map(lines, fails_at, NULL), more);
	if (strcmp(what, "bad_reduction") == 0)
		return quern_save_text(quern_reduce_by_key(numbers(lines), bad_reduction, NULL), more);
	if (strcmp(what, "several") == 0)
		return quern_save_text(quern_typed(quern_group_by_key(numbers(lines), several, NULL),
					       QUERN_BYTES, QUERN_U64),
			more);
	if (strcmp(what, "partitions") == 0)
		return partitions(job, lines, more);
	return by_key(lines, what, more);
}
