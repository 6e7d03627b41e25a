/* turns.c INPUT OUTPUT FOLDER SEEN: a word count whose map tasks wait at the gate of gate.c, FOLDER, at every
 * line, having appended a byte to the file SEEN: with one line a file its size is how often tasks were run.
 */
#include <fcntl.h>
#include <quern/quern.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What is known at every task: the folder, and behind its NUL the file. */
struct places {
	char folder[256], seen[256];
};

static int side_of(const char *folder, const char *name, int flags)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	int fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		quern_fail("cannot open %s", path);
	return fd;
}

static void words(quern_slice line, quern_out *out, void *arg)
{
	const struct places *p = arg;
	quern_slice word;

	int seen = open(p->seen, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (seen < 0 || write(seen, "x", 1) != 1)
		quern_fail("cannot write to %s", p->seen);
	(void)close(seen);
	int at = side_of(p->folder, "at", O_WRONLY);
	if (dprintf(at, "%d\n", (int)getpid()) < 0)
		quern_fail("cannot write to the gate");
	(void)close(at);
	(void)close(side_of(p->folder, "open", O_RDONLY));
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	struct places p = { "", "" };

	if (argc != 5)
		return 1;
	(void)snprintf(p.folder, sizeof(p.folder), "%s", argv[3]);
	(void)snprintf(p.seen, sizeof(p.seen), "%s", argv[4]);
	const quern_slice places = { (const char *)&p, sizeof(p) };
	quern_set *counts = quern_reduce_by_key(
		quern_flat_map(quern_text(job, argv[1]), words, &places), quern_sum_u64, NULL);
	return quern_save_text(counts, argv[2]);
}
