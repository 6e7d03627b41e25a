#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "hdfs_client/glob.h"

/* The first '{' that has a slash in it, to its '}'; and what is between. */
struct braces {
	size_t start, end; /* of '{', and behind '}' */
};

void hdfs_globs_deinit(struct hdfs_globs *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->at[i]);
	vec_deinit(g);
}

/* The byte after the character at `i`, for which a backslash belongs to what follows. */
static size_t after_char(const char *p, size_t i)
{
	return p[i] == '\\' && p[i + 1] != '\0' ? i + 2 : i + 1;
}

/* The same, and a set counts as one; it has no slash, or is none. */
static size_t after(const char *p, size_t i)
{
	if (p[i] != '[')
		return after_char(p, i);
	size_t end = i + 1;
	if (p[end] == '^' || p[end] == '!')
		end++;
	do { /* a ']' at the start is one of the set */
		if (p[end] == '\0' || p[end] == '/')
			return i + 1;
		end = after_char(p, end);
	} while (p[end] != ']');
	return end + 1;
}

/* true: *ret is it. A '{' without an end is found later, by who reads the component. */
static bool find(const char *p, struct braces *ret)
{
	for (size_t start = 0; p[start] != '\0'; start = after(p, start)) {
		unsigned depth = 0;
		bool slash = false;

		if (p[start] != '{')
			continue;
		for (size_t i = start; p[i] != '\0'; i = after(p, i)) {
			depth += p[i] == '{';
			slash |= p[i] == '/';
			if (p[i] == '}' && --depth == 0) {
				*ret = (struct braces){ start, i + 1 };
				if (slash)
					return true;
				start = i; /* nothing in it is taken apart */
				break;
			}
		}
	}
	return false;
}

/* Appends the pattern with the braces replaced by `len` bytes of them. */
static int put(struct hdfs_globs *to, const char *p, const struct braces *b, size_t from, size_t len)
{
	size_t rest = strlen(p + b->end);
	char *s = malloc(b->start + len + rest + 1);

	if (s == NULL)
		return -ENOMEM;
	memcpy(s, p, b->start);
	memcpy(s + b->start, p + from, len);
	memcpy(s + b->start + len, p + b->end, rest + 1);
	if (vec_push(to, s) < 0) {
		free(s);
		return -ENOMEM;
	}
	return 0;
}

/* Every alternative of the braces, as a pattern of its own. */
static int take_apart(const char *p, const struct braces *b, struct hdfs_globs *to)
{
	size_t from = b->start + 1;
	unsigned depth = 1;

	for (size_t i = from; i < b->end; i = after(p, i)) {
		depth += p[i] == '{';
		depth -= p[i] == '}';
		if (depth == 0 || (depth == 1 && p[i] == ',')) {
			int k = put(to, p, b, from, i - from);
			if (k < 0)
				return k;
			from = i + 1;
		}
	}
	return 0;
}

static int split(struct hdfs_globs *todo, struct hdfs_globs *ret, struct err *err)
{
	size_t bytes = 0;
	int k = 0;

	for (size_t i = 0; i < todo->n && k == 0; i++) {
		struct braces b;

		bytes += strlen(todo->at[i]);
		if (todo->n > HDFS_GLOBS_MAX || bytes > HDFS_GLOBS_BYTES_MAX)
			return err_set(
				err, -EINVAL, "its braces stand for more than %d patterns", HDFS_GLOBS_MAX);
		if (find(todo->at[i], &b)) {
			k = take_apart(todo->at[i], &b, todo);
			continue;
		}
		k = vec_push(ret, todo->at[i]);
		if (k == 0)
			todo->at[i] = NULL;
	}
	return k < 0 ? err_set(err, k, "out of memory") : 0;
}

int hdfs_glob_split(const char *pattern, struct hdfs_globs *ret, struct err *err)
{
	auto_hdfs_globs struct hdfs_globs todo = { 0 };
	char *copy = strdup(pattern);

	if (copy == NULL || vec_push(&todo, copy) < 0) {
		free(copy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return split(&todo, ret, err);
}
