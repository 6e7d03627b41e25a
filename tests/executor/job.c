/* job.c: the job of the executor's tests: functions that do their work, and functions that go wrong. */
#include <quern/quern.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

quern_map_fn words, twice, upper, misbehave, number;
quern_map_pair_fn swap;
quern_filter_fn not_empty;
quern_reduce_fn longest, join, no_result, twice_reduced, reduce_fails;

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
