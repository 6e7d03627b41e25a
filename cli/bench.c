/* bench.c: `quern bench`: the benchmark suite, which is in Python (bench/suite) and is handed the command
 * line as it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/paths.h"

static const char program[] = "python3";

/* Where the suite finds this program and what belongs to it. */
static int tell(const struct paths *p)
{
	return setenv("QUERN", p->self, 1) < 0 || setenv("QUERN_BENCH", p->bench, 1) < 0 ? -errno : 0;
}

/* Becomes the suite; returns if that fails. */
static int become(const struct paths *p, int argc, char **argv, struct err *err)
{
	auto_free char *suite = NULL;
	auto_free char **words = calloc((size_t)argc + 4, sizeof(*words));
	size_t n = 0;

	if (asprintf(&suite, "%s/suite", p->bench) < 0)
		suite = NULL;
	if (words == NULL || suite == NULL || tell(p) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	words[n++] = (char *)program;
	words[n++] = (char[]){ "-B" }; /* writes no bytecode: the installation may be somebody else's */
	words[n++] = suite;
	for (int i = 1; i < argc; i++)
		words[n++] = argv[i];
	(void)execvp(program, words);
	if (errno == ENOENT)
		return err_set(err, -ENOENT,
			"there is no python3 in PATH: the benchmark suite is in Python, 3.9 or later");
	return err_errno(err, -errno, "cannot run %s", program);
}

int command_bench(int argc, char **argv)
{
	struct paths paths;
	struct err err = { "" };

	int r = paths_find(&paths, &err);
	if (r == 0 && paths.bench == NULL)
		r = err_set(&err, -ENOENT, "this installation is not whole: it has no benchmark suite");
	if (r == 0)
		r = become(&paths, argc, argv, &err);
	(void)fprintf(stderr, "%s: %s\n", argv[0], err.text);
	paths_deinit(&paths);
	return 1;
}
