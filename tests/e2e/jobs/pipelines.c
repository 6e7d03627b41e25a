/* pipelines.c: runs a program for a machine with a stack of sets: pipelines.c FOLDER OP... An operation is
 * one argument, "name:A:B:C:TROUBLE:AT": it takes its sets off the stack and puts one there. A, B and C are
 * numbers; B of what has a shuffle is how many partitions there will be, 0 for the default. TROUBLE says how
 * the AT-th call of the operation's function in an attempt ends, if FOLDER/marks has no file for that
 * operation yet; "-": it has none. Actions leave their set on the stack and write what they get to FOLDER/N,
 * N being the number of the operation: records as two lengths of 32 bits, key, value. Input N of a source is
 * FOLDER/inN. tests/e2e/pipelines.py says the same in Python. */
#include "pipelines.h"

/* ---- The machine ---- */

struct machine {
	quern_job *job;
	quern_set *stack[64];
	size_t depth;
	const char *folder;
	int number; /* of the operation */
	const char *name;
	struct site site;
	quern_slice arg; /* the site */
};

static quern_set *pop(struct machine *m)
{
	if (m->depth == 0)
		quern_fail("%s: the stack is empty", m->name);
	return m->stack[--m->depth];
}

static void push(struct machine *m, quern_set *set)
{
	if (m->depth == sizeof(m->stack) / sizeof(m->stack[0]))
		quern_fail("%s: the stack is full", m->name);
	m->stack[m->depth++] = set;
}

static bool is(const struct machine *m, const char *name)
{
	return strcmp(m->name, name) == 0;
}

/* FOLDER/KIND and the number of the input, or of the operation; good until the next call. */
static const char *path_of(const struct machine *m, const char *kind, uint32_t n)
{
	static char path[384];

	(void)snprintf(path, sizeof(path), "%s/%s%u", m->folder, kind, n);
	return path;
}

/* All of a file, to be freed. */
static quern_slice content(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = malloc(1 << 24);
	size_t n = f != NULL && text != NULL ? fread(text, 1, 1 << 24, f) : 0;

	if (f == NULL || text == NULL || !feof(f))
		quern_fail("cannot read %s", path);
	(void)fclose(f);
	return quern_bytes(text, n);
}

/* Of what is freed here, records as Python writes them: two lengths (of the key: all bits, it has none), key,
 * value. */
static quern_set *records_of(struct machine *m, quern_slice text)
{
	quern_record *records = calloc(text.len / 8 + 1, sizeof(*records));
	size_t n = 0;

	if (records == NULL)
		quern_fail("out of memory");
	for (const char *p = text.ptr; p < text.ptr + text.len; n++) {
		uint32_t len[2];

		memcpy(len, p, sizeof(len));
		p += sizeof(len);
		if (len[0] != UINT32_MAX) {
			records[n].key = quern_bytes(p, len[0]);
			p += len[0];
		}
		records[n].value = quern_bytes(p, len[1]);
		p += len[1];
	}
	quern_set *set = quern_records_from(m->job, records, n);
	free(records);
	free((char *)(uintptr_t)text.ptr);
	return set;
}

static quern_set *source(struct machine *m)
{
	const char *path = path_of(m, "in", m->site.n[0]);

	if (is(m, "text"))
		return quern_pieces(quern_text(m->job, path), m->site.n[1]);
	if (is(m, "pairs"))
		return quern_pieces(quern_text_pairs(m->job, path, "\t"), m->site.n[1]);
	if (is(m, "fixed"))
		return quern_pieces(quern_fixed(m->job, path, m->site.n[2]), m->site.n[1]);
	if (is(m, "records"))
		return quern_pieces(records_of(m, content(path)), m->site.n[1]);
	if (is(m, "range"))
		return quern_typed(
			quern_pieces(quern_range(m->job, m->site.n[0], m->site.n[0] + (uint64_t)m->site.n[2]),
				m->site.n[1]),
			QUERN_BYTES, QUERN_BYTES);
	return NULL;
}

static quern_set *one_by_one(struct machine *m, quern_set *set)
{
	static const struct {
		const char *name;
		quern_set *(*make)(quern_set *, quern_map_pair_fn *, const quern_slice *);
		quern_map_pair_fn *fn;
	} of_pairs[] = {
		{ "rekey", quern_map_pairs, rekey },
		{ "swap", quern_map_pairs, swap },
		{ "unkey", quern_map_pairs, unkey },
		{ "number_key", quern_map_pairs, number_key },
		{ "several", quern_flat_map_pairs, several },
	};
	static const struct {
		const char *name;
		quern_set *(*make)(quern_set *, quern_map_fn *, const quern_slice *);
		quern_map_fn *fn;
	} of_values[] = {
		{ "values", quern_map, twice },
		{ "twice", quern_map_values, twice },
		{ "length", quern_map_values, length },
		{ "several_values", quern_flat_map_values, several_values },
		{ "several_alone", quern_flat_map, several_values },
	};

	for (size_t i = 0; i < sizeof(of_pairs) / sizeof(of_pairs[0]); i++)
		if (is(m, of_pairs[i].name))
			return of_pairs[i].make(set, of_pairs[i].fn, &m->arg);
	for (size_t i = 0; i < sizeof(of_values) / sizeof(of_values[0]); i++)
		if (is(m, of_values[i].name))
			return of_values[i].make(set, of_values[i].fn, &m->arg);
	if (is(m, "some"))
		return quern_filter_pairs(set, some, &m->arg);
	if (is(m, "shared")) {
		m->site.shared = quern_broadcast(m->job, quern_str("abcdefghijklmnopq"));
		return quern_map_values(set, with_shared, &m->arg);
	}
	if (is(m, "partition"))
		return quern_map_partitions(set, whole_partition, &m->arg);
	if (is(m, "numbered"))
		return quern_zip_with_index(set, numbered, &m->arg);
	if (is(m, "unnumbered"))
		return quern_zip_with_index(set, without_number, &m->arg);
	if (is(m, "index"))
		return quern_typed(quern_zip_with_index(set, NULL, NULL), QUERN_BYTES, QUERN_BYTES);
	if (is(m, "sample"))
		return quern_sample(set, false, m->site.n[0], 1);
	return NULL;
}

/* Steps without a function of the job's, and what is written and read again. */
static quern_set *other_step(struct machine *m, quern_set *set)
{
	const struct quern_pipe_options keys = { .key_fields = 1 };

	if (is(m, "cat"))
		return quern_pipe(set, "cat");
	if (is(m, "upper"))
		return quern_pipe(set, "LC_ALL=C tr a-z A-Z");
	if (is(m, "cat_keys"))
		return quern_pipe_with(set, "cat", &keys);
	if (is(m, "persist"))
		return quern_persist(set, m->site.n[0] != 0 ? QUERN_MEMORY_COMPRESSED : QUERN_MEMORY);
	if (is(m, "unpersist")) {
		quern_unpersist(set);
		return set;
	}
	if (is(m, "checkpoint"))
		return quern_checkpoint(set, path_of(m, "checkpoint", (uint32_t)m->number));
	if (is(m, "resources"))
		return quern_resources(set, m->site.n[0], m->site.n[2]);
	if (is(m, "sort_partitions"))
		return quern_sort_partitions(set, m->site.n[0]);
	return NULL;
}

static quern_set *shuffled(struct machine *m, quern_set *set)
{
	const quern_slice zero = { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16 }, *arg = &m->arg;
	const unsigned order = m->site.n[0];

	if (is(m, "greatest"))
		return quern_reduce_by_key(set, greatest, arg);
	if (is(m, "xored"))
		return quern_reduce_by_key(set, xored, arg);
	if (is(m, "sum"))
		return quern_reduce_by_key(set, quern_sum_u64, NULL);
	if (is(m, "aggregate"))
		return quern_aggregate_by_key(set, zero, add, merge, arg);
	if (is(m, "fold"))
		return quern_fold_by_key(set, quern_str(""), xored, arg);
	if (is(m, "combine"))
		return quern_combine_by_key(set, length, quern_sum_u64, arg);
	if (is(m, "count_keys"))
		return quern_count_by_key(set);
	if (is(m, "count_values"))
		return quern_count_by_value(set);
	if (is(m, "sort"))
		return quern_sort_by_key(set, order);
	if (is(m, "sort_numbers"))
		return quern_sort_by_key(quern_typed(set, QUERN_U64, QUERN_BYTES), order);
	if (is(m, "sort_by"))
		return quern_sort_by(set, by_length, order, arg);
	if (is(m, "group"))
		return quern_group_by_key(set, grouped, arg);
	if (is(m, "group_each"))
		return quern_group_by_key(set, each_of, arg);
	if (is(m, "group_key"))
		return quern_group_by_key(set, group_key, arg);
	return NULL;
}

/* Those whose number of partitions is not quern_partitions()'s. */
static quern_set *placed(struct machine *m, quern_set *set)
{
	const uint32_t n = m->site.n[1];

	if (is(m, "distinct"))
		return quern_distinct(set);
	if (is(m, "repartition"))
		return quern_repartition(set, n);
	if (is(m, "coalesce"))
		return quern_coalesce(set, n);
	if (is(m, "by_hash"))
		return quern_partition_by(set, n, NULL, NULL);
	if (is(m, "by_place"))
		return quern_partition_by(set, n, place, &m->arg);
	if (is(m, "place_and_sort"))
		return quern_partition_and_sort(set, n, place, &m->arg, m->site.n[0]);
	return NULL;
}

/* Of two sets, whose number of partitions quern_partitions() may say. */
static quern_set *of_both(struct machine *m, quern_set *a, quern_set *b)
{
	if (is(m, "cogroup"))
		return quern_cogroup(a, b, cogrouped, &m->arg);
	if (is(m, "join"))
		return quern_join(a, b, joined, &m->arg);
	if (is(m, "left_join"))
		return quern_left_outer_join(a, b, joined, &m->arg);
	if (is(m, "right_join"))
		return quern_right_outer_join(a, b, joined, &m->arg);
	if (is(m, "full_join"))
		return quern_full_outer_join(a, b, joined, &m->arg);
	if (is(m, "subtract_keys"))
		return quern_subtract_by_key(a, b);
	if (is(m, "cartesian"))
		return quern_cartesian(a, b, crossed, &m->arg);
	return NULL;
}

static quern_set *of_two(struct machine *m, quern_set *a, quern_set *b)
{
	if (is(m, "union"))
		return quern_union(a, b);
	if (is(m, "subtract"))
		return quern_subtract(a, b);
	if (is(m, "intersection"))
		return quern_intersection(a, b);
	if (is(m, "packed_join"))
		return quern_map_pairs(quern_full_outer_join(a, b, NULL, NULL), unpacked, &m->arg);
	return NULL;
}

/* ---- Actions ---- */

static int write_record(quern_slice key, quern_slice value, void *to)
{
	const uint32_t len[2] = { (uint32_t)key.len, (uint32_t)value.len };

	return fwrite(len, sizeof(len), 1, to) != 1 || fwrite(key.ptr, 1, key.len, to) != key.len ||
	       fwrite(value.ptr, 1, value.len, to) != value.len;
}

static int write_numbers(const uint64_t *n, size_t count, FILE *to)
{
	return write_record(quern_str(""), quern_bytes(n, count * sizeof(*n)), to);
}

struct totals {
	struct site site;
	quern_accumulator n, sum;
};

static void visit(quern_slice key, quern_slice value, void *arg)
{
	const struct totals *t = arg;

	quern_add_u64(t->n, 1);
	quern_add_u64(t->sum, hash(key, value));
	trouble(arg);
}

static int foreach(struct machine *m, quern_set *set, FILE *to)
{
	struct totals t = { m->site, quern_accumulator_u64(m->job, "records"),
		quern_accumulator_u64(m->job, "hashes") };
	int r = quern_foreach(set, visit, QUERN_ARG(t));

	return r != 0 ? r
		      : write_numbers(
				(uint64_t[]){ quern_total_u64(m->job, t.n), quern_total_u64(m->job, t.sum) },
				2, to);
}

/* -1: it is none. */
static int action(struct machine *m, quern_set *set, FILE *to)
{
	const quern_slice zero = { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16 };
	uint64_t count;
	bool empty;
	int r;

	if (is(m, "save"))
		return quern_save_text_compressed(
			set, path_of(m, "out", (uint32_t)m->number), m->site.n[0] ? QUERN_GZIP : QUERN_PLAIN);
	if (is(m, "save_seq"))
		return quern_save_seq(
			set, path_of(m, "out", (uint32_t)m->number), m->site.n[0] ? QUERN_ZSTD : QUERN_PLAIN);
	if (is(m, "count"))
		return (r = quern_count(set, &count)) != 0 ? r : write_numbers(&count, 1, to);
	if (is(m, "collect"))
		return quern_collect(set, write_record, to);
	if (is(m, "take"))
		return quern_take(set, m->site.n[0], write_record, to);
	if (is(m, "top"))
		return quern_top(set, m->site.n[0], m->site.n[2], write_record, to);
	if (is(m, "least"))
		return quern_take_ordered(set, m->site.n[0], m->site.n[2], write_record, to);
	if (is(m, "reduce"))
		return quern_reduce(set, xored, &m->arg, write_record, to);
	if (is(m, "fold_all"))
		return quern_fold(set, quern_str(""), greatest, &m->arg, write_record, to);
	if (is(m, "aggregate_all"))
		return quern_aggregate(set, zero, add, merge, &m->arg, write_record, to);
	if (is(m, "foreach"))
		return foreach(m, set, to);
	if (is(m, "empty"))
		return (r = quern_is_empty(set, &empty)) != 0 ? r
							      : write_numbers(&(uint64_t){ empty }, 1, to);
	return -1;
}

static int act(struct machine *m)
{
	FILE *to = fopen(path_of(m, "", (uint32_t)m->number), "wb");

	if (to == NULL)
		quern_fail("cannot open %d for writing", m->number);
	int r = action(m, m->stack[m->depth - 1], to);
	if (fclose(to) != 0)
		quern_fail("cannot write %d", m->number);
	return r;
}

/* Makes a set, or runs an action. */
static int step(struct machine *m)
{
	quern_set *set = source(m), *a, *b;

	if (is(m, "drop")) {
		(void)pop(m);
		return 0;
	}
	if (set == NULL && (is(m, "dup") || is(m, "exchange"))) {
		a = pop(m);
		b = is(m, "dup") ? a : pop(m);
		push(m, a);
		push(m, b);
		return 0;
	}
	if (set == NULL && m->site.n[2] == 1000) { /* of two sets */
		b = pop(m);
		a = pop(m);
		if ((set = of_both(m, a, b)) != NULL)
			set = m->site.n[1] > 0 ? quern_partitions(set, m->site.n[1]) : set;
		else
			set = of_two(m, a, b);
	} else if (set == NULL) {
		int r = act(m);
		if (r >= 0)
			return r;
		a = pop(m);
		if ((set = shuffled(m, a)) != NULL) {
			set = m->site.n[1] > 0 ? quern_partitions(set, m->site.n[1]) : set;
			set = quern_typed(set, QUERN_BYTES, QUERN_BYTES);
		} else if ((set = one_by_one(m, a)) == NULL && (set = other_step(m, a)) == NULL) {
			set = placed(m, a);
		}
	}
	if (set == NULL)
		quern_fail("%s: no such operation", m->name);
	push(m, set);
	return 0;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	struct machine m = { .job = job, .folder = argv[1] };

	in_tasks = false;
	for (int i = 2; i < argc; i++) {
		char name[32];

		m.number = i - 2;
		m.name = name;
		m.arg = quern_bytes(&m.site, sizeof(m.site));
		memset(&m.site, 0, sizeof(m.site));
		(void)snprintf(m.site.folder, sizeof(m.site.folder), "%s", m.folder);
		(void)snprintf(m.site.mark, sizeof(m.site.mark), "%d", m.number);
		if (sscanf(argv[i], "%31[^:]:%u:%u:%u:%15[^:]:%u", name, &m.site.n[0], &m.site.n[1],
			    &m.site.n[2], m.site.how, &m.site.at) != 6)
			quern_fail("'%s' is no operation", argv[i]);
		if (strcmp(m.site.how, "-") == 0)
			m.site.how[0] = '\0';
		int r = step(&m);
		if (r != 0)
			return r;
	}
	return 0;
}
