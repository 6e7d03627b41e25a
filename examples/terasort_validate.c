/* terasort_validate.c: whether a folder is the sorted form of another, as terasort.c should have made it.
 *
 *     quern run terasort_validate.c INPUT SORTED
 *
 * There must be as many lines as in INPUT, with the same sum of checksums, which does not depend on their
 * order; and keys must not go down, within a part of SORTED or from the end of one to the beginning of the
 * next. */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>

enum { KEY = 10 };

struct summary {
	uint64_t lines, sum;
	bool in_order;
	char first[KEY], last[KEY];
};

/* FNV-1a. */
static uint64_t checksum(quern_slice line)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < line.len; i++)
		h = (h ^ (unsigned char)line.ptr[i]) * 0x100000001b3;
	return h;
}

/* Sees all lines of a partition, one after the other; gives one record. */
static void summarize(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	struct summary s = { .in_order = true };
	quern_slice key, line;

	(void)partition, (void)arg;
	while (quern_next(records, &key, &line)) {
		if (line.len < KEY)
			quern_fail("a line of %zu bytes has no key of %d", line.len, KEY);
		if (s.lines == 0)
			memcpy(s.first, line.ptr, KEY);
		else if (memcmp(line.ptr, s.last, KEY) < 0)
			s.in_order = false;
		memcpy(s.last, line.ptr, KEY);
		s.lines++;
		s.sum += checksum(line);
	}
	quern_put(out, quern_bytes(&s, sizeof(s)));
}

/* Partitions come in order: each must begin where the one before has ended, or later. */
static int add(quern_slice key, quern_slice value, void *arg)
{
	struct summary *all = arg, s;

	(void)key;
	memcpy(&s, value.ptr, sizeof(s));
	if (s.lines == 0)
		return 0;
	if (!s.in_order || (all->lines > 0 && memcmp(s.first, all->last, KEY) < 0))
		all->in_order = false;
	memcpy(all->last, s.last, KEY);
	all->lines += s.lines;
	all->sum += s.sum;
	return 0;
}

static int look(quern_job *job, const char *path, struct summary *ret)
{
	*ret = (struct summary){ .in_order = true };
	return quern_collect(quern_map_partitions(quern_text(job, path), summarize, NULL), add, ret);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	struct summary input, sorted;

	if (argc != 3) {
		(void)fprintf(stderr, "usage: %s INPUT SORTED\n", argv[0]);
		return 1;
	}
	int r = look(job, argv[1], &input);
	if (r == 0)
		r = look(job, argv[2], &sorted);
	if (r != 0)
		return r;
	if (input.lines != sorted.lines || input.sum != sorted.sum) {
		(void)fprintf(stderr,
			"%" PRIu64 " lines with sum %016" PRIx64 " have become %" PRIu64 " with %016" PRIx64
			"\n",
			input.lines, input.sum, sorted.lines, sorted.sum);
		return 1;
	}
	if (!sorted.in_order) {
		(void)fprintf(stderr, "%s is not in order\n", argv[2]);
		return 1;
	}
	(void)printf("%" PRIu64 " lines in order, sum %016" PRIx64 "\n", sorted.lines, sorted.sum);
	return 0;
}
