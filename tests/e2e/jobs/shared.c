/* shared.c: what all tasks share. shared.c WHAT INPUT OUT ARG...; WHAT is
 *
 *     files    each line of INPUT names a file that came with the job: a task saves "NAME<TAB>CONTENT"; the
 *              first ARG is read in quern_main() as well, and printed
 *     bytes    each line of INPUT is a place in file OUT, which is broadcast. Then, one after another, for
 * each ARG: look FILE    folder FILE gets "PLACE<TAB>BYTE" for each line where FILE   and "PID<TAB>MAPPING"
 * of a task for some lines, as /proc has it count        the lines are counted by a function that looks at
 * their bytes destroy      the broadcast is destroyed anew         and made again wait FILE    FILE.there is
 * made, and a writer of the FIFO FILE.go waited for */
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a file holds; to be freed. */
static char *content(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	struct stat st;

	if (f == NULL || fstat(fileno(f), &st) < 0)
		quern_fail("cannot open %s", path);
	char *bytes = malloc((size_t)st.st_size + 1);
	*ret_len = bytes != NULL ? fread(bytes, 1, (size_t)st.st_size, f) : 0;
	(void)fclose(f);
	if (bytes == NULL || *ret_len != (size_t)st.st_size)
		quern_fail("cannot read %s", path);
	return bytes;
}

static void read_file(quern_slice name, quern_out *out, void *arg)
{
	char text[256];
	size_t len, again;

	(void)arg;
	(void)snprintf(text, sizeof(text), "%.*s", (int)name.len, name.ptr);
	char *here = content(text, &len); /* in the working directory */
	char *there = content(quern_file_path(text), &again);
	if (len != again || memcmp(here, there, len) != 0)
		quern_fail("%s is not the same file twice", text);
	quern_emit(out, quern_str(access(text, X_OK) == 0 ? "program" : "data"), quern_bytes(here, len));
	free(here);
	free(there);
}

static int save_files(quern_set *names, const char *out, const char *name)
{
	size_t len;
	char *text = content(quern_file_path(name), &len);

	(void)fwrite(text, 1, len, stdout);
	(void)fflush(stdout);
	free(text);
	return quern_save_text(quern_flat_map(names, read_file, NULL), out);
}

/* What travels with every step. */
struct shared {
	quern_broadcast_t empty, bytes;
	size_t len;
};

static unsigned byte_at(quern_slice line, const struct shared *shared)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%.*s", (int)line.len, line.ptr);
	size_t place = strtoull(text, NULL, 10);
	const quern_slice bytes = quern_broadcast_value(shared->bytes);
	if (quern_broadcast_value(shared->empty).len != 0 || bytes.len != shared->len || place >= bytes.len)
		quern_fail("a broadcast of %zu bytes instead of %zu", bytes.len, shared->len);
	return (unsigned char)bytes.ptr[place];
}

static void look(quern_slice line, quern_out *out, void *arg)
{
	char text[32];

	int n = snprintf(text, sizeof(text), "%u", byte_at(line, arg));
	quern_emit(out, line, quern_bytes(text, (size_t)n));
}

static bool has_byte(quern_slice line, void *arg)
{
	return byte_at(line, arg) < 256;
}

static void where(quern_slice line, quern_out *out, void *arg)
{
	char text[4096], pid[32];
	FILE *maps;

	if (byte_at(line, arg) != 0)
		return; /* one line of 256 is enough */
	maps = fopen("/proc/self/maps", "re");
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	while (maps != NULL && fgets(text, sizeof(text), maps) != NULL)
		if (strstr(text, "/broadcast/") != NULL)
			quern_emit(out, quern_str(pid), quern_bytes(text, strcspn(text, "\n")));
	if (maps != NULL)
		(void)fclose(maps);
}

static int count(quern_set *lines)
{
	uint64_t n = 0;
	int r = quern_count(lines, &n);

	(void)printf("%llu\n", (unsigned long long)n);
	(void)fflush(stdout);
	return r;
}

static int wait_for(const char *name)
{
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s.there", name);
	FILE *f = fopen(path, "we");
	if (f == NULL || fclose(f) != 0)
		return 1;
	(void)snprintf(path, sizeof(path), "%s.go", name);
	f = fopen(path, "re");
	if (f != NULL)
		(void)fclose(f);
	return f == NULL;
}

static int look_at_bytes(quern_job *job, quern_set *lines, const char *file, char **args)
{
	size_t len;
	char *data = content(file, &len);
	struct shared shared = { quern_broadcast(job, quern_bytes(NULL, 0)),
		quern_broadcast(job, quern_bytes(data, len)), len };
	const quern_slice here = quern_broadcast_value(shared.bytes);
	int r = here.len == len && memcmp(here.ptr, data, len) == 0 ? 0 : 1;

	for (; r == 0 && *args != NULL; args++) {
		if (strcmp(*args, "look") == 0)
			r = quern_save_text(quern_flat_map(lines, look, QUERN_ARG(shared)), *++args);
		else if (strcmp(*args, "where") == 0)
			r = quern_save_text(quern_flat_map(lines, where, QUERN_ARG(shared)), *++args);
		else if (strcmp(*args, "count") == 0)
			r = count(quern_filter(lines, has_byte, QUERN_ARG(shared)));
		else if (strcmp(*args, "destroy") == 0)
			quern_broadcast_destroy(job, shared.bytes);
		else if (strcmp(*args, "anew") == 0)
			shared.bytes = quern_broadcast(job, quern_bytes(data, len));
		else if (strcmp(*args, "wait") == 0)
			r = wait_for(*++args);
		else
			r = 2;
	}
	free(data);
	return r;
}

/* Of a task whose input is one line. */
struct gate {
	char log[256], folder[256];
};

static void append(const char *path, const char *text)
{
	FILE *f = fopen(path, "ae");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		quern_fail("cannot write to %s", path);
}

static void words(quern_slice line, quern_out *out, void *arg)
{
	const struct gate *gate = arg;
	char path[512], pid[32];
	quern_slice word;

	append(gate->log, "b");
	(void)snprintf(path, sizeof(path), "%s/at", gate->folder);
	(void)snprintf(pid, sizeof(pid), "%d\n", (int)getpid());
	append(path, pid);
	(void)snprintf(path, sizeof(path), "%s/open", gate->folder);
	FILE *f = fopen(path, "re"); /* opens when there is a writer */
	if (f != NULL)
		(void)fclose(f);
	while (quern_next_word(&line, &word))
		quern_emit_u64(out, word, 1);
	append(gate->log, "e");
}

static int count_words(quern_set *lines, const char *out, char **args)
{
	struct gate gate;

	(void)snprintf(gate.log, sizeof(gate.log), "%s", args[4]);
	(void)snprintf(gate.folder, sizeof(gate.folder), "%s", args[5]);
	quern_set *found = quern_resources(quern_flat_map(lines, words, QUERN_ARG(gate)),
		strtod(args[0], NULL), (uint32_t)strtoul(args[1], NULL, 10));
	quern_set *counts = quern_resources(quern_reduce_by_key(found, quern_sum_u64, NULL),
		strtod(args[2], NULL), (uint32_t)strtoul(args[3], NULL, 10));
	return quern_save_text(counts, out);
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc < 4)
		return 2;
	if (strcmp(argv[1], "files") == 0)
		return save_files(quern_text(job, argv[2]), argv[3], argv[4]);
	if (strcmp(argv[1], "bytes") == 0)
		return look_at_bytes(job, quern_text(job, argv[2]), argv[3], argv + 4);
	if (strcmp(argv[1], "sizes") == 0 && argc == 10)
		return count_words(quern_text(job, argv[2]), argv[3], argv + 4);
	return 2;
}
