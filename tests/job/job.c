/* job.c: the job of the tests in this folder. argv[1] says what to do; sessions print what they get on
 * stdout. */
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/job/job.h"

static void words(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

static void swap(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, value, key);
}

static bool long_enough(quern_slice value, void *arg)
{
	return value.len >= *(const size_t *)arg;
}

static bool even(quern_slice key, quern_slice value, void *arg)
{
	(void)arg;
	return (key.len + value.len) % 2 == 0;
}

static void either(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)arg;
	quern_put(out, a.len > b.len ? a : b);
}

static void pass_on(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;

	(void)partition, (void)arg;
	while (quern_next(records, &key, &value))
		quern_emit(out, key, value);
}

static void number(uint64_t index, quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)value, (void)arg;
	quern_emit_u64(out, key, index);
}

static uint32_t first(quern_slice key, uint32_t partitions, void *arg)
{
	(void)key, (void)partitions, (void)arg;
	return 0;
}

const struct job_functions job_functions = { .words = words,
	.swap = swap,
	.long_enough = long_enough,
	.even = even,
	.either = either,
	.pass_on = pass_on,
	.number = number,
	.first = first };

static int print(quern_slice key, quern_slice value, void *arg)
{
	uint64_t *left = arg;

	(void)printf("%.*s=%.*s\n", (int)key.len, key.ptr, (int)value.len, value.ptr);
	(void)fflush(stdout);
	return left != NULL && --*left == 0 ? 9 : 0;
}

static int print_and_unpersist(quern_slice key, quern_slice value, void *set)
{
	quern_unpersist(set);
	return print(key, value, NULL);
}

static int use_broadcast(quern_job *job)
{
	char text[] = "for all of them";
	quern_broadcast_t b = quern_broadcast(job, quern_str(text));

	memset(text, 'x', sizeof(text)); /* it was copied */
	const quern_slice value = quern_broadcast_value(b);
	(void)printf("%.*s\n", (int)value.len, value.ptr);
	(void)fflush(stdout);
	quern_broadcast_destroy(job, b);
	quern_broadcast_destroy(job, b); /* once is enough */
	(void)quern_broadcast_value(b);
	return 0;
}

static int broadcast_within(quern_slice key, quern_slice value, void *job)
{
	(void)key, (void)value;
	(void)quern_broadcast(job, quern_str("x"));
	return 0;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	quern_set *set = quern_flat_map(quern_text(job, argc > 2 ? argv[2] : NULL), words, NULL);
	quern_set *counts = quern_reduce_by_key(set, quern_sum_u64, NULL);
	uint64_t n = 0;
	int r = 0;

	if (strcmp(what, "save") == 0)
		return quern_save_text(counts, argc > 3 ? argv[3] : NULL);
	if (strcmp(what, "collect") == 0)
		return quern_collect(set, print, NULL);
	if (strcmp(what, "stop-after-2") == 0) {
		n = 2;
		r = quern_collect(set, print, &n);
		(void)printf("collect returned %d\n", r);
		return 0;
	}
	if (strcmp(what, "count") == 0) {
		for (int i = 0; i < 3 && r == 0; i++) {
			r = quern_count(counts, &n);
			(void)printf("%" PRIu64 "\n", n);
		}
		return r;
	}
	if (strcmp(what, "take") == 0)
		return quern_take(set, strtoull(argv[3], NULL, 10), print, NULL);
	if (strcmp(what, "broadcast") == 0)
		return use_broadcast(job);
	if (strcmp(what, "broadcast-within") == 0)
		return quern_collect(set, broadcast_within, job);
	if (strcmp(what, "persist") == 0) {
		set = quern_persist(set, QUERN_MEMORY);
		return quern_collect(set, print_and_unpersist, set);
	}
	return (int)strtol(what, NULL, 10);
}
