/* shared.c: what all tasks share. shared.c WHAT INPUT OUT ARG...; WHAT is
 *
 *     files    each line of INPUT names a file that came with the job: a task saves "NAME<TAB>CONTENT"; the
 *              first ARG is read in quern_main() as well, and printed */
#include <quern/quern.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* What a file holds, or a failure; to be freed. */
static char *content(const char *path, size_t *ret_len)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (f == NULL)
		quern_fail("cannot open %s", path);
	*ret_len = 0;
	ssize_t n = getdelim(&text, &size, '\0', f);
	if (n > 0)
		*ret_len = (size_t)n;
	(void)fclose(f);
	return text;
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

int quern_main(quern_job *job, int argc, char **argv)
{
	if (argc < 4)
		return 2;
	if (strcmp(argv[1], "files") == 0)
		return save_files(quern_text(job, argv[2]), argv[3], argv[4]);
	return 2;
}
