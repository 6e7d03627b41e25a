/* job.c: the job of the executor's tests: functions that do their work, and functions that go wrong. */
#include <quern/quern.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

quern_map_fn words, twice, upper, misbehave, number;
quern_map_pair_fn swap;
quern_filter_fn not_empty;
quern_foreach_fn count_calls;
quern_partition_fn pass_on, take_two, emit_endless, fail_at_third, count_first;
quern_partitioner_fn by_first_byte;
quern_zip_fn numbered;
quern_reduce_fn longest, join, no_result, twice_reduced, reduce_fails;
quern_group_fn first_values;
quern_cogroup_fn in_turns;
quern_join_fn both_sides;
quern_cartesian_fn whole_records;

void words(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

void twice(quern_slice value, quern_out *out, void *arg)
{
	(void)arg;
	quern_put(out, value);
	quern_put(out, value);
}

void upper(quern_slice value, quern_out *out, void *arg)
{
	char *copy = malloc(value.len + 1);

	(void)arg;
	if (copy == NULL)
		quern_fail("no memory");
	for (size_t i = 0; i < value.len; i++)
		copy[i] =
			value.ptr[i] >= 'a' && value.ptr[i] <= 'z' ? (char)(value.ptr[i] - 32) : value.ptr[i];
	quern_put(out, quern_bytes(copy, value.len));
	free(copy);
}

void swap(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, value, key);
}

bool not_empty(quern_slice value, void *arg)
{
	(void)arg;
	return value.len > 0;
}

/* The longer value; of two of one length, the greater. */
void longest(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)arg;
	if (a.len != b.len)
		quern_put(out, a.len > b.len ? a : b);
	else
		quern_put(out, memcmp(a.ptr, b.ptr, a.len) > 0 ? a : b);
}

/* Both, one behind the other: values that grow. */
void join(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	char *both = malloc(a.len + b.len + 1);

	(void)arg;
	if (both == NULL)
		quern_fail("no memory");
	if (a.len > 0)
		memcpy(both, a.ptr, a.len);
	if (b.len > 0)
		memcpy(both + a.len, b.ptr, b.len);
	quern_put(out, quern_bytes(both, a.len + b.len));
	free(both);
}

/* The first values of a key, as many as `arg` says, and how many they are. */
void first_values(quern_slice key, quern_values *values, quern_out *out, void *arg)
{
	uint64_t most, n = 0;
	quern_slice value;

	memcpy(&most, arg, sizeof(most));
	for (; n < most && quern_next_value(values, &value); n++)
		quern_emit(out, key, value);
	quern_emit_u64(out, key, n);
}

/* A record of several parts, some of which may not be there. */
static void put_parts(quern_out *out, quern_slice key, size_t n, const quern_slice *const *parts)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		len += 2 + (parts[i] != NULL ? parts[i]->len : 0);
	char *text = malloc(len), *p = text;
	if (text == NULL)
		quern_fail("no memory");
	for (size_t i = 0; i < n; i++) {
		*p++ = parts[i] != NULL ? '+' : '-';
		if (parts[i] != NULL && parts[i]->len > 0)
			memcpy(p, parts[i]->ptr, parts[i]->len);
		p += parts[i] != NULL ? parts[i]->len : 0;
		*p++ = '|';
	}
	quern_emit(out, key, quern_bytes(text, len));
	free(text);
}

/* A value of the left, one of the right, and so on: pairs, as long as there is either. */
void in_turns(quern_slice key, quern_values *left, quern_values *right, quern_out *out, void *arg)
{
	(void)arg;
	for (;;) {
		quern_slice a, b;
		bool has_a = quern_next_value(left, &a), has_b = quern_next_value(right, &b);

		if (!has_a && !has_b)
			return;
		put_parts(out, key, 2, (const quern_slice *[]){ has_a ? &a : NULL, has_b ? &b : NULL });
	}
}

void both_sides(quern_slice key, const quern_slice *left, const quern_slice *right, quern_out *out, void *arg)
{
	(void)arg;
	put_parts(out, key, 2, (const quern_slice *[]){ left, right });
}

void whole_records(quern_slice left_key, quern_slice left_value, quern_slice right_key,
	quern_slice right_value, quern_out *out, void *arg)
{
	(void)arg;
	put_parts(out, left_key, 3, (const quern_slice *[]){ &left_value, &right_key, &right_value });
}

void no_result(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)a, (void)b, (void)out, (void)arg;
}

void twice_reduced(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)arg;
	quern_put(out, a);
	quern_put(out, b);
}

void reduce_fails(quern_slice a, quern_slice b, quern_out *out, void *arg)
{
	(void)a, (void)b, (void)out, (void)arg;
	quern_fail("two values of a key");
}

/* The number that a line is; counts what it has seen. */
void number(quern_slice line, quern_out *out, void *arg)
{
	const quern_accumulator lines = { 3, 1 /* a sum of u64 */ };

	(void)arg;
	quern_add_u64(lines, 1);
	quern_emit_u64(out, quern_str("n"), quern_need_u64(line));
	quern_counter_add("numbers", 1);
}

static bool is(quern_slice line, const char *what)
{
	return line.len == strlen(what) && memcmp(line.ptr, what, line.len) == 0;
}

/* Leaves a process behind that nobody has asked for. Its id is the record. */
static void leave_child(quern_out *out)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)setsid(); /* out of the worker's group */
		for (;;)
			(void)pause();
	}
	char text[32];
	int n = snprintf(text, sizeof(text), "%d", (int)pid);
	quern_put(out, quern_bytes(text, (size_t)n));
}

/* Makes the file that `arg` names, if any, and never returns. */
static void hang(const char *name)
{
	(void)fprintf(stderr, "hanging\n");
	FILE *f = name != NULL ? fopen(name, "w") : NULL;
	if (f != NULL)
		(void)fclose(f);
	for (;;)
		(void)pause();
}

/* Does what the line says. */
void misbehave(quern_slice line, quern_out *out, void *arg)
{
	if (is(line, "crash")) {
		(void)fprintf(stderr, "about to crash\n");
		(void)signal(SIGSEGV, SIG_DFL); /* a sanitizer would end the process in its own way */
		(void)raise(SIGSEGV);
	} else if (is(line, "exit")) {
		(void)fprintf(stderr, "first line\nlast words\n");
		exit(3);
	} else if (is(line, "kill")) {
		(void)raise(SIGKILL);
	} else if (is(line, "hang")) {
		hang(arg);
	} else if (is(line, "print")) {
		(void)fprintf(stderr, "printed\n");
		quern_put(out, line);
	} else if (is(line, "fail")) {
		quern_fail("it is\nbroken: %d", 7);
	} else if (is(line, "child")) {
		leave_child(out);
	} else if (is(line, "pid")) {
		char text[32];
		int n = snprintf(text, sizeof(text), "%d", (int)getpid());
		quern_put(out, quern_bytes(text, (size_t)n));
	} else {
		quern_put(out, line);
	}
}

/* ---- Partitions ---- */

/* `arg`: where to count; of this process alone. */
void count_calls(quern_slice key, quern_slice value, void *arg)
{
	(void)key, (void)value;
	++**(unsigned **)arg;
}

/* All records as they are; at the end the partition's number. */
void pass_on(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;

	(void)arg;
	while (quern_next(records, &key, &value)) {
		if (key.ptr != NULL)
			quern_emit(out, key, value);
		else
			quern_put(out, value);
	}
	quern_emit_u64(out, quern_str("partition"), partition);
}

void take_two(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;

	(void)partition, (void)arg;
	for (int i = 0; i < 2 && quern_next(records, &key, &value); i++)
		quern_put(out, value);
}

void emit_endless(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	(void)partition, (void)records, (void)arg;
	for (;;)
		quern_put(out, quern_str("more"));
}

/* Counts in `arg` when it gets to its end. */
void fail_at_third(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;

	(void)partition, (void)out;
	for (int i = 0; quern_next(records, &key, &value); i++)
		if (i == 2)
			quern_fail("the third: %.*s", (int)value.len, value.ptr);
	++**(unsigned **)arg;
}

/* Takes one record, counts in `arg`, takes the others, counts again. */
void count_first(uint32_t partition, quern_records *records, quern_out *out, void *arg)
{
	quern_slice key, value;

	(void)partition, (void)out;
	(void)quern_next(records, &key, &value);
	++**(unsigned **)arg;
	while (quern_next(records, &key, &value))
		;
	++**(unsigned **)arg;
}

uint32_t by_first_byte(quern_slice key, uint32_t partitions, void *arg)
{
	(void)partitions, (void)arg;
	return key.len > 0 ? (uint8_t)key.ptr[0] : 0;
}

void numbered(uint64_t index, quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)key, (void)arg;
	quern_emit_u64(out, value, index);
}
