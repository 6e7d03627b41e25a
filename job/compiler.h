/* compiler.h: running the C compiler on a job. */
#ifndef QUERN_JOB_COMPILER_H
#define QUERN_JOB_COMPILER_H

#include <stddef.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

/* A command line, or part of one: NUL-terminated strings of its own. {0} is empty. */
struct words {
	char **at;
	size_t n, cap;
};

void words_deinit(struct words *w);
#define auto_words AUTO_CLEANUP(words_deinit)

struct compiler {
	struct words cc;     /* the command: $CC, or cc */
	struct words cflags; /* what the user adds to our flags */
	const char *include; /* borrowed: the folder with quern/quern.h */
	struct buf version;  /* what it says of itself */
};

/* The flags of every step, and those of the step that links; a NULL ends each. */
extern const char *const compiler_flags[];
extern const char *const compiler_link_flags[];

/* Takes $CC and `cflags` (NULL: none) apart as a shell would, and asks the compiler for its version. `c` is
 * zeroed before, and compiler_deinit() is for the caller also when this fails: -EINVAL: not words; -ENOENT,
 * -EACCES, ...: there is no such compiler; -ECANCELED: it does not work. */
int compiler_init(struct compiler *c, const char *include, const char *cflags, struct err *err);
void compiler_deinit(struct compiler *c);

/* Preprocesses `path`. *ret is a file in memory, the caller's to close. -ECANCELED: the compiler has said on
 * stderr what is wrong. */
int compiler_preprocess(const struct compiler *c, const char *path, int *ret, struct err *err);

/* Makes the shared object `object` of a preprocessed source (read from its beginning). `path` is the source's
 * name for people. Errors as above. */
int compiler_build(
	const struct compiler *c, const char *path, int source, const char *object, struct err *err);

#endif
