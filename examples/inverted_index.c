/* inverted_index.c: for each word, the files that it is in.
 *
 *     quern run inverted_index.c FOLDER OUTPUT
 *
 * A line of the output is "WORD<TAB>FILE<TAB>FILE...": words and files are in order. */
#define _GNU_SOURCE /* memrchr() */
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

/* The key is the file's path, the value what is in it. */
static void words(quern_slice path, quern_slice content, quern_out *out, void *arg)
{
	const char *slash = memrchr(path.ptr, '/', path.len);
	const char *begin = slash != NULL ? slash + 1 : path.ptr;
	quern_slice file = quern_bytes(begin, (size_t)(path.ptr + path.len - begin)), word;

	(void)arg;
	while (quern_next_word(&content, &word))
		quern_emit(out, word, file);
}

static int compare(quern_slice a, quern_slice b)
{
	size_t len = a.len < b.len ? a.len : b.len;
	int order = memcmp(a.ptr, b.ptr, len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static char *append(char *to, quern_slice file)
{
	memcpy(to, file.ptr, file.len);
	to[file.len] = '\t';
	return to + file.len + 1;
}

/* Two lists of files, both in order and each file once, become one. It runs already where the words are read,
 * so a file that has a word a thousand times is moved once. */
static void merge(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	char *all = malloc(a.len + b.len + 2), *end = all;
	const quern_slice tab = quern_str("\t");
	quern_slice x = { 0 }, y = { 0 };

	(void)arg;
	if (all == NULL)
		quern_fail("no memory for a list of %zu bytes", a.len + b.len);
	bool has_x = quern_next_field(&a, tab, &x), has_y = quern_next_field(&b, tab, &y);
	while (has_x || has_y) {
		int order = !has_y ? -1 : !has_x ? 1 : compare(x, y);

		end = append(end, order <= 0 ? x : y);
		if (order <= 0)
			has_x = quern_next_field(&a, tab, &x);
		if (order >= 0)
			has_y = quern_next_field(&b, tab, &y);
	}
	quern_put(out, quern_bytes(all, (size_t)(end - 1 - all))); /* without the last tab */
	free(all);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s FOLDER OUTPUT\n", argv[0]);
		return 1;
	}
	quern_set *files = quern_whole_files(job, argv[1]);
	quern_set *index = quern_reduce_by_key(quern_flat_map_pairs(files, words, NULL), merge, NULL);

	return quern_save_text(quern_sort_by_key(index, QUERN_ASCENDING), argv[2]);
}
