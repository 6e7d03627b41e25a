/* files.c: from any source to any sink: files.c SOURCE STEPS SINK OUTPUT. SOURCE: text:PATH,
 * pairs:SEPARATOR:PATH, whole:PATH, fixed:WIDTH:PATH, seq:PATH, range:START:END, lines:PATH (the lines of
 * that file, from memory), or records:PATH (the same, "key<TAB>value" or a value alone). STEPS: -, or a list
 * of those below. */
#include <fcntl.h>
#include <inttypes.h>
#include <quern/quern.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- Steps ---- */

/* The first `*arg` bytes are the key. */
static void keyed(quern_slice value, quern_out *out, void *arg)
{
	size_t n = *(const size_t *)arg;

	if (value.len < n)
		quern_fail("a record of %zu bytes", value.len);
	quern_emit(out, quern_bytes(value.ptr, n), quern_bytes(value.ptr + n, value.len - n));
}

/* Tells a record without a key from one with an empty one. */
static void shown(quern_slice key, quern_slice value, quern_out *out, void *arg)
{
	char *text = malloc(key.len + value.len + 64);

	(void)arg;
	if (text == NULL)
		quern_fail("out of memory");
	int n = sprintf(text, "%s%zu:", key.ptr == NULL ? "none" : "key", key.len);
	if (key.len > 0)
		memcpy(text + n, key.ptr, key.len);
	text[(size_t)n + key.len] = '=';
	if (value.len > 0)
		memcpy(text + (size_t)n + key.len + 1, value.ptr, value.len);
	quern_put(out, quern_bytes(text, (size_t)n + key.len + 1 + value.len));
	free(text);
}

/* Keeps every record; the first that is "kill" kills its worker, once. `arg`: a file that remembers. */
static bool survives(quern_slice value, void *arg)
{
	int fd;

	if (value.len == 4 && memcmp(value.ptr, "kill", 4) == 0 &&
		(fd = open(arg, O_CREAT | O_EXCL | O_WRONLY, 0600)) >= 0 && close(fd) == 0)
		(void)kill(getpid(), SIGKILL);
	return true;
}

/* ---- Sources ---- */

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *data = NULL;
	size_t room = 0;
	ssize_t n = f != NULL ? getdelim(&data, &room, '\0', f) : -1;

	if (f != NULL)
		(void)fclose(f);
	if (n >= 0)
		return data;
	free(data); /* getdelim() has made it, for nothing */
	data = calloc(1, 1);
	if (data == NULL)
		quern_fail("out of memory");
	return data;
}

static quern_set *from_memory(quern_job *job, const char *path, bool pairs)
{
	char *data = read_file(path), *at = data;
	const char **lines = calloc(strlen(data) + 1, sizeof(*lines));
	quern_record *records = calloc(strlen(data) + 1, sizeof(*records));
	size_t n = 0;

	if (lines == NULL || records == NULL)
		quern_fail("out of memory");
	for (char *end; (end = strchr(at, '\n')) != NULL; at = end + 1, n++) {
		*end = '\0';
		char *tab = strchr(at, '\t');
		lines[n] = at;
		records[n].value = quern_str(tab != NULL ? tab + 1 : at);
		if (tab != NULL)
			records[n].key = quern_bytes(at, (size_t)(tab - at));
	}
	quern_set *set = pairs ? quern_records_from(job, records, n) : quern_lines_from(job, lines, n);
	free(data);
	free(lines);
	free(records);
	return set;
}

static quern_set *source(quern_job *job, char *what)
{
	char *url = strstr(what, ":webhdfs:"), *path = (url != NULL ? url : strrchr(what, ':')) + 1;
	char *middle = strchr(what, ':') + 1;

	path[-1] = '\0';
	if (strncmp(what, "text", 4) == 0)
		return quern_text(job, path);
	if (strncmp(what, "pairs", 5) == 0)
		return quern_text_pairs(job, path, middle);
	if (strncmp(what, "whole", 5) == 0)
		return quern_whole_files(job, path);
	if (strncmp(what, "fixed", 5) == 0)
		return quern_fixed(job, path, (uint32_t)strtoul(middle, NULL, 10));
	if (strncmp(what, "seq", 3) == 0)
		return quern_seq(job, path);
	if (strncmp(what, "range", 5) == 0)
		return quern_range(job, strtoull(middle, NULL, 10), strtoull(path, NULL, 10));
	return from_memory(job, path, strncmp(what, "records", 7) == 0);
}

/* ---- The rest ---- */

static quern_set *step(quern_set *set, const char *name)
{
	const char *equals = strchr(name, '=');
	const char *more = equals != NULL ? equals + 1 : "";
	size_t n = strtoull(more, NULL, 10);
	const quern_slice path = { more, strlen(more) + 1 };

	if (strncmp(name, "pieces=", 7) == 0)
		return quern_pieces(set, (uint32_t)n);
	if (strncmp(name, "keyed=", 6) == 0)
		return quern_map(set, keyed, QUERN_ARG(n));
	if (strcmp(name, "shown") == 0)
		return quern_map_pairs(set, shown, NULL);
	if (strcmp(name, "sort") == 0)
		return quern_sort_by_key(set, QUERN_ASCENDING);
	if (strcmp(name, "numbers") == 0)
		return quern_typed(set, QUERN_U64, QUERN_BYTES);
	if (strcmp(name, "persist") == 0)
		return quern_persist(set, QUERN_MEMORY);
	if (strcmp(name, "twice") == 0)
		return quern_union(set, set);
	if (strncmp(name, "survive=", 8) == 0)
		return quern_filter(set, survives, &path);
	if (strncmp(name, "checkpoint=", 11) == 0)
		return quern_checkpoint(set, more);
	quern_fail("no such step: %s", name);
}

static int sink(quern_set *set, const char *what, const char *path)
{
	uint64_t n = 0;

	if (strcmp(what, "text") == 0)
		return quern_save_text(set, path);
	if (strcmp(what, "seq") == 0)
		return quern_save_seq(set, path, QUERN_PLAIN);
	if (strcmp(what, "seq.zst") == 0)
		return quern_save_seq(set, path, QUERN_ZSTD);
	if (strcmp(what, "seq.gz") == 0)
		return quern_save_seq(set, path, QUERN_GZIP);
	if (strcmp(what, "raw") == 0)
		return quern_save_raw(set, path, QUERN_PLAIN);
	if (strcmp(what, "raw.gz") == 0)
		return quern_save_raw(set, path, QUERN_GZIP);
	if (strcmp(what, "raw.zst") == 0)
		return quern_save_raw(set, path, QUERN_ZSTD);
	/* Twice, for what is kept. */
	if (quern_count(set, &n) != 0 || quern_count(set, &n) != 0)
		return 1;
	(void)printf("%" PRIu64 "\n", n);
	return 0;
}

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc != 5)
		quern_fail("usage: %s SOURCE STEPS SINK OUTPUT", argv[0]);
	quern_set *set = source(job, argv[1]);
	for (char *s = strtok(argv[2], ","); s != NULL && strcmp(s, "-") != 0; s = strtok(NULL, ","))
		set = step(set, s);
	return sink(set, argv[3], argv[4]);
}
