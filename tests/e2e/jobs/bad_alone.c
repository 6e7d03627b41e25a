/* bad_alone.c: bad records among others: bad_alone.c WHAT WORDS. Words of the text that begin with 'x' are
 * bad. Prints how many records there are, and what accumulators have come to. */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>

static void words(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word))
		quern_put(out, word);
}

static void good(quern_slice word, quern_out *out, void *arg)
{
	if (word.ptr[0] == 'x')
		quern_bad_record("it begins with an x");
	if (arg != NULL)
		quern_add_u64(*(const quern_accumulator *)arg, 1);
	quern_put(out, word);
}

static void count(quern_slice word, quern_out *out, void *arg)
{
	quern_add_u64(*(const quern_accumulator *)arg, 1);
	quern_put(out, word);
}

static void by_length(quern_slice word, quern_out *out, void *arg)
{
	const char length = (char)word.len;

	(void)arg;
	quern_emit(out, quern_bytes(&length, 1), word);
}

static void numbered(uint64_t index, quern_slice key, quern_slice word, quern_out *out, void *arg)
{
	(void)index, (void)key, (void)arg;
	quern_put(out, word);
	quern_put(out, word);
}

static void pair(
	quern_slice key, const quern_slice *left, const quern_slice *right, quern_out *out, void *arg)
{
	(void)arg;
	if (left->ptr[0] == 'x')
		quern_bad_record("it begins with an x");
	quern_emit(out, key, *right);
}

static void both(quern_slice left_key, quern_slice left, quern_slice right_key, quern_slice right,
	quern_out *out, void *arg)
{
	(void)left_key, (void)right_key, (void)arg;
	if (left.ptr[0] == 'x' && right.ptr[0] == 'x')
		quern_bad_record("both begin with an x");
	quern_emit(out, left, right);
}

static int print(quern_set *set, const char *name)
{
	uint64_t n = 0;
	int r = quern_count(set, &n);

	(void)printf("%s %" PRIu64 "\n", name, n);
	return r;
}

/* What a sort's sample or a zip's count keeps must not make tasks count twice, or too little. */
static int kept(quern_job *job, quern_set *all, bool sorts)
{
	quern_accumulator before = quern_accumulator_u64(job, "before"),
			  behind = quern_accumulator_u64(job, "behind");
	quern_set *set = quern_persist(quern_map(all, count, QUERN_ARG(before)), QUERN_MEMORY);

	set = quern_map(set, good, QUERN_ARG(behind));
	set = sorts ? quern_sort_by_key(quern_map(set, by_length, NULL), QUERN_ASCENDING)
		    : quern_zip_with_index(set, numbered, NULL);
	int r = print(set, "records");
	(void)printf("before %" PRIu64 "\nbehind %" PRIu64 "\n", quern_total_u64(job, before),
		quern_total_u64(job, behind));
	return r;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	quern_set *all = quern_flat_map(quern_text(job, argc > 2 ? argv[2] : NULL), words, NULL);
	quern_set *keyed = quern_map(all, by_length, NULL);

	if (strcmp(what, "fused") == 0)
		return print(quern_map(all, good, NULL), "records");
	if (strcmp(what, "persisted") == 0) {
		all = quern_persist(all, QUERN_MEMORY);
		int r = print(quern_map(all, good, NULL), "records");
		return r == 0 ? print(all, "all") : r;
	}
	if (strcmp(what, "zip") == 0)
		return print(quern_map(quern_zip_with_index(all, numbered, NULL), good, NULL), "records");
	if (strcmp(what, "join") == 0)
		return print(quern_join(keyed, keyed, pair, NULL), "records");
	if (strcmp(what, "cartesian") == 0)
		return print(quern_cartesian(all, all, both, NULL), "records");
	return kept(job, all, strcmp(what, "sort") == 0);
}
