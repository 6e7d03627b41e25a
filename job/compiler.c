#include "job/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include "base/auto.h"

extern char **environ;

enum {
	VERSION_MAX = 64 << 10, /* bytes of what a compiler says about itself */
	NOT_FOUND = 127,        /* exit status: as of a shell */
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The user's own flags come behind these, and may take them back. The three errors are what newer compilers
 * do anyway: each is a job that would crash on the cluster. */
const char *const compiler_flags[] = { "-std=gnu17", "-O2", "-g", "-fPIC", "-fvisibility=default",
	"-Werror=implicit-function-declaration", "-Werror=incompatible-pointer-types",
	"-Werror=int-conversion", NULL };
const char *const compiler_link_flags[] = { "-shared", "-Wl,--build-id=sha1", NULL };

/* ---- Words ---- */

void words_deinit(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->at[i]);
	vec_deinit(w);
}

static int words_add(struct words *w, const char *word)
{
	char *copy = strdup(word);

	if (copy == NULL || vec_push(w, copy) < 0) {
		free(copy);
		return -ENOMEM;
	}
	return 0;
}

static int words_add_all(struct words *w, const char *const *words, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = words_add(w, words[i]);
	return r;
}

/* Takes `text` apart as a shell would; no commands in it. `what` names it in errors. */
static int words_split(struct words *w, const char *text, const char *what, struct err *err)
{
	wordexp_t split = { 0 };

	int r = wordexp(text, &split, WRDE_NOCMD | WRDE_UNDEF);
	switch (r) {
	case 0:
		break;
	case WRDE_NOSPACE:
		wordfree(&split);
		return err_set(err, -ENOMEM, "out of memory");
	case WRDE_BADVAL:
		return err_set(err, -EINVAL, "%s '%s': it names a variable that is not set", what, text);
	case WRDE_CMDSUB:
		return err_set(err, -EINVAL, "%s '%s': a command in it is not run", what, text);
	default:
		return err_set(err, -EINVAL, "%s '%s': it is not quoted as for a shell", what, text);
	}
	r = words_add_all(w, (const char *const *)split.we_wordv, split.we_wordc);
	wordfree(&split);
	return r < 0 ? err_set(err, r, "out of memory") : 0;
}

/* ---- Running the compiler ---- */

/* Runs a command to its end with these descriptors. Its exit status, or 128 + signal; -errno: not started. */
static int run_command(char *const *argv, int in, int out, int errors)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	int r = posix_spawn_file_actions_init(&actions);
	if (r != 0)
		return -r;
	if (in < 0)
		r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	else
		r = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
	if (r == 0)
		r = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r != 0)
		return -r;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Compilers warn of these where nothing is linked. */
static bool is_for_linker(const char *word)
{
	const char *dot = strrchr(word, '.');

	if (*word == '-')
		return strncmp(word, "-l", 2) == 0 || strncmp(word, "-Wl,", 4) == 0;
	return dot != NULL && (strcmp(dot, ".o") == 0 || strcmp(dot, ".a") == 0 || strcmp(dot, ".so") == 0);
}

/* One step: cc, our flags, STEP..., the user's flags (libraries come behind what needs them). `link`: it is
 * the step that links. */
static int run_compiler(
	const struct compiler *c, bool link, const char *const *step, size_t n, int in, int out)
{
	auto_words struct words w = { 0 };

	int r = words_add_all(&w, (const char *const *)c->cc.at, c->cc.n);
	if (r == 0)
		r = words_add_all(&w, compiler_flags, COUNT(compiler_flags) - 1);
	if (r == 0 && link)
		r = words_add_all(&w, compiler_link_flags, COUNT(compiler_link_flags) - 1);
	if (r == 0)
		r = words_add_all(&w, step, n);
	for (size_t i = 0; i < c->cflags.n && r == 0; i++) {
		const char *flag = c->cflags.at[i];

		if (link || !is_for_linker(flag))
			r = words_add(&w, flag);
	}
	/* Behind the source, which may use it: <math.h> is C. */
	if (r == 0 && link)
		r = words_add(&w, "-lm");
	if (r == 0)
		r = vec_push(&w, NULL);
	return r < 0 ? r : run_command(w.at, in, out, STDERR_FILENO);
}

/* What run_command() said of a step of compiling `path`. */
static int compiler_result(const struct compiler *c, const char *path, int result, struct err *err)
{
	if (result == 0)
		return 0;
	if (result == -ENOENT)
		return err_set(err, result,
			"there is no C compiler '%s': install one, or name another with $CC", c->cc.at[0]);
	if (result < 0)
		return err_errno(err, result, "the C compiler '%s'", c->cc.at[0]);
	if (result > 128)
		return err_set(err, -ECANCELED, "the C compiler '%s' ended by signal %d on '%s'", c->cc.at[0],
			result - 128, path);
	return err_set(err, -ECANCELED, "the job '%s' does not compile: see above", path);
}

/* Reads all of `fd`, which may be `max` bytes. */
static int read_all(int fd, size_t max, struct buf *ret)
{
	*ret = BUF_INIT(max);
	for (off_t at = 0;;) {
		int r = buf_reserve(ret, 4096);
		if (r < 0)
			return r;
		ssize_t n = pread(fd, ret->data + ret->len, ret->cap - ret->len, at);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return 0;
		if (n > 0) {
			ret->len += (size_t)n;
			at += n;
		}
	}
}

/* Asks the compiler what it is. */
static int ask_version(struct compiler *c, struct err *err)
{
	auto_close int out = memfd_create("quern-version", MFD_CLOEXEC);
	auto_words struct words w = { 0 };

	if (out < 0)
		return err_errno(err, -errno, "memory for the compiler's version");
	int r = words_add_all(&w, (const char *const *)c->cc.at, c->cc.n);
	if (r == 0)
		r = words_add(&w, "--version");
	if (r == 0)
		r = vec_push(&w, NULL);
	if (r < 0)
		return err_set(err, r, "out of memory");
	r = run_command(w.at, -1, out, STDERR_FILENO);
	if (r == NOT_FOUND) /* a wrapper says so, and posix_spawn() where it cannot tell its caller */
		r = -ENOENT;
	if (r > 0)
		return err_set(err, -ECANCELED,
			"the C compiler '%s' does not work: '%s --version' ended with %d", c->cc.at[0],
			c->cc.at[0], r);
	if (r < 0)
		return compiler_result(c, "", r, err);
	r = read_all(out, VERSION_MAX, &c->version);
	if (r < 0)
		return err_errno(err, r, "the version of the C compiler '%s'", c->cc.at[0]);
	/* Clang warns of flags that one of the two steps has no use for. */
	if (memmem(c->version.data, c->version.len, "clang", 5) != NULL &&
		words_add(&c->cflags, "-Qunused-arguments") < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return 0;
}

void compiler_deinit(struct compiler *c)
{
	words_deinit(&c->cc);
	words_deinit(&c->cflags);
	buf_deinit(&c->version);
}

int compiler_init(struct compiler *c, const char *include, const char *cflags, struct err *err)
{
	const char *cc = getenv("CC");

	c->include = include;
	int r = words_split(&c->cc, cc != NULL ? cc : "", "$CC", err);
	if (r == 0 && c->cc.n == 0 && words_add(&c->cc, "cc") < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r == 0 && cflags != NULL)
		r = words_split(&c->cflags, cflags, "the compiler flags", err);
	for (size_t i = 0; i < c->cflags.n && r == 0; i++) {
		size_t len = strlen(c->cflags.at[i]);

		if (c->cflags.at[i][0] != '-' && len > 2 && strcmp(c->cflags.at[i] + len - 2, ".c") == 0)
			r = err_set(err, -EINVAL,
				"the compiler flags: a job is one source: '%s' may be included in it",
				c->cflags.at[i]);
	}
	return r < 0 ? r : ask_version(c, err);
}

int compiler_preprocess(const struct compiler *c, const char *path, int *ret, struct err *err)
{
	auto_close int out = memfd_create("quern-source", MFD_CLOEXEC);

	if (out < 0)
		return err_errno(err, -errno, "memory for the source of '%s'", path);
	/* A name that begins with a minus is no flag; not every compiler knows "--". */
	auto_free char *name = NULL;
	if (asprintf(&name, "%s%s", *path == '-' ? "./" : "", path) < 0) {
		name = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	/* With comments: a compiler looks for some, like "fall through". */
	const char *const step[] = { "-E", "-C", "-I", c->include, name };
	int r = compiler_result(c, path, run_compiler(c, false, step, COUNT(step), -1, out), err);
	if (r < 0)
		return r;
	*ret = out, out = -1;
	return 0;
}

int compiler_build(
	const struct compiler *c, const char *path, int source, const char *object, struct err *err)
{
	const char *const step[] = { "-o", object, "-x", "cpp-output", "-", "-x", "none" };

	if (lseek(source, 0, SEEK_SET) < 0)
		return err_errno(err, -errno, "the source of '%s'", path);
	return compiler_result(c, path, run_compiler(c, true, step, COUNT(step), source, STDERR_FILENO), err);
}
