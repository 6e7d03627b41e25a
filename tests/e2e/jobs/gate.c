/* gate.c: a word count whose map tasks wait: each writes its process id to the FIFO FOLDER/at, once, and goes
 * on when the FIFO FOLDER/open has a writer. For tests that kill something in the middle. With a fourth
 * argument N the lines themselves are written, by the tasks that wait; each waits after N lines. */
#include <quern/quern.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Opens FOLDER/name, which waits for the other side. */
static int side_of(const char *folder, const char *name, int flags)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		quern_fail("cannot open %s", path);
	return fd;
}

struct lines {
	uint64_t before; /* the gate */
	char folder[512];
};

/* The whole process passes once: what it counts afterwards is no news. */
static void pass(const char *folder)
{
	static bool passed;

	if (passed)
		return;
	int at = side_of(folder, "at", O_WRONLY);
	if (dprintf(at, "%d\n", (int)getpid()) < 0)
		quern_fail("cannot write to the gate");
	(void)close(at);
	(void)close(side_of(folder, "open", O_RDONLY));
	passed = true;
}

static void words(quern_slice line, quern_out *out, void *arg)
{
	quern_slice word;

	pass(arg);
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

static void same(quern_slice line, quern_out *out, void *arg)
{
	const struct lines *l = arg;
	static uint64_t seen;

	if (seen++ == l->before)
		pass(l->folder);
	quern_put(out, line);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 4 && argc != 5)
		return 1;
	const quern_slice folder = { argv[3], strlen(argv[3]) + 1 };
	if (argc == 5) {
		struct lines l = { .before = strtoull(argv[4], NULL, 10) };

		(void)snprintf(l.folder, sizeof(l.folder), "%s", argv[3]);
		return quern_save_text(quern_map(quern_text(job, argv[1]), same, QUERN_ARG(l)), argv[2]);
	}
	quern_set *counts = quern_reduce_by_key(
		quern_flat_map(quern_text(job, argv[1]), words, &folder), quern_sum_u64, NULL);
	return quern_save_text(counts, argv[2]);
}
