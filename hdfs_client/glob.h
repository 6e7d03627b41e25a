/* glob.h: patterns of names as Hadoop has them, without I/O: * ? [abc] [a-z] [^a] [!a] {a,b} and \ before any
 * of them. One character is one of UTF-8. Unlike a shell's, * takes names that begin with a dot, too. */
#ifndef QUERN_HDFS_CLIENT_GLOB_H
#define QUERN_HDFS_CLIENT_GLOB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/auto.h"
#include "base/err.h"

/* Patterns that one pattern may stand for, see hdfs_glob_split(); and their bytes together. */
enum { HDFS_GLOBS_MAX = 1024, HDFS_GLOBS_BYTES_MAX = 4 << 20 };

struct hdfs_globs {
	char **at;
	size_t n, cap;
};

/* Takes apart a pattern of a path at those braces that have a slash in them, as "/{a/b,c}/d*" ->
 * "/a/b/d*", "/c/d*", so that each component stands for itself. Appends. -EINVAL: a brace that is not closed,
 * too many; -ENOMEM. */
int hdfs_glob_split(const char *pattern, struct hdfs_globs *ret, struct err *err);
void hdfs_globs_deinit(struct hdfs_globs *g);

struct hdfs_name_glob; /* of one component */

/* `pattern` is not kept. -EINVAL: something is not closed; -ENOMEM. */
int hdfs_name_glob_new(const char *pattern, size_t len, struct hdfs_name_glob **ret, struct err *err);
struct hdfs_name_glob *hdfs_name_glob_free(struct hdfs_name_glob *g); /* takes NULL, returns NULL */

/* Time is of the order of both lengths, whatever the pattern is. Not by two threads at once. */
bool hdfs_name_glob_match(struct hdfs_name_glob *g, const char *name);

/* Whether there is anything in `len` bytes of `pattern` that stands for something else; and, if not, what is
 * meant: the same without backslashes, which the caller frees (NULL: out of memory). */
bool hdfs_glob_is(const char *pattern, size_t len);
char *hdfs_glob_literal(const char *pattern, size_t len);

AUTO_FREE(hdfs_name_glob, struct hdfs_name_glob, hdfs_name_glob_free)
#define auto_hdfs_name_glob AUTO_CLEANUP(auto_hdfs_name_glob_cleanup_)
#define auto_hdfs_globs     AUTO_CLEANUP(hdfs_globs_deinit)

#endif
