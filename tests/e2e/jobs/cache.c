/* cache.c: persisted sets, step by step. cache.c INPUT SEEN PERSIST WHAT...: the lines of INPUT go through a
 * function that appends a byte to the file SEEN for each, and are persisted as PERSIST says (plain,
 * compressed, no), and so are the counts of their words. Then each WHAT is done, one after another:
 *
 *     lines OUT    the lines are saved
 *     words OUT    the counts are saved
 *     count        the lines are counted, and the number printed
 *     take N       that many lines are taken
 *     fail         an action on the lines whose first attempt fails
 *     unpersist    the lines are kept no longer
 *     wait FILE    FILE.there is made, and a writer of the FIFO FILE.go waited for */
#include <fcntl.h>
#include <inttypes.h>
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void append(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0 || write(fd, "x", 1) != 1)
		quern_fail("cannot write to %s", path);
	(void)close(fd);
}

static void see(quern_slice line, quern_out *out, void *arg)
{
	append(arg);
	quern_put(out, line);
}

static void words(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	(void)arg;
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

/* Fails where nobody has failed before: `arg` is a file that says so. */
static bool fail_once(quern_slice line, void *arg)
{
	(void)line;
	if (access(arg, F_OK) != 0) {
		append(arg);
		quern_fail("for the first time");
	}
	return true;
}

static int ignore(quern_slice key, quern_slice value, void *arg)
{
	(void)key;
	(void)value;
	(void)arg;
	return 0;
}

static int count(quern_set *set)
{
	uint64_t n = 0;
	int r = quern_count(set, &n);

	(void)printf("%" PRIu64 "\n", n);
	(void)fflush(stdout);
	return r;
}

static int wait_for(const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s.there", name);
	append(path);
	(void)snprintf(path, sizeof(path), "%s.go", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 1;
	(void)close(fd);
	return 0;
}

static quern_set *persist(quern_set *set, const char *how)
{
	if (strcmp(how, "no") == 0)
		return set;
	return quern_persist(set, strcmp(how, "compressed") == 0 ? QUERN_MEMORY_COMPRESSED : QUERN_MEMORY);
}

static void as_key(quern_slice line, quern_out *out, void *arg)
{
	(void)arg;
	quern_emit(out, line, quern_str(""));
}

static void as_line(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	(void)value;
	(void)arg;
	quern_put(out, key);
}

static int save_sorted(quern_set *lines, const char *path)
{
	quern_set *sorted = quern_sort_by_key(quern_map(lines, as_key, NULL), QUERN_ASCENDING);

	return quern_save_text(quern_map_pairs(sorted, as_line, NULL), path);
}

static int fail_in_the_end(quern_set *lines, const char *seen)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s.failed", seen);
	const quern_slice arg = quern_bytes(path, strlen(path) + 1);
	return count(quern_filter(lines, fail_once, &arg));
}

int quern_main(quern_job *job, int argc, char **argv)
{
	const quern_slice seen = quern_bytes(argv[2], strlen(argv[2]) + 1);
	quern_set *lines = persist(quern_map(quern_text(job, argv[1]), see, &seen), argv[3]);
	quern_set *counts = persist(
		quern_reduce_by_key(quern_flat_map(lines, words, NULL), quern_sum_u64, NULL), argv[3]);
	int r = 0;

	for (int i = 4; i < argc && r == 0; i++) {
		if (strcmp(argv[i], "lines") == 0)
			r = quern_save_text(lines, argv[++i]);
		else if (strcmp(argv[i], "words") == 0)
			r = quern_save_text(counts, argv[++i]);
		else if (strcmp(argv[i], "sorted") == 0)
			r = save_sorted(lines, argv[++i]);
		else if (strcmp(argv[i], "count") == 0)
			r = count(lines);
		else if (strcmp(argv[i], "take") == 0)
			r = quern_take(lines, strtoull(argv[++i], NULL, 10), ignore, NULL);
		else if (strcmp(argv[i], "fail") == 0)
			r = fail_in_the_end(lines, argv[2]);
		else if (strcmp(argv[i], "unpersist") == 0)
			quern_unpersist(lines);
		else if (strcmp(argv[i], "wait") == 0)
			r = wait_for(argv[++i]);
		else
			r = 2;
	}
	return r;
}
