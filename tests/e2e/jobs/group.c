/* group.c: groups and joins of two texts: group.c WHAT LEFT RIGHT OUTPUT FOLDER. Lines of the inputs are
 * "key<TAB>value", those of the output "key<TAB>..." as each function below makes them. FOLDER is for marks
 * of what has happened once: a value "kill" or "fail" on the left ends the task that sees it first. */
#include <fcntl.h>
#include <inttypes.h>
#include <quern/quern.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- Rows ---- */

static void row(quern_slice line, quern_out *out, void *arg)
{
	const char *tab = memchr(line.ptr, '\t', line.len);

	(void)arg;
	if (tab == NULL) /* a record without a key */
		quern_put(out, line);
	else
		quern_emit(out, quern_bytes(line.ptr, (size_t)(tab - line.ptr)),
			quern_bytes(tab + 1, (size_t)(line.ptr + line.len - tab - 1)));
}

static uint64_t number_of(quern_slice s)
{
	char text[32] = "";

	memcpy(text, s.ptr, s.len < sizeof(text) ? s.len : sizeof(text) - 1);
	return strtoull(text, NULL, 10);
}

static void number(quern_slice line, quern_out *out, void *arg)
{
	const char *tab = memchr(line.ptr, '\t', line.len);

	(void)arg;
	if (tab == NULL)
		quern_fail("a line without a tab");
	quern_emit_u64(out, quern_bytes(line.ptr, (size_t)(tab - line.ptr)),
		number_of(quern_bytes(tab + 1, (size_t)(line.ptr + line.len - tab - 1))));
}

static bool is(quern_slice s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.ptr, word, s.len) == 0;
}

/* Ends this attempt if the value says so and none has done so before. */
static void perhaps_end(quern_slice value, const char *folder)
{
	char path[512];

	if (!is(value, "kill") && !is(value, "fail"))
		return;
	(void)snprintf(path, sizeof(path), "%s/%.*s", folder, (int)value.len, value.ptr);
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	if (fd < 0)
		return;
	(void)close(fd);
	if (is(value, "kill"))
		(void)kill(getpid(), SIGKILL);
	quern_fail("for once");
}

/* ---- Functions of groups ---- */

/* How many values, and how many bytes they have; each one that says how the task is to end counts as well. */
static void total(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	uint64_t n = 0, bytes = 0;
	quern_slice value;
	char text[64];

	for (; quern_next_value(values, &value); n++) {
		perhaps_end(value, arg);
		bytes += value.len;
	}
	int len = snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64, n, bytes);
	quern_emit(out, key, quern_bytes(text, (size_t)len));
}

static void each(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	quern_slice value;

	(void)arg;
	while (quern_next_value(values, &value))
		quern_emit(out, key, value);
}

/* The key alone: the values are left unread. */
static void key_alone(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	(void)values, (void)arg;
	quern_emit(out, key, quern_str("there"));
}

/* How many of either side. The right ones are read first. */
static void counts(quern_slice key, quern_values *left, quern_values *right, quern_out *out, void *arg)
{
	uint64_t n = 0, m = 0;
	quern_slice value;
	char text[64];

	while (quern_next_value(right, &value))
		m++;
	for (; quern_next_value(left, &value); n++)
		perhaps_end(value, arg);
	int len = snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64, n, m);
	quern_emit(out, key, quern_bytes(text, (size_t)len));
}

static void put_both(quern_out *out, quern_slice key, const quern_slice *left, const quern_slice *right)
{
	quern_slice none = quern_str("(none)"), a = left != NULL ? *left : none;
	quern_slice b = right != NULL ? *right : none;
	char *text = malloc(a.len + b.len + 1);

	if (text == NULL)
		quern_fail("out of memory");
	memcpy(text, a.ptr, a.len);
	text[a.len] = '|';
	memcpy(text + a.len + 1, b.ptr, b.len);
	quern_emit(out, key, quern_bytes(text, a.len + 1 + b.len));
	free(text);
}

static void both(
	quern_slice key, const quern_slice *left, const quern_slice *right, quern_out *out, void *arg)
{
	if (left != NULL)
		perhaps_end(*left, arg);
	put_both(out, key, left, right);
}

static void all_four(quern_slice left_key, quern_slice left_value, quern_slice right_key,
	quern_slice right_value, quern_out *out, void *arg)
{
	perhaps_end(left_value, arg);
	/* Without a key, or with an empty one? */
	const quern_slice keys[2] = { left_key.ptr != NULL ? left_key : quern_str("(none)"),
		right_key.ptr != NULL ? right_key : quern_str("(none)") };
	char *text = malloc(keys[0].len + keys[1].len + right_value.len + 2);

	if (text == NULL)
		quern_fail("out of memory");
	memcpy(text, keys[1].ptr, keys[1].len);
	text[keys[1].len] = '=';
	memcpy(text + keys[1].len + 1, right_value.ptr, right_value.len);
	const quern_slice right = { text, keys[1].len + 1 + right_value.len };
	put_both(out, keys[0], &left_value, &right);
	free(text);
}

/* How long both are. */
static void lengths(
	quern_slice key, const quern_slice *left, const quern_slice *right, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit_u64(out, key, left->len + right->len);
}

static void unpack(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	quern_slice left = quern_left(value), right = quern_right(value);

	(void)arg;
	put_both(out, key, left.ptr != NULL ? &left : NULL, right.ptr != NULL ? &right : NULL);
}

static void sum_and_text(
	quern_slice key, const quern_slice *left, const quern_slice *right, quern_out *out, void *arg)
{
	char text[32];

	(void)arg;
	const quern_slice sum = quern_bytes(text,
		(size_t)snprintf(text, sizeof(text), "%" PRIu64, left != NULL ? quern_as_u64(*left) : 0));
	put_both(out, key, left != NULL ? &sum : NULL, right);
}

/* ---- Page rank: LEFT has edges, RIGHT the number of rounds in its only line ---- */

static void first_rank(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	(void)values, (void)arg;
	quern_emit_double(out, key, 1);
}

static void shares(quern_slice key, quern_values *targets, quern_values *ranks, quern_out *out, void *arg)
{
	quern_slice target, rank;
	uint64_t n;

	(void)arg;
	quern_emit_double(out, key, 0.15); /* each page has that much */
	if (!quern_next_value(ranks, &rank))
		return;
	double own = quern_as_double(rank);
	/* The number of links comes with each. */
	while (quern_next_value(targets, &target)) {
		memcpy(&n, target.ptr, sizeof(n));
		quern_emit_double(out, quern_bytes(target.ptr + 8, target.len - 8), 0.85 * own / (double)n);
	}
}

/* Each value behind how many its key has. */
static void with_degree(quern_slice key, quern_values *left, quern_values *right, quern_out *out, void *arg)
{
	char room[264];
	quern_slice value;
	uint64_t n = 0;

	(void)arg;
	while (quern_next_value(left, &value))
		n++;
	memcpy(room, &n, 8);
	while (quern_next_value(right, &value)) {
		memcpy(room + 8, value.ptr, value.len);
		quern_emit(out, key, quern_bytes(room, 8 + value.len));
	}
}

static quern_set *page_rank(quern_set *edges, unsigned long rounds)
{
	quern_set *links = quern_cogroup(edges, edges, with_degree, NULL);
	quern_set *ranks = quern_group_by_key(edges, first_rank, NULL);

	for (unsigned long i = 0; i < rounds; i++)
		ranks = quern_reduce_by_key(
			quern_cogroup(links, ranks, shares, NULL), quern_sum_double, NULL);
	return ranks;
}

/* ---- An order of its own: shorter keys first, then by their ends; `arg` is that of sort_by ---- */

static int by_length(quern_slice a, quern_slice b, void *arg)
{
	if (memcmp(arg, "length", 6) != 0)
		quern_fail("the argument of sort_by is another one");
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	for (size_t i = a.len; i-- > 0;)
		if (a.ptr[i] != b.ptr[i])
			return (unsigned char)a.ptr[i] < (unsigned char)b.ptr[i] ? -1 : 1;
	return 0;
}

/* ---- Waiting, so that a test can do something ---- */

/* Says FOLDER/there, and waits until the FIFO FOLDER/go is opened. */
static int wait_in(const char *folder)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/there", folder);
	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	if (fd < 0 || close(fd) < 0)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/go", folder);
	fd = open(path, O_RDONLY);
	return fd < 0 || close(fd) < 0;
}

/* The same two sets joined in two ways: what was moved for the first is there for the second. */
static int twice(quern_set *left, quern_set *right, const char *output, const char *folder)
{
	const quern_slice arg = { folder, strlen(folder) + 1 };
	uint64_t n;

	int r = quern_count(quern_join(left, right, both, &arg), &n);
	if (r == 0)
		r = wait_in(folder);
	return r != 0 ? r : quern_save_text(quern_full_outer_join(left, right, both, &arg), output);
}

/* ---- All of them ---- */

static quern_set *set_of(const char *what, quern_set *left, quern_set *right, const quern_slice *folder)
{
	if (strcmp(what, "group") == 0)
		return quern_group_by_key(left, total, folder);
	if (strcmp(what, "each") == 0)
		return quern_group_by_key(left, each, NULL);
	if (strcmp(what, "keys") == 0)
		return quern_group_by_key(left, key_alone, NULL);
	if (strcmp(what, "cogroup") == 0)
		return quern_cogroup(left, right, counts, folder);
	if (strcmp(what, "join") == 0)
		return quern_join(left, right, both, folder);
	if (strcmp(what, "join_divided") == 0)
		return quern_partitions(quern_join(left, right, both, folder), 7);
	if (strcmp(what, "left") == 0)
		return quern_left_outer_join(left, right, both, folder);
	if (strcmp(what, "right") == 0)
		return quern_right_outer_join(left, right, both, folder);
	if (strcmp(what, "full") == 0)
		return quern_full_outer_join(left, right, both, folder);
	if (strcmp(what, "packed") == 0)
		return quern_map_pairs(quern_full_outer_join(left, right, NULL, NULL), unpack, NULL);
	if (strcmp(what, "self") == 0)
		return quern_join(left, left, both, folder);
	if (strcmp(what, "lengths") == 0)
		return quern_typed(quern_join(left, right, lengths, NULL), QUERN_BYTES, QUERN_U64);
	if (strcmp(what, "subtract_by_key") == 0)
		return quern_subtract_by_key(left, right);
	if (strcmp(what, "subtract") == 0)
		return quern_subtract(left, right);
	if (strcmp(what, "intersection") == 0)
		return quern_intersection(left, right);
	if (strncmp(what, "cartesian", 9) == 0) {
		quern_set *pairs = quern_cartesian(left, right, all_four, folder);

		return what[9] == '\0' ? pairs : quern_partitions(pairs, (uint32_t)atoi(what + 9));
	}
	return NULL;
}

/* WHAT: "sort", then d for descending, v for values too. */
static quern_set *sorted(const char *what, quern_set *left)
{
	const unsigned order = (strchr(what, 'd') != NULL ? QUERN_DESCENDING : 0) |
			       (strchr(what, 'v') != NULL ? QUERN_THEN_BY_VALUE : 0);

	return strncmp(what, "sort", 4) == 0
		       ? quern_sort_by(left, by_length, order, &(quern_slice){ "length", 6 })
		       : NULL;
}

/* Joins with what is the result of a shuffle already. */
static quern_set *reduced(const char *what, quern_job *job, char **argv, quern_set *right)
{
	quern_set *sums =
		quern_reduce_by_key(quern_map(quern_text(job, argv[2]), number, NULL), quern_sum_u64, NULL);

	if (strcmp(what, "reduced") == 0)
		return quern_full_outer_join(sums, right, sum_and_text, NULL);
	if (strcmp(what, "reduced_divided") == 0)
		return quern_full_outer_join(quern_partitions(sums, 3), right, sum_and_text, NULL);
	/* Divided in two ways that cannot be brought together. */
	if (strcmp(what, "reduced_twice") == 0)
		return quern_full_outer_join(quern_partitions(sums, 3),
			quern_partitions(quern_join(right, right, both, NULL), 2), sum_and_text, NULL);
	return NULL;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 6)
		return 1;
	const quern_slice folder = { argv[5], strlen(argv[5]) + 1 };
	quern_set *left = quern_map(quern_text(job, argv[2]), row, NULL);
	quern_set *right = quern_map(quern_text(job, argv[3]), row, NULL);

	if (strcmp(argv[1], "twice") == 0)
		return twice(left, right, argv[4], argv[5]);
	if (strcmp(argv[1], "rank") == 0)
		return quern_save_text(page_rank(left, strtoul(argv[3], NULL, 10)), argv[4]);
	quern_set *set = set_of(argv[1], left, right, &folder);
	if (set == NULL)
		set = sorted(argv[1], left);
	if (set == NULL)
		set = reduced(argv[1], job, argv, right);
	return set != NULL ? quern_save_text(set, argv[4]) : 1;
}
